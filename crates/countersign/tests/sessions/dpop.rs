//! Sessions that are bound to a key of their client (RFC 9449): what its holder can do, and a thief cannot.

use std::time::Duration;

use bytes::Bytes;
use countersign::testing::{Answer, Browser, Full, Harness};
use countersign::{Algorithm, Dpop, KeyRing, Limits, OnFull, Require, Timestamp, Transport};
use http::{Method, Request, Response};
use serde_json::{Value, json};

use crate::prover::{Prover, claims, with_token};
use crate::shop::*;
use crate::site::{Node, Shared};

fn site(transport: Transport, dpop: Dpop) -> Harness {
    Harness::with(|b| b.transport(transport).dpop(dpop))
}

fn keys() -> KeyRing {
    KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000))
}

async fn bound(t: &Harness) -> (Tab, Prover) {
    let (mut tab, mut prover) = (t.browser(shop()), Prover::es256(t.clock()));
    assert_eq!(prover.log_in(&mut tab, "alice").await.status, 200);
    (tab, prover)
}

fn header<'a>(answer: &'a Answer, name: &str) -> Option<&'a str> {
    answer.headers.get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn a_login_with_a_proof_is_bound_to_its_key() {
    for transport in [Transport::Bearer, Transport::Body] {
        for ed25519 in [false, true] {
            let t = site(transport, Dpop::Offered);
            let mut tab = t.browser(shop());
            let mut prover = if ed25519 { Prover::ed25519(t.clock()) } else { Prover::es256(t.clock()) };
            let told = prover.exchange(&mut tab, "/login/alice", None).await;
            check(&told, 401, "use-dpop-nonce");
            assert_eq!(header(&told, "dpop-nonce").map(str::len), Some(43));
            let tokens: Value = prover.log_in(&mut tab, "alice").await.json();
            assert_eq!(tokens["token_type"], "DPoP");
            assert_eq!(claims(&prover.access)["cnf"], json!({ "jkt": prover.thumbprint() }));
            for path in ["/session", "/cart"] {
                assert_eq!(prover.get(&mut tab, path).await.status, 200, "{path}");
            }
            t.pass(6 * MINUTE).await;
            check(&prover.get(&mut tab, "/session").await, 401, "token-expired");
            let renewed = prover.refresh(&mut tab).await;
            assert_eq!(renewed.json::<Value>()["token_type"], "DPoP");
            assert_eq!(claims(&prover.access)["cnf"], json!({ "jkt": prover.thumbprint() }));
            assert_eq!(prover.get(&mut tab, "/session").await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_stolen_access_token_is_good_for_nobody_else() {
    let t = site(Transport::Bearer, Dpop::Offered);
    let (mut tab, mut prover) = bound(&t).await;
    let token = prover.access.clone();
    for path in ["/session", "/cart"] {
        for (scheme, proof) in [("Bearer", None), ("DPoP", None), ("Bearer", Some(()))] {
            let proof = proof.map(|()| prover.prove("GET", path, Some(&token)));
            let answer = with_token(&tab, scheme, &token, proof.as_deref()).get(path).await;
            check(&answer, 401, "dpop-required");
            assert!(header(&answer, "dpop-nonce").is_some(), "{path}");
            let challenge = header(&answer, "www-authenticate");
            assert_eq!(challenge, Some(r#"DPoP error="invalid_token", algs="ES256 EdDSA""#), "{path}");
        }
        let mut thief = Prover::es256(t.clock());
        (thief.access, thief.nonce) = (token.clone(), prover.nonce.clone());
        let answer = thief.get(&mut tab, path).await;
        check(&answer, 401, "dpop-invalid");
        let challenge = header(&answer, "www-authenticate");
        assert_eq!(challenge, Some(r#"DPoP error="invalid_dpop_proof", algs="ES256 EdDSA""#));
        // The token is in the cache by now: its holder is let in, and nobody after them.
        assert_eq!(prover.get(&mut tab, path).await.status, 200);
        check(&with_token(&tab, "Bearer", &token, None).get(path).await, 401, "dpop-required");
        check(&thief.get(&mut tab, path).await, 401, "dpop-invalid");
    }
    assert_eq!(with_token(&tab, "Bearer", &token, None).get("/public").await.status, 200);
}

#[tokio::test]
async fn a_proof_is_for_one_request() {
    let t = site(Transport::Bearer, Dpop::Offered);
    let (tab, prover) = bound(&t).await;
    let token = &prover.access;
    let send = async |method: &str, path: &str, proof: &str| {
        let method = method.parse::<Method>().unwrap();
        with_token(&tab, "DPoP", token, Some(proof)).send_only(method, path, None).await
    };
    let proof = prover.prove("GET", "/session", Some(token));
    assert_eq!(send("GET", "/session", &proof).await.status, 200);
    check(&send("GET", "/session", &proof).await, 401, "dpop-invalid");
    for (method, path) in [("POST", "/session"), ("GET", "/session/"), ("GET", "/cart"), ("get", "/session")]
    {
        let proof = prover.prove(method, path, Some(token));
        check(&send("GET", "/session", &proof).await, 401, "dpop-invalid");
    }
    for other in [None, Some("another token")] {
        let proof = prover.prove("GET", "/session", other);
        check(&send("GET", "/session", &proof).await, 401, "dpop-invalid");
    }
    let with_query = prover.prove("GET", "/session", Some(token));
    assert_eq!(send("GET", "/session?a=b", &with_query).await.status, 200);
    let twice = with_token(&tab, "DPoP", token, Some(&prover.prove("GET", "/session", Some(token))));
    let two = format!("{}, x", prover.prove("GET", "/session", Some(token)));
    check(&twice.clone().with_header("dpop", &two).get("/session").await, 401, "dpop-invalid");
    check(&twice.with_header("dpop", "").get("/session").await, 401, "dpop-invalid");
}

#[tokio::test]
async fn a_refresh_token_is_good_with_its_key_alone() {
    for transport in [Transport::Bearer, Transport::Body] {
        let t = site(transport, Dpop::Offered);
        let (mut tab, mut prover) = bound(&t).await;
        t.pass(2 * MINUTE).await;
        let form = json!({ "refresh_token": prover.refresh });
        check(&tab.post_json("/session/refresh", &form).await, 401, "dpop-required");
        let mut thief = Prover::es256(t.clock());
        (thief.nonce, thief.refresh) = (prover.nonce.clone(), prover.refresh.clone());
        check(&thief.refresh(&mut tab.clone()).await, 401, "dpop-invalid");
        let proof = prover.prove("POST", "/session/refresh", None);
        let captured = tab.clone().with_header("dpop", &proof);
        assert_eq!(captured.clone().post_json("/session/refresh", &form).await.status, 200);
        check(&captured.clone().post_json("/session/refresh", &form).await, 401, "dpop-invalid");
        // None of it has used the token up, or ended the session.
        assert_eq!(prover.refresh(&mut tab).await.status, 200, "a retry has a proof of its own");
        assert_eq!(prover.get(&mut tab, "/session").await.status, 200);
        assert_eq!(
            with_token(&tab, "Bearer", &prover.access, None).post("/session/logout").await.status,
            204
        );
        check(&prover.get(&mut tab, "/session").await, 401, "session-ended");
    }
}

#[tokio::test]
async fn a_nonce_grows_old() {
    const SECOND: Duration = Duration::from_secs(1);
    for path in ["/session", "/cart", "/session/refresh"] {
        let t = site(Transport::Bearer, Dpop::Offered);
        let (mut tab, mut prover) = bound(&t).await;
        let old = prover.nonce.clone();
        let ask = async |prover: &mut Prover, tab: &mut Tab| match path {
            "/session/refresh" => prover.refresh(tab).await,
            _ => prover.get(tab, path).await,
        };
        assert_eq!(header(&ask(&mut prover, &mut tab).await, "dpop-nonce"), None, "{path}");
        t.pass(290 * SECOND).await;
        assert_eq!(header(&prover.refresh(&mut tab).await, "dpop-nonce"), None, "{path}");
        t.pass(20 * SECOND).await;
        let told = ask(&mut prover, &mut tab).await;
        assert_eq!(told.status, 200, "{path}");
        assert!(header(&told, "dpop-nonce").is_some() && prover.nonce != old, "{path}");
        assert_eq!(header(&told, "cache-control"), Some("no-store"), "{path}");
        t.pass(270 * SECOND).await;
        prover.nonce.clone_from(&old);
        assert_eq!(prover.refresh(&mut tab).await.status, 200, "{path}");
        t.pass(30 * SECOND).await;
        prover.nonce = old;
        check(&ask(&mut prover, &mut tab).await, 401, "use-dpop-nonce");
        assert_eq!(ask(&mut prover, &mut tab).await.status, 200, "{path}");
    }
}

#[tokio::test]
async fn where_proofs_are_required_no_session_begins_without_one() {
    for transport in [Transport::Bearer, Transport::Body] {
        let t = site(transport, Dpop::Required);
        let mut tab = t.browser(shop());
        let first = tab.get("/session").await;
        check(&first, 401, "not-authenticated");
        assert_eq!(header(&first, "www-authenticate"), Some(r#"DPoP algs="ES256 EdDSA""#));
        let mut prover = Prover::es256(t.clock());
        prover.receive(&first);
        let refused = tab.post("/login/alice").await;
        check(&refused, 401, "dpop-required");
        assert_eq!(header(&refused, "dpop-nonce"), Some(&*prover.nonce));
        assert_eq!(prover.exchange(&mut tab, "/login/alice", None).await.status, 200, "one round trip");
        let bad = with_token(&tab, "DPoP", "rubbish", None).get("/session").await;
        check(&bad, 401, "token-invalid");
        assert!(header(&bad, "dpop-nonce").is_some());
        assert!(header(&bad, "www-authenticate").unwrap().starts_with("DPoP "));
    }
}

#[tokio::test]
async fn a_session_from_before_is_bound_when_proofs_become_required() {
    let (registry, keys) = (Shared::new(), keys());
    let lenient = Node::new(&registry, &keys, |b| b.transport(Transport::Body));
    let strict = Node::new(&registry, &keys, |b| b.transport(Transport::Body).dpop(Dpop::Required));
    let tokens: Value = lenient.browser().post("/login/alice").await.json();
    assert_eq!(tokens["token_type"], "Bearer");
    registry.clock.advance(2 * MINUTE);
    strict.clock.advance(2 * MINUTE);
    let mut tab = strict.browser();
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        with_token(&tab, "Bearer", access, None).get("/session").await.status,
        200,
        "until it expires"
    );
    let mut prover = Prover::es256(&strict.clock);
    prover.refresh = Some(tokens["refresh_token"].as_str().unwrap().to_owned());
    let form = json!({ "refresh_token": prover.refresh });
    let refused = tab.post_json("/session/refresh", &form).await;
    check(&refused, 401, "dpop-required");
    prover.receive(&refused);
    assert_eq!(prover.refresh(&mut tab).await.json::<Value>()["token_type"], "DPoP");
    assert_eq!(prover.get(&mut tab, "/session").await.status, 200);
}

#[tokio::test]
async fn a_token_that_is_not_bound_is_no_better_for_a_proof() {
    let t = site(Transport::Bearer, Dpop::Offered);
    let mut tab = t.browser(shop());
    let tokens: Value = tab.post("/login/alice").await.json();
    let token = tokens["access_token"].as_str().unwrap();
    let mut prover = Prover::es256(t.clock());
    prover.log_in(&mut t.browser(shop()), "bob").await;
    token.clone_into(&mut prover.access);
    let answer = prover.get(&mut tab, "/session").await;
    check(&answer, 401, "token-invalid");
    let challenge = header(&answer, "www-authenticate");
    assert_eq!(challenge, Some(r#"DPoP error="invalid_token", algs="ES256 EdDSA""#));
    assert_eq!(with_token(&tab, "Bearer", token, Some("rubbish")).get("/session").await.status, 200);
    let refreshed = tab.clone().with_header("dpop", "rubbish").post("/session/refresh").await;
    assert_eq!(refreshed.json::<Value>()["token_type"], "Bearer");
    check(&tab.with_header("dpop", "rubbish").post("/login/alice").await, 401, "dpop-invalid");
}

#[tokio::test]
async fn with_cookies_proofs_mean_nothing() {
    let t = Harness::new();
    let mut tab = t.browser(shop()).with_header("dpop", "rubbish");
    let answer = tab.post("/login/alice").await;
    assert_eq!(answer.json::<Value>()["token_type"], "Bearer");
    assert_eq!(tab.get("/session").await.status, 200);
    tab.cookies_mut().clear();
    let refused = tab.get("/session").await;
    check(&refused, 401, "not-authenticated");
    assert_eq!(header(&refused, "www-authenticate"), Some("Bearer"));
}

#[tokio::test]
async fn a_bound_session_does_not_become_one_of_cookies() {
    let (registry, keys) = (Shared::new(), keys());
    let before = Node::new(&registry, &keys, |b| b.transport(Transport::Bearer));
    let after = Node::new(&registry, &keys, |b| b);
    let (mut tab, mut prover) = (before.browser(), Prover::es256(&before.clock));
    assert_eq!(prover.log_in(&mut tab, "alice").await.status, 200);
    let mut tab = after.take(&tab);
    check(&prover.refresh(&mut tab).await, 401, "token-invalid");
    tab.cookies_mut().insert("__Host-session".into(), prover.access);
    check(&tab.get("/session").await, 401, "token-invalid");
}

#[tokio::test]
async fn a_proof_that_was_used_up_is_so_on_every_node() {
    let (registry, keys) = (Shared::new(), keys());
    let node = || Node::new(&registry, &keys, |b| b.transport(Transport::Body));
    let (here, there) = (node(), node());
    let (mut tab, mut prover) = (here.browser(), Prover::es256(&here.clock));
    assert_eq!(prover.log_in(&mut tab, "alice").await.status, 200);
    let form = json!({ "refresh_token": prover.refresh });
    for (path, form) in [("/session/refresh", form), ("/login/alice", json!({}))] {
        let proof = prover.prove("POST", path, None);
        let send =
            async |node: &Node| node.browser().with_header("dpop", &proof).post_json(path, &form).await;
        assert_eq!(send(&here).await.status, 200, "{path}");
        check(&send(&there).await, 401, "dpop-invalid");
    }
    assert_eq!(prover.get(&mut there.browser(), "/session").await.status, 200, "its nonce is known there");
}

#[tokio::test]
async fn whoever_chooses_what_to_end_holds_the_key_that_was_refused() {
    let ask = |dpop| {
        Harness::with(|b| {
            b.transport(Transport::Bearer).dpop(dpop).limits(Limits::none().per_user(1, OnFull::Ask))
        })
    };
    let t = ask(Dpop::Offered);
    bound(&t).await;
    let (mut tab, mut prover) = (t.browser(shop()), Prover::ed25519(t.clock()));
    let full = prover.log_in(&mut tab, "alice").await;
    check(&full, 429, "sessions-limit");
    let full: Value = full.json();
    let form = json!({ "choice": full["choice"], "end": full["sessions"][0]["id"] });
    check(&tab.post_json("/session/admit", &form).await, 401, "dpop-required");
    let mut thief = Prover::es256(t.clock());
    thief.nonce.clone_from(&prover.nonce);
    check(&thief.exchange(&mut tab, "/session/admit", Some(&form)).await, 401, "dpop-invalid");
    let admitted = prover.exchange(&mut tab, "/session/admit", Some(&form)).await;
    assert_eq!(admitted.json::<Value>()["token_type"], "DPoP");
    assert_eq!(prover.get(&mut tab, "/session").await.status, 200);
    check(&prover.exchange(&mut tab, "/session/admit", Some(&form)).await, 401, "token-invalid");
}

#[tokio::test]
async fn a_login_again_has_a_key_of_its_own() {
    let t = site(Transport::Bearer, Dpop::Offered);
    let (mut tab, mut prover) = bound(&t).await;
    let again = prover.send(&mut tab, Method::POST, "/again").await;
    assert_eq!(again.json::<Value>()["token_type"], "DPoP");
    assert_eq!(claims(&prover.access)["cnf"], json!({ "jkt": prover.thumbprint() }));
    assert_eq!(prover.get(&mut tab, "/session").await.status, 200);
}

#[tokio::test]
async fn a_login_again_may_use_the_proof_up_first() {
    let t = site(Transport::Bearer, Dpop::Offered);
    let (mut tab, mut prover) = bound(&t).await;
    let again = prover.send(&mut tab, Method::POST, "/again/once").await;
    assert_eq!(again.json::<Value>()["token_type"], "DPoP", "{}", again.code());
}

#[tokio::test]
async fn a_registry_out_of_reach_lets_no_proof_pass() {
    let t = site(Transport::Body, Dpop::Offered);
    let (mut tab, mut prover) = bound(&t).await;
    t.registry().fail_next(1);
    check(&prover.log_in(&mut tab, "bob").await, 503, "registry-unavailable");
    assert_eq!(prover.log_in(&mut tab, "bob").await.status, 200);
    t.registry().lose_next_answer();
    check(&prover.refresh(&mut tab).await, 503, "registry-unavailable");
    assert_eq!(prover.refresh(&mut tab).await.status, 200, "the retry brings a fresh proof");
}

#[tokio::test]
async fn a_grpc_client_is_told_the_nonce_too() {
    let t = site(Transport::Body, Dpop::Required);
    let (mut tab, prover) = bound(&t).await;
    tab = with_token(&tab, "DPoP", &prover.access, None).with_header("content-type", "application/grpc");
    for path in ["/session", "/cart"] {
        let answer = tab.get(path).await;
        assert_eq!(header(&answer, "grpc-status"), Some("16"));
        assert!(header(&answer, "grpc-message").unwrap().starts_with("dpop-required"));
        assert!(header(&answer, "dpop-nonce").is_some() && header(&answer, "www-authenticate").is_none());
    }
}

#[tokio::test]
async fn a_route_may_use_proofs_up_on_all_nodes() {
    let (registry, keys) = (Shared::new(), keys());
    let node = || Node::new(&registry, &keys, |b| b.transport(Transport::Bearer));
    let (here, there) = (node(), node());
    let (mut tab, mut prover) = (here.browser(), Prover::es256(&here.clock));
    assert_eq!(prover.log_in(&mut tab, "alice").await.status, 200);
    let layered = |node: &Node| {
        let within = tower::Layer::layer(&Require::session().single_use_proof(), shop());
        Harness::new().browser_of(tower::Layer::layer(&node.sessions.layer(), within))
    };
    let token = &prover.access;
    for path in ["/once", "/cart"] {
        let proof = prover.prove("GET", path, Some(token));
        let authorization = format!("DPoP {token}");
        let headers = [("authorization", &*authorization), ("dpop", &*proof)];
        let codes = match path {
            "/once" => {
                [send(here.browser(), path, &headers).await, send(there.browser(), path, &headers).await]
            }
            _ => [send(layered(&here), path, &headers).await, send(layered(&there), path, &headers).await],
        };
        assert_eq!(codes, ["", "dpop-invalid"], "{path}");
    }
    let tokens: Value = there.browser().post("/login/bob").await.json();
    let authorization = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let unbound = [("authorization", &*authorization)];
    assert_eq!(send(there.browser(), "/once", &unbound).await, "dpop-required");
    assert_eq!(send(layered(&there), "/cart", &unbound).await, "dpop-required");
    assert_eq!(send(layered(&there), "/cart", &[]).await, "not-authenticated");
}

/// The code of the refusal, empty for a success.
async fn send<S, R>(browser: Browser<S>, path: &str, headers: &[(&'static str, &str)]) -> String
where
    S: tower::Service<Request<Full<Bytes>>, Response = Response<R>>,
    S::Error: std::fmt::Debug,
    R: http_body::Body<Error: std::fmt::Debug>,
{
    let with = |browser: Browser<S>, (name, value): &(&'static str, &str)| browser.with_header(name, value);
    let answer = headers.iter().fold(browser, with).get(path).await;
    assert_eq!(answer.code().is_empty(), answer.status == 200);
    answer.code()
}
