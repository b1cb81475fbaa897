//! What the tests need beyond cargo, installed when it is missing: Debian packages, npm packages, cargo-deny.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{Failure, Shell, Steps};

/// Raised by hand together with deny.toml.
const CARGO_DENY: &str = "0.20.2";

/// The oldest major version that the packages in `package-lock.json` run on.
const NODE: u32 = 20;

/// A program that tests run, and the Debian packages that bring it; without fonts a page is blank.
const PROGRAMS: [(&str, &str); 6] = [
    ("node", "nodejs"),
    ("npm", "npm"),
    ("chromium", "chromium fonts-dejavu-core"),
    ("redis-server", "redis-server"),
    ("prometheus", "prometheus"),
    ("pip3", "python3-pip"),
];

/// Folders with a `package-lock.json`.
pub(crate) const JAVASCRIPT: [&str; 3] = ["crates/countersign/client", "tests/js", "tests/browser"];

/// Installs whatever `cargo xtask test` needs and does not find.
pub(crate) fn for_tests(root: &Path, steps: &mut Steps) -> Result<(), Failure> {
    let missing = missing_packages();
    if !missing.is_empty() {
        install_debian_packages(&missing, steps)?;
    }
    JAVASCRIPT.iter().try_for_each(|folder| install_npm_packages(root, folder, steps))
}

/// Fails, naming all of it, where something that the tests need is missing.
pub(crate) fn demand(root: &Path) -> Result<(), Failure> {
    let packages = missing_packages();
    if !packages.is_empty() {
        return Err(Failure::new(format!("missing programs; Debian packages: {}", packages.join(" "))));
    }
    demand_node()?;
    match JAVASCRIPT.iter().find(|folder| !is_current(&root.join(folder))) {
        Some(folder) => Err(Failure::new(format!("{folder} needs `npm ci`"))),
        None => Ok(()),
    }
}

/// Debian 12's own node is too old for playwright-core: said here, where it can be understood.
fn demand_node() -> Result<(), Failure> {
    let output = Command::new("node").arg("--version").output();
    let printed = output.map_err(|error| Failure::new(format!("cannot start node: {error}")))?.stdout;
    let printed = String::from_utf8_lossy(&printed);
    match major(&printed) {
        Some(version) if version >= NODE => Ok(()),
        _ => Err(Failure::new(format!("node {NODE} or newer is needed, here is {}", printed.trim()))),
    }
}

/// 20 of `v20.20.2`.
fn major(printed: &str) -> Option<u32> {
    printed.trim().strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Installs cargo-deny at the pinned version unless it is there.
pub(crate) fn cargo_deny(steps: &mut Steps) -> Result<(), Failure> {
    let printed = version_of("deny");
    if printed.is_some_and(|printed| printed.split_whitespace().any(|word| word == CARGO_DENY)) {
        return Ok(());
    }
    // Unoptimised: it builds in a fraction of the time, and it runs once.
    let line = format!("cargo install cargo-deny --version {CARGO_DENY} --locked --debug --force");
    steps.command("install cargo-deny", &Shell::new(&line).env("CARGO_PROFILE_DEV_DEBUG", "0").attempts(3))
}

/// Whether `cargo nextest` is installed.
pub(crate) fn has_nextest() -> bool {
    version_of("nextest").is_some()
}

/// What a subcommand of cargo prints as its version, if it is installed.
fn version_of(subcommand: &str) -> Option<String> {
    let output = Command::new("cargo").args([subcommand, "--version"]).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The browser of the browser tests: `CHROMIUM`, else the first of the usual names.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    ["chromium", "chromium-browser", "google-chrome"].into_iter().find_map(in_path)
}

fn missing_packages() -> Vec<&'static str> {
    let is_missing = |program: &str| match program {
        "chromium" => chromium().is_none(),
        program => in_path(program).is_none(),
    };
    PROGRAMS.into_iter().filter(|(program, _)| is_missing(program)).map(|(_, package)| package).collect()
}

pub(crate) fn in_path(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

fn install_debian_packages(packages: &[&str], steps: &mut Steps) -> Result<(), Failure> {
    let packages = packages.join(" ");
    if in_path("apt-get").is_none() {
        return Err(Failure::new(format!("no apt-get here: install {packages} by other means")));
    }
    // Held locks and flaky mirrors are apt's usual failures; both pass.
    let apt = |line: &str| {
        let line = format!("apt-get -o DPkg::Lock::Timeout=120 -o Acquire::Retries=3 -qq -y {line}");
        Shell::new(&line).env("DEBIAN_FRONTEND", "noninteractive").attempts(3)
    };
    steps.command("apt update", &apt("update"))?;
    steps.command("apt install", &apt(&format!("install --no-install-recommends {packages}")))
}

fn install_npm_packages(root: &Path, name: &str, steps: &mut Steps) -> Result<(), Failure> {
    let folder = &root.join(name);
    if is_current(folder) {
        return Ok(());
    }
    let npm = Shell::new("npm ci --no-audit --no-fund").folder(folder).attempts(3);
    steps.command(&format!("npm {name}"), &npm)?;
    let stamp = stamp(folder);
    fs::copy(folder.join("package-lock.json"), &stamp)
        .map(drop)
        .map_err(|error| Failure::new(format!("cannot write {}: {error}", stamp.display())))
}

/// Whether `node_modules` was made from the lock file as it is now.
fn is_current(folder: &Path) -> bool {
    let lock = fs::read(folder.join("package-lock.json"));
    let made_from = fs::read(stamp(folder));
    matches!((lock, made_from), (Ok(lock), Ok(made_from)) if lock == made_from)
}

fn stamp(folder: &Path) -> PathBuf {
    folder.join("node_modules").join(".made-from-lock.json")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_version_of_node() {
        assert_eq!(major("v20.20.2\n"), Some(20));
        assert_eq!(major("v8.1"), Some(8));
        assert_eq!(major(""), None);
        assert_eq!(major("command not found"), None);
    }

    #[test]
    fn a_changed_lock_file_makes_the_folder_stale() -> std::io::Result<()> {
        let folder = env::temp_dir().join(format!("xtask-setup-{}", std::process::id()));
        fs::create_dir_all(folder.join("node_modules"))?;
        fs::write(folder.join("package-lock.json"), "1")?;
        assert!(!is_current(&folder));
        fs::copy(folder.join("package-lock.json"), stamp(&folder))?;
        assert!(is_current(&folder));
        fs::write(folder.join("package-lock.json"), "2")?;
        assert!(!is_current(&folder));
        fs::remove_dir_all(folder)
    }
}
