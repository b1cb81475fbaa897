//! A process of ours: started, waited for until it says that it is ready, and brought to an orderly end.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use crate::Outcome;

/// How long a process may take until it is ready, and until it has ended.
const PATIENCE: Duration = Duration::from_secs(40);

/// A running process. One that is dropped without [`Process::stop`] is killed.
#[derive(Debug)]
pub(crate) struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts a command, its errors going to a log in `folder`, and waits for the line of its output that `ready` reads.
    pub(crate) async fn start<T>(
        name: &str,
        mut command: Command,
        folder: &Path,
        ready: impl Fn(&str) -> Option<T>,
    ) -> Outcome<(Self, T)> {
        let log = folder.join(format!("{name}.log"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(&log)?);
        // Ctrl-C reaches a terminal's whole process group: these are told by us, in the right order.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        let out = child.stdout.take().ok_or("a process without output")?;
        let process = Self { name: name.to_owned(), child, log };
        let mut lines = BufReader::new(out).lines();
        let told = timeout(PATIENCE, first(&mut lines, ready)).await;
        let told = told.ok().and_then(Result::ok).flatten().ok_or_else(|| process.failed())?;
        // What it says from here on must not fill the pipe.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Ok((process, told))
    }

    fn failed(&self) -> String {
        let said = std::fs::read_to_string(&self.log).unwrap_or_default();
        format!("{} did not start; it said:\n{said}", self.name)
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id().unwrap_or_default()
    }

    /// Asks it to end, and waits until it has. One that was killed before is no failure.
    pub(crate) async fn stop(mut self) -> io::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let (Some(id), None) = (id, self.child.try_wait()?) {
            kill_process(id, Signal::TERM)?;
        }
        match timeout(PATIENCE, self.child.wait()).await {
            Ok(ended) => ended.map(drop),
            Err(_) => self.child.kill().await,
        }
    }
}

/// What is read from the first line that says something; nothing if the output ends before.
async fn first<T>(
    lines: &mut Lines<BufReader<ChildStdout>>,
    read: impl Fn(&str) -> Option<T>,
) -> io::Result<Option<T>> {
    while let Some(line) = lines.next_line().await? {
        if let Some(told) = read(&line) {
            return Ok(Some(told));
        }
    }
    Ok(None)
}
