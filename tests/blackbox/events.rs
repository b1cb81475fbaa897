//! The event stream of a session: what is about to happen to it, what happened, and that it ends with it.

use std::time::{Duration, Instant};

use countersign_tests::{Call, Client, Stage, for_each_setup, until};
use http::Method;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};
use tokio::time::timeout;

/// What happens within a second happens within three where all tests run at once.
const AT_ONCE: Duration = Duration::from_secs(3);

/// An open event stream.
pub(crate) struct Events {
    body: Incoming,
    text: String,
}

impl Events {
    /// Opens it; it says at once that it is there.
    pub(crate) async fn of(client: &Client) -> Self {
        let answer = client.open(Call::get("/session/events")).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(answer.headers().get("set-cookie").is_none());
        let mut events = Self { body: answer.into_body(), text: String::new() };
        assert_eq!(events.next(Duration::from_secs(5)).await, Some(("keepalive".into(), json!({}))));
        events
    }

    /// The next event; [`None`] is the end of the stream.
    pub(crate) async fn next(&mut self, within: Duration) -> Option<(String, Value)> {
        while !self.text.contains("\n\n") {
            let frame = timeout(within, self.body.frame()).await.expect("an event in time")?;
            let data = frame.expect("a whole stream").into_data().expect("no trailers");
            self.text.push_str(std::str::from_utf8(&data).expect("text"));
        }
        let (event, rest) = self.text.split_once("\n\n").map(|(a, b)| (a.to_owned(), b.to_owned()))?;
        self.text = rest;
        let (name, data) = event.split_once('\n').expect("two lines");
        let name = name.strip_prefix("event: ").expect("a name");
        let data = data.strip_prefix("data: ").expect("data");
        Some((name.to_owned(), serde_json::from_str(data).expect("JSON")))
    }

    /// The next event that is no keepalive.
    pub(crate) async fn news(&mut self, within: Duration) -> Option<(String, Value)> {
        loop {
            match self.next(within).await {
                Some((name, _)) if name == "keepalive" => {}
                event => return event,
            }
        }
    }

    /// It tells at once that the session has ended, and closes.
    pub(crate) async fn end(&mut self, reason: &str) {
        let ended = Some(("ended".to_owned(), json!({ "reason": reason })));
        assert_eq!(self.news(AT_ONCE).await, ended);
        assert_eq!(self.next(AT_ONCE).await, None, "it closes then");
    }
}

#[tokio::test]
async fn the_end_of_a_session_is_told_at_once() {
    for_each_setup(&["--race-window", "1s"], |stage| async move {
        let (mut alice, mut other) = (stage.client(), stage.logged_in("alice").await);
        let id = alice.login("alice").await;
        let (mut first, mut second) = (Events::of(&alice).await, Events::of(&alice).await);
        let mut others = Events::of(&other).await;
        assert_eq!(other.delete(&format!("/session/{id}")).await.status, 204);
        first.end("ended-by-user").await;
        second.end("ended-by-user").await;

        let mut alice = stage.logged_in("alice").await;
        let mut of_alice = Events::of(&alice).await;
        other.post("/session/logout-others").await.expect(200);
        of_alice.end("ended-by-user").await;
        other.logout().await;
        others.end("logout").await;

        let bob = stage.logged_in("bob").await;
        let mut of_bob = Events::of(&bob).await;
        bob.clone().login("bob").await;
        of_bob.end("replaced").await;

        alice.login("alice").await;
        let mut thief = alice.clone();
        let mut of_alice = Events::of(&alice).await;
        alice.rotate().await;
        alice.rotate().await;
        thief.refresh().await.refused(401, "refresh-reused");
        of_alice.end("refresh-reused").await;
    })
    .await;
}

#[tokio::test]
async fn making_room_is_told() {
    for_each_setup(&["--user-limit", "1", "--on-full", "end-oldest"], |stage| async move {
        let first = stage.logged_in("alice").await;
        let mut events = Events::of(&first).await;
        stage.logged_in("alice").await;
        events.end("limit").await;
    })
    .await;
}

#[tokio::test]
async fn an_idle_end_is_announced_and_the_stream_is_no_activity() {
    for_each_setup(&["--idle-timeout", "4s"], |stage| async move {
        let mut client = stage.client();
        let began = client.try_login("alice").await.expect(200)["session"]["idle_expires_at"].clone();
        tokio::time::sleep(Duration::from_millis(1500)).await;
        let mut events = Events::of(&client).await;
        let (name, data) = events.news(Duration::from_secs(3)).await.unwrap();
        assert_eq!((name.as_str(), &data["kind"], &data["at"]), ("expiring", &json!("idle"), &began));
        let ended = Some(("ended".to_owned(), json!({ "reason": "idle" })));
        assert_eq!(events.news(Duration::from_secs(5)).await, ended);
        assert_eq!(events.next(AT_ONCE).await, None);
    })
    .await;
}

