//! Which refusal comes first when several apply: the table of the contract, pair by pair.

use std::time::Duration;

use countersign_tests::{Call, Client, Stage, Transport, Wire, eventually};
use serde_json::json;

/// Sends each call and demands that refusal.
async fn check(client: &Client, call: Call, status: u16, code: &str) {
    client.clone().send(call).await.refused(status, code);
}

fn from_elsewhere(call: Call) -> Call {
    call.header("sec-fetch-site", "cross-site")
}

fn doubled(call: Call) -> Call {
    call.header("authorization", "Bearer a").header("authorization", "Bearer b")
}

#[tokio::test]
async fn path_method_and_media_type_come_before_all_else() {
    for wire in [Wire::Http1, Wire::Http2] {
        let stage = Stage::new(wire, Transport::Cookies, &[]).await;
        let client = stage.logged_in("alice").await;
        check(&client, doubled(from_elsewhere(Call::post("/nope"))), 404, "not-found").await;
        check(&client, doubled(from_elsewhere(Call::post("/session"))), 405, "method-not-allowed").await;
        let text = || Call::post("/login").body("text/plain", "x".repeat(100_000));
        check(&client, doubled(from_elsewhere(text())), 415, "unsupported-media-type").await;
    }
}

#[tokio::test]
async fn then_credentials_then_the_site_then_the_body() {
    for wire in [Wire::Http1, Wire::Http2] {
        let stage = Stage::new(wire, Transport::Cookies, &[]).await;
        let client = stage.logged_in("alice").await;
        let login = |body: String| Call::post("/login").body("application/json", body);
        check(&client, doubled(from_elsewhere(login("{".into()))), 400, "bad-request").await;
        check(&client, doubled(login("x".repeat(100_000))), 400, "bad-request").await;
        check(&client, from_elsewhere(login("x".repeat(100_000))), 403, "cross-site").await;
        check(&client, from_elsewhere(login("{".into())), 403, "cross-site").await;
        check(&client, login("x".repeat(100_000)), 413, "body-too-large").await;
        check(&client, login("{".into()), 400, "bad-request").await;
    }
}

#[tokio::test]
async fn a_bad_body_comes_before_the_want_of_a_session() {
    let stage = Stage::simple(&[]).await;
    let nobody = stage.client();
    for path in ["/api/password", "/api/cart?exclusive=1"] {
        let call = || Call::post(path);
        check(&nobody, call().body("text/plain", "{}"), 415, "unsupported-media-type").await;
        check(&nobody, call().body("application/json", "x".repeat(100_000)), 413, "body-too-large").await;
        check(&nobody, call().body("application/json", "{"), 400, "bad-request").await;
    }
    let change = json!({"old": "canary-old", "new": "canary-new"});
    check(&nobody, Call::post("/api/password").json(&change), 401, "not-authenticated").await;
}

#[tokio::test]
async fn a_bad_token_comes_before_what_the_route_demands() {
    let stage = Stage::simple(&["--fresh-for", "1s"]).await;
    let mut client = stage.client();
    client.jar.set("__Host-session", "rubbish");
    check(&client, Call::post("/session/logout-others"), 401, "token-invalid").await;
    check(&client, Call::delete("/session/x"), 401, "token-invalid").await;
}

#[tokio::test]
async fn expired_comes_before_ended_and_ended_before_step_up() {
    let stage = Stage::simple(&["--access-ttl", "4s", "--fresh-for", "1s"]).await;
    let client = stage.logged_in("alice").await;
    let code = |path: &'static str| {
        let mut copy = client.clone();
        async move { copy.delete(path).await.code() }
    };
    let stale = || async { code("/session/x").await == "step-up-required" };
    eventually("the login is stale", Duration::from_secs(3), stale).await;
    client.clone().logout().await;
    check(&client, Call::delete("/session/x"), 401, "session-ended").await;
    let expired = || async { code("/session/x").await == "token-expired" };
    eventually("the access token is expired", Duration::from_secs(6), expired).await;
    check(&client, Call::get("/session"), 401, "token-expired").await;
    check(&client, Call::post("/session/refresh"), 401, "session-ended").await;
}

#[tokio::test]
async fn step_up_comes_before_what_is_not_there() {
    let stage = Stage::simple(&["--fresh-for", "1s"]).await;
    let client = stage.logged_in("alice").await;
    let stale = || async {
        let mut copy = client.clone();
        copy.post("/session/logout-others").await.code() == "step-up-required"
    };
    eventually("the login is stale", Duration::from_secs(4), stale).await;
    for id in ["x", "AAAAAAAAAAAAAAAAAAAAAA"] {
        check(&client, Call::delete(format!("/session/{id}")), 401, "step-up-required").await;
    }
}

#[tokio::test]
async fn a_wrong_password_comes_before_a_full_site() {
    let stage = Stage::simple(&["--site-limit", "0"]).await;
    let client = stage.client();
    let wrong = json!({"user": "alice", "password": "canary-5"});
    check(&client, Call::post("/login").json(&wrong), 401, "login-failed").await;
    let right = json!({"user": "alice", "password": "correct horse"});
    check(&client, Call::post("/login").json(&right), 429, "sessions-limit").await;
}
