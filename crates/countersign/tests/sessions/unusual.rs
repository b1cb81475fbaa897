//! Unusual activity: what is noticed, and that the host's word holds.

use std::sync::{Arc, Mutex};

use countersign::testing::Harness;
use countersign::{Builder, Finding, Reaction, SessionEvent, Thresholds};
use countersign_registry::OpKind;
use serde_json::Value;

use crate::shop::*;

const CURL: &str = "curl/8.5.0";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0";

/// What the host was asked, and what was told.
#[derive(Clone, Default)]
struct Notes {
    asked: Arc<Mutex<Vec<(String, &'static str)>>>,
    told: Arc<Mutex<Vec<Finding>>>,
}

impl Notes {
    /// A site whose host answers so to everything.
    fn site(reaction: Reaction, configure: impl FnOnce(Builder) -> Builder) -> (Harness, Self) {
        let notes = Self::default();
        let (asked, told) = (notes.asked.clone(), notes.told.clone());
        let t = Harness::with(|builder| {
            configure(builder)
                .unusual_from(Thresholds { of_session: 5, of_node: 40, forged: 8 })
                .on_unusual(move |head, finding| {
                    let cookies = head.headers().get("cookie").map(|cookies| cookies.to_str().unwrap());
                    assert!(!cookies.unwrap_or_default().contains("refresh"), "{cookies:?}");
                    assert!(!format!("{head:?}").contains("eyJ"), "{head:?}");
                    asked.lock().unwrap().push((head.uri().path().to_owned(), finding.name()));
                    reaction
                })
                .on_event(move |event: &SessionEvent| {
                    if let SessionEvent::Unusual { finding } = event {
                        told.lock().unwrap().push(finding.clone());
                    }
                })
        });
        (t, notes)
    }

    fn asked(&self) -> Vec<(String, &'static str)> {
        std::mem::take(&mut *self.asked.lock().unwrap())
    }

    fn told(&self) -> Vec<&'static str> {
        self.told.lock().unwrap().drain(..).map(|finding| finding.name()).collect()
    }
}

fn asked(path: &str, finding: &'static str) -> (String, &'static str) {
    (path.to_owned(), finding)
}

