//! A node: this program again, as the example server, with the registry, the keys and the origin that all nodes share.

use std::net::SocketAddr;
use std::path::Path;

use tokio::process::Command;

use crate::Outcome;
use crate::process::Process;

/// A running node.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

/// What every node of a service has in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Service<'a> {
    /// Where sessions are remembered.
    pub(crate) registry: &'a str,
    /// The public origin, which is the load balancer's: it is the issuer of the tokens.
    pub(crate) origin: &'a str,
    /// Holds the one key file and the logs.
    pub(crate) folder: &'a Path,
}

impl Node {
    /// Starts a node on a free port, and waits until it serves.
    pub(crate) async fn start(number: usize, service: Service<'_>) -> Outcome<Self> {
        let name = format!("node-{number}");
        // What a node writes for itself alone lies in a folder of its own.
        let own = service.folder.join(&name);
        std::fs::create_dir_all(&own)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.current_dir(&own);
        command.args(["node", "--listen", "127.0.0.1:0", "--registry", service.registry]);
        // Whichever node is first makes the file; the others find it.
        command.args(["--origin", service.origin]).arg("--keys").arg(service.folder.join("keys.json"));
        let listening = |line: &str| line.strip_prefix("listening on http://")?.parse().ok();
        let (process, address) = Process::start(&name, command, service.folder, listening).await?;
        Ok(Self { process, address })
    }
}
