//! Bodies that are not what they should be: not JSON, not the documented JSON, too large, too slow, cut short.

use std::time::{Duration, Instant};

use countersign_tests::{Call, Raw, Stage, Transport, Wire, for_each_setup};
use serde_json::json;

const LOGIN: &str = r#"{"user": "alice", "password": "correct horse"}"#;

#[tokio::test]
async fn what_is_not_the_documented_json_is_a_bad_request() {
    for_each_setup(&[], |stage| async move {
        let deep = "[".repeat(50_000);
        let wrong = [
            "",
            " ",
            "{",
            "null",
            "[]",
            "\"alice\"",
            "1",
            "{}",
            "[{}]",
            "\u{feff}{}",
            &deep,
            r#"{"user": "alice"}"#,
            r#"{"user": 1, "password": "x"}"#,
            r#"{"user": "alice", "password": null}"#,
            r#"{"user": "alice", "password": "x", "remember": "yes"}"#,
            r#"{"user": "alice", "user": "bob", "password": "correct horse"}"#,
            r#"{"user": "alice", "\u0075ser": "bob", "password": "correct horse"}"#,
            r#"{"user": "alice", "password": "correct horse"} {}"#,
            "{'user': 'alice', 'password': 'correct horse'}",
            r#"{"user": "alice", "password": "correct horse",}"#,
            r#"{"user": "\ud800", "password": "x"}"#,
        ];
        for body in wrong {
            let answer =
                stage.client().send(Call::post("/login").body("application/json", body.to_owned())).await;
            let problem = answer.refused(400, "bad-request");
            assert!(problem["detail"].is_string(), "detail says which: {body:?}");
        }
        let not_utf8 = Call::post("/login").body("application/json", b"{\"user\": \"\xff\"}".to_vec());
        stage.client().send(not_utf8).await.refused(400, "bad-request");
    })
    .await;
}

#[tokio::test]
async fn every_endpoint_that_takes_json_says_so() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        if stage.transport == Transport::Body {
            for body in
                ["{", "[]", "1", r#"{"refresh_token": 1}"#, r#"{"refresh_token": "a", "refresh_token": "b"}"#]
            {
                let call = Call::post("/session/refresh").body("application/json", body);
                client.send(call).await.refused(400, "bad-request");
            }
        }
        for path in ["/login", "/session/admit", "/api/cart", "/api/password", "/api/cart?exclusive=1"] {
            for body in
                ["{", "[]", r#"{"nothing": "known"}"#, r#"{"item": 1, "old": 1, "choice": 1, "user": 1}"#]
            {
                let call = Call::post(path).body("application/json", body);
                client.send(call).await.refused(400, "bad-request");
            }
        }
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_media_type_is_json_or_nothing() {
    for_each_setup(&[], |stage| async move {
        for wrong in
            ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json", "", "text/json"]
        {
            let answer = stage.client().send(Call::post("/login").body(wrong, LOGIN)).await;
            answer.refused(415, "unsupported-media-type");
        }
        let untyped = stage.client().send(Call::post("/login").untyped(LOGIN)).await;
        untyped.refused(415, "unsupported-media-type");
        for right in [
            "application/json",
            "application/json; charset=utf-8",
            "Application/JSON",
            "application/json;x=y",
        ] {
            stage.client().send(Call::post("/login").body(right, LOGIN)).await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn more_than_64_kb_is_too_large() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let padded = |size: usize| format!("{}{}", " ".repeat(size - LOGIN.len()), LOGIN);
        let login = |size| Call::post("/login").body("application/json", padded(size));
        stage.client().send(login(60_000)).await.expect(200);
        for size in [65_537, 100_000] {
            stage.client().send(login(size)).await.refused(413, "body-too-large");
        }
        let junk = Call::post("/session/admit").body("application/json", "x".repeat(70_000));
        client.send(junk).await.refused(413, "body-too-large");
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_length_that_is_only_announced_is_refused_at_once() {
    let stage = Stage::simple(&[]).await;
    let mut raw = Raw::connect(stage.server.address()).await;
    raw.write("POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000000000\r\n\r\n")
        .await;
    raw.read_until("body-too-large", Duration::from_secs(5)).await;
}

#[tokio::test]
async fn chunks_without_end_are_too_large() {
    let stage = Stage::simple(&[]).await;
    let mut raw = Raw::connect(stage.server.address()).await;
    raw.write("POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await;
    let chunk = format!("4000\r\n{}\r\n", "x".repeat(0x4000));
    for _ in 0..8 {
        if !raw.write(&chunk).await {
            break;
        }
    }
    let answer = raw.read(Duration::from_secs(5)).await;
    assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("body-too-large"), "{answer}");
}

/// Nothing comes, or a byte now and then: both are over after ten seconds.
#[tokio::test]
async fn a_slow_body_times_out() {
    let stage = Stage::simple(&[]).await;
    let began = Instant::now();
    let head =
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n";
    let mut silent = Raw::connect(stage.server.address()).await;
    silent.write(format!("{head}{{\"user\"")).await;
    let mut slow = Raw::connect(stage.server.address()).await;
    slow.write(head).await;
    while began.elapsed() < Duration::from_secs(9) {
        slow.write(" ").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    for raw in [&mut silent, &mut slow] {
        let answer = raw.read_until("request-timeout", Duration::from_secs(6)).await;
        assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    }
    let took = began.elapsed();
    assert!((Duration::from_secs(9)..Duration::from_secs(15)).contains(&took), "{took:?}");
    stage.logged_in("alice").await;
}

#[tokio::test]
async fn a_body_cut_short_logs_nobody_in() {
    let stage = Stage::simple(&["--site-limit", "1"]).await;
    let mut raw = Raw::connect(stage.server.address()).await;
    let head =
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n";
    raw.write(format!("{head}{LOGIN}")).await;
    drop(raw);
    stage.logged_in("alice").await;
}

#[tokio::test]
async fn what_is_not_http_harms_nobody() {
    let stage = Stage::simple(&[]).await;
    let wrong = [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET /session HTTP/9.9\r\n\r\n",
        "GET /session HTTP/1.1\r\nHost x\r\n\r\n",
        "GET /session HTTP/1.1\r\nHost: x\r\nCookie: a\0b\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        "POST /login HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        "POST /login HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nrubbish that is no frame at all",
    ];
    for bytes in wrong {
        let mut raw = Raw::connect(stage.server.address()).await;
        raw.write(bytes).await;
        let answer = raw.read(Duration::from_millis(500)).await;
        assert!(
            !answer.starts_with("HTTP/1.1 2") && !answer.starts_with("HTTP/1.1 5"),
            "{bytes:?}: {answer}"
        );
    }
    stage.logged_in("alice").await.get("/session").await.expect(200);
}

#[tokio::test]
async fn an_update_without_an_item_changes_nothing() {
    let stage = Stage::new(Wire::Http2, Transport::Body, &[]).await;
    let mut client = stage.logged_in("alice").await;
    client.add("tea").await.expect(200);
    client.post_json("/api/cart", json!({})).await.refused(400, "bad-request");
    assert_eq!(client.get("/api/cart").await.expect(200)["cart"][0], "tea");
}
