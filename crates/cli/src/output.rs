//! What a command has to say: text for people, JSON for programs, and the exit code. Nothing here decides anything.

use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::process::ExitCode;

use serde_json::Value;

/// A command's answer. Commands build it; only [`Report::print`] writes it.
#[must_use]
pub(crate) struct Report {
    /// For people. Ends with a line break unless empty.
    pub(crate) text: String,
    /// The same for programs (`--json`).
    pub(crate) json: Value,
    /// What the shell hears.
    pub(crate) exit: Exit,
}

/// The exit code, part of the command's interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; a verified token is valid.
    Done = 0,
    /// The token is not valid, or the session is not live.
    Invalid = 1,
    /// Nothing was done or decided: wrong usage, a file that cannot be used, a server out of reach.
    Failed = 2,
    /// The doctor warns.
    Warned = 3,
    /// The doctor found a fault.
    Faulty = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Who reads the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// People.
    Text,
    /// Programs.
    Json,
}

impl Report {
    /// An answer after which all is well.
    pub(crate) fn done(text: String, json: Value) -> Self {
        Self { text, json, exit: Exit::Done }
    }

    /// Nothing is left to say: it was written as it happened.
    pub(crate) fn told() -> Self {
        Self::done(String::new(), Value::Null)
    }

    /// Writes the answer to standard output.
    pub(crate) fn print(&self, format: Format) -> ExitCode {
        let text = match format {
            _ if self.json.is_null() => String::new(),
            Format::Text => self.text.clone(),
            Format::Json => format!("{:#}\n", self.json),
        };
        let mut out = io::stdout().lock();
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            // A reader that has seen enough (`| head -1`) changes nothing about the answer.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                warn(&format!("error: cannot write to standard output: {error}"));
                Exit::Failed.into()
            }
            _ => self.exit.into(),
        }
    }
}

/// Writes to standard error, where nobody may be listening any more. A server's words may be in it.
pub(crate) fn warn(words: &str) {
    let lines: Vec<_> = words.split('\n').map(printable).collect();
    drop(writeln!(io::stderr().lock(), "{}", lines.join("\n")));
}

/// Rows as text, columns aligned, two spaces between them.
pub(crate) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let widths: [usize; N] =
        std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(widths) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// The same text, each line moved right by two spaces.
pub(crate) fn indent(text: &str) -> String {
    text.lines().flat_map(|line| ["  ", line, "\n"]).collect()
}

/// So many of something: one session, two sessions.
pub(crate) fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Text from a stranger, safe to show: control characters (which could drive the terminal) are escaped.
pub(crate) fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if is_harmless(c) { vec![c] } else { c.escape_unicode().collect() }).collect()
}

/// Bidirectional overrides and invisible characters could make one claim look like another.
fn is_harmless(c: char) -> bool {
    !c.is_control()
        && !matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}')
        && !matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\u{202e}é\n"), "a\\u{1b}[2Jb\\u{202e}é\\u{a}");
        assert_eq!(printable("a\u{e0041}\u{ad}"), "a\\u{e0041}\\u{ad}");
    }

    #[test]
    fn columns_are_aligned() {
        let rows = [["a".to_owned(), "b".to_owned()], ["ccc".to_owned(), String::new()]];
        assert_eq!(table(&rows), "a    b\nccc\n");
    }
}
