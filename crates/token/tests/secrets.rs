//! Canaries: what is secret stands in no `Debug`, no `Display` and no error.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::fmt::Debug;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use countersign_token::{
    AccessClaims, Algorithm, CodeClaims, Expect, FeedPosition, Identity, KeyRing, Persistence, Seat,
    SessionId, StateClaims, StateFormat, StateVersion, Timestamp, TokenCache, Unverified,
};
use serde_json::Value;
use serde_json::value::RawValue;

const ISSUER: &str = "https://shop.example";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const SESSION: SessionId = SessionId::from_bytes([0xab; 16]);
const DATA: &str = r#"{"note":"canary-of-the-application"}"#;

/// What must not be seen.
struct Canaries(Vec<String>);

impl Canaries {
    fn of(ring: &KeyRing) -> Self {
        let file: Value = serde_json::from_slice(&ring.to_json()).unwrap();
        let mut all = vec!["canary-of-the-application".to_owned(), SESSION.to_string()];
        for key in file["keys"].as_array().unwrap() {
            for member in ["private", "seal"] {
                let text = key[member].as_str().unwrap();
                let bytes = URL_SAFE_NO_PAD.decode(text).unwrap();
                // The end of PKCS#8 is the key; its beginning is the same in all.
                let secret = &bytes[bytes.len() - 16..];
                all.extend([text.to_owned(), STANDARD.encode(secret), hex(secret), listed(secret)]);
            }
        }
        Self(all)
    }

    fn absent(&self, what: &str, shown: impl Debug) {
        for text in [format!("{shown:?}"), format!("{shown:#?}").replace(['\n', ' '], "")] {
            self.absent_from(what, &text);
        }
    }

    fn absent_from(&self, what: &str, text: &str) {
        for canary in &self.0 {
            let canary = canary.replace(' ', "");
            assert!(!text.replace(' ', "").contains(&canary), "{what} shows {canary}: {text}");
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|half| char::from_digit(half.into(), 16))
        .collect()
}

fn listed(bytes: &[u8]) -> String {
    format!("{bytes:?}").replace(['[', ']'], "")
}

fn access() -> AccessClaims {
    AccessClaims {
        identity: Identity {
            issuer: ISSUER.into(),
            subject: "alice".into(),
            client_id: "shop".into(),
            tenant: None,
            session: SESSION,
            started_at: NOW,
            auth_time: NOW,
            methods: Vec::new(),
            context: None,
            born: FeedPosition::default(),
            key_thumbprint: None,
            session_expires_at: NOW.after(Duration::from_hours(1)),
            persistence: Persistence::Persistent,
        },
        audience: ISSUER.into(),
        issued_at: NOW,
        expires_at: NOW.after(Duration::from_mins(5)),
        id: "1".into(),
        floor: 0,
        seat: Seat::Held,
        app: serde_json::Map::new(),
    }
}

fn data() -> Box<RawValue> {
    RawValue::from_string(DATA.to_owned()).unwrap()
}

#[test]
fn the_canaries_sing() {
    let ring = KeyRing::generate(Algorithm::Hs256, NOW);
    let text = String::from_utf8(ring.to_json().to_vec()).unwrap();
    assert!(Canaries::of(&ring).0.iter().any(|canary| text.contains(canary)), "the file does show them");
}

#[test]
fn a_ring_and_its_tokens_show_no_secret() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let ring = KeyRing::generate(algorithm, NOW).rotate_now(NOW);
        let mut canaries = Canaries::of(&ring);
        let token = ring.mint_access(&access()).unwrap();
        // A token is a credential; so is its signature alone to whoever knows the rest.
        canaries.0.extend([token.clone(), token.rsplit('.').next().unwrap().to_owned()]);
        canaries.absent("the ring", &ring);
        canaries.absent("its keys", ring.keys().collect::<Vec<_>>());
        canaries.absent("the JWKS", ring.jwks());
        let unverified = Unverified::parse(&token, 4096).unwrap();
        canaries.absent("an unverified token", unverified);
        let verified = ring.verify_access(&unverified).unwrap();
        canaries.absent("a verified token", &verified);
        let cache = TokenCache::default();
        canaries.absent("a cached token", cache.insert(&token, ring.generation(), verified.clone()));
        canaries.absent("the cache", &cache);
        let expect = Expect { issuer: ISSUER, audience: ISSUER, now: NOW, clock_skew: Duration::ZERO };
        canaries.absent("a live token", verified.clone().live(&expect).unwrap());
        let late = Expect { now: Timestamp::MAX, ..expect };
        canaries.absent("an expired token", verified.live(&late).unwrap_err());
    }
}

