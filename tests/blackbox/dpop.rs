//! Sessions that are bound to a key of their client (RFC 9449), over real sockets.

use std::future::Future;

use countersign_tests::{Call, Claimed, Client, Prover, Stage, Transport, Wire, claims};
use serde_json::json;

/// Runs a scenario on both protocols with both transports whose tokens a client holds.
async fn on_each<F, R>(flags: &[&str], scenario: F)
where
    F: Fn(Stage) -> R,
    R: Future<Output = ()>,
{
    for (wire, transport) in [(Wire::Http1, Transport::Bearer), (Wire::Http2, Transport::Body)] {
        scenario(Stage::new(wire, transport, flags).await).await;
    }
}

/// A client that has logged in with a proof.
async fn bound(stage: &Stage, user: &str) -> (Client, Prover) {
    let (mut client, mut prover) = (stage.client(), Prover::new());
    let tokens = prover.login(&mut client, user).await.expect(200);
    assert_eq!(tokens["token_type"], "DPoP");
    (client, prover)
}

/// Sends a GET with this proof, and the access token under this scheme.
async fn show(client: &Client, path: &str, scheme: &str, proof: Option<String>) -> countersign_tests::Answer {
    let call = Call::get(path).header("authorization", format!("{scheme} {}", client.access()));
    let call = match proof {
        Some(proof) => call.header("dpop", proof),
        None => call,
    };
    client.clone().send(call).await
}

#[tokio::test]
async fn a_session_is_bound_from_login_to_logout() {
    on_each(&["--race-window", "1s"], async |stage| {
        let (mut client, mut prover) = bound(&stage, "alice").await;
        let jkt = json!({ "jkt": prover.thumbprint() });
        assert_eq!((&claims(&client.access())["cnf"], &claims(&client.refresh_token())["cnf"]), (&jkt, &jkt));
        for path in ["/session", "/api/me", "/session/list", "/api/cart?exclusive=0"] {
            prover.send(&mut client, Call::get(path)).await.expect(200);
        }
        let added = Call::post("/api/cart").json(&json!({ "item": "tea" }));
        assert_eq!(prover.send(&mut client, added).await.expect(200)["cart"], json!(["tea"]));
        let held = client.refresh_token();
        while client.refresh_token() == held {
            let call = client.refresh_call();
            assert_eq!(prover.send(&mut client, call).await.expect(200)["token_type"], "DPoP");
        }
        assert_eq!((&claims(&client.access())["cnf"], &claims(&client.refresh_token())["cnf"]), (&jkt, &jkt));
        assert_eq!(prover.send(&mut client, Call::get("/api/me")).await.expect(200)["cart"], json!(["tea"]));
        assert_eq!(client.clone().logout().await.status, 204, "a logout needs no proof");
        prover.send(&mut client, Call::get("/session")).await.ended("logout");
    })
    .await;
}

