//! The fixtures do what they say: a tail that is lost is lost, Sentinels and a cluster promote.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use redis::Value;
use support::cluster::Cluster;
use support::replicated::Replicated;
use support::sentinels::Sentinels;
use support::{ENGINES, Engine};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tail_that_is_lost_never_arrives() {
    for engine in ENGINES {
        let mut data = Replicated::start(engine, 2).await;
        data.primary.server.ask(&["SET", "early", "1"]).await;
        data.caught_up().await;
        data.lose_tail();
        let answers = data.primary.server.ask_all(&[&["SET", "late", "1"], &["WAIT", "1", "300"]]).await;
        assert_eq!(answers, [Value::Okay, Value::Int(0)], "{engine:?}");
        data.fail_over().await;
        let kept = ["EXISTS", "early"];
        assert_eq!(data.primary.server.ask(&kept).await, Value::Int(1), "{engine:?}");
        assert_eq!(data.primary.server.ask(&["EXISTS", "late"]).await, Value::Int(0), "{engine:?}");
        data.caught_up().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sentinels_promote() {
    let mut sentinels = Sentinels::start(Engine::Redis, 1).await;
    sentinels.fail_over().await;
    sentinels.data.primary.server.ask(&["SET", "x", "1"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_promotes_and_moves() {
    let mut cluster = Cluster::start(Engine::Valkey).await;
    let slot = cluster.slot("shop").await;
    let owner = cluster.owner(slot, 0).await.unwrap();
    cluster.nodes[owner].server.ask(&["SET", "{shop}x", "1"]).await;
    let promoted = cluster.fail_over(slot).await;
    assert_ne!(owner, promoted);
}
