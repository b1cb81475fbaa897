//! Which credential counts: headers and cookies, doubled, split, foreign or misspelt.

use countersign_tests::{Call, Client, Stage, Transport, Wire, for_each_setup};

/// A browser that is logged in, on each protocol, with its `name=value` pairs.
async fn each_wire() -> Vec<(Stage, Client)> {
    let mut all = Vec::new();
    for wire in [Wire::Http1, Wire::Http2] {
        let stage = Stage::new(wire, Transport::Cookies, &[]).await;
        let client = stage.logged_in("alice").await;
        all.push((stage, client));
    }
    all
}

#[tokio::test]
async fn two_authorization_headers_are_a_bad_request() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let bearer = format!("Bearer {}", client.access());
        for second in [bearer.as_str(), "Bearer x", "Basic eDp5"] {
            let call = Call::get("/session").header("authorization", &bearer).header("authorization", second);
            let problem = client.send(call).await.refused(400, "bad-request");
            assert!(problem["detail"].as_str().unwrap().contains("Authorization"), "{problem}");
        }
    })
    .await;
}

#[tokio::test]
async fn two_cookies_of_one_name_are_a_bad_request() {
    for (_stage, mut client) in each_wire().await {
        for name in ["__Host-session", "__Host-session-refresh"] {
            let value = client.jar.get(name).unwrap().to_owned();
            for second in [value.as_str(), "x", ""] {
                let line = format!("{name}={value}; {name}={second}");
                let one = Call::get("/session").header("cookie", &line);
                let problem = client.send(one).await.refused(400, "bad-request");
                assert!(problem["detail"].as_str().unwrap().to_lowercase().contains("cookie"), "{problem}");
                let crumbs = Call::get("/session")
                    .header("cookie", format!("{name}={value}"))
                    .header("cookie", format!("{name}={second}"));
                client.send(crumbs).await.refused(400, "bad-request");
            }
        }
    }
}

#[tokio::test]
async fn crumbs_are_read_as_one_line() {
    for (_stage, mut client) in each_wire().await {
        let session = format!("__Host-session={}", client.jar.get("__Host-session").unwrap());
        let refresh = format!("__Host-session-refresh={}", client.jar.get("__Host-session-refresh").unwrap());
        let call = Call::get("/session").header("cookie", "theme=dark").header("cookie", &session);
        client.send(call.header("cookie", "a=b")).await.expect(200);
        let call = Call::post("/session/refresh").header("cookie", session).header("cookie", refresh);
        client.send(call).await.expect(200);
    }
}

#[tokio::test]
async fn names_are_compared_bytewise_and_trimmed_of_blanks_only() {
    for (_stage, mut client) in each_wire().await {
        let token = client.jar.get("__Host-session").unwrap().to_owned();
        for other in ["__host-session", "__HOST-session", "session", "__Host-session-", "__Secure-session"] {
            let call = Call::get("/session").header("cookie", format!("{other}={token}"));
            client.send(call).await.refused(401, "not-authenticated");
        }
        for blanks in [" ", "\t", " \t "] {
            let line = format!("a=b;{blanks}__Host-session{blanks}={blanks}{token}{blanks}; c=d");
            client.send(Call::get("/session").header("cookie", line)).await.expect(200);
        }
        let not_a_blank = format!("a=b; \u{a0}__Host-session={token}");
        let answer = client.send(Call::get("/session").header("cookie", not_a_blank)).await;
        answer.refused(401, "not-authenticated");
    }
}

#[tokio::test]
async fn strange_cookies_of_others_do_no_harm() {
    for (_stage, mut client) in each_wire().await {
        let ours = client.jar.line().unwrap();
        for strange in ["", ";", "=", "novalue", "a=b=c", "a=\"b; c\"", "a=1; a=2", "\u{e4}=\u{f6}", "a=%ff"]
        {
            let call = Call::get("/session").header("cookie", format!("{strange}; {ours}"));
            client.send(call).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_bearer_token_is_used_alone() {
    for_each_setup(&[], |stage| async move {
        if stage.transport != Transport::Cookies {
            return;
        }
        let mut alice = stage.logged_in("alice").await;
        let bob = stage.logged_in("bob").await;
        let with = |credential: String| Call::get("/session").header("authorization", credential);
        assert_eq!(alice.send(with(format!("Bearer {}", bob.access()))).await.expect(200)["subject"], "bob");
        alice.send(with("Bearer rubbish".into())).await.refused(401, "token-invalid");
        assert_eq!(alice.send(with("Basic eDp5".into())).await.expect(200)["subject"], "alice");
    })
    .await;
}

#[tokio::test]
async fn other_schemes_are_ignored_and_the_scheme_has_no_case() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let token = client.access();
        for scheme in ["Bearer", "bearer", "BEARER"] {
            let call = Call::get("/session").anonymous().header("authorization", format!("{scheme} {token}"));
            client.send(call).await.expect(200);
        }
        for scheme in ["Basic", "Digest", "Negotiate", "Token", "Bearer2"] {
            let call = Call::get("/session").anonymous().header("authorization", format!("{scheme} {token}"));
            client.send(call).await.refused(401, "not-authenticated");
        }
    })
    .await;
}

#[tokio::test]
async fn a_token_in_the_query_or_a_form_is_no_credential() {
    let stage = Stage::simple(&[]).await;
    let client = stage.logged_in("alice").await;
    let token = client.access();
    let answer = stage.client().get(&format!("/session?access_token={token}")).await;
    answer.refused(401, "not-authenticated");
}

#[tokio::test]
async fn two_session_state_headers_are_a_bad_request() {
    let stage = Stage::new(Wire::Http1, Transport::Body, &[]).await;
    let mut client = stage.logged_in("alice").await;
    client.add("tea").await.expect(200);
    let (_, state) = client.state().unwrap();
    let call = Call::get("/api/cart").header("session-state", &state).header("session-state", &state);
    client.send(call).await.refused(400, "bad-request");
}

#[tokio::test]
async fn headers_over_32_kb_are_refused() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        for size in [33_000, 60_000] {
            let call = Call::get("/session").header("x-large", "x".repeat(size));
            let Ok(answer) = client.try_send(call).await else { continue };
            assert_eq!(answer.status, 431, "{}", answer.text());
            if !answer.body.is_empty() {
                answer.refused(431, "headers-too-large");
            }
        }
        let many =
            (0..40).fold(Call::get("/session"), |call, n| call.header(&format!("x-{n}"), "x".repeat(1000)));
        if let Ok(answer) = client.try_send(many).await {
            assert_eq!(answer.status, 431, "{}", answer.text());
        }
        client.send(Call::get("/session").header("x-fits", "x".repeat(8_000))).await.expect(200);
        assert_eq!(client.logout().await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn on_http_1_the_refusal_of_large_headers_is_a_problem_document() {
    let stage = Stage::simple(&[]).await;
    let mut client = stage.logged_in("alice").await;
    let call = Call::get("/session").header("x-large", "x".repeat(40_000));
    client.send(call).await.refused(431, "headers-too-large");
}
