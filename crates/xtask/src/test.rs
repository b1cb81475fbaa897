//! `cargo xtask test`: every test there is, in one command, on a machine that has only Rust.

use std::path::PathBuf;

use crate::setup;
use crate::step::{Failure, Shell, Steps};
use crate::valkey;
use crate::workspace::Workspace;

/// The server that black-box and browser tests drive.
const SERVER: &str = "countersign-example-spa";
/// The programs that black-box tests start, and the variables that name them.
const PROGRAMS: [(&str, &str); 3] = [
    ("COUNTERSIGN_SPA", SERVER),
    ("COUNTERSIGN_CLUSTER", "countersign-example-cluster"),
    ("COUNTERSIGN_CLI", "countersign"),
];
/// The server of the simulated worlds.
const SIMULATION: &str = "countersign-sim";

/// Sets up (or, with `no_setup`, only looks), builds once, and runs the suites.
pub(crate) fn run(
    workspace: &Workspace,
    steps: &mut Steps,
    long: bool,
    no_setup: bool,
) -> Result<(), Failure> {
    let root = &workspace.root;
    if !no_setup {
        setup::for_tests(root, steps)?;
        valkey::install(workspace, steps)?;
    }
    let demand = || setup::demand(root).and_then(|()| valkey::demand(workspace));
    steps.task("prerequisites", "cargo xtask test --no-setup", demand)?;
    steps.command("build", &Shell::new(BUILD).folder(root))?;
    steps.command("rust tests", &mode(rust(workspace, long), long))?;
    steps.command("doc tests", &Shell::new(DOCUMENTATION).folder(root))?;
    for (name, line) in CLIENT {
        steps.command(name, &Shell::new(line).folder(root.join("crates/countersign/client")))?;
    }
    steps.command("jose", &jose(workspace))?;
    steps.command("weather", &weather(workspace))?;
    steps.command("simulation", &mode(simulation(workspace), long))?;
    steps.command("browser", &browser(workspace)?)
}

/// All targets are built first, binaries included: black-box tests start them.
const BUILD: &str = "cargo build --workspace --all-features --all-targets --locked";
const DOCUMENTATION: &str = "cargo test --workspace --all-features --locked --doc";

/// The first also holds the built files, which the crates embed, against their sources.
const CLIENT: [(&str, &str); 2] =
    [("client check", "npm run --silent check"), ("client tests", "npm test --silent")];

/// With cargo-nextest, where it is installed, since it runs tests of several programs at a time; with cargo alone
/// they take half as long again.
fn rust(workspace: &Workspace, long: bool) -> Shell {
    let shell = if setup::has_nextest() {
        let profile = if long { "long" } else { "default" };
        Shell::new("cargo nextest run --workspace --all-features --locked")
            .argument("--profile")
            .argument(profile)
            .env("NEXTEST_TEST_THREADS", at_once("NEXTEST_TEST_THREADS"))
    } else {
        Shell::new("cargo test --workspace --all-features --locked --lib --bins --tests --examples")
            .env("RUST_TEST_THREADS", at_once("RUST_TEST_THREADS"))
    };
    let built =
        PROGRAMS.iter().fold(shell, |shell, (variable, name)| shell.env(variable, workspace.program(name)));
    built.folder(&workspace.root)
}

/// How many tests run at a time: they mostly wait, for clocks and for servers.
fn at_once(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| {
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        (2 * cores).to_string()
    })
}

fn mode(shell: Shell, long: bool) -> Shell {
    if long { shell.env("COUNTERSIGN_LONG", "1") } else { shell }
}

/// Reads the tokens that the Rust tests just minted, beside the committed ones, and the proofs that both sides know.
fn jose(workspace: &Workspace) -> Shell {
    let minted = workspace.target.join("tmp").join("token-interop.json");
    node("interop.test.mjs dpop.test.mjs", workspace.root.join("tests/js")).env("COUNTERSIGN_MINTED", minted)
}

/// The built client in bad weather, over real HTTP.
fn weather(workspace: &Workspace) -> Shell {
    let folder = workspace.root.join("tests/simulation");
    node("weather.test.mjs", folder).env("COUNTERSIGN_SPA", workspace.program(SERVER))
}

/// The built client against the real server, through a thousand simulated worlds.
fn simulation(workspace: &Workspace) -> Shell {
    Shell::new("node simulation.mjs")
        .folder(workspace.root.join("tests/simulation"))
        .env("COUNTERSIGN_SIM", workspace.program(SIMULATION))
}

fn browser(workspace: &Workspace) -> Result<Shell, Failure> {
    let chromium = setup::chromium().ok_or_else(|| Failure::new("no Chromium: set CHROMIUM to its path"))?;
    // All files of the folder, two at a time: they mostly wait.
    Ok(node("--test-concurrency=2", workspace.root.join("tests/browser"))
        .env("CHROMIUM", chromium)
        .env("COUNTERSIGN_SPA", workspace.program(SERVER))
        .env("COUNTERSIGN_SCREENSHOTS", workspace.target.join("screenshots")))
}

fn node(what: &str, folder: PathBuf) -> Shell {
    Shell::new(&format!("node --test --test-reporter=spec {what}")).folder(folder)
}
