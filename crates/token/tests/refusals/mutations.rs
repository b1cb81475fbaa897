//! A hundred thousand changed tokens, none of which passes.

use std::collections::HashSet;

use countersign_token::{Algorithm, StateClaims, StateFormat, StateVersion, Timestamp};
use proptest::prelude::Rng as _;
use proptest::test_runner::{RngAlgorithm, TestRng};

use crate::forge::{self, ALGORITHMS, ISSUER, Signer, judge};

const CHANGES: usize = 100_000;

struct Good {
    signer: usize,
    presented_as: &'static str,
    token: String,
}

#[test]
fn no_changed_token_passes() {
    let signers = ALGORITHMS.map(Signer::new);
    let good: Vec<Good> = (0..signers.len()).flat_map(|at| tokens(at, &signers[at])).collect();
    for Good { signer, presented_as, token } in &good {
        assert_eq!(judge(&signers[*signer].ring, presented_as, token), "live", "{presented_as}");
    }
    let untouched: HashSet<&str> = good.iter().map(|good| good.token.as_str()).collect();
    let mut rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[3; 32]);
    let (mut tried, mut verified_cheaply) = (0, 0);
    while tried < CHANGES {
        let one = &good[below(&mut rng, good.len())];
        let other = &good[below(&mut rng, good.len())];
        // The costly signatures get their share, the cheap ones the bulk.
        if signers[one.signer].algorithm != Algorithm::Hs256 && below(&mut rng, 4) != 0 {
            continue;
        }
        let changed = change(&mut rng, &one.token, &other.token);
        if untouched.contains(changed.as_str()) {
            continue;
        }
        tried += 1;
        verified_cheaply += usize::from(signers[one.signer].algorithm == Algorithm::Hs256);
        let verdict = judge(&signers[one.signer].ring, one.presented_as, &changed);
        assert!(verdict == "invalid" || verdict == "too long", "{verdict}: {changed}");
    }
    assert!(verified_cheaply < CHANGES * 9 / 10, "every algorithm had its share");
}

fn tokens(at: usize, signer: &Signer) -> Vec<Good> {
    let sealed = signer.ring.mint_state(&state(), StateFormat::Sealed, [5; 12]).unwrap();
    let all = [
        ("access", signer.sign(&signer.header("at+jwt"), &forge::access_claims().to_string())),
        ("refresh", signer.sign(&signer.header("rt+jwt"), &forge::refresh_claims().to_string())),
        ("signed state", signer.sign(&signer.header("st+jwt"), &forge::state_claims().to_string())),
        ("sealed state", sealed),
    ];
    all.into_iter().map(|(presented_as, token)| Good { signer: at, presented_as, token }).collect()
}

fn state() -> StateClaims {
    StateClaims {
        issuer: ISSUER.into(),
        audience: ISSUER.into(),
        expires_at: Timestamp::from_secs(4_000_000_000),
        session: Some("AQIDBAUGBwgJCgsMDQ4PEA".parse().unwrap()),
        version: StateVersion { exclusive: 0, plain: 1 },
        data_version: 1,
        data: serde_json::value::to_raw_value(&serde_json::json!({ "items": ["pear"] })).unwrap(),
    }
}

fn change(rng: &mut TestRng, token: &str, other: &str) -> String {
    let at = below(rng, token.len());
    match below(rng, 9) {
        0 => flip(rng, token, at),
        1 => token[..at].to_owned(),
        2 => token[at..].to_owned(),
        3 => format!("{}{}", &token[..at], &other[below(rng, other.len())..]),
        4 => parts(rng, token, other),
        5 => replace(token, at, ['A', '-', '_', '+', '/', '=', '.', ' ', '\n', '\0', 'é'][below(rng, 11)]),
        6 => insert(token, at, ['A', '=', '.', '%', '\r', '\u{feff}'][below(rng, 6)]),
        7 => respell(rng, token),
        _ => header(rng, token),
    }
}

/// One bit of what a part spells.
fn flip(rng: &mut TestRng, token: &str, at: usize) -> String {
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let chosen = at % parts.len();
    let mut bytes = forge::decode(&parts[chosen]);
    if bytes.is_empty() {
        return format!("{token}A");
    }
    let byte = below(rng, bytes.len());
    bytes[byte] ^= 1 << below(rng, 8);
    parts[chosen] = forge::encode(&bytes);
    parts.join(".")
}

/// Parts of two tokens.
fn parts(rng: &mut TestRng, token: &str, other: &str) -> String {
    let others: Vec<&str> = other.split('.').collect();
    let mixed: Vec<&str> = token
        .split('.')
        .enumerate()
        .map(|(at, part)| if below(rng, 2) == 0 { part } else { others[at % others.len()] })
        .collect();
    mixed.join(".")
}

fn replace(token: &str, at: usize, with: char) -> String {
    format!("{}{with}{}", &token[..at], &token[at + 1..])
}

fn insert(token: &str, at: usize, what: char) -> String {
    format!("{}{what}{}", &token[..at], &token[at..])
}

/// The same bytes in another spelling: unused bits at the end of a part, padding.
fn respell(rng: &mut TestRng, token: &str) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let chosen = below(rng, parts.len());
    let part = &mut parts[chosen];
    let unused = match part.len() % 4 {
        2 => 16,
        3 => 4,
        _ => 0,
    };
    match part.pop() {
        Some(last) if unused > 0 && below(rng, 2) == 0 => {
            let value = ALPHABET.iter().position(|c| *c as char == last).unwrap();
            part.push(ALPHABET[value + 1 + below(rng, unused - 1)] as char);
        }
        Some(last) => part.extend([last, '=']),
        None => part.push('='),
    }
    parts.join(".")
}

/// Another header before the same payload and signature.
fn header(rng: &mut TestRng, token: &str) -> String {
    let (header, rest) = token.split_once('.').unwrap();
    let text = String::from_utf8(forge::decode(header)).unwrap();
    let edits = [
        text.replace("HS256", "none").replace("EdDSA", "none").replace("ES256", "none"),
        text.replace("EdDSA", "HS256").replace("ES256", "HS256"),
        text.replace("HS256", "HS512"),
        text.replace("dir", "A256KW"),
        text.replace("A256GCM", "A128GCM"),
        text.replace('}', r#","crit":["exp"]}"#),
        text.replace('}', r#","b64":true}"#),
        text.replace("{\"", "{ \""),
        text.replace("at+jwt", "rt+jwt"),
        text.to_uppercase(),
    ];
    format!("{}.{rest}", forge::encode(edits[below(rng, edits.len())].as_bytes()))
}

fn below(rng: &mut TestRng, bound: usize) -> usize {
    usize::try_from(rng.next_u32()).unwrap() % bound
}
