//! A key ring's text: what is broken is refused, by the name of what is wrong.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::time::Duration;

use countersign_token::{Algorithm, KeyId, KeyRing, KeyRingError, KeyState, Schedule, Timestamp};
use serde_json::{Value, json};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const ALGORITHMS: [Algorithm; 3] = [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256];

/// A ring with a retiring key and a signing one.
fn ring(algorithm: Algorithm) -> KeyRing {
    KeyRing::generate(algorithm, NOW).rotate_now(NOW.after(Duration::from_mins(1)))
}

fn file(ring: &KeyRing) -> Value {
    serde_json::from_slice(&ring.to_json()).unwrap()
}

fn read(file: &Value) -> Result<KeyRing, KeyRingError> {
    KeyRing::from_json(file.to_string().as_bytes())
}

/// Breaks a good file, for each algorithm.
fn check(what: &str, break_it: impl Fn(&mut Value), expect: impl Fn(&KeyRingError) -> bool) {
    for algorithm in ALGORITHMS {
        let mut file = file(&ring(algorithm));
        read(&file).unwrap();
        break_it(&mut file);
        let error = read(&file).unwrap_err();
        assert!(expect(&error), "{what}, {algorithm}: {error:?}");
    }
}

#[test]
fn what_is_no_ring_is_malformed() {
    for text in [&b""[..], b"{", b"[]", b"null", b"{}", b"\xff", br#"{"version":"1"}"#, br#"{"version":-1}"#]
    {
        assert!(matches!(KeyRing::from_json(text), Err(KeyRingError::Malformed(_))), "{text:?}");
    }
    let malformed = |error: &KeyRingError| matches!(error, KeyRingError::Malformed(_));
    check("no keys", |file| drop(file.as_object_mut().unwrap().remove("keys")), malformed);
    check("an unknown member", |file| file["comment"] = json!("ours"), malformed);
    check("an unknown member of a key", |file| file["keys"][0]["use"] = json!("sig"), malformed);
    check("an unknown algorithm", |file| file["algorithm"] = json!("RS256"), malformed);
    check("no algorithm", |file| file["algorithm"] = json!("none"), malformed);
    check("an unknown state", |file| file["keys"][0]["state"] = json!("gone"), malformed);
    check("no instant", |file| file["keys"][0]["since"] = json!("yesterday"), malformed);
    check("removed at no instant", |file| file["removed"] = json!({ "a": null }), malformed);
}

#[test]
fn a_later_version_is_told_apart() {
    for version in [0, 2, u64::MAX] {
        check("version", |file| file["version"] = json!(version), |e| *e == KeyRingError::Version(version));
    }
    let later = br#"{"version":2,"anything":["else"]}"#;
    assert_eq!(KeyRing::from_json(later).unwrap_err(), KeyRingError::Version(2));
}

#[test]
fn material_that_is_no_key_is_unusable() {
    let unusable = |error: &KeyRingError| matches!(error, KeyRingError::Material(_));
    let private = |value: Value| move |file: &mut Value| file["keys"][0]["private"] = value.clone();
    check("empty", private(json!("")), unusable);
    check("no base64url", private(json!("+/==")), unusable);
    check("too short a secret", private(json!("AAAA")), unusable);
    check("too long a secret", private(json!("A".repeat(88))), unusable);
    let seal = |value: Value| move |file: &mut Value| file["keys"][1]["seal"] = value.clone();
    for length in [0, 42, 44, 64] {
        check("seal of another length", seal(json!("A".repeat(length))), unusable);
    }
    check("seal in another spelling", seal(json!(format!("{}=", "A".repeat(43)))), unusable);
    let cut = |file: &mut Value| {
        let whole = file["keys"][0]["private"].as_str().unwrap().to_owned();
        file["keys"][0]["private"] = json!(whole[..20]);
    };
    check("the beginning of a key", cut, unusable);
}

#[test]
fn a_ring_never_mixes_algorithms() {
    for algorithm in ALGORITHMS {
        for other in ALGORITHMS.into_iter().filter(|other| *other != algorithm) {
            let mut mixed = file(&ring(algorithm));
            let mut stranger = file(&KeyRing::generate(other, NOW))["keys"][0].take();
            stranger["state"] = json!("retiring");
            mixed["keys"].as_array_mut().unwrap().push(stranger);
            let error = read(&mixed).unwrap_err();
            assert!(matches!(error, KeyRingError::Mixed(_)), "{other} among {algorithm}: {error:?}");
        }
    }
}

#[test]
fn a_kid_is_that_of_its_key() {
    let wrong = |error: &KeyRingError| matches!(error, KeyRingError::WrongId(_));
    check("another kid", |file| file["keys"][0]["kid"] = json!("../../dev/null"), wrong);
    let swapped = |file: &mut Value| {
        let kid = file["keys"][0]["kid"].take();
        file["keys"][0]["kid"] = file["keys"][1]["kid"].take();
        file["keys"][1]["kid"] = kid;
    };
    check("two kids swapped", swapped, wrong);
}

#[test]
fn a_kid_is_there_once() {
    let twice = |file: &mut Value| {
        let again = file["keys"][0].clone();
        file["keys"].as_array_mut().unwrap().push(again);
    };
    check("twice", twice, |error| matches!(error, KeyRingError::Twice(_)));
}

#[test]
fn exactly_one_key_signs() {
    check("none", |file| file["keys"] = json!([]), |error| *error == KeyRingError::Signers(0));
    check("none", |file| file["keys"][1]["state"] = json!("retiring"), |e| *e == KeyRingError::Signers(0));
    check("two", |file| file["keys"][0]["state"] = json!("signing"), |e| *e == KeyRingError::Signers(2));
}

#[test]
fn a_removed_key_does_not_come_back() {
    let back = |file: &mut Value| {
        let kid = file["keys"][0]["kid"].as_str().unwrap().to_owned();
        file["removed"] = json!({ kid: 1 });
    };
    check("removed", back, |error| matches!(error, KeyRingError::Removed(_)));
}

/// From an old file, once more: the feed says what was removed since.
#[test]
fn an_old_file_forgets_what_the_feed_removed() {
    for algorithm in ALGORITHMS {
        let old = ring(algorithm);
        let signing = old.keys().find(|key| key.state == KeyState::Signing).unwrap().id;
        let learned = read(&file(&old)).unwrap().mark_removed(&signing, NOW).unwrap();
        assert!(learned.keys().all(|key| key.id != signing));
        assert!(learned.mark_removed(&signing, NOW).is_none());
        assert_eq!(learned.keys().filter(|key| key.state == KeyState::Signing).count(), 1);
        let again = read(&file(&learned)).unwrap();
        assert!(again.is_removed(&signing), "removed is for ever");
        let never = KeyId::from("never was here");
        assert_eq!(old.remove(&never, NOW).unwrap_err(), KeyRingError::Unknown(never.to_string()));
    }
}

/// A clock that was set back: the key still verifies for as long as the token that it signed last.
#[test]
fn a_clock_set_back_shortens_no_keys_life() {
    let schedule = Schedule {
        publish_ahead: Duration::from_secs(10),
        sign_for: Duration::from_secs(1000),
        longest_token: Duration::from_secs(100),
    };
    let ring = KeyRing::generate(Algorithm::Hs256, NOW);
    let first = ring.keys().next().unwrap().id;
    let rotated = ring.rotate_now(NOW.before(Duration::from_secs(90)));
    let at = |secs| {
        let now = NOW.after(Duration::from_secs(secs));
        rotated.advance(now, &schedule).unwrap_or_else(|| rotated.clone()).keys().any(|key| key.id == first)
    };
    assert!(at(0) && at(99));
    assert!(!at(100), "and no longer");
}
