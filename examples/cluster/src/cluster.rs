//! All the processes together: started from the store to the load balancer, stopped the other way round.

use std::net::SocketAddr;

use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::Outcome;
use crate::balance::Balancer;
use crate::node::{Node, Service};
use crate::store::Store;

/// Whatever of it runs.
#[derive(Debug)]
pub(crate) struct Cluster {
    folder: TempDir,
    store: Option<Store>,
    nodes: Vec<Node>,
    balancer: Option<Balancer>,
    site: String,
}

impl Cluster {
    /// Nothing yet but a scratch folder.
    pub(crate) fn new() -> Outcome<Self> {
        let folder = tempfile::Builder::new().prefix("countersign-cluster-").tempdir()?;
        Ok(Self { folder, store: None, nodes: Vec::new(), balancer: None, site: String::new() })
    }

    /// Starts all, and says where each is.
    pub(crate) async fn start(&mut self, listen: &str, nodes: u8) -> Outcome<()> {
        let bound = TcpListener::bind(listen).await;
        let listener = bound.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
        self.site = format!("http://{}", listener.local_addr()?);
        println!("scratch  {}", self.folder.path().display());
        let store = self.store.insert(Store::start(self.folder.path()).await?);
        println!("store    {}, process {}", store.shown, store.process.id());
        let service = Service { registry: &store.url, origin: &self.site, folder: self.folder.path() };
        for number in 1..=usize::from(nodes) {
            let node = Node::start(number, service).await?;
            println!("node {number}   http://{}, process {}", node.address, node.process.id());
            self.nodes.push(node);
        }
        self.balancer = Some(Balancer::start(listener, self.addresses()));
        println!("site     {}, a load balancer: round robin, healthy is who answers /readyz\n", self.site);
        Ok(())
    }

    /// Where the nodes listen.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.nodes.iter().map(|node| node.address).collect()
    }

    /// The load balancer's origin.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// Stops what runs: no request without a node, no node without a store.
    pub(crate) async fn stop(self) -> Outcome<()> {
        if let Some(balancer) = self.balancer {
            balancer.stop().await;
        }
        for node in self.nodes {
            node.process.stop().await?;
        }
        if let Some(store) = self.store {
            store.process.stop().await?;
        }
        Ok(self.folder.close()?)
    }
}
