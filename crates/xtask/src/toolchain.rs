//! The minimum supported Rust version: stated once in the workspace's `Cargo.toml`, and proven here.
//!
//! A claim about a compiler is only worth something if that compiler was run. Where the compiler in use is
//! the stated minimum, every other step proves the claim. Where it is newer, the minimum is run beside it
//! if it is installed. Clippy's `incompatible_msrv` catches newer library items in either case.

use std::process::Command;

use crate::step::{Failure, Shell, Steps};
use crate::workspace::Workspace;

/// `rust-version` of the workspace, which this crate inherits.
const STATED: &str = env!("CARGO_PKG_RUST_VERSION");

/// How hard to insist.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Msrv {
    /// The compiler in use must be the minimum: for CI.
    Exact,
    /// Otherwise check with the minimum where it is installed: for people with newer compilers.
    WherePossible,
}

/// Proves the stated minimum as far as the installed compilers allow.
pub(crate) fn check(workspace: &Workspace, steps: &mut Steps, msrv: Msrv) -> Result<(), Failure> {
    let in_use = printed_by("rustc", &["--version"])?;
    if is_stated(&in_use) {
        return steps.task("msrv", "rustc --version", || {
            println!("{} is the stated minimum, {STATED}: all steps prove it", in_use.trim());
            Ok(())
        });
    }
    if msrv == Msrv::Exact {
        return steps.task("msrv", "rustc --version", || Err(Failure::new(mismatch(&in_use))));
    }
    match installed_minimum() {
        Some(toolchain) => steps.command("msrv", &check_with(&toolchain, workspace)),
        None => steps.task("msrv", "rustup toolchain list", || {
            println!("not proven here: {} is newer than {STATED}, which is not installed", in_use.trim());
            Ok(())
        }),
    }
}

fn mismatch(in_use: &str) -> String {
    let in_use = in_use.trim();
    format!("the workspace states rust-version {STATED}, but this run would test {in_use}")
}

fn check_with(toolchain: &str, workspace: &Workspace) -> Shell {
    let line =
        format!("rustup run {toolchain} cargo check --workspace --all-targets --all-features --locked");
    // A folder of its own, so that two compilers do not undo each other's work.
    Shell::new(&line).env("CARGO_TARGET_DIR", workspace.target.join("msrv"))
}

fn installed_minimum() -> Option<String> {
    let list = printed_by("rustup", &["toolchain", "list"]).ok()?;
    list.lines().find_map(minimum_in).map(str::to_owned)
}

/// The name of the toolchain that a line of `rustup toolchain list` shows, if it is the minimum.
fn minimum_in(line: &str) -> Option<&str> {
    let name = line.split_whitespace().next()?;
    let rest = name.strip_prefix(STATED)?;
    (rest.is_empty() || rest.starts_with(['.', '-'])).then_some(name)
}

/// Whether `rustc --version` printed the stated minimum: 1.95 states 1.95.0 and its patch releases.
fn is_stated(printed: &str) -> bool {
    let version = printed.split_whitespace().nth(1).unwrap_or_default();
    version.strip_prefix(STATED).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn printed_by(program: &str, arguments: &[&str]) -> Result<String, Failure> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .map_err(|error| Failure::new(format!("cannot start {program}: {error}")))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_stated_version() {
        assert!(is_stated(&format!("rustc {STATED}.0 (59807616e 2026-04-14)")));
        assert!(is_stated(&format!("rustc {STATED}.1 (59807616e 2026-05-14)")));
    }

    #[test]
    fn refuses_other_versions() {
        let longer = format!("rustc {STATED}0.0");
        for printed in [longer.as_str(), "rustc 1.0.0", "rustc", ""] {
            assert!(!is_stated(printed), "{printed}");
        }
    }

    #[test]
    fn finds_the_minimum_among_toolchains() {
        let dated = format!("{STATED}.0-x86_64-unknown-linux-gnu");
        assert_eq!(minimum_in(&format!("{dated} (default)")), Some(dated.as_str()));
        assert_eq!(minimum_in(STATED), Some(STATED));
        assert_eq!(minimum_in("stable-x86_64-unknown-linux-gnu (active, default)"), None);
        assert_eq!(minimum_in(&format!("{STATED}7-x86_64")), None);
    }
}
