//! Logging in: the token response of each transport, the cookies to the letter, repetition, refusals.

use countersign_tests::{Call, Client, Stage, Transport, claims, for_each_setup, header};
use serde_json::{Value, json};

const ACCESS: std::ops::RangeInclusive<i64> = 280..=300;
const LIFETIME: std::ops::RangeInclusive<i64> = 1_209_590..=1_209_600;

#[tokio::test]
async fn hands_out_tokens_where_the_transport_puts_them() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let answer = client.try_login("alice").await;
        let body = answer.expect(200);
        answer.assert_no_store();
        assert_session(&body["session"], "alice");
        let in_body = !stage.access_is_cookie();
        assert_eq!(body["access_token"].is_string(), in_body, "{body}");
        assert_eq!(body["refresh_token"].is_string(), stage.transport == Transport::Body, "{body}");
        if in_body {
            assert_eq!(body["token_type"], "Bearer");
            assert!(ACCESS.contains(&body["expires_in"].as_i64().unwrap()), "{body}");
        }
        let names: Vec<_> = answer.cookies().into_iter().map(|cookie| cookie.name).collect();
        let expect: &[&str] = match stage.transport {
            Transport::Cookies => &["__Host-session", "__Host-session-refresh"],
            Transport::Bearer => &["__Host-session-refresh"],
            Transport::Body => &[],
        };
        let mut tokens: Vec<_> = names.iter().filter(|name| !name.starts_with("__Host-state.")).collect();
        tokens.sort();
        assert_eq!(tokens, expect.iter().collect::<Vec<_>>());
        client.get("/session").await.expect(200);
    })
    .await;
}

fn assert_session(session: &Value, subject: &str) {
    let id = session["id"].as_str().unwrap();
    assert!(
        id.len() == 22 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
        "{id}"
    );
    assert_eq!(session["subject"], subject, "{session}");
    assert_eq!(session["tenant"], Value::Null, "{session}");
    assert!(session.as_object().unwrap().contains_key("tenant"), "null is said, not left out: {session}");
    assert_eq!(session["amr"], json!(["pwd"]), "{session}");
    assert_eq!(session["current"], true, "{session}");
    assert_eq!(session["dangling"], false, "{session}");
    let at = |name: &str| session[name].as_i64().unwrap_or_else(|| panic!("{name}: {session}"));
    let started = at("started_at");
    assert_eq!(at("expires_at") - started, 1_209_600, "{session}");
    assert!((0..=1).contains(&(at("idle_expires_at") - started - 86_400)), "{session}");
    assert!(ACCESS.contains(&(at("access_expires_at") - started)), "{session}");
    assert!((0..=1).contains(&(at("auth_time") - started).abs()), "{session}");
    assert!((0..=1).contains(&(at("last_activity") - started)), "{session}");
    assert!(session["device"].is_string() || session["device"].is_null(), "{session}");
}

#[tokio::test]
async fn sets_cookies_to_the_letter() {
    for_each_setup(&[], |stage| async move {
        let answer = stage.client().try_login("alice").await;
        answer.expect(200);
        for cookie in answer.cookies() {
            let (same_site, age) = match cookie.name.as_str() {
                "__Host-session" => ("lax", ACCESS),
                "__Host-session-refresh" => ("strict", LIFETIME),
                _ => ("lax", LIFETIME),
            };
            cookie.assert_attributes(same_site);
            assert!(age.contains(&cookie.max_age.unwrap()), "{} has {:?}", cookie.name, cookie.max_age);
        }
    })
    .await;
}

#[tokio::test]
async fn a_browser_session_has_no_max_age_but_the_same_life() {
    for_each_setup(&["--race-window", "1s"], |stage| async move {
        let mut client = stage.client();
        let answer =
            log_in(&mut client, json!({"user": "alice", "password": "correct horse", "remember": false}));
        let answer = answer.await;
        let session = answer.expect(200)["session"].clone();
        assert_eq!(
            session["expires_at"].as_i64().unwrap() - session["started_at"].as_i64().unwrap(),
            1_209_600
        );
        assert!(answer.cookies().iter().all(|cookie| cookie.max_age.is_none()), "{:?}", answer.headers);
        let added = client.add("tea").await;
        assert!(added.cookies().iter().all(|cookie| cookie.max_age.is_none()), "{:?}", added.headers);
        let refreshed = client.refresh().await;
        refreshed.expect(200);
        assert!(refreshed.cookies().iter().all(|cookie| cookie.max_age.is_none()), "{:?}", refreshed.headers);
    })
    .await;
}

async fn log_in(client: &mut Client, body: Value) -> countersign_tests::Answer {
    client.post_json("/login", body).await
}

#[tokio::test]
async fn no_cookie_lives_longer_than_400_days() {
    let stage = Stage::simple(&["--lifetime", "500d"]).await;
    let answer = stage.client().try_login("alice").await;
    answer.expect(200);
    assert_eq!(answer.cookie("__Host-session-refresh").max_age, Some(34_560_000));
}

/// `Max-Age=0` would delete what it should set.
#[tokio::test]
async fn a_life_of_a_second_is_not_none() {
    let stage = Stage::simple(&["--access-ttl", "1s"]).await;
    for _ in 0..10 {
        let answer = stage.client().try_login("alice").await;
        answer.expect(200);
        assert!(answer.cookie("__Host-session").max_age >= Some(1), "{:?}", answer.headers);
    }
}

