//! The programs under test: given by the environment, or built once.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The single-page application's server: `COUNTERSIGN_SPA`, or built from `examples/spa`.
pub fn spa() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| find("COUNTERSIGN_SPA", "countersign-example-spa", "countersign-example-spa"))
}

/// The example of many nodes: `COUNTERSIGN_CLUSTER`, or built from `examples/cluster`.
pub fn cluster() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    let name = "countersign-example-cluster";
    PROGRAM.get_or_init(|| find("COUNTERSIGN_CLUSTER", name, name))
}

/// The command line: `COUNTERSIGN_CLI`, or built from `crates/cli`.
pub fn cli() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| find("COUNTERSIGN_CLI", "countersign-cli", "countersign"))
}

fn find(variable: &str, package: &str, name: &str) -> PathBuf {
    match std::env::var_os(variable) {
        Some(given) => {
            let path = PathBuf::from(given);
            assert!(path.is_file(), "{variable} names no file: {}", path.display());
            path
        }
        None => build(package, name),
    }
}

/// Cargo builds into the folder in which this test itself was built, and does nothing if it is up to date.
fn build(package: &str, name: &str) -> PathBuf {
    let debug = beside_this_test();
    let target = debug.parent().expect("a profile's folder lies in the target folder");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--quiet", "--bin", name, "--package", package, "--target-dir"])
        .arg(target)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(built.status.success(), "{package} does not build, so there is no server to drive:\n{said}");
    target.join("debug").join(name)
}

fn beside_this_test() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    test.ancestors().nth(2).expect("tests lie in <target>/<profile>/deps").to_owned()
}
