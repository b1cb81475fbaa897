//! The application as its browsers see it, without sockets. (The contract as a whole is tested over real ones, in
//! `tests/`.)

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign::testing::{Browser, Full, Harness};
use countersign::{Limits, OnFull, Transport};
use countersign_console::Monitor;
use futures_util::FutureExt as _;
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower::util::BoxCloneService;

use crate::answer::Body;
use crate::app::{self, App};
use crate::metrics::Metrics;
use crate::office::Office;
use crate::page::Page;
use crate::people::People;
use crate::server::Peer;

type Site = BoxCloneService<Request<Full<Bytes>>, Response<Body>, std::convert::Infallible>;

/// The application on a harness, as if every request came from this machine.
fn site(harness: &Harness) -> (Arc<App>, Site) {
    let metrics = Metrics::install().unwrap();
    let page = Page::new(Transport::Cookies);
    let (sessions, monitor) = (harness.sessions().clone(), Monitor::new());
    let app = Arc::new(App::new(People::new(), metrics, page, Office::of(sessions, monitor)));
    let service = app::service(app.clone()).map_request(|mut request: Request<Full<Bytes>>| {
        request.extensions_mut().insert(Peer(Ipv4Addr::LOCALHOST.into()));
        request
    });
    (app, BoxCloneService::new(service))
}

async fn browser(harness: &Harness) -> Browser<Site> {
    harness.sessions().ready().await;
    harness.browser_of(site(harness).1)
}

fn credentials(user: &str, password: &str) -> Value {
    json!({ "user": user, "password": password })
}

async fn log_in(browser: &mut Browser<Site>, user: &str) {
    let answer = browser.post_json("/login", &credentials(user, "correct horse")).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert_eq!(answer.json::<Value>()["session"]["subject"], user);
}

#[tokio::test]
async fn a_cart_is_kept_from_visit_to_logout() {
    let harness = Harness::new();
    let mut alice = browser(&harness).await;
    let cart = |items: &[&str], version: &str| json!({ "cart": items, "version": version });
    assert_eq!(alice.get("/api/cart").await.json::<Value>(), cart(&[], "0.0"));
    assert_eq!(
        alice.post_json("/api/cart", &json!({ "item": "tea" })).await.json::<Value>(),
        cart(&["tea"], "0.1")
    );
    assert_eq!(alice.get("/api/me").await.code(), "not-authenticated");
    assert_eq!(
        alice.post_json("/api/cart?exclusive=1", &json!({ "item": "milk" })).await.code(),
        "not-authenticated"
    );

    log_in(&mut alice, "alice").await;
    let me = alice.get("/api/me").await.json::<Value>();
    assert_eq!((&me["subject"], &me["cart"]), (&json!("alice"), &json!(["tea"])));
    let answer = alice.post_json("/api/cart?exclusive=1", &json!({ "item": "milk" })).await;
    assert_eq!(answer.json::<Value>(), cart(&["tea", "milk"], "1.0"));
    let answer = alice.post_json("/api/cart", &json!({ "item": "honey" })).await;
    assert_eq!(answer.json::<Value>(), cart(&["tea", "milk", "honey"], "1.1"));

    log_in(&mut alice, "alice").await;
    assert_eq!(alice.get("/api/me").await.json::<Value>()["cart"], json!(["tea", "milk", "honey"]));
    log_in(&mut alice, "bob").await;
    assert_eq!(alice.get("/api/me").await.json::<Value>()["cart"], json!([]), "another's cart is not his");

    assert_eq!(alice.delete("/api/cart").await.json::<Value>(), cart(&[], "1.0"));
    assert_eq!(alice.post("/session/logout").await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.get("/api/cart").await.json::<Value>(), cart(&[], "0.0"));
}

#[tokio::test]
async fn who_logs_in_again_is_kept_by_the_browser_as_before() {
    let harness = Harness::new();
    let mut alice = browser(&harness).await;
    let mut log_in = async |remember: Value| {
        let form = json!({ "user": "alice", "password": "correct horse", "remember": remember });
        let answer = alice.post_json("/login", &form).await;
        let cookies = answer.headers.get_all("set-cookie").iter();
        // Cookies that are deleted are of the session before.
        let mut set =
            cookies.map(|cookie| cookie.to_str().unwrap()).filter(|cookie| !cookie.contains("Max-Age=0"));
        set.all(|cookie| cookie.contains("Max-Age="))
    };
    assert!(log_in(Value::Null).await, "the first time, it is kept");
    assert!(!log_in(json!(false)).await);
    assert!(!log_in(Value::Null).await);
    assert!(log_in(json!(true)).await);
    assert!(log_in(Value::Null).await);
}

