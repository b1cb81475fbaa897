//! The flows, driven as users drive them: through browsers, with the clock moved by hand.

use std::convert::Infallible;

use bytes::Bytes;
use countersign::testing::{Full, Harness};
use countersign::{Limits, OnFull, Session};
use http::{Method, Request, Response};
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;

use crate::shop::{MINUTE, Tab, check, items, logged_in, shop};

#[tokio::test]
async fn a_person_logs_in_is_known_and_logs_out_for_good() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let me: Value = alice.get("/session").await.json();
    assert_eq!(
        (&me["subject"], &me["current"], &me["amr"]),
        (&json!("alice"), &json!(true), &json!(["pwd"]))
    );
    let stolen = alice.clone();
    assert_eq!(alice.post("/session/logout").await.status, 204);
    assert!(alice.cookies().is_empty());
    check(&alice.get("/session").await, 401, "not-authenticated");
    let mut thief = stolen.clone();
    let refused = thief.get("/session").await;
    check(&refused, 401, "session-ended");
    assert_eq!(refused.json::<Value>()["reason"], "logout");
    check(&stolen.clone().post("/session/refresh").await, 401, "session-ended");
}

#[tokio::test]
async fn a_visit_costs_nothing_and_its_cart_is_carried_over() {
    let t = Harness::new();
    let mut tab = t.browser(shop());
    assert_eq!(items(&tab.post("/cart?tea").await), json!(["tea"]));
    assert_eq!(t.sessions().counts(countersign::CountOf::Site).await.unwrap().sessions, 0);
    let answer = tab.post("/login/alice").await;
    assert!(answer.status.is_success());
    assert!(!tab.cookies().contains_key("__Host-visit"), "the visit is over");
    assert_eq!(items(&tab.get("/cart").await), json!(["tea"]));
    assert_eq!(items(&tab.post("/cart?cup").await), json!(["tea", "cup"]));
}

#[tokio::test]
async fn an_expired_access_token_is_refreshed_and_the_refresh_token_rotates_when_it_is_old_enough() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let first = alice.cookies()["__Host-session-refresh"].clone();
    let early = alice.post("/session/refresh").await;
    assert_eq!(early.status, 200);
    // Until a first successor is used up, each refresh of the first token makes another one: it is `current`'s child.
    t.pass(6 * MINUTE).await;
    check(&alice.get("/session").await, 401, "token-expired");
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    assert_ne!(alice.cookies()["__Host-session-refresh"], first);
    assert_eq!(alice.get("/session").await.status, 200);
}

#[tokio::test]
async fn a_copied_refresh_token_is_found() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let mut thief = alice.clone();
    for _ in 0..2 {
        t.pass(2 * MINUTE).await;
        assert_eq!(alice.post("/session/refresh").await.status, 200);
    }
    check(&thief.post("/session/refresh").await, 401, "refresh-reused");
    check(&alice.post("/session/refresh").await, 401, "session-ended");
    check(&alice.get("/session").await, 401, "session-ended");
}

#[tokio::test]
async fn lost_answers_and_failing_registries_log_nobody_out() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    for _ in 0..5 {
        t.pass(2 * MINUTE).await;
        let _lost = alice.send_only(Method::POST, "/session/refresh", None).await;
        t.registry().lose_next_answer();
        check(&alice.post("/session/refresh").await, 503, "registry-unavailable");
        assert_eq!(alice.post("/session/refresh").await.status, 200);
    }
    assert_eq!(alice.get("/session").await.status, 200);
}

#[tokio::test]
async fn exclusive_updates_cannot_be_replayed() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    assert_eq!(items(&alice.post("/cart?coupon").await), json!(["coupon"]));
    let before = alice.cookies().clone();
    assert_eq!(items(&alice.post("/redeem?tea").await), json!(["coupon", "tea"]));
    // The old state again, from a backup of the cookie jar.
    let mut replayed = alice.clone();
    *replayed.cookies_mut() = before;
    check(&replayed.get("/cart").await, 409, "state-superseded");
    check(&replayed.post("/redeem?again").await, 409, "state-superseded");
    t.pass(2 * MINUTE).await;
    check(&replayed.post("/cart?again").await, 409, "state-lost");
    assert_eq!(items(&replayed.post("/reset").await), json!([]));
    assert_eq!(items(&replayed.post("/cart?new").await), json!(["new"]));
    check(&alice.get("/cart").await, 409, "state-superseded");
}

#[tokio::test]
async fn an_exclusive_update_is_repeated_with_its_key() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await.with_header("idempotency-key", "first");
    let lost = alice.send_only(Method::POST, "/redeem?tea", None).await;
    assert_eq!(lost.status, 200);
    let again = alice.post("/redeem?tea").await;
    assert_eq!((items(&again), &again.json::<Value>()["note"]), (json!(["tea"]), &json!("again")));
    // Another result under the same key is another update.
    let mut other = alice.clone();
    other.cookies_mut().retain(|name, _| !name.contains("-state"));
    check(&other.post("/redeem?cup").await, 409, "state-conflict");
}