#[test]
fn the_applications_data_is_not_shown() {
    let ring = KeyRing::generate(Algorithm::EdDsa, NOW);
    let canaries = Canaries::of(&ring);
    let expires_at = NOW.after(Duration::from_mins(1));
    let state = StateClaims {
        issuer: ISSUER.into(),
        audience: ISSUER.into(),
        expires_at,
        session: Some(SESSION),
        version: StateVersion::INITIAL,
        data_version: 1,
        data: data(),
    };
    canaries.absent("state", &state);
    let token = ring.mint_state(&state, StateFormat::Sealed, [1; 12]).unwrap();
    let unverified = Unverified::parse(&token, 4096).unwrap();
    let open = ring.open_state(&unverified, StateFormat::Sealed, ISSUER, Some(SESSION), NOW).unwrap();
    assert_eq!(open.data.get(), DATA);
    canaries.absent("opened state", &open);
    let code = CodeClaims { issuer: ISSUER.into(), expires_at, data: data() };
    canaries.absent("a code", &code);
    let token = ring.mint_code("choice", &code, [2; 12]).unwrap();
    let opened = ring.open_code(&Unverified::parse(&token, 4096).unwrap(), "choice", ISSUER, NOW).unwrap();
    canaries.absent("an opened code", &opened);
}

/// Whatever is broken in a ring's file, the error shows none of its secrets.
#[test]
fn no_error_quotes_a_secret() {
    for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
        let ring = KeyRing::generate(algorithm, NOW);
        let canaries = Canaries::of(&ring);
        let text = String::from_utf8(ring.to_json().to_vec()).unwrap();
        let mut refused = 0;
        for at in (0..text.len()).filter(|at| text.is_char_boundary(*at)) {
            for broken in [text[..at].to_owned(), format!("{}#{}", &text[..at], &text[at + 1..])] {
                let Err(error) = KeyRing::from_json(broken.as_bytes()) else { continue };
                refused += 1;
                canaries.absent_from("an error", &error.to_string());
                canaries.absent_from("an error", &format!("{error:?}"));
            }
        }
        assert!(refused > text.len());
    }
}

/// Whatever is wrong with a token, its bearer reads one sentence.
#[test]
fn an_error_tells_a_bearer_nothing() {
    let ring = KeyRing::generate(Algorithm::Hs256, NOW);
    let token = ring.mint_access(&access()).unwrap();
    let signing = ring.keys().next().unwrap().id;
    let without = ring.remove(&signing, NOW).unwrap();
    let (long, cut) = (format!("{token}AAAA"), &token[..token.len() - 1]);
    let errors = [
        Unverified::parse(&token, 100).unwrap_err(),
        Unverified::parse("no dots", 100).unwrap_err(),
        ring.verify_access(&Unverified::parse(&long, 4096).unwrap()).unwrap_err(),
        ring.verify_access(&Unverified::parse(cut, 4096).unwrap()).unwrap_err(),
        ring.verify_refresh(&Unverified::parse(&token, 4096).unwrap()).unwrap_err(),
        without.verify_access(&Unverified::parse(&token, 4096).unwrap()).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.to_string(), "the token is invalid");
    }
}