#[tokio::test]
async fn what_is_not_documented_is_refused() {
    let harness = Harness::new();
    let mut alice = browser(&harness).await;
    assert_eq!(alice.post_json("/login", &json!({ "user": "alice" })).await.code(), "bad-request");
    assert_eq!(alice.post_json("/login", &credentials("alice", "wrong horse")).await.code(), "login-failed");
    assert_eq!(
        alice.post_json("/login", &credentials("mallory", "correct horse")).await.code(),
        "login-failed"
    );
    assert_eq!(alice.post("/login").await.code(), "bad-request");
    assert_eq!(alice.post_json("/api/cart", &json!({ "item": "" })).await.code(), "bad-request");
    assert_eq!(
        alice.post_json("/api/cart?exclusive=no", &json!({ "item": "tea" })).await.code(),
        "bad-request"
    );
    assert_eq!(alice.get("/nowhere").await.code(), "not-found");
    let answer = alice.send_only(Method::PUT, "/api/cart", None).await;
    assert_eq!(
        (answer.code().as_str(), &answer.headers["allow"]),
        ("method-not-allowed", &"GET, HEAD, POST, DELETE".parse().unwrap())
    );
    let mut stranger = alice.clone().with_header("sec-fetch-site", "cross-site");
    assert_eq!(
        stranger.post_json("/login", &credentials("alice", "correct horse")).await.code(),
        "cross-site"
    );
    assert_eq!(stranger.post_json("/login", &json!("not even a form")).await.code(), "cross-site");
}

#[tokio::test]
async fn guessing_is_slowed_down_and_right_passwords_are_not() {
    let harness = Harness::new();
    let mut guesser = browser(&harness).await;
    for _ in 0..20 {
        assert_eq!(guesser.post_json("/login", &credentials("alice", "wrong")).await.code(), "login-failed");
    }
    let refused = guesser.post_json("/login", &credentials("alice", "correct horse")).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "too-many-requests")
    );
    assert!(refused.headers.contains_key("retry-after"));
    for _ in 0..40 {
        log_in(&mut guesser, "bob").await;
    }
}

#[tokio::test]
async fn an_administrator_gets_into_a_full_site() {
    let harness = Harness::with(|site| site.limits(Limits::none().per_site(0, OnFull::Refuse)));
    let mut browser = browser(&harness).await;
    let full = browser.post_json("/login", &credentials("alice", "correct horse")).await;
    assert_eq!((full.status, full.code().as_str()), (StatusCode::TOO_MANY_REQUESTS, "sessions-limit"));
    log_in(&mut browser, "admin").await;
}

