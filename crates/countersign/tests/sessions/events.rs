//! Event streams over several nodes: what one does, the streams of the other tell; and no warning on a guess.

use std::time::Duration;

use bytes::Bytes;
use countersign::testing::Full;
use countersign::{Algorithm, KeyRing, Policy, ResponseBody, Timestamp};
use http::header::COOKIE;
use http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::json;
use tokio::time::timeout;
use tower::ServiceExt as _;

use crate::shop::*;
use crate::site::{Node, Shared};

/// An open event stream, of the session whose cookies a browser holds.
struct Events(ResponseBody<Full<Bytes>>);

impl Events {
    async fn of(node: &Node, tab: &Tab) -> Self {
        let cookies: Vec<_> = tab.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = Request::get("/session/events").header(COOKIE, cookies.join("; "));
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let service = tower::Layer::layer(&node.sessions.layer(), shop());
        let response = service.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        Self(response.into_body())
    }

    /// The next event within a minute that is no keepalive; [`None`] if there is none, or the stream ends.
    async fn news(&mut self) -> Option<String> {
        let news = async {
            loop {
                let data = self.0.frame().await?.unwrap().into_data().unwrap();
                let text = String::from_utf8(data.to_vec()).unwrap();
                if !text.starts_with("event: keepalive\n") {
                    return Some(text);
                }
            }
        };
        timeout(Duration::from_mins(1), news).await.ok().flatten()
    }

    async fn has_ended(&mut self) -> bool {
        self.0.frame().await.is_none()
    }
}

/// Two nodes of one site, and its registry.
struct Site {
    registry: std::sync::Arc<Shared>,
    one: Node,
    other: Node,
}

impl Site {
    fn new(policy: Policy) -> Self {
        let keys = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000));
        let registry = Shared::new();
        let node = || Node::new(&registry, &keys, |builder| builder.policy(policy));
        let (one, other) = (node(), node());
        Self { registry, one, other }
    }

    async fn pass(&self, time: Duration) {
        for clock in [&self.registry.clock, &self.one.clock, &self.other.clock] {
            clock.advance(time);
        }
        self.one.sessions.ready().await;
        self.other.sessions.ready().await;
    }
}

#[tokio::test(start_paused = true)]
async fn use_on_another_node_puts_a_warning_off() {
    let mut policy = Policy::default();
    (policy.access_ttl, policy.dangling_after, policy.idle) = (20 * MINUTE, 30 * MINUTE, 30 * MINUTE);
    let site = Site::new(policy);
    let mut alice = log_in(site.one.browser(), "alice").await;
    let mut events = Events::of(&site.other, &alice).await;
    site.pass(19 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    site.pass(10 * MINUTE + MINUTE / 2).await;
    assert_eq!(events.news().await, None, "the other node saw it 10 minutes ago");
    site.pass(19 * MINUTE).await;
    let at = START + 49 * 60;
    let warning = format!("event: expiring\ndata: {}\n\n", json!({ "kind": "idle", "at": at }));
    assert_eq!(events.news().await, Some(warning));
    assert_eq!(events.news().await, None, "once");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_on_the_same_node_puts_a_warning_off() {
    let mut policy = Policy::default();
    let second = Duration::from_secs(1);
    (policy.access_ttl, policy.dangling_after, policy.idle) = (30 * second, 30 * MINUTE, 80 * second);
    let site = Site::new(policy);
    let mut alice = log_in(site.one.browser(), "alice").await;
    let mut events = Events::of(&site.one, &alice).await;
    site.pass(10 * second).await;
    assert_eq!(site.other.take(&alice).post("/session/refresh").await.status, 200);
    site.pass(11 * second).await;
    assert_eq!(events.news().await, None, "the registry was asked, and is believed for 30 seconds");
    site.pass(4 * second).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    site.pass(6 * second).await;
    assert_eq!(events.news().await, None, "it was used 6 seconds ago");
    site.pass(15 * second).await;
    let warning = format!("event: expiring\ndata: {}\n\n", json!({ "kind": "idle", "at": START + 105 }));
    assert_eq!(events.news().await, Some(warning));
}

#[tokio::test(start_paused = true)]
async fn an_end_on_one_node_closes_the_streams_of_the_other() {
    let site = Site::new(Policy::default());
    let (alice, bob) = (log_in(site.one.browser(), "alice").await, log_in(site.one.browser(), "bob").await);
    let mut of_alice = [Events::of(&site.one, &alice).await, Events::of(&site.other, &alice).await];
    let mut of_bob = Events::of(&site.other, &bob).await;
    assert_eq!(alice.clone().post("/session/logout").await.status, 204);
    for events in &mut of_alice {
        assert_eq!(events.news().await.unwrap(), "event: ended\ndata: {\"reason\":\"logout\"}\n\n");
        assert!(events.has_ended().await);
    }
    assert_eq!(of_bob.news().await, None, "nothing happened to bob");
    site.one.sessions.end_everyone().await.unwrap();
    assert_eq!(of_bob.news().await.unwrap(), "event: ended\ndata: {\"reason\":\"ended-by-admin\"}\n\n");
}

#[tokio::test(start_paused = true)]
async fn a_handoff_is_told_once_on_every_node() {
    let site = Site::new(Policy::default());
    let mut alice = log_in(site.one.browser(), "alice").await;
    let mut streams = [Events::of(&site.one, &alice).await, Events::of(&site.other, &alice).await];
    let code = alice.post("/session/handoff").await.json::<serde_json::Value>()["code"].clone();
    let mut phone = site.one.browser();
    let form = json!({ "code": code, "confirm": "alice" });
    assert_eq!(phone.post_json("/session/handoff/redeem", &form).await.status, 200);
    for events in &mut streams {
        let told = events.news().await.unwrap();
        assert_eq!(told, "event: handed-over\ndata: {\"device\":\"Firefox on Linux\"}\n\n");
        assert_eq!(events.news().await, None, "once");
    }
    // Whoever listens from now on is not told of what was before.
    let mut late = Events::of(&site.other, &alice).await;
    assert_eq!(late.news().await, None);
}

#[tokio::test(start_paused = true)]
async fn streams_close_when_the_server_stops_and_the_session_goes_on() {
    let site = Site::new(Policy::default());
    let mut alice = log_in(site.one.browser(), "alice").await;
    let mut before = Events::of(&site.one, &alice).await;
    site.one.sessions.close_streams();
    assert_eq!(before.news().await, None);
    assert!(before.has_ended().await);
    let mut after = Events::of(&site.one, &alice).await;
    assert_eq!(after.news().await, None);
    assert!(after.has_ended().await);
    assert_eq!(alice.get("/session").await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_removed_key_closes_streams_without_a_word_since_their_sessions_may_have_newer_tokens() {
    let site = Site::new(Policy::default());
    let mut alice = log_in(site.one.browser(), "alice").await;
    let (mut here, mut there) = (Events::of(&site.one, &alice).await, Events::of(&site.other, &alice).await);
    let kid = read_token(&alice, 0)["kid"].as_str().unwrap().to_owned();
    site.one.sessions.remove_key(&kid.as_str().into()).await.unwrap();
    assert_eq!((here.news().await, there.news().await), (None, None));
    assert!(here.has_ended().await && there.has_ended().await);
    check(&alice.get("/session").await, 401, "session-ended");
}
