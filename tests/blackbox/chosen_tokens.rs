//! Tokens that a thief of the key ring, or a mistaken service that shares it, could sign: each claim broken alone.

use countersign_tests::{Client, Jws, Ring, Stage, Transport, Wire, claims, rewrite};
use serde_json::{Value, json};

const WIRE: Wire = Wire::Http1;

async fn stage(alg: &str) -> (Stage, Client, Ring) {
    let stage = Stage::new(WIRE, Transport::Body, &["--alg", alg, "--race-window", "1s"]).await;
    let client = stage.logged_in("alice").await;
    let ring = Ring::steal(&stage.server.launch().keys(), &client.access());
    (stage, client, ring)
}

async fn access(client: &Client, token: &str) -> countersign_tests::Answer {
    let mut client = client.clone();
    client.plant_access(token);
    client.get("/session").await
}

async fn refresh(client: &Client, token: &str) -> countersign_tests::Answer {
    let mut client = client.clone();
    client.plant_refresh(token);
    client.refresh().await
}

#[tokio::test]
async fn an_honest_copy_passes() {
    for alg in ["EdDSA", "HS256"] {
        let (_stage, client, ring) = stage(alg).await;
        let copy = rewrite(&ring, &client.access(), |_, _| ());
        access(&client, &copy).await.expect(200);
        let copy = rewrite(&ring, &client.refresh_token(), |_, _| ());
        refresh(&client, &copy).await.expect(200);
    }
}

#[tokio::test]
async fn every_required_claim_is_required_and_typed() {
    for alg in ["EdDSA", "HS256"] {
        let (_stage, client, ring) = stage(alg).await;
        for token in [client.access(), client.refresh_token()] {
            let names = ["iss", "aud", "iat", "exp", "jti", "sub", "sid", "auth_time", "amr"];
            for name in names {
                for wrong in [None, Some(Value::Null), Some(json!({})), Some(json!([1])), Some(json!(true))] {
                    let forged = rewrite(&ring, &token, |_, claims| set(claims, name, wrong.clone()));
                    let answer = if token == client.access() {
                        access(&client, &forged).await
                    } else {
                        refresh(&client, &forged).await
                    };
                    assert_eq!(answer.code(), "token-invalid", "{name} = {wrong:?}: {}", answer.text());
                }
            }
        }
        client.clone().refresh().await.expect(200);
    }
}

fn set(claims: &mut Value, name: &str, value: Option<Value>) {
    match value {
        None => drop(claims.as_object_mut().unwrap().remove(name)),
        Some(value) => claims[name] = value,
    }
}

#[tokio::test]
async fn issuer_audience_and_type_are_compared_exactly() {
    let (stage, client, ring) = stage("EdDSA").await;
    let origin = stage.server.origin();
    let token = client.access();
    for issuer in
        [format!("{origin}/"), origin.to_uppercase(), origin[..origin.len() - 1].into(), String::new()]
    {
        let forged = rewrite(&ring, &token, |_, claims| claims["iss"] = json!(issuer));
        access(&client, &forged).await.refused(401, "token-invalid");
    }
    for audience in [json!("elsewhere"), json!([]), json!(["elsewhere"]), json!([1]), json!("")] {
        let forged = rewrite(&ring, &token, |_, claims| claims["aud"] = audience.clone());
        access(&client, &forged).await.refused(401, "token-invalid");
        let forged = rewrite(&ring, &client.refresh_token(), |_, claims| claims["aud"] = audience.clone());
        refresh(&client, &forged).await.refused(401, "token-invalid");
    }
    for kind in ["", "JWT", "jwt", "rt+jwt", "st+jwt", "at", "at+jwtx", "logout+jwt", "dpop+jwt"] {
        let forged = rewrite(&ring, &token, |head, _| head["typ"] = json!(kind));
        access(&client, &forged).await.refused(401, "token-invalid");
    }
}

