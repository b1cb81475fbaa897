//! `countersign`: keys, tokens, sessions and the doctor on the command line. Here: what can be asked, and who answers.

mod columns;
mod completions;
mod confirm;
mod doctor;
mod error;
mod http;
mod inspect;
mod jwks;
mod keys;
mod outline;
mod output;
mod peek;
mod progress;
mod reason;
mod sessions;
mod time;
mod token;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Failure;
use crate::output::{Format, Report};
use crate::time::Instant;

/// Keys, tokens and sessions of Countersign.
#[derive(Debug, Parser)]
#[command(
    name = "countersign",
    version,
    arg_required_else_help = true,
    after_help = "Exit codes: 0 done (a verified token is valid, the doctor found nothing), 1 the token is not valid or the \
                  session not live, 2 nothing was done or decided (usage, files, a server out of reach), 3 the doctor \
                  warns, 4 the doctor found a fault."
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
    /// See who is working on a site, and end sessions.
    #[command(subcommand)]
    Sessions(sessions::Command),
    /// Check a deployment, and say what to change.
    Doctor(doctor::Doctor),
    /// Print the completions of a shell.
    Completions(completions::Completions),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let format = if cli.json { Format::Json } else { Format::Text };
    match answer(cli.command, Instant::now(), format) {
        Ok(report) => report.print(format),
        Err(failure) => failure.print(format),
    }
}

fn answer(command: Command, now: Instant, format: Format) -> Result<Report, Failure> {
    match command {
        Command::Keys(command) => command.run(now),
        Command::Token(command) => command.run(now),
        Command::Sessions(command) => command.run(now, format),
        Command::Doctor(doctor) => doctor.run(now),

        Command::Completions(completions) => Ok(completions.run::<Cli>()),
    }
}

/// What network and registries run on.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::Runtime)
}