#[tokio::test]
async fn the_absolute_end_is_announced_and_kept() {
    for_each_setup(&["--idle-timeout", "3s", "--lifetime", "3s"], |stage| async move {
        let mut client = stage.client();
        let end = client.try_login("alice").await.expect(200)["session"]["expires_at"].clone();
        let mut events = Events::of(&client).await;
        let expiring = Some(("expiring".to_owned(), json!({ "kind": "absolute", "at": end })));
        assert_eq!(events.news(Duration::from_secs(3)).await, expiring);
        let ended = Some(("ended".to_owned(), json!({ "reason": "expired" })));
        assert_eq!(events.news(Duration::from_secs(5)).await, ended);
        assert_eq!(events.next(AT_ONCE).await, None);
    })
    .await;
}

#[tokio::test]
async fn a_moved_idle_end_is_announced_again() {
    let flags = ["--idle-timeout", "10s", "--access-ttl", "2s", "--dangling-after", "2s"];
    for_each_setup(&flags, |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut events = Events::of(&client).await;
        let refreshing = tokio::spawn(async move {
            for _ in 0..20 {
                tokio::time::sleep(Duration::from_secs(1)).await;
                client.refresh().await.expect(200);
            }
        });
        let mut ends = Vec::new();
        while ends.len() < 2 {
            let (name, data) = events.news(Duration::from_secs(18)).await.unwrap();
            assert_eq!((name.as_str(), &data["kind"]), ("expiring", &json!("idle")));
            ends.push(data["at"].as_u64().unwrap());
        }
        assert!(ends[0] < ends[1], "only after the end has moved: {ends:?}");
        refreshing.abort();
    })
    .await;
}

#[tokio::test]
async fn a_session_that_was_not_refreshed_has_not_ended() {
    for_each_setup(&["--access-ttl", "2s", "--dangling-after", "2s"], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut events = Events::of(&client).await;
        assert_eq!(events.news(Duration::from_secs(10)).await, None, "it closes without a word");
        client.refresh().await.expect(200);
        Events::of(&client).await;
    })
    .await;
}

#[tokio::test]
async fn a_token_without_a_seat_may_listen() {
    let flags = ["--dangling-after", "2s", "--access-ttl", "2s", "--site-limit", "1"];
    for_each_setup(&flags, |stage| async move {
        let mut alice = stage.logged_in("alice").await;
        until("alice dangles, and bob gets in", Duration::from_secs(10), || {
            let mut bob = stage.client();
            async move { (bob.try_login("bob").await.status == 200).then_some(()) }
        })
        .await;
        let passive = alice.refresh_call().header("session-passive", "?1");
        alice.send(passive).await.expect(200);
        alice.get("/session/list").await.refused(401, "token-expired");
        Events::of(&alice).await;
    })
    .await;
}

#[tokio::test]
async fn nobody_listens_without_a_session() {
    for_each_setup(&[], |stage| async move {
        stage.client().get("/session/events").await.refused(401, "not-authenticated");
        let mut client = stage.logged_in("alice").await;
        for method in [Method::POST, Method::DELETE] {
            let answer = client.send(Call::new(method, "/session/events")).await;
            answer.refused(405, "method-not-allowed");
            assert_eq!(answer.header("allow"), Some("GET, HEAD"));
        }
        let head = client.send(Call::new(Method::HEAD, "/session/events")).await;
        assert_eq!((head.status.as_u16(), head.header("content-type")), (200, Some("text/event-stream")));
        assert!(head.body.is_empty());
        let copy = client.clone();
        client.logout().await;
        copy.clone().get("/session/events").await.ended("logout");
    })
    .await;
}

#[tokio::test]
async fn open_streams_do_not_hold_up_the_end_of_the_server() {
    for wire in [countersign_tests::Wire::Http1, countersign_tests::Wire::Http2] {
        let mut stage = Stage::new(wire, countersign_tests::Transport::Cookies, &[]).await;
        let client = stage.logged_in("alice").await;
        let mut streams = Vec::new();
        for _ in 0..5 {
            streams.push(Events::of(&client).await);
        }
        let asked = Instant::now();
        stage.server.terminate().await;
        assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
        for mut stream in streams {
            assert_eq!(stream.news(AT_ONCE).await, None, "a restart ends no session");
        }
    }
}
