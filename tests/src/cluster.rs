//! The example of many nodes, as its one command runs it: a store, nodes and a load balancer, found by what it prints.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use tempfile::TempDir;

use crate::log::Log;
use crate::{Client, Transport, Wire, program};

/// A running cluster. When dropped it is told to stop.
pub struct Cluster {
    child: Child,
    log: Log,
    folder: TempDir,
}

/// One of its processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Where it listens.
    pub address: SocketAddr,
    /// Its process.
    pub process: Pid,
}

const PATIENCE: Duration = Duration::from_mins(2);
const PAUSE: Duration = Duration::from_millis(10);

impl Cluster {
    /// Starts the command with these flags, on a free port.
    pub fn start(flags: &[&str]) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let log = Log::new(folder.path());
        let mut command = Command::new(program::cluster());
        command.args(["--listen", "127.0.0.1:0"]).args(flags).current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(log.create("out")).stderr(log.create("err"));
        Self { child: command.spawn().expect("the command starts"), log, folder }
    }

    /// Waits until it has said something.
    ///
    /// # Panics
    /// If it does not.
    pub async fn says(&mut self, what: &str) {
        let deadline = Instant::now() + PATIENCE;
        while !self.output().contains(what) {
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none() && Instant::now() < deadline, "no {what:?} in: {}", self.output());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// All that it said.
    pub fn output(&self) -> String {
        self.log.read()
    }

    /// What it has left where it was started.
    pub fn files(&self) -> Vec<PathBuf> {
        let files = std::fs::read_dir(self.folder.path()).expect("the folder is there");
        let all = files.map(|file| file.expect("a file").path());
        all.filter(|path| !path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("run-")))
            .collect()
    }

    /// Its nodes.
    pub fn nodes(&self) -> Vec<Member> {
        self.members("node ", "http://")
    }

    /// Its store.
    pub fn store(&self) -> Member {
        self.members("store ", " on ").remove(0)
    }

    /// The scratch folder.
    pub fn scratch(&self) -> PathBuf {
        let output = self.output();
        let line = output.lines().find_map(|line| line.strip_prefix("scratch"));
        line.expect("a scratch folder").trim().into()
    }

    /// A client of the whole, through the load balancer.
    pub fn client(&self) -> Client {
        let output = self.output();
        let line = output.lines().find(|line| line.starts_with("site ")).expect("a site");
        let address = line.split("http://").nth(1).and_then(|rest| rest.split(',').next());
        let address: SocketAddr = address.and_then(|text| text.parse().ok()).expect("an address");
        Client::new(address, format!("http://{address}"), Wire::Http1, Transport::Cookies)
    }

    /// Sends the command itself a signal.
    pub fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process id");
        kill_process(id, signal).expect("it is running");
    }

    /// Waits until it has ended.
    ///
    /// # Panics
    /// If it has not in time.
    pub async fn exited(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not exit; it said: {}", self.output());
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Lines such as `node 1   http://127.0.0.1:4001, process 17`.
    fn members(&self, first: &str, before: &str) -> Vec<Member> {
        let member = |line: &str| {
            let (address, process) = line.split_once(before)?.1.split_once(", process ")?;
            let process = process.parse().ok().and_then(Pid::from_raw)?;
            Some(Member { address: address.parse().ok()?, process })
        };
        self.output().lines().filter(|line| line.starts_with(first)).filter_map(member).collect()
    }
}

impl Member {
    /// Ends it at once.
    pub fn kill9(self) {
        kill_process(self.process, Signal::KILL).expect("it is running");
    }

    /// Whether there is such a process.
    pub fn is_there(self) -> bool {
        test_kill_process(self.process).is_ok()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- the cluster said:\n{}---", self.output());
        }
        if let Ok(None) = self.child.try_wait() {
            self.signal(Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
