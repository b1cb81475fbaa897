//! The question before what cannot be taken back. Asked on standard error, so that the answer of the command stays alone
//! on standard output.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

use crate::error::Failure;

/// Asks somebody who sits there; where nobody does, the answer is no.
pub(crate) fn ask(question: &str) -> Result<(), Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::NobodyToAsk(question.lines().next().unwrap_or_default().to_owned()));
    }
    drop(io::stderr().write_all(question.as_bytes()));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::Input)?;
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::NotConfirmed) }
}
