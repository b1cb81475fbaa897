//! A server in a process of its own, pinned to a core where the machine has `taskset`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use clap::ValueEnum as _;
use countersign_token::{FeedPosition, KeyRing};

use crate::Outcome;
use crate::serve::Kind;

/// A running server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    /// Where it listens, on the loopback.
    pub(crate) port: u16,
    /// Where in its feed a session is born now.
    pub(crate) born: FeedPosition,
}

impl Server {
    /// Starts it, on the first core.
    pub(crate) fn start(kind: Kind, ring: &KeyRing) -> Outcome<Self> {
        let kind = kind.to_possible_value().ok_or("a server without a name")?;
        let mut command = on_core(0)?;
        command.args(["serve", kind.get_name()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        child.stdin.take().ok_or("no standard input")?.write_all(&ring.to_json())?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no standard output")?).read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let mut word = || words.next().ok_or("the server did not start");
        let port = word()?.parse()?;
        let born = FeedPosition { epoch: word()?.parse()?, seq: word()?.parse()? };
        Ok(Self { child, port, born })
    }

    /// How long its one thread has run on a core so far, in nanoseconds.
    pub(crate) fn busy(&self) -> Outcome<f64> {
        let text = std::fs::read_to_string(format!("/proc/{}/schedstat", self.child.id()))?;
        Ok(text.split_whitespace().next().ok_or("an empty schedstat")?.parse()?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// This program again, on a core of its own if that can be had.
pub(crate) fn on_core(core: u32) -> Outcome<Command> {
    let program = std::env::current_exe()?;
    if !can_pin() {
        return Ok(Command::new(program));
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    Ok(command)
}

/// Whether there is a `taskset`, and a core for either side.
fn can_pin() -> bool {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    cores > 1 && Command::new("taskset").arg("-V").output().is_ok_and(|output| output.status.success())
}