#[tokio::test]
async fn a_new_password_ends_what_the_old_one_began() {
    let harness = Harness::new();
    let mut desk = browser(&harness).await;
    let mut phone = desk.clone();
    log_in(&mut desk, "alice").await;
    log_in(&mut phone, "alice").await;
    let before = desk.get("/session").await.json::<Value>()["id"].clone();
    let change = |old: &str| json!({ "old": old, "new": "battery staple" });
    assert_eq!(desk.post_json("/api/password", &change("wrong horse")).await.code(), "login-failed");

    harness.pass(Duration::from_secs(301)).await;
    assert_eq!(desk.post("/session/refresh").await.status, StatusCode::OK);
    assert_eq!(desk.post_json("/api/password", &change("correct horse")).await.code(), "step-up-required");
    log_in(&mut desk, "alice").await;
    let changed = desk.post_json("/api/password", &change("correct horse")).await;
    assert_eq!(changed.status, StatusCode::OK);
    assert_ne!(changed.json::<Value>()["session"]["id"], before);

    assert_eq!(desk.get("/api/me").await.status, StatusCode::OK);
    assert_eq!(phone.post("/session/refresh").await.code(), "session-ended");
    assert_eq!(
        phone.post_json("/login", &credentials("alice", "correct horse")).await.code(),
        "login-failed"
    );
    assert_eq!(
        phone.post_json("/login", &credentials("alice", "battery staple")).await.status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn a_stream_ends_with_its_session_and_with_the_server() {
    let harness = Harness::new();
    let (app, service) = site(&harness);
    harness.sessions().ready().await;
    let mut alice = harness.browser_of(service.clone());
    let mut bob = alice.clone();
    log_in(&mut alice, "alice").await;
    log_in(&mut bob, "bob").await;
    let mut hers = stream(&service, &alice).await;
    let mut his = stream(&service, &bob).await;
    assert_eq!(alice.post("/session/logout").await.status, StatusCode::NO_CONTENT);
    ends(&mut hers).await;
    assert!(his.frame().now_or_never().is_none(), "the next tick is a second away");
    app.sessions.close_streams();
    ends(&mut his).await;
}

#[tokio::test]
async fn listening_passively_is_no_activity() {
    let harness = Harness::new();
    let (_app, service) = site(&harness);
    harness.sessions().ready().await;
    let mut alice = harness.browser_of(service.clone());
    log_in(&mut alice, "alice").await;
    let mut looker = alice.clone().with_header("session-passive", "?1");
    let mut last_activity =
        async || looker.get("/api/poll").await.json::<Value>()["session"]["last_activity"].clone();
    let before = last_activity().await;
    harness.pass(Duration::from_mins(1)).await;
    let _passive = stream_with(&service, &alice, |request| request.header("session-passive", "?1")).await;
    assert_eq!(last_activity().await, before);
    let _active = stream(&service, &alice).await;
    assert_ne!(last_activity().await, before);
}

/// The stream of a browser's session, after its first tick.
async fn stream(service: &Site, browser: &Browser<Site>) -> Body {
    stream_with(service, browser, |request| request).await
}

/// The same, asked for with more headers.
async fn stream_with(
    service: &Site,
    browser: &Browser<Site>,
    more: impl FnOnce(http::request::Builder) -> http::request::Builder,
) -> Body {
    let cookies: Vec<_> = browser.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = more(Request::get("/api/stream").header("cookie", cookies.join("; ")));
    let response = service.clone().oneshot(request.body(Full::default()).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut body = response.into_body();
    let tick = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(tick, "event: tick\ndata: {\"n\":0}\n\n");
    body
}

async fn ends(body: &mut Body) {
    tokio::time::timeout(Duration::from_secs(5), body.collect()).await.expect("it ends").unwrap();
}

#[tokio::test]
async fn a_link_of_this_site_is_drawn_for_whoever_is_logged_in() {
    let harness = Harness::new();
    let mut alice = browser(&harness).await;
    let own = json!({ "link": format!("{}/#handoff=AAAA", harness.sessions().issuer()) });
    assert_eq!(alice.post_json("/api/qr", &own).await.code(), "not-authenticated");
    log_in(&mut alice, "alice").await;
    let drawn = alice.post_json("/api/qr", &own).await;
    assert_eq!(
        (drawn.status, &drawn.headers["content-type"]),
        (StatusCode::OK, &"image/svg+xml".parse().unwrap())
    );
    assert_eq!(drawn.headers["cache-control"], "no-store");
    let other = json!({ "link": "https://elsewhere.example/#handoff=AAAA" });
    assert_eq!(alice.post_json("/api/qr", &other).await.code(), "bad-request");
    let mut stranger = alice.clone().with_header("sec-fetch-site", "cross-site");
    assert_eq!(stranger.post_json("/api/qr", &own).await.code(), "cross-site");
}

#[tokio::test]
async fn the_page_and_the_probes_need_no_session() {
    let harness = Harness::new();
    let mut anyone = browser(&harness).await;
    for path in ["/", "/page/app.js", "/page/style.css", "/healthz", "/readyz", "/metrics", "/api/public"] {
        let answer = anyone.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{path}");
        let policy = answer.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{path}");
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
    }
    let head = anyone.send_only(Method::HEAD, "/page/app.js", None).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers["content-length"], anyone.get("/page/app.js").await.body.len().to_string());
    let metrics = anyone.get("/metrics").await;
    let text = str::from_utf8(&metrics.body).unwrap();
    assert!(text.contains(r#"http_requests_total{route="/readyz",status="200"}"#), "{text}");
}
