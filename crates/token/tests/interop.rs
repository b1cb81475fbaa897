//! Both ways between this crate and npm `jose`, over files of one shape that tests/js reads and writes, too.
//!
//! What `jose` minted is read here. What is minted here goes to `token-interop.json` in cargo's folder for test files,
//! where `cargo xtask test` has `jose` read it. A copy from an earlier build is committed, so that the format cannot
//! drift unnoticed: change it only together with docs/WIRE.md, and copy the new file then.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use countersign_token::{
    AccessClaims, Audience, Expect, FeedPosition, Identity, KeyRing, Persistence, RefreshClaims, Rotation,
    RotationId, Seat, SessionId, StateClaims, StateFormat, StateVersion, Timestamp, Unverified,
};
use serde_json::value::RawValue;
use serde_json::{Value, json};

const ISSUER: &str = "https://shop.example";
const NOW: Timestamp = Timestamp::from_secs(1_790_000_100);
const SESSION: SessionId = SessionId::from_bytes([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]);

#[test]
fn reads_what_jose_minted() {
    check_reads(&vectors("token-from-jose.json"));
}

#[test]
fn reads_what_an_earlier_build_minted() {
    check_reads(&vectors("token-interop.json"));
}

/// `jose` holds the tokens against the claims that it would mint itself.
#[test]
fn mints_for_jose() {
    let from_jose = vectors("token-from-jose.json");
    let rings: Vec<_> = from_jose["rings"].as_array().unwrap().iter().map(mint).collect();
    let minted =
        json!({ "issuer": ISSUER, "now": NOW.as_secs(), "claims": from_jose["claims"], "rings": rings });
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("token-interop.json");
    std::fs::write(path, format!("{minted:#}\n")).unwrap();
    check_reads(&minted);
}

/// Reads each token of a file, and finds exactly the claims that are spelled out at the end of this one.
fn check_reads(vectors: &Value) {
    let rings = vectors["rings"].as_array().unwrap();
    assert_eq!(rings.len(), 3);
    for vector in rings {
        let ring = ring_of(vector);
        check_access(&ring, token(vector, "signed", "access"));
        check_refresh(&ring, token(vector, "signed", "refresh"));
        for (kind, claims) in [("state", state()), ("visit", visit())] {
            check_state(&ring, token(vector, "signed", kind), StateFormat::Signed, &claims);
            check_state(&ring, token(vector, "sealed", kind), StateFormat::Sealed, &claims);
        }
    }
}

fn check_access(ring: &KeyRing, token: &str) {
    let verified = ring.verify_access(&unverified(token)).unwrap();
    assert_eq!(*verified.live(&expect()).unwrap().claims(), access());
    assert!(ring.verify_refresh(&unverified(token)).is_err(), "an access token is no refresh token");
}

fn check_refresh(ring: &KeyRing, token: &str) {
    let verified = ring.verify_refresh(&unverified(token)).unwrap();
    assert_eq!(*verified.live(&expect()).unwrap().claims(), refresh());
}

fn check_state(ring: &KeyRing, token: &str, format: StateFormat, claims: &StateClaims) {
    let open = |session| ring.open_state(&unverified(token), format, ISSUER, session, NOW);
    let opened = open(claims.session).unwrap();
    assert_eq!((opened.version, opened.data_version), (claims.version, claims.data_version));
    let data = |raw: &RawValue| serde_json::from_str::<Value>(raw.get()).unwrap();
    assert_eq!(data(&opened.data), data(&claims.data));
    assert!(open(Some(SessionId::from_bytes([9; 16]))).is_err(), "it opens in its own session only");
}

