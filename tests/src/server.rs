//! A spawned example server, in a folder of its own: started, killed, restarted, its output kept.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::log::{Log, has_panicked};
use crate::{Client, Transport, Wire, assert_no_secret, program};

/// How a server is to be started.
#[derive(Clone)]
pub struct Launch {
    flags: Vec<String>,
    variables: Vec<(String, String)>,
    before: Vec<String>,
    folder: Arc<TempDir>,
}

/// A server that refused to start.
#[derive(Debug)]
pub struct Refused {
    /// How it exited.
    pub status: ExitStatus,
    /// All that it said.
    pub output: String,
}

const START: Duration = Duration::from_secs(30);
const EXIT: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(10);

impl Launch {
    /// With its own defaults, in an empty folder, on a free port.
    pub fn new() -> Self {
        let folder = Arc::new(TempDir::new().expect("a temporary folder"));
        Self { flags: Vec::new(), variables: Vec::new(), before: Vec::new(), folder }
    }

    /// More flags. The last of a kind counts, the earlier ones are taken away.
    pub fn flags(mut self, flags: &[&str]) -> Self {
        for flag in flags {
            if let (true, Some(at)) = (flag.starts_with("--"), self.flags.iter().position(|old| old == flag))
            {
                let end = self.flags[at + 1..].iter().position(|next| next.starts_with("--"));
                self.flags.drain(at..end.map_or(self.flags.len(), |end| at + 1 + end));
            }
            self.flags.push((*flag).to_owned());
        }
        self
    }

    /// An environment variable.
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.into(), value.into()));
        self
    }

    /// A command before the program, such as a shell that sets limits.
    pub fn before(mut self, command: &[&str]) -> Self {
        self.before = command.iter().map(|&word| word.to_owned()).collect();
        self
    }

    /// The folder in which it runs.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The key ring that it makes, unless a flag says otherwise.
    pub fn keys(&self) -> PathBuf {
        self.folder().join("countersign-data/keys.json")
    }

    /// The registry that it makes, unless a flag says otherwise.
    pub fn registry(&self) -> PathBuf {
        self.folder().join("countersign-data/registry.redb")
    }

    /// Starts it and waits until it listens.
    ///
    /// # Panics
    /// If it does not.
    pub async fn start(self) -> Server {
        let (child, log) = self.spawn();
        let mut server = Server { launch: self, child, logs: vec![log], address: ([0, 0, 0, 0], 0).into() };
        server.address = server.listening().await;
        server
    }

    /// Starts it and waits until it listens, or has refused to with an error.
    ///
    /// # Panics
    /// If it refuses with success, or panics.
    pub async fn start_or_refuse(self) -> Option<Server> {
        let (child, log) = self.spawn();
        let mut server = Server { launch: self, child, logs: vec![log], address: ([0, 0, 0, 0], 0).into() };
        match server.settled().await {
            Ok(address) => {
                server.address = address;
                Some(server)
            }
            Err(status) => {
                assert!(!status.success(), "it exits with success: {}", server.output());
                None
            }
        }
    }

    /// Starts it and waits until it has refused to.
    ///
    /// # Panics
    /// If it starts all the same, or exits with success.
    pub async fn refused(self) -> Refused {
        let (child, log) = self.spawn();
        let mut server = Server { launch: self, child, logs: vec![log], address: ([0, 0, 0, 0], 0).into() };
        let status = server.exited(EXIT).await;
        let output = server.output();
        assert!(!output.contains("listening on"), "it started: {output}");
        assert!(!status.success(), "it exits with success: {output}");
        assert!(!has_panicked(&output), "{output}");
        Refused { status, output }
    }

    fn spawn(&self) -> (Child, Log) {
        let log = Log::new(self.folder());
        let mut command = match self.before.split_first() {
            None => Command::new(program::spa()),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program::spa());
                command
            }
        };
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("COUNTERSIGN_") {
                command.env_remove(name);
            }
        }
        command.args(["--listen", "127.0.0.1:0"].iter().filter(|_| !self.listens_elsewhere()));
        command.args(&self.flags).envs(self.variables.iter().cloned()).current_dir(self.folder());
        command.stdout(log.create("out")).stderr(log.create("err")).stdin(std::process::Stdio::null());
        (command.spawn().expect("the server's program starts"), log)
    }

    fn listens_elsewhere(&self) -> bool {
        self.flags.iter().any(|flag| flag == "--listen")
            || self.variables.iter().any(|(name, _)| name == "COUNTERSIGN_LISTEN")
    }
}

