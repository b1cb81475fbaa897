//! Tables: each setting that breaks a promise, and what is told of it.

use std::collections::HashMap;

use super::{Settings, info};
use crate::options::Acknowledge;
use crate::topology::Kind;

const GOOD: &str = "redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\nmaxmemory:1000\r\n\
                    maxmemory_policy:noeviction\r\naof_enabled:1\r\nconnected_slaves:0\r\n";
const SET: [(&str, &str); 6] = [
    ("appendfsync", "always"),
    ("min-replicas-to-write", "2"),
    ("min-replicas-max-lag", "3"),
    ("cluster-node-timeout", "4000"),
    ("cluster-allow-reads-when-down", "no"),
    ("replica-serve-stale-data", "no"),
];

fn settings(told: &str, kind: Kind) -> Settings<'_> {
    let config = SET.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let replicas = (kind != Kind::Server).then_some(2);
    let (info, config) = (info(told), Some(HashMap::from(config)));
    Settings { info, config, kind, replicas, acknowledge: Acknowledge::Written }
}

fn good(kind: Kind) -> String {
    let enabled = if kind == Kind::Cluster { "cluster_enabled:1" } else { "cluster_enabled:0" };
    GOOD.replace("cluster_enabled:0", enabled)
}

#[test]
fn a_server_that_keeps_everything_is_fit() {
    for kind in [Kind::Server, Kind::Service, Kind::Cluster] {
        let told = good(kind);
        let settings = settings(&told, kind);
        assert_eq!((settings.faults(), settings.doubts()), (Vec::new(), Vec::new()), "{kind:?}");
    }
}

#[test]
fn each_fault_is_told_with_what_to_change() {
    for (kind, setting, bad, told) in [
        (Kind::Server, "redis_version:7.0.15", "redis_version:6.2.6", "Redis 7.0"),
        (Kind::Server, "role:master", "role:slave", "primary"),
        (Kind::Service, "role:master", "role:slave", "primary"),
        (Kind::Server, "cluster_enabled:0", "cluster_enabled:1", "use redis+cluster://"),
        (Kind::Service, "cluster_enabled:0", "cluster_enabled:1", "use redis+cluster://"),
        (Kind::Cluster, "cluster_enabled:1", "cluster_enabled:0", "no node of a cluster"),
        (
            Kind::Server,
            "maxmemory_policy:noeviction",
            "maxmemory_policy:allkeys-lru",
            "`maxmemory-policy noeviction`",
        ),
        (Kind::Server, "aof_enabled:1", "aof_enabled:0", "`appendonly yes`"),
    ] {
        let info = good(kind).replace(setting, bad);
        let faults = settings(&info, kind).faults();
        assert!(faults.len() == 1 && faults[0].contains(told), "{bad}: {faults:?}");
    }
}

fn changed(kind: Kind, name: &str, value: &str, check: impl Fn(Settings<'_>)) {
    let told = good(kind);
    let mut settings = settings(&told, kind);
    settings.config.as_mut().unwrap().insert(name.into(), value.into());
    check(settings);
}

#[test]
fn a_cluster_that_notices_late_is_a_fault() {
    changed(Kind::Cluster, "cluster-node-timeout", "15000", |settings| {
        let faults = settings.faults();
        assert!(faults.len() == 1 && faults[0].contains("`cluster-node-timeout 4000`"), "{faults:?}");
    });
    changed(Kind::Server, "cluster-node-timeout", "15000", |settings| assert!(settings.faults().is_empty()));
}

#[test]
fn what_no_replica_can_acknowledge_is_a_fault() {
    for kind in [Kind::Service, Kind::Cluster] {
        let told = good(kind);
        let alone = Settings { replicas: Some(0), ..settings(&told, kind) };
        assert!(alone.faults().is_empty(), "{kind:?}");
        let strict = Settings { acknowledge: Acknowledge::Replicated, ..alone };
        assert!(strict.faults().len() == 1 && strict.faults()[0].contains("no replicas"), "{kind:?}");
    }
    for (replicas, faults) in [(None, 1), (Some(0), 1), (Some(2), 0)] {
        let alone = Settings { replicas, ..settings(GOOD, Kind::Server) };
        assert!(alone.faults().is_empty(), "{replicas:?}");
        let strict = Settings { acknowledge: Acknowledge::Replicated, ..alone }.faults();
        let tell = strict.iter().filter(|fault| fault.contains("`?replicas=n`")).count();
        assert_eq!((strict.len(), tell), (faults, faults), "{replicas:?}: {strict:?}");
    }
}

#[test]
fn each_doubt_is_told_with_what_to_change() {
    for (kind, name, value, told) in [
        (Kind::Server, "appendfsync", "everysec", "`appendfsync always`"),
        (Kind::Service, "min-replicas-to-write", "1", "`min-replicas-to-write 2`"),
        (Kind::Service, "min-replicas-max-lag", "10", "`min-replicas-max-lag 3`"),
        (Kind::Service, "min-replicas-max-lag", "0", "`min-replicas-max-lag 3`"),
        (Kind::Service, "replica-serve-stale-data", "yes", "`replica-serve-stale-data no`"),
        (Kind::Cluster, "replica-serve-stale-data", "yes", "`replica-serve-stale-data no`"),
        (Kind::Cluster, "cluster-allow-reads-when-down", "yes", "`cluster-allow-reads-when-down no`"),
    ] {
        changed(kind, name, value, |settings| {
            let doubts = settings.doubts();
            assert!(doubts.len() == 1 && doubts[0].contains(told), "{name} {value}: {doubts:?}");
        });
    }
}

#[test]
fn a_primary_that_goes_on_without_its_replicas_is_a_doubt() {
    for (kind, replicas, told) in [
        (Kind::Service, 2, 1),
        (Kind::Server, 2, 1),
        // One that no address names is not known to be there; a cluster's nodes stop by their time-out.
        (Kind::Server, 0, 0),
        (Kind::Cluster, 2, 0),
    ] {
        changed(kind, "min-replicas-to-write", "0", |settings| {
            let doubts = Settings { replicas: Some(replicas), ..settings }.doubts();
            let tell = doubts.iter().filter(|doubt| doubt.contains("`min-replicas-to-write 2`")).count();
            assert_eq!((doubts.len(), tell), (told, told), "{kind:?} {replicas}: {doubts:?}");
        });
    }
}

#[test]
fn replicas_that_the_address_does_not_name_are_a_doubt() {
    let told = GOOD.replace("connected_slaves:0", "connected_slaves:2");
    let mut settings = settings(&told, Kind::Server);
    assert!(settings.doubts().len() == 1 && settings.doubts()[0].contains("`?replicas=2`"));
    settings.replicas = Some(2);
    assert!(settings.doubts().is_empty());
}

#[test]
fn what_may_not_be_asked_is_a_doubt() {
    let settings = Settings { config: None, ..settings(GOOD, Kind::Server) };
    assert_eq!((settings.faults().len(), settings.doubts().len()), (0, 1));
    let unbounded = GOOD.replace("maxmemory:1000", "maxmemory:0").replace("noeviction", "allkeys-lru");
    let settings = self::settings(&unbounded, Kind::Server);
    assert_eq!((settings.faults().len(), settings.doubts().len()), (0, 1));
}
