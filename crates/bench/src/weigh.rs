//! Bytes of memory for each of many things: what a process of its own grows by while it makes them.

use std::process::Command;

use clap::ValueEnum;

use crate::{Outcome, registry, view};

/// What is weighed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Load {
    /// Ended sessions in a view.
    Revocations,
    /// Live sessions in a memory registry, each of a user of its own.
    Sessions,
}

/// Starts this program again, so that nothing freed before is used again.
pub(crate) fn bytes_each(load: Load, count: u64) -> Outcome<f64> {
    let name = load.to_possible_value().ok_or("a load without a name")?;
    let output = Command::new(std::env::current_exe()?)
        .args(["weigh", name.get_name(), &count.to_string()])
        .output()?;
    if !output.status.success() {
        return Err(format!("weighing failed: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// In the process of its own.
pub(crate) fn weigh(load: Load, count: u64) -> Outcome<()> {
    let before = resident()?;
    let grown = match load {
        Load::Revocations => {
            let view = view::revoked(count);
            let grown = resident()?.saturating_sub(before);
            drop(view);
            grown
        }
        Load::Sessions => {
            let site = registry::Site::of(count, 1)?;
            let grown = resident()?.saturating_sub(before);
            drop(site);
            grown
        }
    };
    #[expect(clippy::cast_precision_loss, reason = "bytes of this machine, far below 2^52")]
    let each = grown as f64 / count as f64;
    println!("{each}");
    Ok(())
}

/// How much of this process is in memory, in bytes.
fn resident() -> Outcome<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
    let kib: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kib * 1024)
}
