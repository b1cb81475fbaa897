//! Where things are: the workspace's root and its target folder, as cargo sees them.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::step::Failure;

/// The folders that chores work in.
pub(crate) struct Workspace {
    /// The folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo puts what it builds; honours `CARGO_TARGET_DIR` and configuration files.
    pub(crate) target: PathBuf,
}

impl Workspace {
    /// Asks cargo, from wherever inside the workspace the chore was started.
    pub(crate) fn find() -> Result<Self, Failure> {
        let metadata = metadata()?;
        let folder = |member: &str| {
            let path = metadata.get(member).and_then(Value::as_str).map(PathBuf::from);
            path.ok_or_else(|| Failure::new(format!("`cargo metadata` names no {member}")))
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    /// The built program `name` as the test profile leaves it.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

fn metadata() -> Result<Value, Failure> {
    let output = Command::new("cargo")
        .args(["metadata", "--no-deps", "--format-version", "1"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .map_err(|error| Failure::new(format!("cannot start cargo: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!("`cargo metadata`: {}", String::from_utf8_lossy(&output.stderr))));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::new(format!("`cargo metadata` printed no JSON: {error}")))
}
