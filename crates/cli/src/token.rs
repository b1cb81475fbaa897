//! `countersign token`: what can be asked about a token, and how the token comes in.

use std::io::{self, IsTerminal as _, Read as _};

use clap::{Args, Subcommand};

use crate::error::Failure;
use crate::inspect::Inspect;
use crate::output::{Report, warn};
use crate::time::Instant;
use crate::verify::Verify;

/// Look into a token, or verify it.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show what a token says. Verifies NOTHING and needs no key: anyone can write such a token.
    Inspect(Inspect),
    /// Verify a token as a server would: signature, type, time, issuer, audience.
    Verify(Verify),
}

impl Command {
    pub(crate) fn run(self, now: Instant) -> Result<Report, Failure> {
        match self {
            Self::Inspect(inspect) => inspect.run(now),
            Self::Verify(verify) => verify.run(now),
        }
    }
}

/// Where the token comes from.
#[derive(Debug, Args)]
pub(crate) struct Source {
    /// The token; without it, or with `-`, it is read from standard input, which is better: arguments can be seen by
    /// every user of the machine and stay in the shell's history.
    #[arg(value_name = "TOKEN")]
    token: Option<String>,
}

impl Source {
    /// The token alone: no white space around it, no `Bearer ` or `DPoP ` before it.
    pub(crate) fn read(self) -> Result<String, Failure> {
        let text = match self.token {
            Some(token) if token != "-" => token,
            _ => read_stdin()?,
        };
        if text.len() > MAX_BYTES {
            return Err(Failure::TooLong(MAX_BYTES));
        }
        let trimmed = text.trim();
        let token = match trimmed.split_once(' ') {
            Some((scheme, token)) if is_scheme(scheme) => token.trim(),
            _ => trimmed,
        };
        if token.is_empty() { Err(Failure::NoToken) } else { Ok(token.to_owned()) }
    }
}

fn is_scheme(word: &str) -> bool {
    word.eq_ignore_ascii_case("Bearer") || word.eq_ignore_ascii_case("DPoP")
}

fn read_stdin() -> Result<String, Failure> {
    if io::stdin().is_terminal() {
        warn("paste the token, then press Enter and Ctrl-D:");
    }
    let mut bytes = Vec::new();
    io::stdin().lock().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(Failure::Input)?;
    if bytes.len() > MAX_BYTES {
        return Err(Failure::TooLong(MAX_BYTES));
    }
    String::from_utf8(bytes).map_err(|_| Failure::NotText)
}

/// Sixteen times the longest token that we mint.
pub(crate) const MAX_BYTES: usize = 1 << 16;