fn mint(from_jose: &Value) -> Value {
    let ring = ring_of(from_jose);
    let signed = [
        json!({ "kind": "access", "token": ring.mint_access(&access()).unwrap() }),
        json!({ "kind": "refresh", "token": ring.mint_refresh(&refresh()).unwrap() }),
        json!({ "kind": "state", "token": ring.mint_state(&state(), StateFormat::Signed, [0; 12]).unwrap() }),
        json!({ "kind": "visit", "token": ring.mint_state(&visit(), StateFormat::Signed, [0; 12]).unwrap() }),
    ];
    let sealed = [
        json!({ "kind": "state", "token": ring.mint_state(&state(), StateFormat::Sealed, [1; 12]).unwrap() }),
        json!({ "kind": "visit", "token": ring.mint_state(&visit(), StateFormat::Sealed, [2; 12]).unwrap() }),
    ];
    let file: Value = serde_json::from_slice(&ring.to_json()).unwrap();
    json!({ "alg": from_jose["alg"], "file": file, "jwks": ring.jwks(), "signed": signed, "sealed": sealed })
}

fn ring_of(vector: &Value) -> KeyRing {
    KeyRing::from_json(vector["file"].to_string().as_bytes()).unwrap()
}

fn token<'a>(vector: &'a Value, form: &str, kind: &str) -> &'a str {
    let all = vector[form].as_array().unwrap();
    all.iter().find(|one| one["kind"] == kind).unwrap()["token"].as_str().unwrap()
}

fn vectors(name: &str) -> Value {
    let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "../../tests/vectors", name].iter().collect();
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn unverified(token: &str) -> Unverified<'_> {
    Unverified::parse(token, 4096).unwrap()
}

fn expect() -> Expect<'static> {
    Expect { issuer: ISSUER, audience: ISSUER, now: NOW, clock_skew: Duration::ZERO }
}

fn identity() -> Identity {
    Identity {
        issuer: ISSUER.into(),
        subject: "alice".into(),
        client_id: "shop".into(),
        tenant: Some("acme".into()),
        session: SESSION,
        started_at: Timestamp::from_secs(1_790_000_000),
        auth_time: Timestamp::from_secs(1_789_999_990),
        methods: vec!["pwd".into(), "otp".into()],
        context: Some("aal2".into()),
        born: FeedPosition { epoch: 3, seq: 41 },
        key_thumbprint: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I".into()),
        session_expires_at: Timestamp::from_secs(1_791_209_600),
        persistence: Persistence::Persistent,
    }
}

fn access() -> AccessClaims {
    let app = json!({ "roles": ["buyer", "café"], "limits": { "orders": 3 } });
    AccessClaims {
        identity: identity(),
        audience: Audience::several([ISSUER.into(), "https://api.example".into()]),
        issued_at: Timestamp::from_secs(1_790_000_000),
        expires_at: Timestamp::from_secs(1_790_000_300),
        id: "access-1".into(),
        floor: 7,
        seat: Seat::None,
        app: app.as_object().unwrap().clone(),
    }
}

fn refresh() -> RefreshClaims {
    let parent = RotationId::follow(RotationId::NIL, 0xcafe_babe);
    RefreshClaims {
        identity: Identity { persistence: Persistence::Browser, ..identity() },
        audience: ISSUER.into(),
        issued_at: Timestamp::from_secs(1_790_000_000),
        expires_at: Timestamp::from_secs(1_791_209_600),
        id: "refresh-1".into(),
        rotation: Rotation {
            id: RotationId::follow(parent, 0xdead_beef),
            parent,
            issued: Timestamp::from_millis(1_790_000_000_123),
        },
    }
}

fn state() -> StateClaims {
    StateClaims {
        issuer: ISSUER.into(),
        audience: ISSUER.into(),
        expires_at: Timestamp::from_secs(1_791_209_600),
        session: Some(SESSION),
        version: StateVersion { exclusive: 7, plain: 2 },
        data_version: 1,
        data: raw(r#"{"items":["tea","café"]}"#),
    }
}

fn visit() -> StateClaims {
    StateClaims {
        session: None,
        version: StateVersion { exclusive: 0, plain: 4 },
        data: raw(r#"{"items":["tea"]}"#),
        ..state()
    }
}

fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap()
}
