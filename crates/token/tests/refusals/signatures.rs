//! Signatures that are none: of another length or form, of special numbers, and under the wrong kind of key.

use countersign_token::Algorithm;
use serde_json::json;

use crate::attacks::List;
use crate::forge::{self, Signer, access_claims};

/// The order of P-256, big-endian.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// The order of Ed25519's group, little-endian.
const ED25519_ORDER: [u8; 32] = [
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
];

impl List {
    /// Signatures of another length, form or value.
    pub(crate) fn signatures(&mut self, signer: &Signer) {
        let good = signer.access_with(&json!({}));
        let (start, signature) = good.rsplit_once('.').unwrap();
        let signature = forge::decode(signature);
        let der = [
            &[0x30, 0x44, 2, 32][..],
            &signature[..signature.len() / 2],
            &[2, 32],
            &signature[signature.len() / 2..],
        ]
        .concat();
        for (name, bytes) in [
            ("one byte less", signature[..signature.len() - 1].to_vec()),
            ("one byte more", [&signature[..], &[0]].concat()),
            ("half", signature[..signature.len() / 2].to_vec()),
            ("one byte", signature[..1].to_vec()),
            ("zeros", vec![0; signature.len()]),
            ("ones", vec![0xff; signature.len()]),
            ("r and s of the order", [P256_ORDER, P256_ORDER].concat()),
            ("DER", der),
            ("twice", [&signature[..], &signature[..]].concat()),
            ("reversed", signature.iter().rev().copied().collect()),
        ] {
            self.bad(signer, &format!("signature: {name}"), format!("{start}.{}", forge::encode(&bytes)));
        }
        if let Ok(whole) = <[u8; 64]>::try_from(&signature[..]) {
            for (name, bytes) in halves(whole) {
                self.bad(signer, &format!("signature: {name}"), format!("{start}.{}", forge::encode(&bytes)));
            }
        }
    }

    /// HS256 under the public key, in each form that an attacker finds it in.
    pub(crate) fn confused_keys(&mut self) {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256] {
            let signer = Signer::new(algorithm);
            let header = signer.header("at+jwt").replace(algorithm.as_str(), "HS256");
            let start =
                [header, access_claims().to_string()].map(|part| forge::encode(part.as_bytes())).join(".");
            for (name, secret) in public_forms(&signer) {
                let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
                let tag = ring::hmac::sign(&key, start.as_bytes());
                let token = format!("{start}.{}", forge::encode(tag.as_ref()));
                self.bad(&signer, &format!("HS256 under the public key, {name}"), token);
            }
        }
    }
}

/// Signatures of two numbers of which one was changed.
fn halves(whole: [u8; 64]) -> Vec<(&'static str, Vec<u8>)> {
    let (first, second) = whole.split_at(32);
    let one = |last: u8| [&[0; 31][..], &[last]].concat();
    let neutral = [&[1][..], &[0; 31]].concat();
    vec![
        ("r zero", [&[0; 32], second].concat()),
        ("s zero", [first, &[0; 32]].concat()),
        ("r and s one", [one(1), one(1)].concat()),
        ("s of the order", [first, &P256_ORDER[..]].concat()),
        ("S + L (Ed25519)", [first, &plus(second, &ED25519_ORDER)[..]].concat()),
        ("R neutral and S zero (Ed25519)", [&neutral[..], &[0; 32]].concat()),
        ("R of small order and S zero (Ed25519)", vec![0; 64]),
        ("R and S swapped", [second, first].concat()),
    ]
}

/// A sum of little-endian numbers.
fn plus(a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut carry = 0;
    let mut add = |(a, b): (&u8, &u8)| {
        let sum = u16::from(*a) + u16::from(*b) + carry;
        carry = sum >> 8;
        sum.to_le_bytes()[0]
    };
    a.iter().zip(b).map(&mut add).collect()
}

/// The twin of an ES256 signature: `(r, n - s)` is as good as `(r, s)`.
pub(crate) fn twin(token: &str) -> String {
    let (start, signature) = token.rsplit_once('.').unwrap();
    let mut bytes = forge::decode(signature);
    let mut borrow = 0;
    for (s, n) in bytes[32..].iter_mut().zip(P256_ORDER).rev() {
        let difference = 256 + i16::from(n) - i16::from(*s) - borrow;
        borrow = i16::from(difference < 256);
        *s = difference.to_le_bytes()[0];
    }
    format!("{start}.{}", forge::encode(&bytes))
}

fn public_forms(signer: &Signer) -> Vec<(&'static str, Vec<u8>)> {
    // SubjectPublicKeyInfo (RFC 5280) before the raw key; a P-256 point is written with its first byte.
    let prefix = match signer.algorithm {
        Algorithm::EdDsa => "302a300506032b6570032100",
        _ => "3059301306072a8648ce3d020106082a8648ce3d030107034200",
    };
    let der = [unhex(prefix), signer.verifying.clone()].concat();
    let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &der);
    let lines: Vec<_> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----", lines.join("\n"));
    let jwks = signer.ring.jwks();
    vec![
        ("raw", signer.verifying.clone()),
        ("without the point's first byte", signer.verifying[1..].to_vec()),
        ("as a JWK", json!(jwks.keys[0]).to_string().into_bytes()),
        ("as a JWK set", signer.ring.jwks_json().into_bytes()),
        ("as DER", der),
        ("as PEM", pem.clone().into_bytes()),
        ("as PEM with a line break", format!("{pem}\n").into_bytes()),
        ("as PEM with CRLF", pem.replace('\n', "\r\n").into_bytes()),
        ("its kid", signer.kid.clone().into_bytes()),
        ("empty", Vec::new()),
        ("zeros", vec![0; 32]),
    ]
}

fn unhex(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(byte).collect()
}
