//! A terminal of the test's own: a command runs at it, and the test reads what it shows and types.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

/// How long a command may show nothing new before it hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// What Ctrl-D types: the end of input.
pub(crate) const END_OF_INPUT: &str = "\u{4}";

/// A command at a terminal, which shows its questions and its progress. Its answer goes into a pipe.
pub(crate) struct Terminal {
    keyboard: File,
    screen: Receiver<Vec<u8>>,
    shown: String,
    child: Child,
}

/// How it ended.
pub(crate) struct Left {
    pub(crate) code: Option<i32>,
    /// Everything that the terminal showed, what was typed included.
    pub(crate) shown: String,
    /// What went into the pipe.
    pub(crate) answer: String,
}

impl Terminal {
    /// Runs `countersign` with these arguments in a folder.
    pub(crate) fn run(folder: &Path, line: &str) -> Self {
        let (ours, its) = pair();
        let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
        command.args(line.split(' ')).current_dir(folder).env("TERM", "xterm").env_remove("NO_COLOR");
        crate::leave_out_settings(&mut command);
        command.stdin(its.try_clone().unwrap()).stderr(its).stdout(Stdio::piped());
        let child = command.spawn().unwrap();
        // The command alone holds its side now: when it is gone, so is what we read.
        drop(command);
        let keyboard = File::from(ours);
        let screen = read(keyboard.try_clone().unwrap());
        Self { keyboard, screen, shown: String::new(), child }
    }

    /// Waits until the terminal shows this.
    pub(crate) fn shows(&mut self, wanted: &str) {
        while !self.shown.contains(wanted) {
            assert!(self.look(), "it ended without showing {wanted:?}, but {:?}", self.shown);
        }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits until the command ends.
    pub(crate) fn ends(mut self) -> Left {
        while self.look() {}
        let mut answer = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut answer).unwrap();
        Left { code: self.child.wait().unwrap().code(), shown: std::mem::take(&mut self.shown), answer }
    }

    /// What is shown next; whether there was any.
    fn look(&mut self) -> bool {
        use std::sync::mpsc::RecvTimeoutError::{Disconnected, Timeout};
        match self.screen.recv_timeout(PATIENCE) {
            Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
            Err(Disconnected) => return false,
            Err(Timeout) => panic!("it shows nothing more than {:?}", self.shown),
        }
        true
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Both sides of a new terminal: ours, and the command's.
fn pair() -> (OwnedFd, File) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    rustix::io::fcntl_setfd(&ours, rustix::io::FdFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let its = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    tcsetwinsize(&its, Winsize { ws_row: 24, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
    (ours, its)
}

/// What comes, until the other side is gone, which Linux tells as an error.
fn read(mut side: File) -> Receiver<Vec<u8>> {
    let (shown, screen) = channel();
    std::thread::spawn(move || {
        let mut bytes = [0; 4096];
        while let Ok(count @ 1..) = side.read(&mut bytes) {
            if shown.send(bytes[..count].to_vec()).is_err() {
                break;
            }
        }
    });
    screen
}