#[tokio::test]
async fn a_limit_is_told_and_resolved_by_choice() {
    let t = Harness::with(|b| b.limits(Limits::none().per_user(1, OnFull::Ask)));
    let mut phone = logged_in(&t, "alice").await;
    let mut laptop = t.browser(shop());
    let refused = laptop.post("/login/alice").await;
    check(&refused, 429, "sessions-limit");
    let problem: Value = refused.json();
    let form = json!({ "choice": problem["choice"], "end": problem["sessions"][0]["id"] });
    assert_eq!(laptop.post_json("/session/admit", &form).await.status, 200);
    check(&laptop.clone().post_json("/session/admit", &form).await, 401, "token-invalid");
    assert_eq!(laptop.get("/session").await.status, 200);
    check(&phone.get("/session").await, 401, "session-ended");
}

#[tokio::test]
async fn a_dangling_session_gives_up_its_seat_and_takes_it_again() {
    let t = Harness::with(|b| b.limits(Limits::none().per_site(1, OnFull::Refuse)));
    let mut alice = logged_in(&t, "alice").await;
    check(&t.browser(shop()).post("/login/bob").await, 429, "sessions-limit");
    t.pass(31 * MINUTE).await;
    let mut bob = logged_in(&t, "bob").await;
    check(&alice.post("/session/refresh").await, 429, "sessions-limit");
    let mut polling = alice.clone().with_header("session-passive", "?1");
    assert_eq!(polling.post("/session/refresh").await.status, 200);
    assert_eq!(polling.get("/poll").await.status, 200);
    check(&polling.get("/cart").await, 401, "token-expired");
    assert_eq!(bob.post("/session/logout").await.status, 204);
    assert_eq!(alice.post("/session/refresh").await.status, 200);
}

#[tokio::test]
async fn who_proves_again_who_they_are_goes_on_in_a_new_session_with_the_same_cart() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let _ = alice.post("/cart?tea").await;
    let before: Value = alice.get("/session").await.json();
    let mut old = alice.clone();
    assert_eq!(alice.post("/again").await.status, 200);
    let after: Value = alice.get("/session").await.json();
    assert_ne!(before["id"], after["id"]);
    assert_eq!(items(&alice.get("/cart").await), json!(["tea"]));
    let refused = old.get("/session").await;
    check(&refused, 401, "session-ended");
    assert_eq!(refused.json::<Value>()["reason"], "replaced");
}

#[tokio::test]
async fn another_site_can_do_nothing() {
    let t = Harness::new();
    let alice = logged_in(&t, "alice").await;
    let mut evil = alice.clone().with_header("sec-fetch-site", "cross-site");
    check(&evil.post("/cart?tea").await, 403, "cross-site");
    check(&evil.post("/session/logout").await, 403, "cross-site");
    let mut login = t.browser(shop()).with_header("sec-fetch-site", "cross-site");
    check(&login.post("/login/mallory").await, 403, "cross-site");
    let mut bare = alice.clone().without_header("sec-fetch-site");
    check(&bare.post("/cart?tea").await, 403, "cross-site");
    assert_eq!(alice.clone().get("/session").await.status, 200);
}

#[tokio::test]
async fn a_clock_that_steps_back_logs_nobody_out() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    t.clock().set(countersign::Timestamp::from_secs(1_800_000_000 - 3600));
    assert_eq!(alice.get("/session").await.status, 200);
    assert_eq!(alice.post("/session/refresh").await.status, 200);
}

#[tokio::test]
async fn others_are_ended_and_listed() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let mut phone = logged_in(&t, "alice").await;
    let mut bob = logged_in(&t, "bob").await;
    let list: Value = alice.get("/session/list").await.json();
    assert_eq!(list["sessions"].as_array().map(Vec::len), Some(2));
    let bobs: Value = bob.get("/session").await.json();
    check(&alice.delete(&format!("/session/{}", bobs["id"].as_str().unwrap())).await, 404, "not-found");
    assert_eq!(alice.post("/session/logout-others").await.json::<Value>()["ended"], 1);
    check(&phone.get("/session").await, 401, "session-ended");
    t.pass(4 * MINUTE).await;
    t.pass(2 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    check(&alice.post("/session/logout-others").await, 401, "step-up-required");
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let (told, ending) = tokio::sync::oneshot::channel();
    let told = std::sync::Arc::new(std::sync::Mutex::new(Some(told)));
    let stream = BoxCloneSyncService::new(tower::service_fn(move |request: Request<Full<Bytes>>| {
        let ended = Session::<()>::from_request(&request).map(|session| session.ended());
        if let (Ok(ended), Some(told)) = (ended, told.lock().unwrap().take()) {
            tokio::spawn(async move { told.send(ended.await) });
        }
        async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::new()))) }
    }));
    let mut tab: Tab = t.browser(stream);
    *tab.cookies_mut() = alice.cookies().clone();
    assert_eq!(tab.get("/stream").await.status, 200);
    assert_eq!(alice.post("/session/logout").await.status, 204);
    assert_eq!(ending.await, Ok(countersign::Ending::Ended(countersign::EndReason::Logout)));
}

#[tokio::test]
async fn a_browser_that_dropped_its_expired_access_cookie_is_no_stranger() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let _ = alice.post("/cart?tea").await;
    alice.cookies_mut().remove("__Host-session");
    check(&alice.get("/session").await, 401, "token-expired");
    // Neither does a visit begin beside the session.
    check(&alice.post("/cart?cup").await, 401, "token-expired");
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    assert_eq!(items(&alice.get("/cart").await), json!(["tea"]));
    alice.cookies_mut().remove("__Host-session");
    alice.cookies_mut().insert("__Host-session-refresh".to_owned(), "forged.refresh.token".to_owned());
    check(&alice.get("/session").await, 401, "not-authenticated");
}
