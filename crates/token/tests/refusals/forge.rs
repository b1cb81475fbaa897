//! Tokens as an attacker or a careless issuer makes them, on ring and base64 alone: it shares no mistake with the
//! code under test.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{
    Algorithm, Expect, KeyRing, NotLive, StateFormat, Timestamp, TokenErrorKind, Unverified,
};
use ring::signature::{EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use ring::{digest, hmac, rand};
use serde_json::{Value, json};

pub(crate) const ISSUER: &str = "https://shop.example";
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
pub(crate) const ALGORITHMS: [Algorithm; 3] = [Algorithm::Hs256, Algorithm::EdDsa, Algorithm::Es256];

/// Keys that were published to be tested with: RFC 8037 (A.1), RFC 7515 (A.3).
const ED_SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const EC_D: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";
const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

/// A ring of one key, and the key itself.
pub(crate) struct Signer {
    pub(crate) algorithm: Algorithm,
    pub(crate) ring: KeyRing,
    pub(crate) kid: String,
    pub(crate) file: Value,
    /// The raw public key, or the secret of an HMAC: what a verifier elsewhere holds.
    pub(crate) verifying: Vec<u8>,
    key: Key,
}

enum Key {
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair),
    Hmac(hmac::Key),
}

impl Signer {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let private = private(algorithm);
        let (key, verifying) = key(algorithm, &private);
        let kid = name(&key, &verifying);
        let file = json!({
            "version": 1,
            "algorithm": algorithm.as_str(),
            "keys": [{
                "kid": kid, "state": "signing", "since": NOW.as_millis(),
                "private": encode(&private), "seal": encode(&[7; 32]),
            }],
            "removed": { "gone": NOW.as_millis() },
        });
        let ring = KeyRing::from_json(file.to_string().as_bytes()).unwrap();
        Self { algorithm, ring, kid, file, verifying, key }
    }

    /// A token with exactly these texts as header and payload, correctly signed.
    pub(crate) fn sign(&self, header: &str, payload: &str) -> String {
        self.sign_encoded(&encode(header.as_bytes()), &encode(payload.as_bytes()))
    }

    pub(crate) fn sign_encoded(&self, header: &str, payload: &str) -> String {
        let signed = format!("{header}.{payload}");
        format!("{signed}.{}", encode(&self.signature(signed.as_bytes())))
    }

    fn signature(&self, message: &[u8]) -> Vec<u8> {
        match &self.key {
            Key::Ed(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Ec(pair) => pair.sign(&random(), message).unwrap().as_ref().to_vec(),
            Key::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
        }
    }

    pub(crate) fn header(&self, typ: &str) -> String {
        json!({ "alg": self.algorithm.as_str(), "typ": typ, "kid": self.kid }).to_string()
    }

    /// A good token with changed claims; `null` takes a claim away.
    pub(crate) fn access_with(&self, changes: &Value) -> String {
        self.sign(&self.header("at+jwt"), &changed(access_claims(), changes).to_string())
    }
}

/// What becomes of a token that is presented as a kind.
pub(crate) fn judge(ring: &KeyRing, presented_as: &str, token: &str) -> &'static str {
    let unverified = match Unverified::parse(token, 4096) {
        Ok(unverified) => unverified,
        Err(error) => return word(error.kind()),
    };
    let expect = Expect { issuer: ISSUER, audience: ISSUER, now: NOW, clock_skew: Duration::ZERO };
    let session = Some("AQIDBAUGBwgJCgsMDQ4PEA".parse().unwrap());
    let state = |format| match ring.open_state(&unverified, format, ISSUER, session, NOW) {
        Ok(_) => "live",
        Err(error) => word(error.kind()),
    };
    match presented_as {
        "access" => ring.verify_access(&unverified).map_or_else(
            |error| word(error.kind()),
            |verified| verified.live(&expect).map_or_else(not_live, |_| "live"),
        ),
        "refresh" => ring.verify_refresh(&unverified).map_or_else(
            |error| word(error.kind()),
            |verified| verified.live(&expect).map_or_else(not_live, |_| "live"),
        ),
        "code" => ring
            .open_code(&unverified, "choice", ISSUER, NOW)
            .map_or_else(|error| word(error.kind()), |_| "live"),
        "sealed state" => state(StateFormat::Sealed),
        "signed state" => state(StateFormat::Signed),
        _ => panic!("no such kind: {presented_as}"),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an argument of map_or_else")]
fn not_live<C>(not_live: NotLive<C>) -> &'static str {
    match not_live {
        NotLive::Expired(_) => "expired",
        _ => "foreign",
    }
}

