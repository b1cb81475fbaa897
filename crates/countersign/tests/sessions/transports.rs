//! Where tokens travel, and what a state survives.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use countersign::testing::{Answer, Browser, Harness};
use countersign::{Limits, OnFull, Policy, SessionData, SessionEvent, Transport, Visitor};
use http::Method;
use serde_json::{Value, json};

use crate::shop::*;

fn cookies_set(answer: &Answer) -> Vec<String> {
    answer.headers.get_all("set-cookie").iter().map(|c| c.to_str().unwrap().to_owned()).collect()
}

fn authorized(tab: Tab, tokens: &Value) -> Tab {
    tab.with_header("authorization", &format!("Bearer {}", tokens["access_token"].as_str().unwrap()))
}

#[tokio::test]
async fn with_bearer_the_access_token_is_in_the_body_and_the_rest_in_cookies() {
    let t = Harness::with(|b| b.transport(Transport::Bearer));
    let mut tab = t.browser(shop());
    let tokens: Value = tab.post("/login/alice").await.json();
    assert_eq!(tokens["token_type"], "Bearer");
    assert!(tokens.get("refresh_token").is_none());
    assert_eq!(tab.cookies().keys().collect::<Vec<_>>(), ["__Host-session-refresh"]);
    check(&tab.get("/session").await, 401, "not-authenticated");
    let mut tab = authorized(tab, &tokens);
    assert_eq!(items(&tab.post("/cart?tea").await), json!(["tea"]));
    t.pass(6 * MINUTE).await;
    check(&tab.get("/cart").await, 401, "token-expired");
    let tokens: Value = tab.post("/session/refresh").await.json();
    let mut tab = authorized(tab, &tokens);
    assert_eq!(items(&tab.get("/cart").await), json!(["tea"]));
    let mut cookie = t.browser(shop());
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    cookie.cookies_mut().insert("__Host-session".into(), access);
    check(&cookie.get("/session").await, 401, "not-authenticated");
    assert_eq!(tab.post("/session/logout").await.status, 204);
    assert!(tab.cookies().is_empty(), "{:?}", tab.cookies().keys());
    check(&tab.get("/session").await, 401, "session-ended");
}

#[tokio::test]
async fn with_body_no_cookie_is_set_or_believed() {
    let t = Harness::with(|b| b.transport(Transport::Body));
    let mut tab = t.browser(shop()).without_header("sec-fetch-site");
    let visited = tab.post("/cart?tea").await;
    let visit = visited.headers["session-state"].to_str().unwrap().to_owned();
    let mut tab = tab.with_header("session-state", &visit);
    let tokens: Value = tab.post("/login/alice").await.json();
    assert!(tab.cookies().is_empty());
    let mut tab = authorized(tab, &tokens).with_header("session-state", tokens["state"].as_str().unwrap());
    assert_eq!(items(&tab.get("/cart").await), json!(["tea"]), "the visit was carried over");
    let redeemed = tab.post("/redeem?cup").await;
    let state = redeemed.headers["session-state"].to_str().unwrap().to_owned();
    check(&tab.get("/cart").await, 409, "state-superseded");
    let mut tab = tab.with_header("session-state", &state);
    // A cookie that was left by another transport is none of ours.
    tab.cookies_mut().insert("__Host-visit".into(), visit.clone());
    tab.cookies_mut().insert("__Host-state.aaaaaa.0".into(), visit);
    let mut stray = tab.clone().with_header("sec-fetch-site", "same-origin");
    assert_eq!(items(&stray.get("/cart").await), json!(["tea", "cup"]));
    tab.cookies_mut().clear();
    t.pass(6 * MINUTE).await;
    let form = json!({ "refresh_token": tokens["refresh_token"] });
    check(&tab.post("/session/refresh").await, 401, "not-authenticated");
    let tokens: Value = tab.post_json("/session/refresh", &form).await.json();
    assert!(tokens["refresh_token"].is_string());
    let mut tab = authorized(tab, &tokens);
    assert_eq!(items(&tab.get("/cart").await), json!(["tea", "cup"]));
    let out = tab.post_json("/session/logout", &json!({ "refresh_token": tokens["refresh_token"] })).await;
    assert_eq!((out.status.as_u16(), cookies_set(&out).len()), (204, 0));
    check(&tab.get("/session").await, 401, "session-ended");
}

#[tokio::test]
async fn a_browser_session_has_cookies_without_an_age() {
    let t = Harness::new();
    for (path, persistent) in [("/login/alice", true), ("/login/bob?forget", false)] {
        let mut tab = t.browser(shop());
        let login = tab.post(path).await;
        let updated = tab.post("/cart?tea").await;
        t.clock().advance(2 * MINUTE);
        let refreshed = tab.post("/session/refresh").await;
        let set: Vec<_> = [&login, &updated, &refreshed].into_iter().flat_map(cookies_set).collect();
        assert_eq!(set.len(), 5, "{path}: access and refresh twice, state once");
        for cookie in set {
            assert_eq!(cookie.contains("Max-Age="), persistent, "{cookie}");
            assert!(
                cookie.contains("; HttpOnly") && cookie.contains("; Secure") && cookie.contains("Path=/")
            );
        }
    }
}

