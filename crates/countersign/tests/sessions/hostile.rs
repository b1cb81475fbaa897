//! Replays, races and forgeries.

use std::time::Duration;

use countersign::testing::Harness;
use countersign::{Algorithm, EndReason, KeyRing, Policy, Stale, Timestamp};
use countersign_registry::{End, OpId, Registry as _, Target};
use http::Method;
use serde_json::{Value, json};

use crate::shop::*;
use crate::site::{Node, Shared};

fn ring() -> KeyRing {
    KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000))
}

#[tokio::test]
async fn a_repeated_login_brings_no_old_state_back() {
    let t = Harness::new();
    let mut alice = t.browser(shop()).with_header("idempotency-key", "login");
    let _ = alice.post("/cart?coupon").await;
    let before = alice.clone();
    assert_eq!(alice.post("/login/alice").await.status, 200);
    assert_eq!(items(&alice.post("/redeem?used").await), json!(["coupon", "used"]));
    let mut replayed = before;
    assert_eq!(replayed.post("/login/alice").await.status, 200);
    check(&replayed.get("/cart").await, 409, "state-superseded");
}

/// A node whose every request asks the registry, and whose own feed has gone silent.
async fn doubting() -> (std::sync::Arc<Shared>, Node, Tab) {
    let registry = Shared::new();
    let node = Node::new(&registry, &ring(), |b| b.policy(Policy::default().max_staleness(Duration::ZERO)));
    node.sessions.ready().await;
    registry.no_feed.store(true, std::sync::atomic::Ordering::SeqCst);
    let alice = log_in(node.browser(), "alice").await;
    (registry, node, alice)
}

async fn yield_often() {
    for _ in 0..20 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_from_before_an_end_admits_nobody_who_comes_after_it() {
    let (registry, _node, mut alice) = doubting().await;
    let mut ended = alice.clone();
    registry.late.send_replace(true);
    let mut early = alice.clone();
    let early = tokio::spawn(async move { early.get("/cart").await });
    yield_often().await;
    let target = ended.clone();
    let id = session_id(&target);
    let end = End { id: OpId([1; 16]), target: Target::Sessions(vec![id]), reason: EndReason::EndedByAdmin };
    let _ = registry.inner.end(end).await.unwrap();
    let late = tokio::spawn(async move { ended.get("/cart").await });
    yield_often().await;
    registry.late.send_replace(false);
    assert_eq!(early.await.unwrap().status, 200);
    check(&late.await.unwrap(), 401, "session-ended");
    check(&alice.get("/cart").await, 401, "session-ended");
}

#[tokio::test(start_paused = true)]
async fn a_question_that_its_asker_left_is_not_answered_to_others() {
    let (registry, _node, mut alice) = doubting().await;
    registry.late.send_replace(true);
    let mut left = alice.clone();
    let left = tokio::spawn(async move { left.get("/cart").await });
    yield_often().await;
    left.abort();
    let _ = left.await;
    let end = End {
        id: OpId([1; 16]),
        target: Target::Sessions(vec![session_id(&alice)]),
        reason: EndReason::EndedByAdmin,
    };
    let _ = registry.inner.end(end).await.unwrap();
    registry.late.send_replace(false);
    check(&alice.get("/cart").await, 401, "session-ended");
}

fn session_id(tab: &Tab) -> countersign::SessionId {
    read_token(tab, 1)["sid"].as_str().unwrap().parse().unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_node_serves_nobody_before_its_first_view() {
    let (registry, keys) = (Shared::new(), ring());
    let one = Node::new(&registry, &keys, |b| b);
    let alice = log_in(one.browser(), "alice").await;
    registry.no_feed.store(true, std::sync::atomic::Ordering::SeqCst);
    let other = Node::new(&registry, &keys, |b| b.when_stale(Stale::ServeUntilExpiry));
    check(&other.take(&alice).get("/cart").await, 503, "registry-unavailable");
    check(&other.take(&alice).post("/session/refresh").await, 503, "registry-unavailable");
    registry.no_feed.store(false, std::sync::atomic::Ordering::SeqCst);
    other.sessions.ready().await;
    assert_eq!(other.take(&alice).get("/cart").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_node_that_starts_from_an_old_key_file_takes_nothing_that_a_removed_key_signed() {
    let (registry, keys) = (Shared::new(), ring());
    let one = Node::new(&registry, &keys, |b| b);
    let alice = log_in(one.browser(), "alice").await;
    let kid = keys.jwks_json().parse::<Value>().unwrap()["keys"][0]["kid"].as_str().unwrap().to_owned();
    one.sessions.remove_key(&kid.as_str().into()).await.unwrap();
    check(&one.take(&alice).get("/cart").await, 401, "session-ended");
    let mut tab = Node::new(&registry, &keys, |b| b).take(&alice);
    let refused = tab.get("/cart").await;
    check(&refused, 401, "session-ended");
    assert_eq!(refused.json::<Value>()["reason"], "key-removed");
    check(
        &Node::new(&registry, &keys, |b| b).take(&alice).post("/session/refresh").await,
        401,
        "session-ended",
    );
}

#[tokio::test]
async fn a_refresh_cookie_does_not_answer_for_anothers_bearer_token() {
    let t = Harness::with(countersign::Builder::inline_renewal);
    let alice = logged_in(&t, "alice").await;
    let mut bob = logged_in(&t, "bob").await;
    t.pass(6 * MINUTE).await;
    let bearer = format!("Bearer {}", alice.cookies()["__Host-session"]);
    let mut both = bob.clone().with_header("authorization", &bearer);
    check(&both.get("/lenient").await, 401, "token-expired");
    assert_eq!(bob.get("/lenient").await.json::<Value>()["note"], "bob");
}

#[tokio::test]
async fn no_refusal_sets_a_cookie_and_none_may_be_stored() {
    let t = Harness::with(|b| b.limits(countersign::Limits::none().per_user(1, countersign::OnFull::Refuse)));
    let mut alice = logged_in(&t, "alice").await;
    let mut evil = alice.clone().with_header("sec-fetch-site", "cross-site");
    let mut forged = alice.clone();
    forged.cookies_mut().insert("__Host-session".into(), "a.b.c".into());
    let mut stranger = t.browser(shop());
    let answers = [
        evil.post("/session/logout").await,
        evil.post("/session/refresh").await,
        evil.post("/session/admit").await,
        stranger.post("/login/alice").await,
        stranger.get("/session").await,
        stranger.post("/session/refresh").await,
        forged.get("/cart").await,
        forged.post("/cart?tea").await,
        alice.post("/session").await,
        alice.delete("/session/xyz").await,
        alice.get("/session/a/b").await,
        alice.post_json("/session/admit", &json!({ "choice": "x", "end": "y" })).await,
        alice.send_only(Method::HEAD, "/session/nothing/here", None).await,
    ];
    for (i, answer) in answers.iter().enumerate() {
        assert!(answer.status.is_client_error(), "{i}: {}", answer.status);
        assert!(!answer.headers.contains_key("set-cookie"), "{i}");
        assert_eq!(answer.headers.get("cache-control").unwrap(), "no-store", "{i}");
    }
}