#[tokio::test]
async fn a_wrong_password_or_name_is_login_failed() {
    for_each_setup(&[], |stage| async move {
        for (user, password) in [("alice", "canary-1"), ("mallory", "correct horse"), ("", ""), ("alice", "")]
        {
            let mut client = stage.client();
            let answer = log_in(&mut client, json!({"user": user, "password": password})).await;
            answer.refused(401, "login-failed");
            answer.assert_no_store();
            assert!(client.jar.names().is_empty());
        }
    })
    .await;
}

#[tokio::test]
async fn everyone_of_the_example_can_log_in() {
    let stage = Stage::simple(&[]).await;
    for user in ["alice", "bob", "carol", "admin"] {
        let mut client = stage.logged_in(user).await;
        assert_eq!(client.get("/api/me").await.expect(200)["subject"], user);
    }
}

#[tokio::test]
async fn tokens_carry_what_they_should() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let id = client.login("alice").await;
        let (access, refresh) = (client.access(), client.refresh_token());
        assert_eq!(header(&access)["typ"], "at+jwt");
        assert_eq!(header(&access)["alg"], "EdDSA");
        assert_eq!(header(&refresh)["typ"], "rt+jwt");
        for token in [&access, &refresh] {
            let claims = claims(token);
            assert_eq!(claims["iss"], stage.server.origin(), "{claims}");
            assert_eq!(claims["sub"], "alice");
            assert_eq!(claims["sid"], id);
            for name in ["aud", "iat", "exp", "jti", "client_id", "auth_time", "amr", "born"] {
                assert!(!claims[name].is_null(), "{name}: {claims}");
            }
        }
        let rot = claims(&refresh)["rot"].clone();
        assert!(rot[0].is_string() && rot[1].is_string() && rot[2].is_u64(), "{rot}");
        assert_ne!(claims(&access)["jti"], claims(&refresh)["jti"]);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_login_is_the_same_admission() {
    for_each_setup(&["--user-limit", "1"], |stage| async move {
        let repeat = || repeat_login("one-try-of-alice");
        let first = stage.client().send(repeat()).await.expect(200);
        let second = stage.client().send(repeat()).await.expect(200);
        assert_eq!(first["session"]["id"], second["session"]["id"]);
        let other = stage.client().send(repeat_login("another-try")).await;
        other.refused(429, "sessions-limit");
    })
    .await;
}

fn repeat_login(key: &str) -> Call {
    let call = Call::post("/login").header("idempotency-key", key);
    call.json(&json!({"user": "alice", "password": "correct horse"}))
}

#[tokio::test]
async fn an_idempotency_key_has_its_form() {
    let stage = Stage::simple(&[]).await;
    for wrong in ["", "with space", "tab\tinside", "ä", &"k".repeat(129)] {
        stage.client().send(repeat_login(wrong)).await.refused(400, "bad-request");
    }
    let two = repeat_login("one").header("idempotency-key", "one");
    stage.client().send(two).await.refused(400, "bad-request");
    for right in ["!", "~", &"k".repeat(128)] {
        stage.client().send(repeat_login(right)).await.expect(200);
    }
}

#[tokio::test]
async fn a_login_replaces_the_session_of_this_browser() {
    for_each_setup(&["--user-limit", "1"], |stage| async move {
        let mut client = stage.client();
        let first = client.login("alice").await;
        let mut old = client.clone();
        let second = client.login("alice").await;
        assert_ne!(first, second, "a presented id never becomes a session's id");
        old.get("/session").await.ended("replaced");
        old.refresh().await.ended("replaced");
        client.get("/session").await.expect(200);
        assert_eq!(client.get("/session/list").await.expect(200)["sessions"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn the_refresh_cookie_alone_tells_which_session_to_replace() {
    for_each_setup(&["--user-limit", "1"], |stage| async move {
        if !stage.has_cookies() {
            return;
        }
        let mut client = stage.logged_in("alice").await;
        let mut old = client.clone();
        client.jar.remove("__Host-session");
        client.tokens.access = None;
        client.login("alice").await;
        old.get("/session").await.ended("replaced");
    })
    .await;
}

#[tokio::test]
async fn a_forged_token_replaces_nothing() {
    for_each_setup(&["--site-limit", "2"], |stage| async move {
        let alice = stage.logged_in("alice").await;
        let mut client = stage.client();
        let token = alice.access();
        client.plant_access(&format!("{}AAAA", &token[..token.len() - 4]));
        client.login("bob").await;
        alice.clone().get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_refused_login_leaves_the_old_session_alone() {
    for_each_setup(&["--user-limit", "1"], |stage| async move {
        let _other = stage.logged_in("bob").await;
        let mut client = stage.logged_in("alice").await;
        client.try_login("bob").await.refused(429, "sessions-limit");
        assert_eq!(client.get("/session").await.expect(200)["subject"], "alice");
        log_in(&mut client, json!({"user": "alice", "password": "canary-2"}))
            .await
            .refused(401, "login-failed");
        client.get("/session").await.expect(200);
    })
    .await;
}
