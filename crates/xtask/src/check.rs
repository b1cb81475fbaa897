//! `cargo xtask check`: everything that is judged without running the tests.

use crate::setup;
use crate::step::{Failure, Shell, Steps};
use crate::tidy;
use crate::toolchain::{self, Msrv};
use crate::workspace::Workspace;

/// Runs the checks, cheapest first.
pub(crate) fn run(
    workspace: &Workspace,
    steps: &mut Steps,
    msrv: Msrv,
    no_setup: bool,
) -> Result<(), Failure> {
    let root = &workspace.root;
    steps.task("tidy", "cargo xtask tidy", || tidy::run(root))?;
    steps.command("format", &Shell::new("cargo fmt --all -- --check").folder(root))?;
    toolchain::check(workspace, steps, msrv)?;
    steps.command("clippy", &clippy().folder(root))?;
    steps.command("documentation", &documentation().folder(root))?;
    if !no_setup {
        setup::cargo_deny(steps)?;
    }
    steps.command("dependencies", &dependencies().folder(root))
}

fn clippy() -> Shell {
    Shell::new("cargo clippy --workspace --all-targets --all-features --locked -- -D warnings")
}

fn documentation() -> Shell {
    Shell::new("cargo doc --workspace --no-deps --all-features --locked").env("RUSTDOCFLAGS", "-D warnings")
}

/// Without `advisories`, whose database is a git repository that a build must not depend on; see deny.toml.
fn dependencies() -> Shell {
    Shell::new("cargo deny --locked --all-features check licenses bans sources")
}
