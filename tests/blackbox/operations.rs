//! What operators rely on: health, metrics, the page, the rate limit, an orderly end, development cookies.

use std::time::Duration;

use countersign_tests::{Call, Launch, Raw, Server, Stage, Transport, Wire, for_each_setup};
use serde_json::json;

#[tokio::test]
async fn is_healthy_ready_and_measured() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.get("/healthz").await.expect(200);
        client.get("/readyz").await.expect(200);
        let metrics = client.get("/metrics").await;
        metrics.expect(200);
        assert!(metrics.header("content-type").unwrap().starts_with("text/plain"), "{:?}", metrics.headers);
        assert!(metrics.text().contains("# TYPE "), "{}", metrics.text());
        assert!(!metrics.text().contains("eyJ") && !metrics.text().contains("alice"), "{}", metrics.text());
    })
    .await;
}

#[tokio::test]
async fn serves_its_page() {
    for_each_setup(&[], |stage| async move {
        let answer = stage.client().get("/").await;
        answer.expect(200);
        assert!(answer.header("content-type").unwrap().starts_with("text/html"));
        assert!(answer.text().contains("<html"), "{}", answer.text());
    })
    .await;
}

#[tokio::test]
async fn only_failed_logins_are_rate_limited() {
    let stage = Stage::simple(&["--user-limit", "1000"]).await;
    for _ in 0..40 {
        stage.logged_in("bob").await;
    }
    let wrong = || json!({"user": "alice", "password": "canary-6"});
    for tried in 0.. {
        assert!(tried < 300, "300 guesses, and no rate limit");
        let answer = stage.client().post_json("/login", wrong()).await;
        if answer.status == 429 {
            answer.refused(429, "too-many-requests");
            let after: u64 = answer.header("retry-after").unwrap().parse().unwrap();
            assert!(after > 0);
            break;
        }
        answer.refused(401, "login-failed");
    }
    stage.logged_in("bob").await;
}

#[tokio::test]
async fn an_orderly_end_finishes_open_requests() {
    let mut server = Server::start(&[]).await;
    let mut raw = Raw::connect(server.address()).await;
    let body = r#"{"user": "alice", "password": "correct horse"}"#;
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    raw.write(head + &body[..10]).await;
    // Another connection's answer shows that the first one was accepted before.
    server.client(Wire::Http1, Transport::Cookies).get("/healthz").await.expect(200);
    server.signal(rustix::process::Signal::TERM);
    raw.write(&body[10..]).await;
    let answer = raw.read(Duration::from_secs(10)).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.exited(Duration::from_secs(15)).await.code(), Some(0));
}

#[tokio::test]
async fn an_open_stream_does_not_hold_up_the_end() {
    let mut stage = Stage::simple(&[]).await;
    let client = stage.logged_in("alice").await;
    let stream = client.open(Call::get("/api/stream")).await.unwrap();
    assert_eq!(stream.status(), 200);
    stage.server.terminate().await;
}

#[tokio::test]
async fn sessions_survive_an_orderly_restart() {
    for transport in [Transport::Cookies, Transport::Bearer, Transport::Body] {
        let mut stage = Stage::new(Wire::Http2, transport, &["--origin", "http://localhost:1"]).await;
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        client.add_exclusive("gold").await.expect(200);
        let mut ended = stage.logged_in("bob").await;
        let copy = ended.clone();
        ended.logout().await;
        stage.server.terminate().await;
        stage.server.restart(&[]).await;
        client.address = stage.server.address();
        client.get("/session").await.expect(200);
        client.refresh().await.expect(200);
        assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!(["tea", "gold"]));
        let mut copy = countersign_tests::Client { address: stage.server.address(), ..copy };
        copy.get("/session").await.ended("logout");
        copy.refresh().await.ended("logout");
    }
}

#[tokio::test]
async fn an_orderly_end_keeps_marks_of_activity() {
    let mut stage = Stage::simple(&["--origin", "http://localhost:1"]).await;
    let mut client = stage.logged_in("alice").await;
    let session = client.get("/session").await.expect(200);
    let (id, started) = (session["id"].clone(), session["started_at"].as_i64().unwrap());
    let later = || {
        let mut copy = client.clone();
        async move { copy.get("/session").await.expect(200)["last_activity"].as_i64() > Some(started + 1) }
    };
    countersign_tests::eventually("a later activity", Duration::from_secs(5), later).await;
    stage.server.terminate().await;
    stage.server.restart(&[]).await;
    let list = stage.logged_in("alice").await.get("/session/list").await.expect(200);
    let kept =
        list["sessions"].as_array().unwrap().iter().find(|session| session["id"] == id).unwrap().clone();
    assert!(kept["last_activity"].as_i64() > Some(started), "{kept}");
}

#[tokio::test]
async fn a_memory_registry_logs_everyone_out_at_a_restart() {
    let mut stage = Stage::simple(&["--registry", "memory:", "--origin", "http://localhost:1"]).await;
    let mut client = stage.logged_in("alice").await;
    stage.server.terminate().await;
    stage.server.restart(&[]).await;
    client.address = stage.server.address();
    client.get("/session").await.refused(401, "session-ended");
    client.refresh().await.refused(401, "session-ended");
    client.login("alice").await;
    client.get("/session").await.expect(200);
}

#[tokio::test]
async fn variables_are_flags() {
    let launch =
        Launch::new().variable("COUNTERSIGN_SITE_LIMIT", "0").variable("COUNTERSIGN_TRANSPORT", "body");
    let server = launch.start().await;
    let mut client = server.client(Wire::Http1, Transport::Body);
    client.try_login("alice").await.refused(429, "sessions-limit");
    assert!(client.login("admin").await.len() == 22 && client.tokens.refresh.is_some());
}

#[tokio::test]
async fn development_cookies_have_no_prefix_and_are_not_secure() {
    let stage = Stage::simple(&["--dev-cookies"]).await;
    let answer = stage.client().try_login("alice").await;
    answer.expect(200);
    let cookies = answer.cookies();
    assert!(cookies.len() >= 2);
    for cookie in &cookies {
        assert!(!cookie.name.starts_with("__"), "{}", cookie.name);
        assert!(!cookie.attributes.contains(&"secure".to_owned()), "{cookie:?}");
        assert!(cookie.attributes.contains(&"httponly".to_owned()), "{cookie:?}");
    }
    assert!(stage.server.output().to_lowercase().contains("warn"), "{}", stage.server.output());
    let other = Stage::simple(&["--dev-cookies", "--cookie-name", "other"]).await;
    let others = other.client().try_login("alice").await.cookies();
    assert!(others.iter().all(|theirs| cookies.iter().all(|ours| ours.name != theirs.name)));
    let mut client = other.client();
    client.login("alice").await;
    client.get("/session").await.expect(200);
}
