//! Several nodes on one registry: what one does, the others follow.

use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign::testing::Harness;
use countersign::{Algorithm, KeyRing, Policy, Timestamp};
use serde_json::{Value, json};

use crate::shop::*;
use crate::site::{Node, Shared};

fn ring() -> KeyRing {
    KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000))
}

/// The other tasks of the test's only thread run until they wait.
async fn others_run() {
    for _ in 0..50 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_end_on_one_node_reaches_the_other() {
    let (registry, keys) = (Shared::new(), ring());
    let (one, other) = (Node::new(&registry, &keys, |b| b), Node::new(&registry, &keys, |b| b));
    let alice = log_in(one.browser(), "alice").await;
    assert_eq!(other.take(&alice).get("/cart").await.status, 200);
    assert_eq!(one.take(&alice).post("/session/logout").await.status, 204);
    check(&one.take(&alice).get("/cart").await, 401, "session-ended");
    others_run().await;
    check(&other.take(&alice).get("/cart").await, 401, "session-ended");
    // A login right after an end of everything works, on both.
    let _ = one.sessions.end_all(countersign::Owner::new("alice")).await.unwrap();
    let again = log_in(other.browser(), "alice").await;
    others_run().await;
    assert_eq!(one.take(&again).get("/cart").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn an_exclusive_update_on_one_node_is_no_replay_on_the_other() {
    let (registry, keys) = (Shared::new(), ring());
    let (one, other) = (Node::new(&registry, &keys, |b| b), Node::new(&registry, &keys, |b| b));
    let mut alice = log_in(one.browser(), "alice").await;
    let _ = alice.post("/cart?coupon").await;
    let before = alice.clone();
    assert_eq!(other.take(&alice).get("/cart").await.status, 200);
    assert_eq!(alice.post("/redeem?used").await.status, 200);
    others_run().await;
    check(&other.take(&before).post("/redeem?again").await, 409, "state-superseded");
    assert_eq!(items(&other.take(&alice).get("/cart").await), json!(["coupon", "used"]));
}

#[tokio::test(start_paused = true)]
async fn a_removed_key_is_refused_at_once_and_the_other_node_hears_of_it() {
    let (registry, keys) = (Shared::new(), ring());
    let (one, other) = (Node::new(&registry, &keys, |b| b), Node::new(&registry, &keys, |b| b));
    let alice = log_in(one.browser(), "alice").await;
    assert_eq!(other.take(&alice).get("/cart").await.status, 200);
    let kid = kid(&alice);
    one.sessions.remove_key(&kid.as_str().into()).await.unwrap();
    check(&one.take(&alice).get("/cart").await, 401, "session-ended");
    check(&one.take(&alice).post("/session/refresh").await, 401, "session-ended");
    others_run().await;
    let refused = other.take(&alice).get("/cart").await;
    check(&refused, 401, "session-ended");
    assert_eq!(refused.json::<Value>()["reason"], "key-removed");
    check(&other.take(&alice).post("/session/refresh").await, 401, "session-ended");
}

fn kid(tab: &Tab) -> String {
    read_token(tab, 0)["kid"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn the_rotation_of_keys_logs_nobody_out() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let _ = alice.post("/cart?tea").await;
    let first = kid(&alice);
    for _ in 0..26 {
        t.clock().advance(Duration::from_hours(12));
        // The upkeep of the keys has its own pace.
        tokio::time::sleep(Duration::from_secs(6)).await;
        assert_eq!(alice.post("/session/refresh").await.status, 200);
        assert_eq!(items(&alice.get("/cart").await), json!(["tea"]));
    }
    assert_ne!(kid(&alice), first, "the key was due");
}

#[tokio::test(start_paused = true)]
async fn clocks_a_minute_apart_log_nobody_out_and_revive_nobody() {
    let (registry, keys) = (Shared::new(), ring());
    let policy = Policy::default().clock_skew(MINUTE);
    let ahead = Node::new(&registry, &keys, |b| b.policy(policy));
    let behind = Node::new(&registry, &keys, |b| b.policy(policy));
    let mut now = START;
    let mut tick = |seconds: u64| {
        now += seconds;
        registry.clock.set(Timestamp::from_secs(now));
        ahead.clock.set(Timestamp::from_secs(now + 30));
        behind.clock.set(Timestamp::from_secs(now - 30));
    };
    tick(0);
    let mut alice = log_in(ahead.browser(), "alice").await;
    for i in 0..20 {
        for node in [&behind, &ahead] {
            node.sessions.ready().await;
            assert_eq!(node.take(&alice).get("/cart").await.status, 200, "step {i}");
        }
        tick(200);
        let node = if i % 2 == 0 { &behind } else { &ahead };
        node.sessions.ready().await;
        let mut here = node.take(&alice);
        assert_eq!(here.post("/session/refresh").await.status, 200, "step {i}");
        alice.cookies_mut().clone_from(here.cookies());
    }
    let ended = alice.clone();
    behind.sessions.ready().await;
    assert_eq!(behind.take(&alice).post("/session/logout").await.status, 204);
    others_run().await;
    check(&ahead.take(&ended).get("/cart").await, 401, "session-ended");
}

/// What a node grants and acknowledges that nothing connects with the others would hold on that node alone.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_cut_off_grants_and_acknowledges_nothing() {
    let (registry, keys) = (Shared::new(), ring());
    let node = Node::new(&registry, &keys, |b| b);
    let mut alice = log_in(node.browser(), "alice").await;
    registry.no_feed.store(true, Ordering::SeqCst);
    registry.clock.advance(Duration::from_secs(6));
    node.clock.advance(Duration::from_secs(6));
    check(&alice.post("/session/refresh").await, 503, "registry-unavailable");
    check(&node.browser().post("/login/bob").await, 503, "registry-unavailable");
    check(&alice.post("/session/logout").await, 503, "registry-unavailable");
    registry.no_feed.store(false, Ordering::SeqCst);
    node.sessions.ready().await;
    let mut bob = log_in(node.browser(), "bob").await;
    assert_eq!(bob.post("/session/refresh").await.status, 200);
}

/// A registry that another one has taken the place of does not know who logged in since: that says nothing of them.
#[tokio::test(start_paused = true)]
async fn a_registry_of_an_earlier_epoch_ends_no_session_that_it_cannot_know() {
    let (old, keys) = (Shared::new(), ring());
    let left_alone = Node::new(&old, &keys, |b| b);
    left_alone.sessions.ready().await;
    let new = Shared::started_later(Duration::from_secs(1));
    let node = Node::new(&new, &keys, |b| b);
    let alice = log_in(node.browser(), "alice").await;
    check(&left_alone.take(&alice).post("/session/refresh").await, 503, "registry-unavailable");
    let _ = node.take(&alice).post("/cart?tea").await;
    check(&left_alone.take(&alice).post("/redeem?used").await, 503, "registry-unavailable");
    assert_eq!(node.take(&alice).post("/session/refresh").await.status, 200);
    // Whoever it cannot know from before has ended.
    let bob = log_in(left_alone.browser(), "bob").await;
    check(&node.take(&bob).post("/session/refresh").await, 401, "session-ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn of_many_racing_exclusive_updates_exactly_one_wins_each_version() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    for round in 0..8 {
        let racing = (0..32).map(|i| {
            let mut tab = alice.clone();
            tokio::spawn(async move { (tab.post(&format!("/redeem?{i}")).await, tab) })
        });
        let mut winners = Vec::new();
        for run in racing.collect::<Vec<_>>() {
            let (answer, tab) = run.await.unwrap();
            match answer.code().as_str() {
                "" => winners.push((answer, tab)),
                "state-conflict" | "state-superseded" => assert_eq!(answer.status, 409),
                other => panic!("{other}"),
            }
        }
        assert_eq!(winners.len(), 1);
        let (answer, tab) = winners.remove(0);
        assert_eq!(items(&answer).as_array().map(Vec::len), Some(round + 1));
        alice = tab;
    }
}

#[tokio::test(start_paused = true)]
async fn a_removal_from_the_key_file_is_told_until_the_registry_has_heard_it() {
    use countersign::{Builder, Keys, MemoryRegistry, Sessions, testing::ORIGIN};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let file = || {
        countersign::KeyFile::open_or_create(&path, Algorithm::EdDsa, Timestamp::from_secs(START)).unwrap()
    };
    let registry = std::sync::Arc::new(countersign_registry::Faulty::new(MemoryRegistry::new()));
    let build: Builder = Sessions::builder(ORIGIN, Keys::from(file()), registry.clone());
    let sessions = build.build().unwrap();
    sessions.ready().await;
    registry.fail_next_of(countersign_registry::OpKind::End, 2);
    let kid = sessions.jwks().parse::<Value>().unwrap()["keys"][0]["kid"].as_str().unwrap().to_owned();
    let _ = Keys::from(file()).remove(&kid.as_str().into(), Timestamp::from_secs(START)).unwrap();
    for _ in 0..10 {
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    let feed = countersign_registry::Registry::feed(registry.inner(), None).await.unwrap();
    let told = |entry: &countersign_registry::Entry| matches!(&entry.news, countersign_registry::News::KeyRemoved(removed) if **removed == *kid);
    assert!(feed.entries.iter().any(told), "{:?}", feed.entries);
}
