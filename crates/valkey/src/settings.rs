//! The server's settings that would break a registry's promises, found before the first operation.

use std::collections::HashMap;

use crate::options::Acknowledge;
use crate::topology::Kind;

/// What a server's settings are worth to a registry: each finding is a sentence with what to change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Fitness {
    /// What breaks the registry's promises, so that it is [not used](crate::Unfit::Refuse).
    pub faults: Vec<String>,
    /// What should be changed, or known.
    pub doubts: Vec<String>,
}

/// What a server says of itself (`INFO`), how it is set (`CONFIG GET`, where that may be asked), and what it is part of.
#[derive(Debug)]
pub(crate) struct Settings<'a> {
    pub(crate) info: HashMap<&'a str, &'a str>,
    pub(crate) config: Option<HashMap<String, String>>,
    pub(crate) kind: Kind,
    /// How many replicas there are by the address, the Sentinels or the cluster; nothing where nobody says.
    pub(crate) replicas: Option<u16>,
    pub(crate) acknowledge: Acknowledge,
}

/// The settings that are asked for.
pub(crate) const ASKED: [&str; 6] = [
    "appendfsync",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "cluster-node-timeout",
    "cluster-allow-reads-when-down",
    "replica-serve-stale-data",
];

/// What a node of a cluster that is cut off may go on saying, at most, so that views that hear it are not stale.
const NODE_TIMEOUT: u64 = 4000;
/// The same of a primary that has been replaced, by Sentinels or by hand.
const MAX_LAG: u64 = 3;

/// What `INFO` tells, by name.
pub(crate) fn info(told: &str) -> HashMap<&str, &str> {
    told.lines().filter_map(|line| line.trim_end().split_once(':')).collect()
}

impl Settings<'_> {
    fn is(&self, name: &str, value: &str) -> bool {
        self.info.get(name) == Some(&value)
    }

    fn set(&self, name: &str) -> Option<&str> {
        self.config.as_ref()?.get(name).map(String::as_str)
    }

    fn figure(&self, name: &str) -> Option<u64> {
        self.set(name)?.parse().ok()
    }

    /// After which time a cluster's node that is cut off refuses everything.
    pub(crate) fn node_timeout(&self) -> Option<u64> {
        self.figure("cluster-node-timeout")
    }

    /// What must be changed, each in a sentence.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let version = self.info.get("redis_version").copied().unwrap_or("unknown");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        if major.is_none_or(|major| major < 7) {
            faults.push(format!("its version is {version}; use Redis 7.0, Valkey 7.2, or newer"));
        }
        match (self.kind, self.is("cluster_enabled", "1")) {
            (Kind::Cluster, false) => {
                faults.push("it is no node of a cluster; use redis:// or redis+sentinel://".into());
            }
            (Kind::Server | Kind::Service, true) => {
                faults.push("it is a node of a cluster; use redis+cluster://".into());
            }
            _ => {}
        }
        if self.is("role", "slave") {
            faults.push("it is a replica; name the primary".into());
        }
        if self.evicts() {
            let policy = self.info.get("maxmemory_policy").unwrap_or(&"unknown");
            faults.push(format!(
                "with maxmemory-policy {policy} it forgets sessions and revocations when memory is short; set \
                 `maxmemory-policy noeviction`"
            ));
        }
        if !self.is("aof_enabled", "1") {
            faults.push(
                "it does not log writes, so a restart brings ended sessions back, or logs everyone out; set \
                 `appendonly yes`"
                    .into(),
            );
        }
        faults.extend(self.cluster_fault());
        faults.extend(self.replica_fault());
        faults
    }

    fn cluster_fault(&self) -> Option<String> {
        let timeout = self.node_timeout().filter(|_| self.kind == Kind::Cluster)?;
        (timeout > NODE_TIMEOUT).then(|| {
            format!(
                "with cluster-node-timeout {timeout} a node that is cut off goes on answering for that many \
                 milliseconds, so no revocation is certain to be known sooner; set `cluster-node-timeout {NODE_TIMEOUT}` \
                 or less"
            )
        })
    }

    fn replica_fault(&self) -> Option<String> {
        let none = self.replicas.is_none_or(|replicas| replicas == 0);
        (none && self.acknowledge == Acknowledge::Replicated).then(|| match self.kind {
            Kind::Server => "its address names no replicas, so nothing would wait for them before it is acknowledged; add \
                             `?replicas=n` to it, where n is how many there are, or acknowledge what is written"
                .into(),
            Kind::Service | Kind::Cluster => {
                "it has no replicas, and nothing is acknowledged before all of them have it; add one, or acknowledge \
                 what is written"
                    .into()
            }
        })
    }

    fn evicts(&self) -> bool {
        !self.is("maxmemory", "0") && !self.is("maxmemory_policy", "noeviction")
    }

    /// What should be changed, or known.
    pub(crate) fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        match self.set("appendfsync") {
            Some("always") => {}
            Some(other) => doubts.push(format!(
                "with appendfsync {other}, a crash may take back the last seconds: sessions that had ended in them would \
                 be alive again; set `appendfsync always`"
            )),
            None => doubts.push(
                "it does not tell how often it writes to the disk: allow the command CONFIG GET, or see that \
                 appendfsync is `always`"
                    .into(),
            ),
        }
        if self.is("maxmemory", "0") && !self.is("maxmemory_policy", "noeviction") {
            doubts.push(
                "it has no maxmemory, but a policy that would evict: set `maxmemory-policy noeviction`"
                    .into(),
            );
        }
        doubts.extend(self.unnamed_replicas());
        doubts.extend(self.min_replicas());
        doubts.extend(self.stale_reads());
        doubts
    }

    fn unnamed_replicas(&self) -> Option<String> {
        let connected = self.info.get("connected_slaves").filter(|&&count| count != "0")?;
        (self.kind == Kind::Server && self.replicas.is_none()).then(|| {
            format!(
                "{connected} of its replicas are connected, which the address does not name: after a fail-over to one of \
                 them, nodes would go on believing this server; add `?replicas={connected}`"
            )
        })
    }

    fn min_replicas(&self) -> Option<String> {
        let replicas = self.replicas.filter(|&replicas| self.kind != Kind::Cluster && replicas > 0)?;
        let (to_write, lag) = (self.figure("min-replicas-to-write")?, self.figure("min-replicas-max-lag")?);
        (to_write < u64::from(replicas) || lag == 0 || lag > MAX_LAG).then(|| {
            format!(
                "with min-replicas-to-write {to_write} and min-replicas-max-lag {lag} it goes on writing what is lost \
                 once another has been promoted; set `min-replicas-to-write {replicas}` and \
                 `min-replicas-max-lag {MAX_LAG}`"
            )
        })
    }

    fn stale_reads(&self) -> Option<String> {
        let name = match self.kind {
            Kind::Server => return None,
            Kind::Cluster if self.set("cluster-allow-reads-when-down") == Some("yes") => {
                "cluster-allow-reads-when-down"
            }
            Kind::Service | Kind::Cluster => "replica-serve-stale-data",
        };
        (self.set(name) == Some("yes")).then(|| {
            format!(
                "with {name} yes, a server that is cut off lets its feed be listened to as if nothing had happened, so \
                 news may come late; set `{name} no`"
            )
        })
    }
}

#[cfg(test)]
mod tests;
