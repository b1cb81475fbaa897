//! Tokens that nobody of ours made, and tokens of ours in the wrong place: one answer for all.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_tests::{
    Client, Jws, Ring, Server, Stage, Transport, Wire, claims, for_each_setup, header, hmac, rewrite,
    unsigned,
};
use serde_json::{Value, json};

/// Plants each token as access and as refresh token, and demands one answer for all, and that the real ones live on.
async fn refused(client: &Client, tokens: &[String]) {
    for token in tokens {
        let mut victim = client.clone();
        victim.plant_access(token);
        victim.get("/session").await.refused(401, "token-invalid");
        let mut victim = client.clone();
        victim.plant_refresh(token);
        victim.refresh().await.refused(401, "token-invalid");
    }
    client.clone().get("/session").await.expect(200);
    client.clone().refresh().await.expect(200);
}

#[tokio::test]
async fn truncated_padded_and_mangled() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        for token in [client.access(), client.refresh_token()] {
            let [head, payload, signature]: [&str; 3] =
                token.split('.').collect::<Vec<_>>().try_into().unwrap();
            let wrong = [
                token[..token.len() - 1].to_owned(),
                token[..token.len() / 2].to_owned(),
                token[1..].to_owned(),
                format!("{token}A"),
                format!("{token}="),
                format!("{token}."),
                format!(".{token}"),
                format!("{head}.{payload}"),
                format!("{head}.{payload}."),
                format!("{head}..{signature}"),
                format!(".{payload}.{signature}"),
                format!("{payload}.{head}.{signature}"),
                format!("{head}.{payload}.{signature}.{signature}"),
                format!("{head}.{payload}.{signature}.x.y"),
                format!("{head}=.{payload}.{signature}"),
                "..".to_owned(),
                "....".to_owned(),
                "x".to_owned(),
                STANDARD.encode(&token),
            ];
            refused(&client, &wrong).await;
        }
    })
    .await;
}

const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// Base64url has spare bits in its last character; only one way to set them is ours.
#[tokio::test]
async fn not_canonical() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let token = client.access();
        let mut wrong = Vec::new();
        let last_of_part = token.match_indices('.').map(|(at, _)| at - 1).chain([token.len() - 1]);
        for at in last_of_part {
            let part = token[..=at].rsplit('.').next().unwrap();
            let spare = match part.len() % 4 {
                2 => 0b1111,
                3 => 0b11,
                _ => continue,
            };
            let value = ALPHABET.iter().position(|&c| c == token.as_bytes()[at]).unwrap();
            assert_eq!(value & spare, 0, "ours are canonical");
            let mut bytes = token.clone().into_bytes();
            bytes[at] = ALPHABET[value | 1];
            wrong.push(String::from_utf8(bytes).unwrap());
        }
        assert!(!wrong.is_empty(), "a signature of 64 octets has spare bits");
        refused(&client, &wrong).await;
    })
    .await;
}

#[tokio::test]
async fn changed_after_signing() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let jws = Jws::parse(&client.access());
        let with = |payload: String| Jws { payload, ..jws.clone() }.encode();
        let wrong = [
            with(jws.payload.replace("alice", "admin")),
            with(jws.payload.replacen('{', "{ ", 1)),
            Jws { signature: vec![0; 64], ..jws.clone() }.encode(),
            Jws { signature: vec![0xff; 64], ..jws.clone() }.encode(),
            Jws { signature: jws.signature[..63].to_vec(), ..jws.clone() }.encode(),
            Jws { signature: [jws.signature.clone(), vec![0]].concat(), ..jws.clone() }.encode(),
            Jws { signature: Vec::new(), ..jws.clone() }.encode(),
            Jws { signature: plus_order(&jws.signature), ..jws.clone() }.encode(),
        ];
        refused(&client, &wrong).await;
    })
    .await;
}

/// S + L, which a careless verifier of Ed25519 takes for S.
fn plus_order(signature: &[u8]) -> Vec<u8> {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    let mut sum = signature.to_vec();
    for (byte, add) in sum[32..].iter_mut().zip(ORDER) {
        carry += u16::from(*byte) + u16::from(add);
        *byte = (carry & 0xff) as u8;
        carry >>= 8;
    }
    sum
}

#[tokio::test]
async fn alg_none_in_all_spellings() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let token = client.access();
        let (head, payload) = (header(&token), Jws::parse(&token).payload);
        let names = [
            json!("none"),
            json!("None"),
            json!("NONE"),
            json!("nOnE"),
            json!("none "),
            json!(""),
            json!("\u{0}"),
            Value::Null,
            json!(0),
            json!(["none"]),
            json!({}),
        ];
        let mut wrong = Vec::new();
        for name in names {
            let mut forged = head.clone();
            forged["alg"] = name;
            wrong.push(unsigned(&forged.to_string(), &payload));
            let signature = Jws::parse(&token).signature;
            wrong.push(Jws { header: forged.to_string(), payload: payload.clone(), signature }.encode());
        }
        let mut without = head.clone();
        without.as_object_mut().unwrap().remove("alg");
        wrong.push(unsigned(&without.to_string(), &payload));
        refused(&client, &wrong).await;
    })
    .await;
}

