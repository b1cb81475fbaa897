//! A primary with replicas, each behind a face of its own.

use super::face::Face;
use super::{Engine, Server};

/// What a server of a test needs: it logs, and does not wait before it sends a replica everything.
pub const QUICK: [&str; 6] =
    ["--appendonly", "yes", "--appendfsync", "no", "--repl-diskless-sync-delay", "0"];

/// A server and the face that all others know it by.
pub struct Node {
    pub server: Server,
    pub face: Face,
}

impl Node {
    pub fn start(engine: Engine, settings: &[&str]) -> Self {
        let server = Server::start_with(engine, &[&QUICK[..], settings].concat());
        Self { face: Face::before(server.port), server }
    }

    pub fn start_in_cluster(engine: Engine, settings: &[&str]) -> Self {
        let server = Server::start_in_cluster(engine, &[&QUICK[..], settings].concat());
        Self { face: Face::before(server.port), server }
    }

    /// Its name for others.
    pub fn name(&self) -> String {
        format!("127.0.0.1:{}", self.face.port)
    }

    /// The registry's address of this server alone, through its face.
    pub fn url(&self) -> String {
        format!("redis://{}", self.name())
    }

    /// Follows another one, through that one's face.
    pub async fn follow(&self, primary: &Self) {
        self.server.ask(&["REPLICAOF", "127.0.0.1", &primary.face.port.to_string()]).await;
    }

    /// Becomes a primary, as an operator would make it one.
    pub async fn promote(&self) {
        self.server.ask(&["REPLICAOF", "NO", "ONE"]).await;
    }
}

/// A primary and its replicas.
pub struct Replicated {
    pub primary: Node,
    pub replicas: Vec<Node>,
}

impl Replicated {
    /// Starts them, and waits until each replica has all that there is.
    pub async fn start(engine: Engine, replicas: usize) -> Self {
        Self::start_with(engine, replicas, &[]).await
    }

    pub async fn start_with(engine: Engine, replicas: usize, settings: &[&str]) -> Self {
        let primary = Node::start(engine, settings);
        let replicas: Vec<_> = (0..replicas).map(|_| Node::start(engine, settings)).collect();
        for node in &replicas {
            let port = node.face.port.to_string();
            node.server.ask(&["CONFIG", "SET", "replica-announce-ip", "127.0.0.1"]).await;
            node.server.ask(&["CONFIG", "SET", "replica-announce-port", &port]).await;
            node.follow(&primary).await;
        }
        let started = Self { primary, replicas };
        started.caught_up().await;
        started
    }

    /// The registry's address, which names the replicas.
    pub fn url(&self) -> String {
        format!("{}?replicas={}", self.primary.url(), self.replicas.len())
    }

    /// Waits until all replicas have what the primary had when it was asked.
    pub async fn caught_up(&self) {
        let all = self.replicas.len();
        // A write, so that there is something to acknowledge.
        let wait = ["WAIT", &all.to_string(), "60000"];
        let answers = self.primary.server.ask_all(&[&["SET", "support:caught-up", "1"], &wait]).await;
        assert_eq!(answers[1], redis::Value::Int(i64::try_from(all).unwrap()), "the replicas have caught up");
    }

    /// From now on, what the primary acknowledges reaches no replica: it is the tail that a promotion loses.
    pub fn lose_tail(&self) {
        self.primary.face.lose_tail();
    }

    /// Kills the primary and promotes the first replica; the others follow it.
    pub async fn fail_over(&mut self) {
        self.primary.server.kill();
        self.primary.face.cut();
        let promoted = self.replicas.remove(0);
        promoted.promote().await;
        for other in &self.replicas {
            other.follow(&promoted).await;
        }
        self.primary = promoted;
    }
}
