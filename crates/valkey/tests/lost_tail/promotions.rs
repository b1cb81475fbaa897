//! Runs with promotions in them: by hand behind an address that moves, by Sentinels, and within a cluster.

use countersign_valkey::{Acknowledge, Options};

use crate::client::Repeat;
use crate::place::{Clustered, Moved, Watched};
use crate::story::run;
use crate::support::{Engine, patient};
use crate::times;

const DOMAIN: &str = "shop";

fn written() -> Options {
    patient().domain(DOMAIN)
}

fn strict() -> Options {
    written().acknowledge(Acknowledge::Replicated)
}

async fn a_replica_is_promoted(engine: Engine) {
    let mut place = Moved::start(engine, "").await;
    let tally = run(&mut place, &written(), Repeat::UntilAnswered, times(5, 50)).await;
    tally.assert_busy();
    tally.assert_kept();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promotions_lose_nothing_acknowledged_on_redis() {
    a_replica_is_promoted(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn promotions_lose_nothing_acknowledged_on_valkey() {
    a_replica_is_promoted(Engine::Valkey).await;
}

/// No acknowledged login is lost, so the limit holds as well.
async fn limits_hold(engine: Engine) {
    let mut place = Moved::start(engine, "?replicas=1").await;
    let tally = run(&mut place, &strict(), Repeat::Never, times(5, 50)).await;
    tally.assert_busy();
    tally.assert_kept();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_across_promotions_in_the_strict_mode_on_redis() {
    limits_hold(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn limits_hold_across_promotions_in_the_strict_mode_on_valkey() {
    limits_hold(Engine::Valkey).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_promote_and_nothing_acknowledged_is_lost() {
    let mut place = Watched::start(Engine::Redis).await;
    let tally = run(&mut place, &written(), Repeat::UntilAnswered, times(5, 50)).await;
    tally.assert_busy();
    tally.assert_kept();
}

/// Each time another cluster: a primary that died does not come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clusters_promote_and_nothing_acknowledged_is_lost() {
    for _ in 0..times(5, 50) {
        let mut place = Clustered::start(Engine::Redis, DOMAIN).await;
        let tally = run(&mut place, &written(), Repeat::UntilAnswered, 1).await;
        tally.assert_kept();
    }
}
