//! The files that each transcript finds in its folder: key rings, and tokens of 2001, so that dates are the same in
//! each run and never near the present.

use std::fs;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign::keys::KeyFile;
use countersign_token::{
    AccessClaims, Algorithm, Audience, FeedPosition, Identity, KeyRing, KeyState, Persistence, RefreshClaims,
    Rotation, RotationId, Seat, SessionId, StateClaims, StateFormat, StateVersion, Timestamp,
};
use ring::rand::SystemRandom;
use ring::signature::Ed25519KeyPair;
use serde_json::value::RawValue;

const NOW: Timestamp = Timestamp::from_secs(1_000_000_000);
const ISSUER: &str = "https://shop.example";

/// Fills a folder.
pub(crate) fn fill(folder: &Path) {
    let write = |name: &str, text: String| fs::write(folder.join(name), text).unwrap();
    let ring = KeyRing::generate(Algorithm::EdDsa, NOW);
    let hs256 = KeyRing::generate(Algorithm::Hs256, NOW);
    let es256 = KeyRing::generate(Algorithm::Es256, NOW);
    KeyFile::create(folder.join("ring.json"), &ring).unwrap();
    KeyFile::create(folder.join("hs256.json"), &hs256).unwrap();
    let ahead = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(4_000_000_000));
    KeyFile::create(folder.join("ahead.json"), &ahead).unwrap();
    KeyFile::create(folder.join("es256.json"), &es256).unwrap();

    let token = ring.mint_access(&access()).unwrap();
    write("public.jwks", ring.jwks_json());
    write("changed.jwt", changed(&token));
    write("none.jwt", with_header(&token, r#"{"alg":"none","typ":"at+jwt","kid":"KID"}"#, &ring));
    write("hs.jwt", with_header(&token, r#"{"alg":"HS256","typ":"at+jwt","kid":"KID"}"#, &ring));
    write(
        "jku.jwt",
        with_header(
            &token,
            r#"{"alg":"EdDSA","typ":"at+jwt","kid":"KID","jku":"https://evil.example"}"#,
            &ring,
        ),
    );
    write(
        "evil.jwt",
        with_claims(&token, "{\"sub\":\"\\u001b[2J\\u202eadmin\",\"exp\":\"soon\",\"iat\":1e300}"),
    );
    write("access.jwt", token);
    write("es256.jwt", es256.mint_access(&access()).unwrap());
    write("es256.jwks", es256.jwks_json());
    write("stranger.jwt", KeyRing::generate(Algorithm::EdDsa, NOW).mint_access(&access()).unwrap());
    write("refresh.jwt", ring.mint_refresh(&refresh()).unwrap());
    write("sealed.jwt", ring.mint_state(&state(), StateFormat::Sealed, [1; 12]).unwrap());
    write("signed.jwt", ring.mint_state(&state(), StateFormat::Signed, [1; 12]).unwrap());
    write("long.txt", "x".repeat(1_000_000));
    write("key.pem", pem());
}

fn identity() -> Identity {
    Identity {
        issuer: ISSUER.into(),
        subject: "alice".to_owned(),
        client_id: "web".to_owned(),
        tenant: Some("acme".to_owned()),
        session: SessionId::from_bytes([7; 16]),
        started_at: NOW,
        auth_time: NOW,
        methods: vec!["pwd".to_owned()],
        context: None,
        born: FeedPosition { epoch: 1, seq: 2 },
        key_thumbprint: None,
        session_expires_at: NOW.after(Duration::from_hours(14 * 24)),
        persistence: Persistence::Persistent,
    }
}

fn access() -> AccessClaims {
    AccessClaims {
        identity: identity(),
        audience: Audience::from("https://shop.example"),
        issued_at: NOW,
        expires_at: NOW.after(Duration::from_mins(5)),
        id: "access-1".to_owned(),
        floor: 0,
        seat: Seat::Held,
        app: serde_json::Map::new(),
    }
}

fn refresh() -> RefreshClaims {
    let id = RotationId::follow(RotationId::NIL, 7);
    RefreshClaims {
        identity: identity(),
        audience: Audience::from(ISSUER),
        issued_at: NOW,
        expires_at: NOW.after(Duration::from_hours(14 * 24)),
        id: "refresh-1".to_owned(),
        rotation: Rotation { id, parent: RotationId::NIL, issued: NOW },
    }
}

fn state() -> StateClaims {
    StateClaims {
        issuer: ISSUER.to_owned(),
        audience: Audience::from(ISSUER),
        expires_at: NOW.after(Duration::from_hours(14 * 24)),
        session: Some(SessionId::from_bytes([7; 16])),
        version: StateVersion { exclusive: 1, plain: 2 },
        data_version: 1,
        data: RawValue::from_string(r#"{"items":["tea"]}"#.to_owned()).unwrap(),
    }
}

/// Another subject under the old signature.
fn changed(token: &str) -> String {
    let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    with_claims(token, &String::from_utf8(claims).unwrap().replace("alice", "admin"))
}

fn with_claims(token: &str, claims: &str) -> String {
    let parts: Vec<&str> = token.split('.').collect();
    format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims), parts[2])
}

fn with_header(token: &str, header: &str, ring: &KeyRing) -> String {
    let kid = ring.keys().find(|key| key.state == KeyState::Signing).unwrap().id;
    let (_, rest) = token.split_once('.').unwrap();
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.replace("KID", kid.as_str())))
}

fn pem() -> String {
    let der = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
    format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der.as_ref()))
}