#[tokio::test]
async fn a_stolen_access_token_is_no_good() {
    on_each(&[], async |stage| {
        let (client, prover) = bound(&stage, "alice").await;
        let mut thief = Prover::new();
        thief.nonce.clone_from(&prover.nonce);
        for path in ["/session", "/api/me"] {
            let proof =
                |prover: &Prover| prover.sign(&prover.claim(&client, "GET", path, Some(&client.access())));
            for (scheme, shown) in [("Bearer", None), ("DPoP", None), ("bearer", Some(proof(&prover)))] {
                let answer = show(&client, path, scheme, shown).await;
                answer.refused(401, "dpop-required");
                assert!(answer.challenge().starts_with("DPoP error="), "{}", answer.challenge());
                assert!(answer.challenge().contains(r#"algs="ES256 EdDSA""#), "{}", answer.challenge());
                assert!(answer.header("dpop-nonce").is_some());
            }
            show(&client, path, "DPoP", Some(proof(&thief))).await.refused(401, "dpop-invalid");
            let seen = proof(&prover);
            show(&client, path, "DPoP", Some(seen.clone())).await.expect(200);
            show(&client, path, "DPoP", Some(seen)).await.refused(401, "dpop-invalid");
            show(&client, path, "Bearer", None).await.refused(401, "dpop-required");
        }
    })
    .await;
}

#[tokio::test]
async fn a_stolen_refresh_token_is_no_good() {
    on_each(&[], async |stage| {
        let (mut client, mut prover) = bound(&stage, "alice").await;
        let stolen = client.clone();
        let refused = stolen.clone().refresh().await;
        refused.refused(401, "dpop-required");
        let mut thief = Prover::new();
        thief.learn(&refused);
        thief.send(&mut stolen.clone(), stolen.refresh_call()).await.refused(401, "dpop-invalid");
        let seen = prover.prove(&client, client.refresh_call());
        client.clone().send(seen.clone()).await.expect(200);
        client.clone().send(seen).await.refused(401, "dpop-invalid");
        let call = client.refresh_call();
        prover.send(&mut client, call).await.expect(200);
        prover.send(&mut client, Call::get("/session")).await.expect(200);
    })
    .await;
}

/// How a proof is made wrong, and what it is refused with.
type Change<'a> = (&'static str, &'a dyn Fn(&mut Claimed));

#[tokio::test]
async fn a_proof_for_something_else_is_none() {
    on_each(&[], async |stage| {
        let (client, prover) = bound(&stage, "alice").await;
        let token = client.access();
        let origin = client.origin.clone();
        let changes: [Change<'_>; 12] = [
            ("dpop-invalid", &|proof| proof.header["typ"] = "JWT".into()),
            ("dpop-invalid", &|proof| proof.header["alg"] = "none".into()),
            ("dpop-invalid", &|proof| proof.header["jwk"]["d"] = "AAAA".into()),
            ("dpop-invalid", &|proof| proof.claims["jti"] = "x".repeat(129).into()),
            ("dpop-invalid", &|proof| proof.claims["htm"] = "POST".into()),
            ("dpop-invalid", &|proof| proof.claims["htu"] = format!("{origin}/session/list").into()),
            ("dpop-invalid", &|proof| proof.claims["htu"] = "https://attacker.example/session".into()),
            ("dpop-invalid", &|proof| {
                proof.claims["iat"] = json!(proof.claims["iat"].as_u64().unwrap() - 65);
            }),
            ("dpop-invalid", &|proof| {
                proof.claims["iat"] = json!(proof.claims["iat"].as_u64().unwrap() + 600);
            }),
            ("dpop-invalid", &|proof| proof.claims["ath"] = "AAAA".into()),
            ("use-dpop-nonce", &|proof| proof.claims["nonce"] = "of my own".into()),
            ("use-dpop-nonce", &|proof| {
                proof.claims.as_object_mut().unwrap().remove("nonce");
            }),
        ];
        for (code, change) in changes {
            let mut proof = prover.claim(&client, "GET", "/session", Some(&token));
            change(&mut proof);
            let answer = show(&client, "/session", "DPoP", Some(prover.sign(&proof))).await;
            answer.refused(401, code);
            assert_eq!(answer.header("dpop-nonce").is_some(), code == "use-dpop-nonce", "{}", proof.claims);
        }
        let honest = || prover.sign(&prover.claim(&client, "GET", "/session", Some(&token)));
        let two = Call::get("/session").header("authorization", format!("DPoP {token}"));
        let two = two.header("dpop", honest()).header("dpop", honest());
        client.clone().send(two).await.refused(401, "dpop-invalid");
        show(&client, "/session", "DPoP", Some(honest())).await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn where_proofs_are_required_nothing_goes_without() {
    on_each(&["--dpop", "required"], async |stage| {
        let mut client = stage.client();
        let first = client.get("/session").await;
        first.refused(401, "not-authenticated");
        assert_eq!(first.challenge(), r#"DPoP algs="ES256 EdDSA""#);
        let mut prover = Prover::new();
        prover.learn(&first);
        let wrong = json!({ "user": "alice", "password": "canary-dpop" });
        let refused = client.post_json("/login", wrong).await;
        refused.refused(401, "login-failed");
        assert!(refused.challenge().starts_with("DPoP "));
        let refused = client.try_login("alice").await;
        refused.refused(401, "dpop-required");
        assert_eq!(refused.header("dpop-nonce"), prover.nonce.as_deref());
        prover.login(&mut client, "alice").await.expect(200);
        prover.send(&mut client, Call::get("/api/me")).await.expect(200);
        let expect = client.post("/session/handoff/nowhere").await;
        assert_eq!(expect.header("session-race-window"), Some("60"));
    })
    .await;
}

#[tokio::test]
async fn a_restart_forgets_neither_nonces_nor_used_proofs() {
    let mut stage = Stage::new(Wire::Http1, Transport::Body, &[]).await;
    let (mut client, prover) = bound(&stage, "alice").await;
    let origin = client.origin.clone();
    stage.server.terminate().await;
    stage.server.restart(&["--origin", &origin]).await;
    client.address = stage.server.address();
    let seen = prover.prove(&client, client.refresh_call());
    client.clone().send(seen.clone()).await.expect(200);
    stage.server.kill9();
    stage.server.restart(&[]).await;
    client.address = stage.server.address();
    client.clone().send(seen).await.refused(401, "dpop-invalid");
    let call = client.refresh_call();
    client.send(prover.prove(&client, call)).await.expect(200);
}

#[tokio::test]
async fn a_repeated_login_brings_a_proof_of_its_own() {
    on_each(&["--user-limit", "1"], async |stage| {
        let (mut client, mut prover) = (stage.client(), Prover::new());
        let call = || Call::post("/login").json(&json!({ "user": "alice", "password": "correct horse" }));
        let call = || call().header("idempotency-key", "login-1");
        let first = prover.send(&mut client, call()).await.expect(200);
        let again = prover.send(&mut stage.client(), call()).await.expect(200);
        assert_eq!(first["session"]["id"], again["session"]["id"]);
    })
    .await;
}

#[tokio::test]
async fn with_cookies_a_proof_means_nothing() {
    let stage = Stage::simple(&[]).await;
    let mut client = stage.client();
    let call = Call::post("/login").json(&json!({ "user": "alice", "password": "correct horse" }));
    assert_eq!(client.send(call.header("dpop", "rubbish")).await.expect(200)["token_type"], "Bearer");
    client.send(Call::get("/session").header("dpop", "rubbish")).await.expect(200);
}