#[tokio::test]
async fn absurd_times_are_refused() {
    let (_stage, client, ring) = stage("EdDSA").await;
    let exp = claims(&client.access())["exp"].as_i64().unwrap();
    let jws = Jws::parse(&client.access());
    let old = format!("\"exp\":{exp}");
    assert!(jws.payload.contains(&old), "{}", jws.payload);
    for absurd in
        ["-1", "1e400", "1e30", "9007199254740993e10", "18446744073709551616", "\"1\"", "NaN", "0x10"]
    {
        let payload = jws.payload.replace(&old, &format!("\"exp\":{absurd}"));
        let forged = ring.sign(&jws.header, &payload);
        let answer = access(&client, &forged).await;
        assert!(
            ["token-invalid", "token-expired"].contains(&answer.code().as_str()),
            "{absurd}: {}",
            answer.text()
        );
        assert_eq!(answer.status, 401);
    }
    let past = rewrite(&ring, &client.access(), |_, claims| {
        claims["iat"] = json!(exp - 7200);
        claims["exp"] = json!(exp - 3600);
    });
    access(&client, &past).await.refused(401, "token-expired");
    let future = rewrite(&ring, &client.access(), |_, claims| claims["iat"] = json!(exp + 3600));
    access(&client, &future).await.refused(401, "token-invalid");
    let fractional = ring.sign(&jws.header, &jws.payload.replace(&old, &format!("\"exp\":{exp}.5")));
    access(&client, &fractional).await.expect(200);
}

#[tokio::test]
async fn doubled_members_and_unknown_headers_are_refused() {
    let (_stage, client, ring) = stage("EdDSA").await;
    let jws = Jws::parse(&client.access());
    let after_brace = |text: &str, add: &str| text.replacen('{', &format!("{{{add},"), 1);
    let headers = [
        after_brace(&jws.header, r#""alg":"EdDSA""#),
        after_brace(&jws.header, r#""\u0061lg":"none""#),
        after_brace(&jws.header, r#""crit":["exp"]"#),
        after_brace(&jws.header, r#""crit":[]"#),
        after_brace(&jws.header, r#""b64":false"#),
        after_brace(&jws.header, r#""jku":"http://127.0.0.1:1/""#),
        after_brace(&jws.header, r#""x5c":[]"#),
        after_brace(&jws.header, r#""zip":"DEF""#),
        "[]".to_owned(),
        "null".to_owned(),
        format!("{} ", jws.header) + "{}",
    ];
    for header in headers {
        let answer = access(&client, &ring.sign(&header, &jws.payload)).await;
        assert_eq!(answer.code(), "token-invalid", "{header}: {}", answer.text());
    }
    let payloads = [
        after_brace(&jws.payload, r#""sub":"admin""#),
        after_brace(&jws.payload, r#""s\u0075b":"admin""#),
        after_brace(&jws.payload, r#""x":{"a":1,"a":2}"#),
        format!("{}x", jws.payload),
        "[]".to_owned(),
        String::new(),
        format!("{{\"x\":{}1{}}}", "[".repeat(5000), "]".repeat(5000)),
    ];
    for payload in payloads {
        let answer = access(&client, &ring.sign(&jws.header, &payload)).await;
        assert_eq!(
            answer.code(),
            "token-invalid",
            "{}: {}",
            &payload[..payload.len().min(80)],
            answer.text()
        );
    }
    access(&client, &client.access()).await.expect(200);
}

/// An id that a client chose never becomes a session.
#[tokio::test]
async fn a_session_that_never_was_is_none() {
    let (_stage, client, ring) = stage("EdDSA").await;
    let sid = json!("AAAAAAAAAAAAAAAAAAAAAA");
    let forged = rewrite(&ring, &client.refresh_token(), |_, claims| claims["sid"] = sid.clone());
    let answer = refresh(&client, &forged).await;
    answer.refused(401, "session-ended");
    let mut forger = client.clone();
    forger.plant_refresh(&forged);
    forger.refresh().await.refused(401, "session-ended");
    client.clone().get("/session").await.expect(200);
}

/// A second first step is a copy like any other: it ends its session, and only that.
#[tokio::test]
async fn a_rotation_that_never_was_ends_no_other_session() {
    let (stage, mut client, ring) = stage("EdDSA").await;
    client.rotate().await;
    let mut other = stage.logged_in("alice").await;
    let forged = rewrite(&ring, &client.refresh_token(), |_, claims| {
        claims["rot"] = json!(["AAAAAQAAAAE", "AAAAAAAAAAA", claims["rot"][2]]);
    });
    refresh(&client, &forged).await.refused(401, "refresh-reused");
    client.get("/session").await.ended("refresh-reused");
    other.get("/session").await.expect(200);
    other.refresh().await.expect(200);
}
