//! Proofs against `tests/vectors/dpop.json`, which clients in other languages read too; and changed at random.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::Timestamp;
use proptest::prelude::*;
use serde::Deserialize;

use super::nonce::Slot;
use super::proof::{Expected, Flaw, Proof, verify};
use super::replay::Replay;
use super::target::Target;
use super::*;

#[derive(Deserialize, Debug)]
struct Vectors {
    cases: Vec<Case>,
}

#[derive(Deserialize, Debug)]
struct Case {
    name: String,
    proof: String,
    request: Request,
    now: u64,
    window: u64,
    nonces: Nonces,
    token: Option<String>,
    bound_to: Option<String>,
    expect: Expect,
}

#[derive(Deserialize, Debug)]
struct Request {
    method: String,
    origin: String,
    path: String,
}

#[derive(Deserialize, Debug)]
struct Nonces {
    current: String,
    previous: String,
}

#[derive(Deserialize, Debug)]
struct Expect {
    ok: bool,
    check: Option<u8>,
    code: Option<String>,
    thumbprint: Option<String>,
    nonce: Option<String>,
}

static VECTORS: LazyLock<Vectors> = LazyLock::new(|| {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/dpop.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
});

impl Case {
    fn named(name: &str) -> &'static Self {
        VECTORS.cases.iter().find(|case| case.name == name).unwrap()
    }

    fn verify(&self, proof: &str) -> Result<Proof, Flaw> {
        let expected = Expected {
            method: &self.request.method,
            target: Target { origin: &self.request.origin, path: &self.request.path },
            now: Timestamp::from_secs(self.now),
            window: Duration::from_secs(self.window),
            nonce: &|nonce| match nonce {
                _ if nonce == self.nonces.current => Some(Slot::Current),
                _ if nonce == self.nonces.previous => Some(Slot::Previous),
                _ => None,
            },
            token: self.token.as_deref(),
            key: self.bound_to.as_deref(),
        };
        verify(proof, &expected)
    }
}

#[test]
fn each_vector_is_judged_as_it_says() {
    for case in &VECTORS.cases {
        let (name, expect) = (&case.name, &case.expect);
        match case.verify(&case.proof) {
            Ok(proof) => {
                assert!(expect.ok, "{name}: accepted, but {expect:?}");
                assert_eq!(Some(proof.key().to_string()), expect.thumbprint, "{name}");
                let slot = if proof.slot() == Slot::Current { "current" } else { "previous" };
                assert_eq!(expect.nonce.as_deref(), Some(slot), "{name}");
            }
            Err(flaw) => {
                assert_eq!(Some(flaw as u8), expect.check, "{name}: {flaw:?}");
                let code = if flaw == Flaw::Nonce { "use-dpop-nonce" } else { "dpop-invalid" };
                assert_eq!(expect.code.as_deref(), Some(code), "{name}");
            }
        }
    }
}

#[test]
fn each_check_has_vectors_of_its_own() {
    for check in 1..=12 {
        assert!(VECTORS.cases.iter().any(|case| case.expect.check == Some(check)), "{check}");
    }
    assert!(VECTORS.cases.iter().filter(|case| case.expect.ok).count() > 10);
    assert!(VECTORS.cases.len() > 100);
}

/// RFC 9449, section 6.1, has the thumbprint of the key of its samples.
#[test]
fn a_thumbprint_is_that_of_the_rfc() {
    let header = Case::named("the sample of RFC 9449").proof.split('.').next().unwrap();
    let header = String::from_utf8(URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let jwk = countersign_token::jose::members(&header, ["jwk"]).unwrap()[0].unwrap();
    let thumbprint = key::PublicKey::read(jwk).unwrap().thumbprint();
    assert_eq!(thumbprint.to_string(), "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
}

#[test]
fn another_spelling_of_a_proof_is_the_same_proof() {
    let (plain, other) = (Case::named("ES256"), Case::named("the other s"));
    assert_ne!(plain.proof, other.proof);
    let (plain, other) = (plain.verify(&plain.proof).unwrap(), other.verify(&other.proof).unwrap());
    let replay = Replay::default();
    let now = Timestamp::from_secs(1_800_000_000);
    assert!(replay.is_first(plain.id(), now, Duration::from_mins(2)));
    assert!(!replay.is_first(other.id(), now, Duration::from_mins(2)));
}

#[test]
fn one_id_of_two_keys_is_two_proofs() {
    let (ours, theirs) = (Case::named("ES256"), Case::named("Ed25519, called EdDSA"));
    let id = |case: &Case| case.verify(&case.proof).unwrap().id();
    assert_ne!(id(ours), id(theirs));
}

fn accepted() -> impl Strategy<Value = &'static Case> {
    let all: Vec<&Case> = VECTORS.cases.iter().filter(|case| case.expect.ok).collect();
    proptest::sample::select(all)
}

#[derive(Clone, Debug)]
enum Change {
    Set(usize, char),
    Insert(usize, char),
    Remove(usize, usize),
    Repeat(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let character = prop_oneof![9 => proptest::char::range('!', '~'), 1 => any::<char>()];
    (0..4096_usize, 0..4096_usize, character, 0..4).prop_map(|(at, until, character, kind)| match kind {
        0 => Change::Set(at, character),
        1 => Change::Insert(at, character),
        2 => Change::Remove(at, until),
        _ => Change::Repeat(at, until),
    })
}

impl Change {
    fn of(&self, proof: &str) -> String {
        let mut text: Vec<char> = proof.chars().collect();
        let place = |at: usize| at % text.len().max(1);
        match *self {
            Self::Set(at, character) => {
                let at = place(at);
                text[at] = character;
            }
            Self::Insert(at, character) => {
                let at = place(at);
                text.insert(at, character);
            }
            Self::Remove(from, to) => {
                let (from, to) = (place(from).min(place(to)), place(from).max(place(to)));
                text.drain(from..=to);
            }
            Self::Repeat(from, to) => {
                let (from, to) = (place(from).min(place(to)), place(from).max(place(to)));
                let part = text[from..=to].to_vec();
                text.splice(from..from, part);
            }
        }
        text.into_iter().collect()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn no_changed_proof_is_accepted(case in accepted(), changes in proptest::collection::vec(change(), 1..4)) {
        let changed = changes.iter().fold(case.proof.clone(), |proof, change| {
            if proof.is_empty() { proof } else { change.of(&proof) }
        });
        if changed != case.proof {
            prop_assert!(case.verify(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn no_bit_of_a_proof_can_be_turned(case in accepted(), at in 0..4096_usize, bit in 0..8_u8) {
        let mut parts: Vec<Vec<u8>> =
            case.proof.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap()).collect();
        let length: usize = parts.iter().map(Vec::len).sum();
        let mut at = at % length;
        for part in &mut parts {
            if at < part.len() {
                part[at] ^= 1_u8 << bit;
                break;
            }
            at -= part.len();
        }
        let parts: Vec<_> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        prop_assert!(case.verify(&parts.join(".")).is_err());
    }

    #[test]
    fn nothing_else_is_accepted(header in ".{0,64}", parts in "[A-Za-z0-9_.-]{0,200}") {
        let case = Case::named("ES256");
        prop_assert!(case.verify(&header).is_err());
        prop_assert!(case.verify(&parts).is_err());
    }
}
