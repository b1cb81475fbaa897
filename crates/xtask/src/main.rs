//! The project's chores, run as `cargo xtask <chore>`: what CI runs is what you run.

mod bench;
mod check;
mod setup;
mod step;
mod test;
mod tidy;
mod toolchain;
mod valkey;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::step::{Failure, Steps};
use crate::toolchain::Msrv;
use crate::workspace::Workspace;

/// The project's chores.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Install what the tests need, then run all of them: Rust, documentation, JavaScript, browser
    Test {
        /// The long modes of property and crash tests (`COUNTERSIGN_LONG=1`): minutes become hours
        #[arg(long)]
        long: bool,
        /// Install nothing; fail where something is missing
        #[arg(long)]
        no_setup: bool,
    },
    /// Formatting, clippy, documentation, tidiness, licences, and the minimum Rust version
    Check {
        /// Insist that the compiler in use is the stated minimum, so that passing proves the statement
        #[arg(long)]
        exact_msrv: bool,
        /// Install nothing; fail where something is missing
        #[arg(long)]
        no_setup: bool,
    },
    /// The goals of performance, measured: a table, and `target/bench.json`
    Bench {
        /// Fewer rounds and smaller sites: under two minutes instead of fifteen
        #[arg(long)]
        quick: bool,
    },
    /// Only the house rules that no other tool knows: sizes, module docs, paths, reasons
    Tidy,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut steps = Steps::default();
    let outcome = run(&arguments.chore, &mut steps);
    steps.print_summary();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("\n{failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(chore: &Chore, steps: &mut Steps) -> Result<(), Failure> {
    let workspace = Workspace::find()?;
    match *chore {
        Chore::Test { long, no_setup } => test::run(&workspace, steps, long, no_setup),
        Chore::Check { exact_msrv, no_setup } => {
            let msrv = if exact_msrv { Msrv::Exact } else { Msrv::WherePossible };
            check::run(&workspace, steps, msrv, no_setup)
        }
        Chore::Bench { quick } => bench::run(&workspace, steps, quick),
        Chore::Tidy => steps.task("tidy", "cargo xtask tidy", || tidy::run(&workspace.root)),
    }
}
