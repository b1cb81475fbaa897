//! Nothing secret stands in a log, whatever goes wrong.

use countersign_tests::{Call, Launch, Transport, Wire, assert_no_secret};
use serde_json::json;

const CANARY: &str = "canary-0123456789";

#[tokio::test]
async fn planted_secrets_stay_out_of_the_log() {
    for transport in [Transport::Cookies, Transport::Bearer, Transport::Body] {
        for wire in [Wire::Http1, Wire::Http2] {
            let launch = Launch::new().flags(&["--transport", transport.flag(), "--race-window", "1s"]);
            let launch =
                launch.flags(&["--user-limit", "2", "--on-full", "ask"]).variable("RUST_LOG", "debug");
            let mut server = launch.start().await;
            let mut client = server.client(wire, transport);
            plant(&mut client).await;
            live(&mut client).await;
            server.terminate().await;
            let output = server.output();
            assert!(output.len() > 40, "there is a log to search: {output}");
            assert_no_secret(&output, &server.launch().keys());
            for token in
                [client.tokens.access, client.tokens.refresh, client.tokens.state].into_iter().flatten()
            {
                let signature = token.rsplit('.').next().unwrap();
                assert!(!output.contains(signature), "a token's signature stands in the log: {output}");
            }
        }
    }
}

/// Secrets in every place where one could be sent.
async fn plant(client: &mut countersign_tests::Client) {
    let wrong = json!({"user": "alice", "password": CANARY});
    client.post_json("/login", wrong).await.refused(401, "login-failed");
    let broken = format!("{{\"user\": \"alice\", \"password\": \"{CANARY}");
    client.send(Call::post("/login").body("application/json", broken)).await.refused(400, "bad-request");
    for name in ["__Host-session", "__Host-session-refresh", "__Host-visit", "__Host-state.AAAAAA.0", "other"]
    {
        client.send(Call::get("/session").header("cookie", format!("{name}={CANARY}"))).await;
        client.send(Call::post("/session/refresh").header("cookie", format!("{name}={CANARY}"))).await;
    }
    for header in ["authorization", "session-state", "idempotency-key", "dpop"] {
        client.send(Call::get("/session").header(header, CANARY)).await;
    }
    client.send(Call::get("/session").header("authorization", format!("Bearer {CANARY}"))).await;
    client.send(Call::get(format!("/session?access_token={CANARY}"))).await;
    client.post_json("/session/refresh", json!({"refresh_token": CANARY})).await;
    client.post_json("/session/admit", json!({"choice": CANARY, "end": CANARY})).await;
}

/// A whole life: login, state, refresh, reuse, limits, a change of the password, logout.
async fn live(client: &mut countersign_tests::Client) {
    client.login("alice").await;
    client.add(CANARY).await.expect(200);
    client.add_exclusive(CANARY).await.expect(200);
    let mut thief = client.clone();
    client.rotate().await;
    client.rotate().await;
    thief.refresh().await.refused(401, "refresh-reused");
    client.get("/session").await.ended("refresh-reused");
    client.login("alice").await;
    for _ in 0..2 {
        let mut other = client.clone();
        other.jar = countersign_tests::Jar::default();
        other.tokens = countersign_tests::Tokens::default();
        other.try_login("alice").await;
    }
    let change = json!({"old": "correct horse", "new": format!("{CANARY}-new")});
    client.post_json("/api/password", change).await.expect(200);
    client.post_json("/session/logout", json!({})).await;
}
