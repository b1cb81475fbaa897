//! Tokens as an attacker makes them: taken apart, changed, and signed again by a key of the ring or none.
//!
//! Written on ring and base64 alone, so that it shares no mistake with the code under test.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::hmac;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};
use serde_json::Value;

/// A compact JWS, taken apart.
#[derive(Clone, Debug)]
pub struct Jws {
    /// The header's JSON, as it stands.
    pub header: String,
    /// The payload's JSON, as it stands.
    pub payload: String,
    /// The signature.
    pub signature: Vec<u8>,
}

impl Jws {
    /// Takes a token apart.
    pub fn parse(token: &str) -> Self {
        let parts: Vec<_> = token.split('.').map(decode).collect();
        let [header, payload, signature] = parts.try_into().expect("three parts");
        let text = |bytes| String::from_utf8(bytes).expect("JSON is UTF-8");
        Self { header: text(header), payload: text(payload), signature }
    }

    /// Puts it together again.
    pub fn encode(&self) -> String {
        format!("{}.{}", self.signed(), URL_SAFE_NO_PAD.encode(&self.signature))
    }

    /// What the signature is over.
    pub fn signed(&self) -> String {
        format!("{}.{}", URL_SAFE_NO_PAD.encode(&self.header), URL_SAFE_NO_PAD.encode(&self.payload))
    }
}

/// The header of a token.
pub fn header(token: &str) -> Value {
    serde_json::from_str(&Jws::parse(token).header).expect("a JSON header")
}

/// The claims of a token.
pub fn claims(token: &str) -> Value {
    serde_json::from_str(&Jws::parse(token).payload).expect("JSON claims")
}

/// A token with that header and payload and an empty signature.
pub fn unsigned(header: &str, payload: &str) -> String {
    Jws { header: header.into(), payload: payload.into(), signature: Vec::new() }.encode()
}

/// A token with that header and payload, "signed" by HMAC-SHA-256 under any bytes.
pub fn hmac(key: &[u8], header: &str, payload: &str) -> String {
    Ring::Hmac(hmac::Key::new(hmac::HMAC_SHA256, key)).sign(header, payload)
}

/// A token of ours with another header and payload, correctly signed.
pub fn rewrite(ring: &Ring, token: &str, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let (mut header, mut claims) = (header(token), claims(token));
    change(&mut header, &mut claims);
    ring.sign(&header.to_string(), &claims.to_string())
}

/// The signing key of a key ring's file, stolen.
pub enum Ring {
    /// HS256.
    Hmac(hmac::Key),
    /// EdDSA.
    Ed25519(Box<Ed25519KeyPair>),
}

impl Ring {
    /// Finds the key that signed `token`, however the file is laid out: it is the one that verifies it.
    ///
    /// # Panics
    /// If there is none: then the file does not hold what signs.
    pub fn steal(file: &Path, token: &str) -> Self {
        let text = std::fs::read_to_string(file).expect("the key ring's file");
        let file: Value = serde_json::from_str(&text).expect("a key ring is JSON");
        let jws = Jws::parse(token);
        let mut candidates = strings(&file).into_iter().flat_map(|text| keys(&text));
        candidates.find(|key| key.verifies(&jws)).expect("the ring holds the key of its token")
    }

    /// A key of the attacker's own.
    pub fn own(seed: u8) -> Self {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).expect("any seed will do");
        Self::Ed25519(Box::new(pair))
    }

    /// The public part.
    pub fn public(&self) -> Vec<u8> {
        match self {
            Self::Hmac(_) => Vec::new(),
            Self::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
        }
    }

    /// A token with exactly these texts as header and payload.
    pub fn sign(&self, header: &str, payload: &str) -> String {
        let mut jws = Jws { header: header.into(), payload: payload.into(), signature: Vec::new() };
        let signed = jws.signed();
        jws.signature = match self {
            Self::Hmac(key) => hmac::sign(key, signed.as_bytes()).as_ref().to_vec(),
            Self::Ed25519(pair) => pair.sign(signed.as_bytes()).as_ref().to_vec(),
        };
        jws.encode()
    }

    fn verifies(&self, jws: &Jws) -> bool {
        let signed = jws.signed();
        match self {
            Self::Hmac(key) => hmac::verify(key, signed.as_bytes(), &jws.signature).is_ok(),
            Self::Ed25519(pair) => UnparsedPublicKey::new(&ED25519, pair.public_key())
                .verify(signed.as_bytes(), &jws.signature)
                .is_ok(),
        }
    }
}

/// All keys that a text could be.
fn keys(text: &str) -> Vec<Ring> {
    let bytes = URL_SAFE_NO_PAD.decode(text).or_else(|_| STANDARD.decode(text));
    let Ok(bytes) = bytes.or_else(|_| STANDARD.decode(pem(text))) else { return Vec::new() };
    let pair = Ed25519KeyPair::from_seed_unchecked(&bytes)
        .or_else(|_| Ed25519KeyPair::from_pkcs8_maybe_unchecked(&bytes));
    let mut found: Vec<_> = pair.into_iter().map(|pair| Ring::Ed25519(Box::new(pair))).collect();
    found.push(Ring::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &bytes)));
    found
}

fn pem(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn strings(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(strings).collect(),
        Value::Object(members) => members.values().flat_map(strings).collect(),
        _ => Vec::new(),
    }
}

fn decode(part: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(part).expect("canonical base64url")
}
