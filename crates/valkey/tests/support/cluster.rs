//! A cluster of three primaries with one replica each.

use redis::Value;

use super::replicated::Node;
use super::{Engine, until};

/// Six nodes: the first three are primaries of a third of the slots each, the others their replicas.
pub struct Cluster {
    pub nodes: Vec<Node>,
    ids: Vec<String>,
}

impl Cluster {
    /// Starts the nodes, joins them, and waits until all agree that the cluster is whole.
    pub async fn start(engine: Engine) -> Self {
        let settings = ["--cluster-node-timeout", "2500"];
        let nodes: Vec<_> = (0..6).map(|_| Node::start_in_cluster(engine, &settings)).collect();
        let mut ids = Vec::new();
        for (number, node) in nodes.iter().enumerate() {
            ids.push(text(node.server.ask(&["CLUSTER", "MYID"]).await));
            let epoch = (number + 1).to_string();
            node.server.ask(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch]).await;
            let port = node.face.port.to_string();
            node.server.ask(&["CONFIG", "SET", "cluster-announce-port", &port]).await;
        }
        for (node, slots) in nodes.iter().zip([["0", "5461"], ["5462", "10922"], ["10923", "16383"]]) {
            node.server.ask(&[&["CLUSTER", "ADDSLOTSRANGE"][..], &slots].concat()).await;
        }
        let started = Self { nodes, ids };
        started.join().await;
        started
    }

    async fn join(&self) {
        let first = &self.nodes[0].server;
        for node in &self.nodes[1..] {
            let (port, bus) = (node.server.port.to_string(), node.server.bus.to_string());
            first.ask(&["CLUSTER", "MEET", "127.0.0.1", &port, &bus]).await;
        }
        until("all nodes know each other", async || {
            for node in &self.nodes {
                let known = text(node.server.ask(&["CLUSTER", "NODES"]).await);
                // By their faces, and not while they still shake hands.
                let all = self.nodes.iter().all(|node| known.contains(&format!("{}@", node.name())));
                if !all || known.contains("handshake") {
                    return false;
                }
            }
            true
        })
        .await;
        for (replica, primary) in self.nodes[3..].iter().zip(&self.ids) {
            replica.server.ask(&["CLUSTER", "REPLICATE", primary]).await;
        }
        until("the cluster is whole", async || self.is_whole().await).await;
    }

    async fn is_whole(&self) -> bool {
        for node in &self.nodes {
            let info = text(node.server.ask(&["CLUSTER", "INFO"]).await);
            let nodes = text(node.server.ask(&["CLUSTER", "NODES"]).await);
            let replicas = nodes.lines().filter(|line| line.contains("slave")).count();
            if !info.contains("cluster_state:ok") || replicas != 3 {
                return false;
            }
        }
        for node in &self.nodes[3..] {
            if !node.server.info("replication").await.contains("master_link_status:up") {
                return false;
            }
        }
        true
    }

    /// The registry's address, which names two of the nodes.
    pub fn url(&self) -> String {
        format!("redis+cluster://{},{}", self.nodes[4].name(), self.nodes[1].name())
    }

    /// The slot of a limit domain.
    pub async fn slot(&self, domain: &str) -> u16 {
        let key = format!("countersign:{{{domain}}}:meta");
        match self.nodes[0].server.ask(&["CLUSTER", "KEYSLOT", &key]).await {
            Value::Int(slot) => u16::try_from(slot).unwrap(),
            other => panic!("CLUSTER KEYSLOT was answered {other:?}"),
        }
    }

    /// Which node, by its place in the list, has a slot: as a node that is alive tells.
    pub async fn owner(&self, slot: u16, asked: usize) -> Option<usize> {
        let nodes = text(self.nodes[asked].server.ask(&["CLUSTER", "NODES"]).await);
        let line = nodes.lines().find(|line| {
            let ranges = line.split(' ').skip(8).filter(|range| !range.starts_with('['));
            let mut ranges = ranges.map(|range| range.split_once('-').unwrap_or((range, range)));
            let bound = |text: &str| text.parse::<u16>().unwrap();
            ranges.any(|(from, to)| bound(from) <= slot && slot <= bound(to))
        })?;
        let id = line.split(' ').next()?;
        self.ids.iter().position(|known| known == id)
    }

    /// Moves a slot with all its keys, as a resharding does.
    pub async fn move_slot(&self, slot: u16, from: usize, to: usize) {
        let (slot, port) = (slot.to_string(), self.nodes[to].server.port.to_string());
        let set = async |node: usize, words: &[&str]| {
            self.nodes[node].server.ask(&[&["CLUSTER", "SETSLOT", &slot][..], words].concat()).await;
        };
        set(to, &["IMPORTING", &self.ids[from]]).await;
        set(from, &["MIGRATING", &self.ids[to]]).await;
        loop {
            let keys = self.nodes[from].server.ask(&["CLUSTER", "GETKEYSINSLOT", &slot, "100"]).await;
            let Value::Array(keys) = keys else { panic!("GETKEYSINSLOT was answered {keys:?}") };
            if keys.is_empty() {
                break;
            }
            let keys: Vec<_> = keys.into_iter().map(text).collect();
            let mut words = vec!["MIGRATE", "127.0.0.1", &port, "", "0", "10000", "KEYS"];
            words.extend(keys.iter().map(String::as_str));
            self.nodes[from].server.ask(&words).await;
        }
        set(to, &["NODE", &self.ids[to]]).await;
        set(from, &["NODE", &self.ids[to]]).await;
    }

    /// Kills the primary of a slot, and waits until another node has it, whose place is the answer.
    pub async fn fail_over(&mut self, slot: u16) -> usize {
        let old = self.owner(slot, 0).await.unwrap();
        self.nodes[old].server.kill();
        self.nodes[old].face.cut();
        let asked = (0..3).find(|&node| node != old).unwrap();
        until("another node has the slot", async || {
            self.owner(slot, asked).await.is_some_and(|owner| owner != old)
        })
        .await;
        self.owner(slot, asked).await.unwrap()
    }
}

fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text,
        other => panic!("no text: {other:?}"),
    }
}