fn word(kind: TokenErrorKind) -> &'static str {
    match kind {
        TokenErrorKind::KeyRemoved => "key removed",
        TokenErrorKind::TooLong => "too long",
        _ => "invalid",
    }
}

pub(crate) fn access_claims() -> Value {
    json!({
        "iss": ISSUER, "sub": "alice", "client_id": "shop", "aud": ISSUER, "sid": "AQIDBAUGBwgJCgsMDQ4PEA",
        "session_started": 1_799_999_000, "session_expiry": 1_801_000_000, "auth_time": 1_799_999_000,
        "amr": ["pwd"], "born": [3, 41], "iat": 1_799_999_990, "exp": 4_000_000_000_u64, "jti": "one", "ver": 0,
    })
}

pub(crate) fn refresh_claims() -> Value {
    changed(
        access_claims(),
        &json!({ "ver": null, "rot": ["AAAAAQAAAAc", "AAAAAAAAAAA", 1_799_999_990_000_u64] }),
    )
}

pub(crate) fn state_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": ISSUER, "sid": "AQIDBAUGBwgJCgsMDQ4PEA", "exp": 4_000_000_000_u64, "ver": [0, 1],
        "dv": 1, "data": { "items": [] },
    })
}

pub(crate) fn changed(mut claims: Value, changes: &Value) -> Value {
    let members = claims.as_object_mut().unwrap();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            members.remove(name);
        } else {
            members.insert(name.clone(), value.clone());
        }
    }
    claims
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "ECDSA signatures draw their nonce themselves")]
fn random() -> rand::SystemRandom {
    rand::SystemRandom::new()
}

/// PKCS#8, or the secret of an HMAC.
fn private(algorithm: Algorithm) -> Vec<u8> {
    let hex = |text: &str| {
        (0..text.len() / 2).map(|i| u8::from_str_radix(&text[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    let (start, middle): (Vec<u8>, Vec<u8>) = match algorithm {
        Algorithm::Hs256 => return vec![42; 32],
        Algorithm::EdDsa => return [hex("302e020100300506032b657004220420"), decode(ED_SEED)].concat(),
        Algorithm::Es256 => (
            hex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420"),
            hex("a14403420004"),
        ),
    };
    [start, decode(EC_D), middle, decode(EC_X), decode(EC_Y)].concat()
}

fn key(algorithm: Algorithm, private: &[u8]) -> (Key, Vec<u8>) {
    match algorithm {
        Algorithm::Hs256 => (Key::Hmac(hmac::Key::new(hmac::HMAC_SHA256, private)), private.to_vec()),
        Algorithm::EdDsa => {
            let pair = Ed25519KeyPair::from_seed_unchecked(&decode(ED_SEED)).unwrap();
            let public = pair.public_key().as_ref().to_vec();
            (Key::Ed(pair), public)
        }
        Algorithm::Es256 => {
            let curve = &ring::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
            let pair = EcdsaKeyPair::from_pkcs8(curve, private, &random()).unwrap();
            let public = pair.public_key().as_ref().to_vec();
            (Key::Ec(pair), public)
        }
    }
}

fn name(key: &Key, verifying: &[u8]) -> String {
    let thumbprint = |text: String| encode(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    match key {
        Key::Hmac(key) => encode(&hmac::sign(key, b"countersign kid v1").as_ref()[..16]),
        Key::Ed(_) => thumbprint(format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(verifying))),
        Key::Ec(_) => thumbprint(format!(r#"{{"crv":"P-256","kty":"EC","x":"{EC_X}","y":"{EC_Y}"}}"#)),
    }
}
