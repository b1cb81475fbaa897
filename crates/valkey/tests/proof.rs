//! Proofs of freshness: a primary that is cut off from its replicas proves nothing, and many askers share one proof.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, Claim, CountOf, Effect, End, EndReason, Once, OnceId, OpId, Owner, Registry,
    RegistryError, Rules, Standing, Target,
};
use countersign_token::{SessionId, Timestamp};
use countersign_valkey::{Acknowledge, OpenError, Options, ValkeyRegistry};
use futures_util::future::join_all;
use support::cluster::Cluster;
use support::replicated::{QUICK, Replicated};
use support::sentinels::Sentinels;
use support::{ENGINES, Engine, Server, patient};

fn sid(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

async fn open(url: &str, options: Options) -> ValkeyRegistry {
    let registry = ValkeyRegistry::connect_with(url, options).await.unwrap();
    registry.configure(Rules::default());
    registry
}

/// One that does not wait for long.
fn hasty() -> Options {
    Options::default().deadline(Duration::from_millis(2500))
}

async fn login(registry: &ValkeyRegistry, number: u8) -> Result<Admitted, RegistryError> {
    registry.admit(Admit::new(sid(number), Owner::new("ada"))).await
}

fn logout(number: u8) -> End {
    End { id: OpId([number; 16]), target: Target::Sessions(vec![sid(number)]), reason: EndReason::Logout }
}

/// How often a server was asked for something, by its own count.
async fn times(server: &Server, command: &str) -> u64 {
    let info = server.info("commandstats").await;
    let line = info.lines().find(|line| line.starts_with(&format!("cmdstat_{command}:")));
    line.map_or(0, |line| line.split("calls=").nth(1).unwrap().split(',').next().unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_without_its_replicas_proves_nothing() {
    for engine in ENGINES {
        let data = Replicated::start(engine, 2).await;
        let (patient, hasty) = (open(&data.url(), patient()).await, open(&data.url(), hasty()).await);
        let _ = login(&patient, 1).await.unwrap();
        let batch = patient.feed(None).await.unwrap();
        assert_eq!(batch.behind, Duration::ZERO, "{engine:?}: all replicas have it");
        assert!(matches!(patient.get(vec![sid(1)]).await.unwrap()[0], Standing::Live(..)));

        data.lose_tail();
        assert_eq!(hasty.feed(None).await.unwrap_err().effect, Effect::None, "{engine:?}");
        assert_eq!(hasty.get(vec![sid(1)]).await.unwrap_err().effect, Effect::None, "{engine:?}");
        // What proves nothing still counts sessions, which decides nothing.
        assert_eq!(hasty.counts(CountOf::Site).await.unwrap().sessions, 1);

        data.primary.face.mend();
        let batch = support::until_ok("they are back", async || patient.feed(None).await).await;
        assert_eq!(batch.behind, Duration::ZERO, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_two_replicas_is_not_all() {
    let data = Replicated::start(Engine::Redis, 2).await;
    let registry = open(&data.url(), hasty()).await;
    let _ = registry.feed(None).await.unwrap();
    data.replicas[1].server.signal("STOP");
    assert_eq!(registry.feed(None).await.unwrap_err().effect, Effect::None);
    data.replicas[1].server.signal("CONT");
}

/// A replica that the address does not count could be promoted all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_nobody_named_counts_once_it_is_connected() {
    let data = Replicated::start(Engine::Redis, 2).await;
    let registry = open(&format!("{}?replicas=1", data.primary.url()), hasty()).await;
    let _ = registry.feed(None).await.unwrap();
    data.replicas[1].server.signal("STOP");
    assert_eq!(registry.feed(None).await.unwrap_err().effect, Effect::None);
    data.replicas[1].server.signal("CONT");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_alone_needs_no_proof() {
    let server = Server::start(Engine::Redis);
    let registry = server.registry(patient()).await;
    registry.configure(Rules::default());
    for _ in 0..3 {
        assert_eq!(registry.feed(None).await.unwrap().behind, Duration::ZERO);
        assert!(registry.get(vec![sid(1)]).await.is_ok());
    }
    assert_eq!(times(&server, "wait").await, 0);
}

/// While one proof is under way, all that come share the next.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_ask_and_a_handful_of_proofs_is_made() {
    for engine in ENGINES {
        let data = Replicated::start(engine, 1).await;
        let registry = open(&data.url(), patient()).await;
        let _ = login(&registry, 1).await.unwrap();
        let before = times(&data.primary.server, "wait").await;
        // A replica that answers slowly, so that everyone comes while a proof is under way.
        data.replicas[0].server.signal("STOP");
        let asking = join_all((0..1000).map(|_| registry.get(vec![sid(1)])));
        let answering = async {
            support::until("a proof is under way", async || {
                times(&data.primary.server, "wait").await > before
            })
            .await;
            data.replicas[0].server.signal("CONT");
        };
        let (answers, ()) = tokio::join!(asking, answering);
        let proven = answers.iter().filter(|answer| answer.is_ok()).count();
        let waits = times(&data.primary.server, "wait").await - before;
        assert!(proven >= 999 && (1..=12).contains(&waits), "{engine:?}: {waits} for {proven}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_vouch_for_a_primary_whose_replica_is_away() {
    let sentinels = Sentinels::start(Engine::Redis, 1).await;
    let (registry, strict) = (
        open(&sentinels.url(), patient()).await,
        open(&sentinels.url(), hasty().acknowledge(Acknowledge::Replicated)).await,
    );
    assert_eq!(registry.feed(None).await.unwrap().behind, Duration::ZERO);
    let _ = login(&strict, 1).await.unwrap();

    sentinels.data.lose_tail();
    assert_eq!(registry.feed(None).await.unwrap().behind, Duration::from_secs(3));
    assert!(registry.get(vec![sid(1)]).await.is_ok());
    assert_eq!(
        login(&strict, 2).await.unwrap_err().effect,
        Effect::Unknown,
        "a word of Sentinels copies nothing"
    );

    for sentinel in &sentinels.sentinels[1..] {
        sentinel.signal("STOP");
    }
    let failed = registry.feed(None).await.unwrap_err();
    assert_eq!(failed.effect, Effect::None, "one of three is no majority");
    for sentinel in &sentinels.sentinels[1..] {
        sentinel.signal("CONT");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_vouches_for_a_primary_whose_replica_is_away() {
    let cluster = Cluster::start(Engine::Valkey).await;
    let registry = open(&cluster.url(), patient()).await;
    assert_eq!(registry.feed(None).await.unwrap().behind, Duration::ZERO);
    for node in &cluster.nodes {
        node.face.lose_tail();
    }
    assert_eq!(registry.feed(None).await.unwrap().behind, Duration::from_millis(2500), "its node timeout");
}

/// Acknowledged by all replicas: what is not has happened for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admission_that_no_replica_has_is_taken_back() {
    for engine in ENGINES {
        let data = Replicated::start(engine, 1).await;
        let strict = open(&data.url(), hasty().acknowledge(Acknowledge::Replicated)).await;
        let written = open(&data.url(), hasty()).await;
        let _ = (login(&strict, 1).await.unwrap(), login(&strict, 2).await.unwrap());
        assert_eq!(strict.end(logout(2)).await.unwrap().sessions, 1);

        data.lose_tail();
        assert_eq!(login(&strict, 3).await.unwrap_err().effect, Effect::Unknown, "{engine:?}");
        assert_eq!(strict.counts(CountOf::Site).await.unwrap().sessions, 1, "{engine:?}: it was taken back");
        // Neither is an admission that was acknowledged before.
        assert_eq!(login(&strict, 1).await.unwrap_err().effect, Effect::Unknown, "{engine:?}");
        assert_eq!(
            strict.counts(CountOf::Site).await.unwrap().sessions,
            1,
            "{engine:?}: somebody has its tokens"
        );
        assert_eq!(strict.end(logout(1)).await.unwrap_err().effect, Effect::Unknown, "{engine:?}");
        let once = Once { id: OnceId([5; 32]), until: Timestamp::MAX, of: None, claim: Claim::UseUp };
        assert_eq!(strict.once(once).await.unwrap_err().effect, Effect::Unknown, "{engine:?}");
        let _ = login(&written, 4).await.unwrap();

        data.primary.face.mend();
        let again = support::until_ok("the replica is back", async || strict.end(logout(1)).await).await;
        assert_eq!(again.sessions, 1, "{engine:?}: it had happened, and now it is acknowledged");
    }
}

/// The primary dies before it can take back what was not proven. Nobody holds those tokens, so no recovery restores them;
/// what was acknowledged comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admission_that_could_not_be_taken_back_is_not_restored() {
    for engine in ENGINES {
        let mut data = Replicated::start(engine, 1).await;
        let strict = open(&data.url(), hasty().acknowledge(Acknowledge::Replicated)).await;
        let _ = strict.feed(None).await.unwrap();
        let copy = data.primary.server.copy();
        let _ = login(&strict, 1).await.unwrap();

        data.lose_tail();
        let server = &mut data.primary.server;
        let dying = async {
            let sessions = ["HLEN", "countersign:{site}:sessions"];
            let is_there = async || server.ask(&sessions).await == redis::Value::Int(2);
            support::until("the second is admitted", is_there).await;
            server.kill();
        };
        let (second, ()) = tokio::join!(login(&strict, 2), dying);
        assert_eq!(second.unwrap_err().effect, Effect::Unknown, "{engine:?}");

        data.primary.face.mend();
        data.primary.server.put_back(&copy, &QUICK);
        let _ = support::until_ok("it has recovered", async || strict.feed(None).await).await;
        let asked = async || strict.get(vec![sid(1), sid(2)]).await;
        let standings = support::until_ok("it is asked", asked).await;
        let lives: Vec<_> = standings.iter().map(|known| matches!(known, Standing::Live(..))).collect();
        assert_eq!(lives, [true, false], "{engine:?}: {standings:?}");
    }
}

/// Where the address names no replicas, nothing would wait for any.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_without_replicas_cannot_wait_for_them() {
    let server = Server::start(Engine::Redis);
    for query in ["", "?replicas=0"] {
        let strict = hasty().acknowledge(Acknowledge::Replicated);
        let url = format!("{}{query}", server.url());
        let refused = ValkeyRegistry::connect_with(&url, strict).await.unwrap_err();
        let told = matches!(&refused, OpenError::Unfit { why, .. } if why.contains("`?replicas=n`"));
        assert!(told, "{query}: {refused}");
    }
}
