//! The public keys, the three algorithms, and keys that come and go while people are logged in.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_tests::{Jws, Launch, Server, Stage, Transport, Wire, cli, header};
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

const ORIGIN: &[&str] = &["--origin", "http://localhost:1"];

async fn jwks(server: &Server, wire: Wire) -> Vec<Value> {
    let answer = server.client(wire, Transport::Cookies).get("/.well-known/jwks.json").await;
    let set = answer.expect(200);
    let cache = answer.header("cache-control").unwrap();
    let age: u64 = cache.split("max-age=").nth(1).unwrap().split(',').next().unwrap().trim().parse().unwrap();
    assert!(age > 0 && !cache.contains("no-store"), "{cache}");
    set["keys"].as_array().unwrap().clone()
}

fn member(jwk: &Value, name: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap_or_else(|| panic!("{name}: {jwk}"))).unwrap()
}

/// Verifies with nothing but the JWK, as another service would.
fn verifies(jwk: &Value, token: &str) -> bool {
    let jws = Jws::parse(token);
    let (signed, signature) = (jws.signed(), &jws.signature);
    match jwk["kty"].as_str().unwrap() {
        "OKP" => {
            UnparsedPublicKey::new(&ED25519, member(jwk, "x")).verify(signed.as_bytes(), signature).is_ok()
        }
        "EC" => {
            let point = [vec![4], member(jwk, "x"), member(jwk, "y")].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(signed.as_bytes(), signature).is_ok()
        }
        other => panic!("{other}"),
    }
}

/// RFC 7638: the required members, sorted, without blanks.
fn thumbprint(jwk: &Value) -> String {
    let required = match jwk["kty"].as_str().unwrap() {
        "OKP" => json!({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"]}),
        _ => json!({"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"]}),
    };
    URL_SAFE_NO_PAD.encode(digest(&SHA256, required.to_string().as_bytes()))
}

#[tokio::test]
async fn any_service_can_verify_from_the_public_keys() {
    for (alg, kty, crv) in [("EdDSA", "OKP", "Ed25519"), ("ES256", "EC", "P-256")] {
        for wire in [Wire::Http1, Wire::Http2] {
            let stage = Stage::new(wire, Transport::Bearer, &["--alg", alg]).await;
            let client = stage.logged_in("alice").await;
            let keys = jwks(&stage.server, wire).await;
            let head = header(&client.access());
            assert_eq!(head["alg"], alg);
            let jwk =
                keys.iter().find(|jwk| jwk["kid"] == head["kid"]).expect("the signing key is published");
            assert_eq!((&jwk["kty"], &jwk["crv"]), (&json!(kty), &json!(crv)));
            assert_eq!(jwk["kid"], thumbprint(jwk));
            assert!(jwk["use"] == "sig" || jwk["use"].is_null(), "{jwk}");
            for private in ["d", "k", "p", "q"] {
                assert!(keys.iter().all(|jwk| jwk[private].is_null()), "a private key is published");
            }
            assert!(verifies(jwk, &client.access()));
        }
    }
}

#[tokio::test]
async fn symmetric_keys_are_not_published() {
    let stage = Stage::new(Wire::Http1, Transport::Bearer, &["--alg", "HS256"]).await;
    let mut client = stage.logged_in("alice").await;
    assert_eq!(header(&client.access())["alg"], "HS256");
    assert_eq!(jwks(&stage.server, Wire::Http1).await, Vec::<Value>::new());
    client.get("/session").await.expect(200);
    client.add("tea").await.expect(200);
    client.refresh().await.expect(200);
    client.logout().await;
}

/// Runs the command line on a server's key ring.
fn keys(launch: &Launch, words: &[&str]) -> String {
    let ran =
        Command::new(cli()).args(["keys"]).args(words).arg("--keys").arg(launch.keys()).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned() + &String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "countersign keys {words:?}: {said}");
    said
}

#[tokio::test]
async fn a_rotated_key_logs_nobody_out() {
    let mut stage = Stage::new(Wire::Http1, Transport::Bearer, ORIGIN).await;
    let mut client = stage.logged_in("alice").await;
    client.add("tea").await.expect(200);
    let old = header(&client.access())["kid"].clone();
    keys(stage.server.launch(), &["rotate", "--now"]);
    stage.server.terminate().await;
    stage.server.restart(&[]).await;
    client.address = stage.server.address();
    client.get("/session").await.expect(200);
    assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!(["tea"]));
    client.refresh().await.expect(200);
    assert_ne!(header(&client.access())["kid"], old, "the new key signs");
    client.get("/session").await.expect(200);
    let published = jwks(&stage.server, Wire::Http1).await;
    assert!(published.iter().any(|jwk| jwk["kid"] == old), "the old one still verifies");
}

#[tokio::test]
async fn a_removed_key_ends_the_sessions_that_it_signed() {
    let mut stage = Stage::new(Wire::Http1, Transport::Bearer, ORIGIN).await;
    let client = stage.logged_in("alice").await;
    let old = header(&client.access())["kid"].as_str().unwrap().to_owned();
    keys(stage.server.launch(), &["rotate", "--now"]);
    keys(stage.server.launch(), &["remove", &old, "--yes"]);
    stage.server.terminate().await;
    stage.server.restart(&[]).await;
    let mut client = countersign_tests::Client { address: stage.server.address(), ..client };
    client.get("/session").await.ended("key-removed");
    client.refresh().await.ended("key-removed");
    // By its name alone: no signature is needed to be told so.
    let forged = Jws { signature: vec![0; 64], ..Jws::parse(&client.access()) };
    client.plant_access(&forged.encode());
    client.get("/session").await.ended("key-removed");
    let published = jwks(&stage.server, Wire::Http1).await;
    assert!(published.iter().all(|jwk| jwk["kid"] != old.as_str()));
    stage.client().login("alice").await;
}
