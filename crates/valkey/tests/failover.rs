//! Another primary: promoted by Sentinels, by a cluster or by hand, or one that a slot was moved to. The registry goes on.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, CountOf, Effect, End, EndReason, OpId, Owner, Registry, RegistryError, Rules, Standing,
    Target,
};
use countersign_token::SessionId;
use countersign_valkey::{Options, ValkeyRegistry};
use support::cluster::Cluster;
use support::sentinels::Sentinels;
use support::{ENGINES, Engine, PATIENCE, patient, until_ok};

fn sid(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

async fn open(url: &str, options: Options) -> ValkeyRegistry {
    let registry = ValkeyRegistry::connect_with(url, options).await.unwrap();
    registry.configure(Rules::default());
    registry
}

async fn login(registry: &ValkeyRegistry, number: u8) -> Result<Admitted, RegistryError> {
    registry.admit(Admit::new(sid(number), Owner::new("ada"))).await
}

fn logout(number: u8) -> End {
    End { id: OpId([number; 16]), target: Target::Sessions(vec![sid(number)]), reason: EndReason::Logout }
}

/// After a fail-over: what was there is there, the rules hold, and the feed goes on in another epoch.
async fn goes_on(registry: &ValkeyRegistry, other: &ValkeyRegistry, epoch: u64, what: &str) {
    let _ = until_ok("a login succeeds", async || login(registry, 3).await).await;
    let batch = until_ok("the feed is proven", async || registry.feed(None).await).await;
    assert!(batch.complete_to.epoch > epoch, "{what}: another history is another epoch");
    let standings = registry.get(vec![sid(1), sid(2), sid(3)]).await.unwrap();
    let live = standings.iter().map(|standing| matches!(standing, Standing::Live(..)));
    assert!(live.eq([true, false, true]), "{what}: {standings:?}");

    // News come from the new primary, too.
    let position = other.feed(None).await.unwrap().complete_to;
    let news = other.news(position);
    let _ = registry.end(logout(3)).await.unwrap();
    tokio::time::timeout(PATIENCE, news)
        .await
        .unwrap_or_else(|_| panic!("{what}: the other node is not told"));
}

/// Two nodes with a session that lives and one that has ended, and the epoch.
async fn begin(url: &str) -> (ValkeyRegistry, ValkeyRegistry, u64) {
    let (registry, other) = (open(url, patient()).await, open(url, patient()).await);
    let _ = (login(&registry, 1).await.unwrap(), login(&registry, 2).await.unwrap());
    let _ = registry.end(logout(2)).await.unwrap();
    let position = other.feed(None).await.unwrap().complete_to;
    // From now on it listens.
    drop(other.news(position));
    (registry, other, position.epoch)
}

async fn sentinels_promote(engine: Engine) {
    let mut sentinels = Sentinels::start(engine, 1).await;
    let (registry, other, epoch) = begin(&sentinels.url()).await;
    sentinels.data.caught_up().await;
    sentinels.fail_over().await;
    goes_on(&registry, &other, epoch, &format!("Sentinels of {engine:?}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_registry_goes_on_where_sentinels_promote_on_redis() {
    sentinels_promote(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_registry_goes_on_where_sentinels_promote_on_valkey() {
    sentinels_promote(Engine::Valkey).await;
}

/// The old primary is alive and answers, but the Sentinels name another: nobody goes on talking to it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_was_replaced_is_given_up() {
    let mut sentinels = Sentinels::start(Engine::Redis, 1).await;
    let (registry, other, epoch) = begin(&sentinels.url()).await;
    sentinels.data.caught_up().await;
    let old = sentinels.data.primary.face.port;
    // The Sentinels cannot reach it any more, and these nodes still do.
    let told = sentinels.replace_unnoticed().await;
    assert_ne!(old, told);
    // Without a proof that would fail: it is noticed while operations are carried out.
    support::until("operations reach the new primary", async || {
        registry.end(logout(9)).await.is_ok_and(|ended| ended.position.epoch > epoch)
    })
    .await;
    goes_on(&registry, &other, epoch, "an old primary that lives").await;
}

async fn a_cluster_promotes(engine: Engine) {
    let mut cluster = Cluster::start(engine).await;
    let (registry, other, epoch) = begin(&cluster.url()).await;
    let slot = cluster.slot("site").await;
    cluster.fail_over(slot).await;
    goes_on(&registry, &other, epoch, &format!("a cluster of {engine:?}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_registry_goes_on_where_a_cluster_promotes_on_redis() {
    a_cluster_promotes(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_registry_goes_on_where_a_cluster_promotes_on_valkey() {
    a_cluster_promotes(Engine::Valkey).await;
}

/// MOVED: the slot is another node's now, which the next operation follows without an error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slot_that_moved_is_followed() {
    for engine in ENGINES {
        let cluster = Cluster::start(engine).await;
        let (registry, other, epoch) = begin(&cluster.url()).await;
        let slot = cluster.slot("site").await;
        let from = cluster.owner(slot, 0).await.unwrap();
        cluster.move_slot(slot, from, (from + 1) % 3).await;
        assert_eq!(registry.counts(CountOf::Site).await.unwrap().sessions, 1, "{engine:?}");
        goes_on(&registry, &other, epoch, &format!("a slot moved on {engine:?}")).await;
    }
}

/// READONLY: the primary has become a replica, by hand, and changed places with the other one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn servers_that_change_places_are_followed() {
    let sentinels = Sentinels::start(Engine::Valkey, 1).await;
    let (registry, other, epoch) = begin(&sentinels.url()).await;
    sentinels.data.caught_up().await;
    sentinels.change_places().await;
    goes_on(&registry, &other, epoch, "changed places").await;
}

/// Who asks while there is no primary at all is told in time that nothing happened.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_primary_nothing_happens() {
    let mut sentinels = Sentinels::start(Engine::Redis, 0).await;
    let registry = open(&sentinels.url(), Options::default().deadline(Duration::from_millis(2500))).await;
    let _ = login(&registry, 1).await.unwrap();
    sentinels.data.primary.server.kill();
    // The call that finds the connection cut may have been under way.
    let _ = login(&registry, 2).await;
    assert_eq!(login(&registry, 2).await.unwrap_err().effect, Effect::None);
}