#[tokio::test]
async fn hs256_with_the_public_key() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let jwk = client.get("/.well-known/jwks.json").await.expect(200)["keys"][0].clone();
        let x = jwk["x"].as_str().unwrap();
        let raw = URL_SAFE_NO_PAD.decode(x).unwrap();
        let spki = [hex("302a300506032b6570032100"), raw.clone()].concat();
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", STANDARD.encode(&spki));
        let keys = [
            raw,
            spki,
            pem.clone().into_bytes(),
            format!("{pem}\n").into_bytes(),
            x.into(),
            jwk.to_string().into_bytes(),
            Vec::new(),
        ];
        for token in [client.access(), client.refresh_token()] {
            let mut head = header(&token);
            head["alg"] = json!("HS256");
            let payload = Jws::parse(&token).payload;
            let wrong: Vec<_> = keys.iter().map(|key| hmac(key, &head.to_string(), &payload)).collect();
            refused(&client, &wrong).await;
        }
    })
    .await;
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

#[tokio::test]
async fn signed_by_a_key_that_is_not_ours() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let ring = Ring::own(7);
        let token = client.access();
        let x = URL_SAFE_NO_PAD.encode(ring.public());
        let embedded = json!({"kty": "OKP", "crv": "Ed25519", "x": x});
        let wrong = [
            rewrite(&ring, &token, |_, _| ()),
            rewrite(&ring, &token, |head, _| head["kid"] = json!("unknown")),
            rewrite(&ring, &token, |head, _| head["kid"] = json!("../../../../dev/null")),
            rewrite(&ring, &token, |head, _| head["kid"] = json!("x".repeat(1000))),
            rewrite(&ring, &token, |head, _| head["kid"] = json!(1)),
            rewrite(&ring, &token, |head, _| drop(head.as_object_mut().unwrap().remove("kid"))),
            rewrite(&ring, &token, |head, _| head["jwk"] = embedded.clone()),
            rewrite(&ring, &token, |head, _| head["jku"] = json!("http://127.0.0.1:1/jwks.json")),
            rewrite(&ring, &token, |head, _| head["x5u"] = json!("http://127.0.0.1:1/cert.pem")),
        ];
        refused(&client, &wrong).await;
    })
    .await;
}

#[tokio::test]
async fn a_megabyte() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        for size in [5_000, 20_000] {
            let mut victim = client.clone();
            victim.plant_access(&format!("eyJ{}", "A".repeat(size)));
            let Ok(answer) = victim.try_send(countersign_tests::Call::get("/session")).await else {
                continue;
            };
            match answer.status.as_u16() {
                431 => {}
                _ => drop(answer.refused(401, "token-invalid")),
            }
        }
        let mut victim = client.clone();
        victim.plant_access(&format!("eyJ{}", "A".repeat(1 << 20)));
        if let Ok(answer) = victim.try_send(countersign_tests::Call::get("/session")).await {
            assert_eq!(answer.status, 431, "{}", answer.text());
        }
        if stage.transport == Transport::Body {
            let body = json!({"refresh_token": "A".repeat(1 << 20)});
            victim.post_json("/session/refresh", body).await.refused(413, "body-too-large");
            let body = json!({"refresh_token": format!("eyJ{}", "A".repeat(60_000))});
            let call = countersign_tests::Call::post("/session/refresh").anonymous().json(&body);
            victim.send(call).await.refused(401, "token-invalid");
        }
        client.clone().get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn of_another_type() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let (_, state) = client.state().unwrap();
        let mut visitor = stage.client();
        visitor.add("tea").await.expect(200);
        let visit =
            visitor.tokens.state.or_else(|| visitor.jar.get("__Host-visit").map(str::to_owned)).unwrap();
        refused(&client, &[state, visit]).await;
        let mut crossed = client.clone();
        crossed.plant_access(&client.refresh_token());
        crossed.get("/session").await.refused(401, "token-invalid");
        let mut crossed = client.clone();
        crossed.plant_refresh(&client.access());
        crossed.refresh().await.refused(401, "token-invalid");
    })
    .await;
}

/// The same keys, another issuer: a copied key ring must not make two sites one.
#[tokio::test]
async fn of_another_issuer_with_the_same_keys() {
    for wire in [Wire::Http1, Wire::Http2] {
        for transport in [Transport::Cookies, Transport::Bearer, Transport::Body] {
            let one = Stage::new(wire, transport, &["--origin", "https://one.example"]).await;
            let keys = one.server.launch().keys();
            let flags = ["--origin", "https://two.example", "--keys", keys.to_str().unwrap()];
            let two = Stage::new(wire, transport, &flags).await;
            let theirs = two.logged_in("alice").await;
            assert_eq!(claims(&theirs.access())["iss"], "https://two.example");
            let ours = one.logged_in("alice").await;
            assert_eq!(header(&ours.access())["kid"], header(&theirs.access())["kid"]);
            refused(&ours, &[theirs.access(), theirs.refresh_token()]).await;
        }
    }
}

#[tokio::test]
async fn a_flood_of_forgeries_changes_nothing() {
    let server = Server::start(&[]).await;
    let mut client = server.client(Wire::Http2, Transport::Cookies);
    client.login("alice").await;
    let real = client.jar.get("__Host-session").unwrap().to_owned();
    let ring = Ring::own(9);
    for n in 0..500 {
        let forged = rewrite(&ring, &real, |head, _| head["kid"] = json!(format!("kid-{n}")));
        client.jar.set("__Host-session", forged);
        client.get("/session").await.refused(401, "token-invalid");
    }
    client.jar.set("__Host-session", real);
    client.get("/session").await.expect(200);
}