#[tokio::test]
async fn the_sentence_of_a_limit_says_what_is_true() {
    let t = Harness::with(|b| b.limits(Limits::none().per_site(3, OnFull::Refuse)));
    for user in ["alice", "bob", "carol"] {
        logged_in(&t, user).await;
    }
    let refused = t.browser(shop()).post("/login/dave").await;
    check(&refused, 429, "sessions-limit");
    let problem: Value = refused.json();
    let sentence = "There are already 3 active user sessions. Please try again later.";
    assert_eq!((&problem["detail"], &problem["limit"]), (&json!(sentence), &json!(3)));
    assert_eq!(problem["scope"], "site");
}

#[tokio::test]
async fn a_visit_goes_on_over_many_requests_and_ends_by_itself() {
    let t = Harness::new();
    let mut tab = t.browser(shop());
    let mut expect = Vec::new();
    for day in 0..40 {
        expect.push(day.to_string());
        assert_eq!(items(&tab.post(&format!("/cart?{day}")).await), json!(expect));
        assert_eq!(tab.cookies().len(), 1);
        t.clock().advance(24 * 60 * MINUTE);
    }
    t.clock().advance(30 * 24 * 60 * MINUTE);
    assert_eq!(items(&tab.get("/cart").await), json!([]));
    assert_eq!(t.sessions().counts(countersign::CountOf::Site).await.unwrap().sessions, 0);
}

/// The same cart, as the next deploy sees it.
#[derive(Default, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct Counted {
    count: usize,
}

impl SessionData for Counted {
    const VERSION: u16 = 2;

    fn upgrade(version: u16, data: &serde_json::value::RawValue) -> Option<Self> {
        let old: Cart = serde_json::from_str(data.get()).ok().filter(|_| version == 1)?;
        (old.items != ["unreadable"]).then_some(Self { count: old.items.len() })
    }
}

fn next_deploy() -> App {
    App::new(tower::service_fn(async |request: http::Request<countersign::testing::Full<bytes::Bytes>>| {
        let visitor = Visitor::<Counted>::from_request(&request).unwrap();
        let count = visitor.data().map_or(99, |data| data.count);
        Ok(http::Response::new(bytes::Bytes::from(json!({ "count": count }).to_string()).into()))
    }))
}

#[tokio::test]
async fn a_deploy_that_changes_the_data_ends_no_session() {
    let told = Arc::new(Mutex::new(0));
    let unreadable = told.clone();
    let t = Harness::with(|b| {
        b.on_event(move |event: &SessionEvent| {
            if let SessionEvent::DataUnreadable { version: 1, .. } = event {
                *unreadable.lock().unwrap() += 1;
            }
        })
    });
    for (item, expect, events) in [("tea", 1, 0), ("unreadable", 0, 1)] {
        let mut old = logged_in(&t, "alice").await;
        let _ = old.post(&format!("/cart?{item}")).await;
        let mut new: Tab = t.browser(next_deploy());
        new.cookies_mut().clone_from(old.cookies());
        assert_eq!(new.get("/").await.json::<Value>()["count"], expect);
        assert_eq!(*told.lock().unwrap(), events);
        assert_eq!(old.send_only(Method::GET, "/session", None).await.status, 200);
    }
}

#[tokio::test]
async fn many_tabs_of_a_server_rendered_page_renew_at_once() {
    let t = Harness::with(countersign::Builder::inline_renewal);
    let alice = logged_in(&t, "alice").await;
    let mut tabs: Vec<Browser<_>> = (0..5).map(|_| alice.clone()).collect();
    for _ in 0..3 {
        t.pass(6 * MINUTE).await;
        for tab in &mut tabs {
            tab.cookies_mut().remove("__Host-session");
        }
        // One browser: the cookies of all answers meet in one jar, in any order.
        let mut answers = Vec::new();
        for tab in &mut tabs {
            let answer = tab.send_only(Method::GET, "/cart", None).await;
            assert_eq!(answer.status, 200, "{}", answer.code());
            answers.push(answer);
        }
        for tab in &mut tabs {
            answers.iter().rev().for_each(|answer| tab.receive(answer));
        }
    }
}

#[tokio::test]
async fn caches_are_told_of_every_header_that_an_answer_depends_on() {
    for (transport, expect) in [
        (Transport::Cookies, "Cookie, Authorization"),
        (Transport::Bearer, "Cookie, Authorization"),
        (Transport::Body, "Cookie, Authorization, Session-State"),
    ] {
        let t = Harness::with(|b| b.transport(transport));
        let mut tab = t.browser(shop());
        assert_eq!(tab.get("/cart").await.headers["vary"], expect);
        assert!(!tab.get("/public").await.headers.contains_key("vary"));
    }
}

#[tokio::test]
async fn each_answer_of_the_endpoints_tells_the_race_window() {
    let window = async |policy: Policy, path: &str| {
        let answer = Harness::with(|b| b.policy(policy)).browser(shop()).get(path).await;
        answer.headers.get("session-race-window").map(|value| value.to_str().unwrap().to_owned())
    };
    let default = Policy::default();
    for path in ["/session", "/session/refresh", "/session/nothing/here"] {
        assert_eq!(window(default, path).await.as_deref(), Some("60"), "{path}");
    }
    let decimal = default.race_window(Duration::from_millis(1500));
    assert_eq!(window(decimal, "/session").await.as_deref(), Some("1.5"));
    for path in ["/.well-known/jwks.json", "/public", "/nowhere"] {
        assert_eq!(window(default, path).await, None, "{path}");
    }
    let t = Harness::new();
    let large = t.browser(shop()).with_header("x-large", &"x".repeat(33_000)).get("/session").await;
    assert_eq!(large.headers["session-race-window"], "60");
}
