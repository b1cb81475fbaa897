//! `countersign`: keys and tokens on the command line. Here: what can be asked, and who answers.

mod error;
mod inspect;
mod jwks;
mod keys;
mod output;
mod peek;
mod reason;
mod time;
mod token;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Failure;
use crate::output::{Format, Report};
use crate::time::Instant;

/// Keys and tokens of Countersign sessions.
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done (a verified token is valid), 1 the token is not valid, \
                  2 nothing was done or decided (usage, files)."
)]
struct Cli {
    /// Answer in JSON: one document on standard output, errors on standard error.
    #[arg(long, global = true)]
    json: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make, list, rotate and remove the keys that sign and seal tokens.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Look into a token, or verify it.
    #[command(subcommand)]
    Token(token::Command),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = if cli.json { Format::Json } else { Format::Text };
    match answer(cli.command, Instant::now()) {
        Ok(report) => report.print(format),
        Err(failure) => failure.print(format),
    }
}

fn answer(command: Command, now: Instant) -> Result<Report, Failure> {
    match command {
        Command::Keys(command) => command.run(now),
        Command::Token(command) => command.run(now),
    }
}
