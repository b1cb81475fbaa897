//! The goals of performance, each as a row of a table and of a JSON file: `cargo xtask bench [--quick]`.
//!
//! Where a goal is a ratio, both sides are measured in turn, A B A B …, in one run, and the ratio is the median of the
//! rounds' own: a shared machine's speed drifts, for both.
//!
//! | rows | module | against |
//! |---|---|---|
//! | `cold_verify_…`, `reject_…`, `mint_…` | [`token`] | ring on the same bytes; jsonwebtoken on ring |
//! | `warm_verify_1000`, `revocation_miss_…`, `bytes_per_revocation` | [`view`] | one raw HMAC; an empty view |
//! | `registry_memory_…`, `bytes_per_session` | [`registry`] | the same with ten thousand sessions |
//! | `registry_file_…` | [`durable`] | one fsync on the same file system |
//! | `list_…`, `list_valkey_…` | [`list`] | absolute: 100 ms at a million sessions in the file registry and in Valkey |
//! | `registry_valkey_…` | [`scripts`] | absolute: the server's own count of a script's time; beside a bare script's |
//! | `propagation_…` | [`propagation`] | absolute: from an end's acknowledgement to its refusal on eight nodes |
//! | `hyper_…`, `axum_warm` | [`http`] | the same server without sessions, the same headers |
//! | `hyper_metrics` | [`http`] | the same sessions, and nobody records their metrics |
//! | `hyper_itself` | [`http`] | bare hyper against bare hyper: what such a comparison errs by |
//!
//! There is no row for what there is not yet: `warm_same_connection` (the framework keeps no memo for a connection), and
//! the peers tower-sessions and Redis. That the warm path and a refusal
//! allocate nothing is not measured here: it takes an allocator of one's own, which is `unsafe`.
//!
//! With `--quick`, `bytes_per_session` and the growth of `registry_memory_…` are those of a million sessions instead
//! of ten, and `list_…` is measured at a hundred thousand instead of a million.

mod durable;
mod http;
mod list;
mod measure;
mod numbers;
mod peer;
mod propagation;
mod raw;
mod registry;
mod report;
mod scripts;
mod serve;
mod server;
mod store;
mod token;
mod view;
mod weigh;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::measure::Effort;
use crate::report::Row;

/// Any error ends the run: a figure that could not be measured is none.
pub(crate) type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Measures the goals of performance.
#[derive(Parser)]
struct Arguments {
    /// Fewer rounds and smaller sites: under two minutes
    #[arg(long, global = true)]
    quick: bool,
    /// Only these groups of rows
    #[arg(long, value_delimiter = ',')]
    only: Vec<Group>,
    /// The file that the rows are written to
    #[arg(long, default_value = "target/bench.json")]
    out: PathBuf,
    #[command(subcommand)]
    part: Option<Part>,
}

/// Rows that are measured together.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Token,
    View,
    Memory,
    File,
    List,
    Valkey,
    Propagation,
    Http,
}

/// What this program starts itself as, for a process or a core of its own.
#[derive(Subcommand)]
enum Part {
    /// One of the servers that are compared
    #[command(hide = true)]
    Serve { kind: serve::Kind },
    /// The load on them
    #[command(hide = true)]
    Load,
    /// Memory for each of so many
    #[command(hide = true)]
    Weigh { load: weigh::Load, count: u64 },
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Outcome<()> {
    let effort = if arguments.quick { Effort::Quick } else { Effort::Full };
    match arguments.part {
        Some(Part::Serve { kind }) => serve::run(kind),
        Some(Part::Load) => http::load(effort),
        Some(Part::Weigh { load, count }) => weigh::weigh(load, count),
        None => measure(arguments, effort),
    }
}

fn measure(arguments: &Arguments, effort: Effort) -> Outcome<()> {
    println!("{}", report::head());
    let mut all = Vec::new();
    for &group in Group::value_variants() {
        if arguments.only.is_empty() || arguments.only.contains(&group) {
            let rows = group.rows(arguments, effort)?;
            for row in &rows {
                println!("{row}");
            }
            all.extend(rows);
        }
    }
    report::write(&all, &arguments.out)?;
    println!("written to {}", arguments.out.display());
    Ok(())
}

impl Group {
    fn rows(self, arguments: &Arguments, effort: Effort) -> Outcome<Vec<Row>> {
        // Scratch files lie beside the rows: there is a disk.
        let scratch = arguments.out.parent().unwrap_or(".".as_ref());
        match self {
            Self::Token => token::rows(effort),
            Self::View => view::rows(effort),
            Self::Memory => registry::rows(effort),
            Self::File => durable::rows(effort, scratch),
            Self::List => list::rows(effort, scratch),
            Self::Valkey => scripts::rows(effort, scratch),
            Self::Propagation => propagation::rows(effort, scratch),
            Self::Http => http::rows(effort),
        }
    }
}
