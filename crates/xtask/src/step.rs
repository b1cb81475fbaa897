//! Steps: one command or one check at a time, timed, announced, and repeatable by hand when it fails.

use std::ffi::OsStr;
use std::fmt::{self, Display};
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

/// Runs steps in order and remembers how long each took.
#[derive(Default)]
pub(crate) struct Steps {
    done: Vec<(String, Duration, Mark)>,
}

#[derive(Clone, Copy)]
enum Mark {
    Passed,
    Failed,
}

impl Steps {
    /// Runs an outside command with its output shown.
    pub(crate) fn command(&mut self, name: &str, shell: &Shell) -> Result<(), Failure> {
        self.task(name, &shell.to_string(), || shell.run())
    }

    /// Runs `work`; `by_hand` is the command line that repeats it.
    pub(crate) fn task(
        &mut self,
        name: &str,
        by_hand: &str,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        println!("\n== {name}: {by_hand}");
        let started = Instant::now();
        let outcome = work();
        let took = started.elapsed();
        let mark = if outcome.is_ok() { Mark::Passed } else { Mark::Failed };
        println!("{}", line(name, took, mark));
        self.done.push((name.to_owned(), took, mark));
        outcome.map_err(|failure| failure.in_step(name, by_hand))
    }

    /// One line for each step that ran.
    pub(crate) fn print_summary(&self) {
        println!("\n== summary");
        for (name, took, mark) in &self.done {
            println!("{}", line(name, *took, *mark));
        }
        let total = self.done.iter().map(|(_, took, _)| *took).sum::<Duration>();
        println!("{:<8}{:<24}{:>8.1} s", "", "total", total.as_secs_f64());
    }
}

fn line(name: &str, took: Duration, mark: Mark) -> String {
    let word = match mark {
        Mark::Passed => "ok",
        Mark::Failed => "FAILED",
    };
    format!("{word:<8}{name:<24}{:>8.1} s", took.as_secs_f64())
}

/// A command line: what is run is what is shown.
#[derive(Clone)]
pub(crate) struct Shell {
    words: Vec<String>,
    variables: Vec<(String, String)>,
    folder: Option<PathBuf>,
    attempts: u32,
}

impl Shell {
    /// A command of words separated by blanks; no quoting is understood.
    pub(crate) fn new(line: &str) -> Self {
        let words = line.split_whitespace().map(str::to_owned).collect();
        Self { words, variables: Vec::new(), folder: None, attempts: 1 }
    }

    /// One more word, which may contain blanks.
    pub(crate) fn argument(mut self, word: impl AsRef<OsStr>) -> Self {
        self.words.push(word.as_ref().to_string_lossy().into_owned());
        self
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.push((name.to_owned(), value.as_ref().to_string_lossy().into_owned()));
        self
    }

    /// Runs in `folder`.
    pub(crate) fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.folder = Some(folder.into());
        self
    }

    /// Tries up to `attempts` times: for what crosses a network.
    pub(crate) fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = attempts;
        self
    }

    /// Runs it, with its output shown, as often as it may be tried.
    pub(crate) fn run(&self) -> Result<(), Failure> {
        for attempt in 1..self.attempts {
            match self.run_once() {
                Ok(()) => return Ok(()),
                Err(failure) => println!("attempt {attempt} of {}: {}", self.attempts, failure.cause),
            }
            std::thread::sleep(Duration::from_secs(u64::from(attempt) * 5));
        }
        self.run_once()
    }

    fn run_once(&self) -> Result<(), Failure> {
        let status = self.command().status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(Failure::new(describe(status))),
            Err(error) => Err(Failure::new(format!("cannot start {}: {error}", self.words[0]))),
        }
    }

    fn command(&self) -> Command {
        let mut command = Command::new(&self.words[0]);
        command.args(&self.words[1..]).envs(self.variables.iter().map(|(name, value)| (name, value)));
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command
    }
}

fn describe(status: ExitStatus) -> String {
    status.code().map_or_else(|| format!("ended by a signal ({status})"), |code| format!("exit code {code}"))
}

impl Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if let Some(folder) = &self.folder {
            words.push(format!("cd {} &&", quoted(&folder.to_string_lossy())));
        }
        words.extend(self.variables.iter().map(|(name, value)| format!("{name}={}", quoted(value))));
        words.extend(self.words.iter().map(|word| quoted(word)));
        f.write_str(&words.join(" "))
    }
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=:,@+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

/// Why a chore stopped, and how to see it again.
#[derive(Debug)]
pub(crate) struct Failure {
    cause: String,
    step: Option<(String, String)>,
}

impl Failure {
    /// A failure outside of any step.
    pub(crate) fn new(cause: impl Into<String>) -> Self {
        Self { cause: cause.into(), step: None }
    }

    fn in_step(mut self, name: &str, by_hand: &str) -> Self {
        self.step.get_or_insert_with(|| (name.to_owned(), by_hand.to_owned()));
        self
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.step {
            None => f.write_str(&self.cause),
            Some((name, by_hand)) => {
                write!(f, "{name} failed: {}\nrepeat it with: {by_hand}", self.cause)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_what_it_runs() {
        let shell = Shell::new("cargo doc --no-deps").env("RUSTDOCFLAGS", "-D warnings").folder("a folder");
        assert_eq!(shell.to_string(), "cd 'a folder' && RUSTDOCFLAGS='-D warnings' cargo doc --no-deps");
    }

    #[test]
    fn quotes_quotes() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("crates/token"), "crates/token");
    }

    #[test]
    fn a_failure_says_how_to_repeat_it() {
        let mut steps = Steps::default();
        let failure = steps.command("nothing", &Shell::new("false")).unwrap_err();
        assert_eq!(failure.to_string(), "nothing failed: exit code 1\nrepeat it with: false");
    }

    #[test]
    fn a_missing_program_is_a_failure() {
        let failure = Shell::new("no-such-program-here").run().unwrap_err();
        assert!(failure.to_string().starts_with("cannot start no-such-program-here"), "{failure}");
    }
}
