//! `cargo xtask bench`: the goals of performance, as a table and as `bench.json` in the target folder.

use std::path::Path;

use crate::step::{Failure, Shell, Steps};
use crate::valkey;
use crate::workspace::Workspace;

/// Builds as it is shipped, and measures. The registry on Valkey needs a server.
pub(crate) fn run(workspace: &Workspace, steps: &mut Steps, quick: bool) -> Result<(), Failure> {
    valkey::install(workspace, steps)?;
    // Built beforehand, so that the measuring step's time is that of measuring.
    steps.command("build", &Shell::new(BUILD).folder(&workspace.root))?;
    steps.command("bench", &bench(&workspace.target, quick).folder(&workspace.root))
}

const BUILD: &str = "cargo build --release --locked --package countersign-bench";

fn bench(target: &Path, quick: bool) -> Shell {
    let line = "cargo run --release --locked --quiet --package countersign-bench --";
    let shell = Shell::new(line).argument("--out").argument(target.join("bench.json"));
    if quick { shell.argument("--quick") } else { shell }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, quick: bool, expect: &str) {
        let line = bench(Path::new(target), quick).to_string();
        assert_eq!(
            line,
            format!("cargo run --release --locked --quiet --package countersign-bench -- {expect}")
        );
    }

    #[test]
    fn writes_to_the_target_folder() {
        check("target", false, "--out target/bench.json");
        check("target", true, "--out target/bench.json --quick");
        check("a folder", true, "--out 'a folder/bench.json' --quick");
    }
}
