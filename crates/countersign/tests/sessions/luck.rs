//! Losses, delays and sizes that log nobody out and cost nobody a seat.

use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign::testing::Harness;
use countersign::{Builder, CountOf, Policy, Timestamp};
use countersign_registry::{List, OpKind, Owner, Registry as _};
use http::Method;
use serde_json::json;

use crate::shop::*;
use crate::site::{Node, Shared};

#[tokio::test]
async fn a_renewal_is_the_registrys_own_word() {
    let policy = Policy::default().max_staleness(Duration::ZERO);
    let t = Harness::with(|b| b.policy(policy).inline_renewal());
    let mut alice = logged_in(&t, "alice").await;
    t.clock().advance(6 * MINUTE);
    let renewed = alice.get("/lenient").await;
    assert!(renewed.headers.contains_key("set-cookie"), "{} {}", renewed.status, renewed.code());
    t.clock().advance(6 * MINUTE);
    assert_eq!(alice.get("/cart").await.status, 200);
}

#[tokio::test]
async fn a_public_page_needs_no_registry() {
    let t = Harness::with(Builder::inline_renewal);
    let mut alice = logged_in(&t, "alice").await;
    t.pass(6 * MINUTE).await;
    t.registry().fail_always_of(OpKind::Rotate);
    assert_eq!(alice.get("/public").await.status, 200);
    check(&alice.get("/cart").await, 503, "registry-unavailable");
    t.registry().recover();
    assert_eq!(alice.get("/cart").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_registry_that_cannot_tell_its_news_is_not_asked_without_pause() {
    let registry = Shared::new();
    registry.cannot_tell.store(true, Ordering::SeqCst);
    let keys =
        countersign::KeyRing::generate(countersign::Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000));
    let node = Node::new(&registry, &keys, |b| b);
    node.sessions.ready().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let readings = registry.feeds.load(Ordering::SeqCst);
    assert!((2..50).contains(&readings), "{readings} readings of the feed in a second");
}

#[tokio::test]
async fn marks_of_activity_outlive_a_request_that_was_given_up() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    t.pass(2 * MINUTE).await;
    assert_eq!(alice.get("/lenient").await.status, 200);
    t.registry().hold_of(OpKind::Touch);
    let listing = tokio::spawn(async move { alice.get("/session/list").await });
    t.registry().held(1).await;
    listing.abort();
    let _ = listing.await;
    t.registry().release();
    t.sessions().shut_down().await.unwrap();
    let page = t.registry().inner().list(List::of(Owner::new("alice"))).await.unwrap();
    assert_eq!(page.sessions[0].0.last_activity, Timestamp::from_secs(START + 120));
}

#[tokio::test(start_paused = true)]
async fn a_silent_registry_holds_up_no_list() {
    for kind in [OpKind::List, OpKind::Touch] {
        let t = Harness::new();
        let mut alice = logged_in(&t, "alice").await;
        t.registry().hold_of(kind);
        let answer =
            tokio::time::timeout(MINUTE, alice.get("/session/list")).await.expect("an answer in time");
        if kind == OpKind::List {
            check(&answer, 503, "registry-unavailable");
        } else {
            assert_eq!(answer.status, 200, "a mark more or less is no reason to refuse");
        }
    }
}

#[tokio::test]
async fn whatever_a_visit_may_hold_its_session_can_hold_too() {
    let t = Harness::new();
    let (mut fits, mut too_long) = (1, 4096);
    while too_long - fits > 1 {
        let tried = usize::midpoint(fits, too_long);
        let answer = t.browser(shop()).post(&format!("/cart?{}", "a".repeat(tried))).await;
        if answer.status.is_success() { fits = tried } else { too_long = tried }
    }
    let longest = "a".repeat(fits);
    let mut tab = t.browser(shop());
    assert_eq!(tab.post(&format!("/cart?{longest}")).await.status, 200);
    let answer = tab.post("/login/alice").await;
    assert_eq!(answer.status, 200, "{}", answer.code());
    assert_eq!(items(&tab.get("/cart").await), json!([longest]));
}

#[tokio::test]
async fn a_session_that_cannot_be_told_takes_no_seat() {
    let t = Harness::new();
    let name = "a".repeat(4000);
    let refused = t.browser(shop()).post(&format!("/login/{name}")).await;
    assert!(!refused.status.is_success());
    assert_eq!(t.sessions().counts(CountOf::Site).await.unwrap().sessions, 0);
}

#[tokio::test]
async fn a_head_request_tells_the_length_of_what_it_leaves_out() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let whole = alice.get("/session/list").await;
    let head = alice.send_only(Method::HEAD, "/session/list", None).await;
    assert_eq!((head.status, head.body.len()), (whole.status, 0));
    assert_eq!(head.headers["content-length"], whole.body.len().to_string());
    let refused = alice.send_only(Method::HEAD, "/session/refresh", None).await;
    assert_eq!((refused.status.as_u16(), refused.body.len()), (405, 0));
}
