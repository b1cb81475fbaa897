//! The registry keeps the contract wherever its server is: behind TLS, named by Sentinels, in a cluster.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use countersign_registry::conformance;
use countersign_registry::{Admit, Admitted, CountOf, Limits, OnFull, Owner, Registry, RegistryError, Rules};
use countersign_token::SessionId;
use countersign_valkey::ValkeyRegistry;
use futures_util::future::join_all;
use support::cluster::Cluster;
use support::sentinels::Sentinels;
use support::{ENGINES, Engine, fresh_at, patient};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_where_sentinels_say() {
    let sentinels = Sentinels::start(Engine::Valkey, 1).await;
    conformance::run(async |clock| fresh_at(&sentinels.url(), patient(), clock).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_in_a_cluster() {
    let cluster = Cluster::start(Engine::Redis).await;
    conformance::run(async |clock| fresh_at(&cluster.url(), patient(), clock).await).await;
}

fn sid(number: u32) -> SessionId {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(id)
}

async fn login(registry: &ValkeyRegistry, number: u32) -> Result<Admitted, RegistryError> {
    registry.admit(Admit::new(sid(number), Owner::new(format!("user {number}")))).await
}

/// Names of limit domains, one for each of the three primaries.
async fn domains(cluster: &Cluster) -> Vec<(String, u32)> {
    let mut found = Vec::new();
    for number in 0.. {
        let domain = format!("domain {number}");
        let slot = cluster.slot(&domain).await;
        let owner = cluster.owner(slot, 0).await.unwrap();
        if found.iter().all(|&(_, other, _)| other != owner) {
            found.push((domain, owner, 20 + 10 * owner as u32));
        }
        if found.len() == 3 {
            break;
        }
    }
    found.into_iter().map(|(domain, _, seats)| (domain, seats)).collect()
}

/// Three limit domains on three primaries, two nodes of each: every limit is exact, and none knows of the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limit_domains_on_three_primaries_are_exact_each() {
    for engine in ENGINES {
        let cluster = Cluster::start(engine).await;
        let domains = domains(&cluster).await;
        let registry = async |(domain, seats): &(String, u32)| {
            let options = patient().domain(domain.clone());
            let registry = ValkeyRegistry::connect_with(&cluster.url(), options).await.unwrap();
            let limits = Limits::none().per_site(*seats, OnFull::Refuse);
            registry.configure(Rules { limits, ..Rules::default() });
            registry
        };
        let nodes =
            [join_all(domains.iter().map(registry)).await, join_all(domains.iter().map(registry)).await];
        let logins = (0..80).flat_map(|number| (0..3).map(move |domain| (number, domain)));
        join_all(logins.map(|(number, domain)| {
            let node = &nodes[number as usize % 2][domain];
            async move { login(node, number).await.unwrap() }
        }))
        .await;
        for (place, (domain, seats)) in domains.iter().enumerate() {
            let counts = nodes[0][place].counts(CountOf::Site).await.unwrap();
            assert_eq!(
                (counts.sessions, counts.seats),
                (u64::from(*seats), u64::from(*seats)),
                "{engine:?}: {domain}"
            );
        }
    }
}
