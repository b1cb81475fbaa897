//! Where the registry is: servers that fail in the ways of their kind, each time losing what came last.

use crate::front::Front;
use crate::support::cluster::Cluster;
use crate::support::replicated::{Node, Replicated};
use crate::support::sentinels::{SERVICE, Sentinels};
use crate::support::{Engine, field, until};

/// Servers that fail over.
pub(crate) trait Place {
    /// The registry's address, which stays.
    fn url(&self) -> String;

    /// From now on, what is acknowledged reaches no replica; what was acknowledged before has reached it.
    async fn lose_tail(&mut self);

    /// The primary dies, a replica takes its place, and there is another replica again.
    async fn fail_over(&mut self);
}

/// A primary and its replica, behind an address that an operator moves.
pub(crate) struct Moved {
    engine: Engine,
    servers: Replicated,
    front: Front,
    /// What the address says of replicas.
    query: &'static str,
}

impl Moved {
    pub(crate) async fn start(engine: Engine, query: &'static str) -> Self {
        let servers = Replicated::start(engine, 1).await;
        let front = Front::before(servers.primary.face.port);
        Self { engine, servers, front, query }
    }
}

impl Place for Moved {
    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}{}", self.front.port, self.query)
    }

    async fn lose_tail(&mut self) {
        self.servers.caught_up().await;
        self.servers.lose_tail();
    }

    async fn fail_over(&mut self) {
        self.servers.fail_over().await;
        add_replica(self.engine, &mut self.servers).await;
        self.front.move_to(self.servers.primary.face.port);
    }
}

async fn add_replica(engine: Engine, servers: &mut Replicated) {
    let node = Node::start(engine, &[]);
    let port = node.face.port.to_string();
    node.server.ask(&["CONFIG", "SET", "replica-announce-ip", "127.0.0.1"]).await;
    node.server.ask(&["CONFIG", "SET", "replica-announce-port", &port]).await;
    node.follow(&servers.primary).await;
    servers.replicas.push(node);
    servers.caught_up().await;
}

/// The same, watched over by Sentinels.
pub(crate) struct Watched {
    engine: Engine,
    servers: Sentinels,
}

impl Watched {
    pub(crate) async fn start(engine: Engine) -> Self {
        Self { engine, servers: Sentinels::start(engine, 1).await }
    }
}

impl Watched {
    /// Whether each Sentinel would promote the replica.
    async fn is_known(&self) -> bool {
        let port = self.servers.data.replicas[0].face.port.to_string();
        for sentinel in &self.servers.sentinels {
            let told = sentinel.ask(&["SENTINEL", "REPLICAS", SERVICE]).await;
            let redis::Value::Array(replicas) = told else { panic!("{told:?}") };
            let fit = replicas.iter().any(|replica| {
                let is = |name: &str, value: &str| field(replica, name).as_deref() == Some(value);
                is("port", &port) && is("flags", "slave") && is("master-link-status", "ok")
            });
            if !fit {
                return false;
            }
        }
        true
    }
}

impl Place for Watched {
    fn url(&self) -> String {
        self.servers.url()
    }

    async fn lose_tail(&mut self) {
        // Sentinels that have just come to know a replica may make it begin anew: an empty one would lose everything.
        self.servers.data.caught_up().await;
        self.servers.data.lose_tail();
    }

    async fn fail_over(&mut self) {
        self.servers.fail_over().await;
        add_replica(self.engine, &mut self.servers.data).await;
        until("the Sentinels know the new replica", async || self.is_known().await).await;
    }
}

/// A cluster, of which one primary dies each time.
pub(crate) struct Clustered {
    servers: Cluster,
    slot: u16,
}

impl Clustered {
    pub(crate) async fn start(engine: Engine, domain: &str) -> Self {
        let servers = Cluster::start(engine).await;
        let slot = servers.slot(domain).await;
        Self { servers, slot }
    }
}

impl Place for Clustered {
    fn url(&self) -> String {
        let names: Vec<_> = self.servers.nodes.iter().map(Node::name).collect();
        format!("redis+cluster://{}", names.join(","))
    }

    async fn lose_tail(&mut self) {
        let owner = self.servers.owner(self.slot, 0).await.unwrap();
        self.servers.nodes[owner].face.lose_tail();
    }

    async fn fail_over(&mut self) {
        self.servers.fail_over(self.slot).await;
    }
}
