//! Exclusive updates under concurrency: one winner for each version, nothing lost, nothing replayed.

use std::collections::BTreeSet;
use std::sync::Arc;

use countersign_tests::{Answer, Call, Client, Wire, for_each_setup};
use futures_util::future::join_all;
use serde_json::json;
use tokio::sync::Mutex;

const RACERS: usize = 32;

#[tokio::test]
async fn one_of_32_racing_updates_wins() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let racers = (0..RACERS).map(|n| {
            let mut racer = client.clone();
            async move { (racer.add_exclusive(&format!("item-{n}")).await, racer) }
        });
        let ended = join_all(racers).await;
        let mut winners: Vec<_> = ended.into_iter().filter(|(answer, _)| won(answer)).collect();
        assert_eq!(winners.len(), 1);
        let (answer, mut winner) = winners.remove(0);
        let body = answer.expect(200);
        assert_eq!(body["version"], "1.0");
        assert_eq!(body["cart"].as_array().unwrap().len(), 2, "{body}");
        assert_eq!(winner.get("/api/cart").await.expect(200), body);
        client.get("/api/cart").await.refused(409, "state-superseded");
    })
    .await;
}

/// Whoever lost was told so, in one of the two ways that there are.
fn won(answer: &Answer) -> bool {
    if answer.status == 200 {
        return true;
    }
    let code = if answer.code() == "state-conflict" { "state-conflict" } else { "state-superseded" };
    answer.refused(409, code);
    false
}

#[tokio::test]
async fn everyone_gets_their_item_in_when_they_try_again() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let newest = Arc::new(Mutex::new((0_u64, client)));
        let versions = join_all((0..RACERS).map(|n| insist(newest.clone(), format!("i{n}")))).await;
        let distinct: BTreeSet<_> = versions.iter().collect();
        assert_eq!(distinct.len(), RACERS, "one winner for each version: {versions:?}");
        let mut last = newest.lock().await.1.clone();
        let cart = last.get("/api/cart").await.expect(200);
        let items: BTreeSet<_> = cart["cart"].as_array().unwrap().iter().map(ToString::to_string).collect();
        assert_eq!(items.len(), RACERS, "no item was lost or doubled: {cart}");
        assert_eq!(cart["version"], format!("{RACERS}.0"));
    })
    .await;
}

/// Repeats on the newest state until its own update is in: the version that it got.
async fn insist(newest: Arc<Mutex<(u64, Client)>>, item: String) -> u64 {
    for _ in 0..20 * RACERS {
        let mut own = newest.lock().await.1.clone();
        let answer = own.add_exclusive(&item).await;
        if won(&answer) {
            let body = answer.expect(200);
            let version = body["version"].as_str().unwrap().split_once('.').unwrap().0.parse().unwrap();
            let mut newest = newest.lock().await;
            if version > newest.0 {
                *newest = (version, own);
            }
            return version;
        }
        tokio::task::yield_now().await;
    }
    panic!("{item} never got in");
}

fn add_with_key(key: &str, item: &str) -> Call {
    Call::post("/api/cart?exclusive=1").header("idempotency-key", key).json(&json!({ "item": item }))
}

#[tokio::test]
async fn a_repetition_answers_the_same_version() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let before = client.clone();
        let first = client.send(add_with_key("once", "gold")).await.expect(200);
        assert_eq!(first["version"], "1.0");
        for wire in [Wire::Http1, Wire::Http2] {
            let mut again = Client { wire, ..before.clone() };
            assert_eq!(again.send(add_with_key("once", "gold")).await.expect(200), first);
            assert_eq!(again.get("/api/cart").await.expect(200), first);
        }
        assert_eq!(client.get("/api/cart").await.expect(200), first, "added once");
    })
    .await;
}

#[tokio::test]
async fn a_key_with_another_result_is_a_conflict() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let before = client.clone();
        client.send(add_with_key("once", "gold")).await.expect(200);
        before.clone().send(add_with_key("once", "silver")).await.refused(409, "state-conflict");
        let other_key = before.clone().send(add_with_key("twice", "gold")).await;
        assert!(!won(&other_key), "{}", other_key.text());
        let cart = client.get("/api/cart").await.expect(200);
        assert_eq!(cart["cart"], json!(["tea", "gold"]));
    })
    .await;
}

#[tokio::test]
async fn racing_repetitions_are_one_update() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let racers = (0..8).map(|_| {
            let mut racer = client.clone();
            async move { racer.send(add_with_key("once", "gold")).await }
        });
        for answer in join_all(racers).await {
            assert_eq!(answer.expect(200), json!({"cart": ["gold"], "version": "1.0"}));
        }
    })
    .await;
}

#[tokio::test]
async fn a_refresh_after_an_exclusive_update_keeps_the_floor() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let before = client.clone();
        client.add_exclusive("gold").await.expect(200);
        client.refresh().await.expect(200);
        let mut replay = client.clone();
        replay.restore_state(&before);
        replay.get("/api/cart").await.refused(409, "state-superseded");
        client.get("/api/cart").await.expect(200);
    })
    .await;
}