impl Default for Launch {
    fn default() -> Self {
        Self::new()
    }
}

/// A running server. When dropped it is killed, and all that it ever said is searched for secrets.
pub struct Server {
    launch: Launch,
    child: Child,
    logs: Vec<Log>,
    address: SocketAddr,
}

impl Server {
    /// Starts one with these flags.
    pub async fn start(flags: &[&str]) -> Self {
        Launch::new().flags(flags).start().await
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its origin: as configured, or the address that it bound.
    pub fn origin(&self) -> String {
        let flags = &self.launch.flags;
        let given = flags.iter().position(|flag| flag == "--origin").map(|at| flags[at + 1].clone());
        given.unwrap_or_else(|| format!("http://{}", self.address))
    }

    /// How it was started.
    pub fn launch(&self) -> &Launch {
        &self.launch
    }

    /// A new client without any credential.
    pub fn client(&self, wire: Wire, transport: Transport) -> Client {
        Client::new(self.address, self.origin(), wire, transport)
    }

    /// Asks it to finish, and waits.
    ///
    /// # Panics
    /// If it does not exit with 0.
    pub async fn terminate(&mut self) {
        self.signal(Signal::TERM);
        let status = self.exited(EXIT).await;
        assert_eq!(status.code(), Some(0), "after SIGTERM: {}", self.output());
    }

    /// Sends it a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("the server is running");
    }

    /// Ends it at once, as a power cut would.
    pub fn kill9(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it can be waited for");
    }

    /// Waits until it has exited.
    ///
    /// # Panics
    /// If it has not within `limit`.
    pub async fn exited(&mut self, limit: Duration) -> ExitStatus {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status;
            }
            assert!(Instant::now() < deadline, "the server does not exit; it said: {}", self.output());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Starts it again on the same files, with more flags or others.
    pub async fn restart(&mut self, flags: &[&str]) {
        self.launch = self.launch.clone().flags(flags);
        let (child, log) = self.launch.spawn();
        self.child = child;
        self.logs.push(log);
        self.address = self.listening().await;
    }

    /// All that it said, in all its runs.
    pub fn output(&self) -> String {
        self.logs.iter().map(Log::read).collect()
    }

    async fn listening(&mut self) -> SocketAddr {
        let settled = self.settled().await;
        settled.unwrap_or_else(|status| panic!("it did not start, {status}; it said: {}", self.output()))
    }

    /// Where it listens, or how it exited.
    async fn settled(&mut self) -> Result<SocketAddr, ExitStatus> {
        let deadline = Instant::now() + START;
        loop {
            if let Some(address) = self.logs.last().and_then(Log::address) {
                return Ok(address);
            }
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return Err(status);
            }
            assert!(Instant::now() < deadline, "the server does not listen; it said: {}", self.output());
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let output = self.output();
        if std::thread::panicking() {
            eprintln!("--- the server said:\n{output}---");
        } else {
            assert_no_secret(&output, &self.launch.keys());
            assert!(!has_panicked(&output), "the server panicked: {output}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_flags_take_the_place_of_earlier_ones() {
        let launch = Launch::new().flags(&["--alg", "ES256", "--dev-cookies"]).flags(&["--alg", "HS256"]);
        assert_eq!(launch.flags, ["--dev-cookies", "--alg", "HS256"]);
    }
}