#[tokio::test]
async fn another_device_is_told_and_asked_about_once_and_goes_on_where_the_host_allows() {
    let (t, notes) = Notes::site(Reaction::Allow, |b| b);
    let mut alice = logged_in(&t, "alice").await;
    t.pass(2 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    assert!(notes.asked().is_empty() && notes.told().is_empty(), "the same browser");
    let mut alice = alice.with_header("user-agent", CURL);
    for _ in 0..3 {
        t.pass(2 * MINUTE).await;
        assert_eq!(alice.post("/session/refresh").await.status, 200);
    }
    assert_eq!(notes.asked(), [asked("/session/refresh", "device-changed")]);
    assert_eq!(notes.told(), ["device-changed"]);
}

#[tokio::test]
async fn who_must_step_up_is_refused_until_they_log_in_again() {
    let (t, notes) = Notes::site(Reaction::StepUp, |b| b);
    let mut alice = logged_in(&t, "alice").await;
    let mut bob = logged_in(&t, "bob").await;
    t.pass(2 * MINUTE).await;
    let mut thief = alice.clone().with_header("user-agent", CURL);
    check(&thief.post("/session/refresh").await, 401, "step-up-required");
    check(&thief.post("/session/refresh").await, 401, "step-up-required");
    for path in ["/cart", "/lenient", "/session", "/session/list"] {
        check(&alice.get(path).await, 401, "step-up-required");
    }
    assert_eq!(alice.get("/session").await.json::<Value>()["max_age"], 0);
    assert_eq!(alice.get("/public").await.status, 200);
    assert_eq!(bob.get("/cart").await.status, 200, "nobody else");
    let mut old = alice.clone();
    assert_eq!(alice.post("/login/alice").await.status, 200);
    assert_eq!(alice.get("/cart").await.status, 200);
    t.pass(2 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    check(&old.get("/lenient").await, 401, "session-ended");
    assert_eq!(notes.asked().len(), 1);
}

#[tokio::test]
async fn who_is_ended_is_ended_for_good() {
    let (t, _) = Notes::site(Reaction::End, |b| b);
    let alice = logged_in(&t, "alice").await;
    t.pass(2 * MINUTE).await;
    let mut thief = alice.clone().with_header("user-agent", CURL);
    let refused = thief.post("/session/refresh").await;
    check(&refused, 401, "session-ended");
    assert_eq!(refused.json::<Value>()["reason"], "ended-by-admin");
    check(&alice.clone().get("/cart").await, 401, "session-ended");
    check(&alice.clone().post("/session/refresh").await, 401, "session-ended");
    assert_eq!(logged_in(&t, "alice").await.get("/cart").await.status, 200);
}

#[tokio::test]
async fn a_registry_that_is_away_lets_nobody_whom_the_host_ends_go_on() {
    let (t, _) = Notes::site(Reaction::End, |b| b);
    let mut alice = logged_in(&t, "alice").await;
    for _ in 0..5 {
        check(&alice.post("/cart/none").await, 404, "not-found");
    }
    t.registry().fail_next_of(OpKind::End, 1);
    check(&alice.get("/cart").await, 503, "registry-unavailable");
    check(&alice.get("/cart").await, 401, "session-ended");
}

#[tokio::test]
async fn a_session_that_tries_doors_is_asked_about_at_its_next_request() {
    for (reaction, status) in [(Reaction::Allow, 200), (Reaction::StepUp, 401), (Reaction::End, 401)] {
        let (t, notes) = Notes::site(reaction, |b| b);
        let mut alice = logged_in(&t, "alice").await;
        let mut bob = logged_in(&t, "bob").await;
        for n in 0..2 {
            check(&alice.delete(&format!("/session/{n}")).await, 404, "not-found");
            check(&alice.get("/nowhere").await, 404, "not-found");
        }
        check(&alice.delete("/session/2").await, 404, "not-found");
        assert_eq!(notes.told(), ["session-refused-often"]);
        assert!(notes.asked().is_empty(), "its next request is what the host sees");
        assert_eq!(bob.get("/cart").await.status, 200);
        assert_eq!(alice.get("/lenient").await.status, status);
        assert_eq!(alice.get("/lenient").await.status, status);
        assert_eq!(notes.asked().len(), 1, "{reaction:?}");
    }
}

#[tokio::test]
async fn who_asks_nothing_for_a_while_is_asked_about_no_more() {
    let (t, notes) = Notes::site(Reaction::End, |b| b);
    let mut alice = logged_in(&t, "alice").await;
    for _ in 0..5 {
        check(&alice.get("/nowhere").await, 404, "not-found");
    }
    assert_eq!(notes.told(), ["session-refused-often"]);
    t.pass(16 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    assert_eq!(alice.get("/lenient").await.status, 200);
    assert!(notes.asked().is_empty());
}

#[tokio::test]
async fn forged_tokens_and_bursts_are_told_once_a_minute() {
    let (t, notes) = Notes::site(Reaction::Allow, |b| b);
    let mut forger = t.browser(shop());
    forger.cookies_mut().insert("__Host-session".into(), "a.b.c".into());
    for _ in 0..30 {
        check(&forger.get("/lenient").await, 401, "token-invalid");
    }
    assert_eq!(notes.told(), ["forged-tokens"]);
    for _ in 0..30 {
        check(&forger.get("/lenient").await, 401, "token-invalid");
    }
    assert_eq!(notes.told(), ["refusals"]);
    t.pass(2 * MINUTE).await;
    for _ in 0..8 {
        check(&forger.get("/lenient").await, 401, "token-invalid");
    }
    assert_eq!(notes.told(), ["forged-tokens"]);
    assert!(notes.asked().is_empty(), "there is no session to judge");
}

#[tokio::test]
async fn honest_refusals_are_not_unusual() {
    let (t, notes) = Notes::site(Reaction::End, |b| b);
    let mut alice = logged_in(&t, "alice").await;
    let mut stranger = t.browser(shop());
    for _ in 0..50 {
        check(&stranger.get("/lenient").await, 401, "not-authenticated");
    }
    t.pass(6 * MINUTE).await;
    for _ in 0..50 {
        check(&alice.get("/lenient").await, 401, "token-expired");
    }
    assert!(notes.told().is_empty());
}

#[tokio::test]
async fn a_label_that_the_host_chose_is_not_compared() {
    let (t, notes) = Notes::site(Reaction::End, |b| b);
    let mut curl = t.browser(shop()).with_header("user-agent", CURL);
    assert_eq!(curl.post("/login/alice").await.status, 200);
    t.pass(2 * MINUTE).await;
    let mut firefox = curl.with_header("user-agent", FIREFOX);
    assert_eq!(firefox.post("/session/refresh").await.status, 200);
    assert!(notes.told().is_empty(), "`curl` may be what a host calls a device");
}

#[tokio::test]
async fn a_copied_refresh_token_shows_the_host_who_came_with_it() {
    let (t, notes) = Notes::site(Reaction::Allow, |b| b);
    let mut alice = logged_in(&t, "alice").await;
    let mut thief = alice.clone();
    for _ in 0..2 {
        t.pass(2 * MINUTE).await;
        assert_eq!(alice.post("/session/refresh").await.status, 200);
    }
    check(&thief.post("/session/refresh").await, 401, "refresh-reused");
    assert_eq!(notes.asked(), [asked("/session/refresh", "refresh-reused")]);
    check(&alice.get("/cart").await, 401, "session-ended");
}

#[tokio::test]
async fn a_renewal_by_the_layer_is_watched_too() {
    let (t, notes) = Notes::site(Reaction::StepUp, Builder::inline_renewal);
    let alice = logged_in(&t, "alice").await;
    t.pass(6 * MINUTE).await;
    let mut thief = alice.with_header("user-agent", CURL);
    check(&thief.get("/lenient").await, 401, "step-up-required");
    assert_eq!(notes.asked(), [asked("/lenient", "device-changed")]);
}
