//! The attack list as data: `tests/vectors/token-{accepted,refused}.json`, which other implementations may read, too.
//!
//! `COUNTERSIGN_WRITE_VECTORS=1 cargo test -p countersign-token vectors` writes the files anew; the result is the same
//! each time, but for ES256.

use std::path::PathBuf;

use countersign_token::KeyRing;
use serde_json::{Value, json};

use crate::attacks::{accepted, refused};
use crate::forge::{self, ISSUER, NOW, Signer, judge};

#[test]
fn every_vector_is_judged_as_it_says() {
    if std::env::var_os("COUNTERSIGN_WRITE_VECTORS").is_some() {
        write("token-accepted.json", &accepted());
        write("token-refused.json", &refused());
    }
    assert!(check("token-accepted.json") >= 20);
    assert!(check("token-refused.json") >= 150);
}

/// The files say what this list says: neither drifts.
#[test]
fn the_files_hold_the_whole_list() {
    for (file, list) in [("token-accepted.json", accepted()), ("token-refused.json", refused())] {
        let names = |tokens: &[Value]| tokens.iter().map(|one| one["name"].to_string()).collect::<Vec<_>>();
        assert_eq!(names(read(file)["tokens"].as_array().unwrap()), names(&list), "{file}");
    }
}

fn check(file: &str) -> usize {
    let vectors = read(file);
    assert_eq!(vectors["now"], json!(NOW.as_secs()));
    let tokens = vectors["tokens"].as_array().unwrap();
    for vector in tokens {
        let text = |member: &str| vector[member].as_str().unwrap();
        let ring = KeyRing::from_json(vectors["rings"][text("ring")].to_string().as_bytes()).unwrap();
        // A megabyte is spelled as what is repeated how often.
        let token = match vector["repeat"].as_u64() {
            Some(times) => text("token").repeat(usize::try_from(times).unwrap()),
            None => text("token").to_owned(),
        };
        assert_eq!(judge(&ring, text("as"), &token), text("expect"), "{file}: {}", text("name"));
    }
    tokens.len()
}

fn path(file: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "../../tests/vectors", file].iter().collect()
}

fn read(file: &str) -> Value {
    serde_json::from_slice(&std::fs::read(path(file)).unwrap()).unwrap()
}

fn write(file: &str, tokens: &[Value]) {
    let rings: serde_json::Map<String, Value> = forge::ALGORITHMS
        .map(|algorithm| (algorithm.to_string(), Signer::new(algorithm).file))
        .into_iter()
        .collect();
    let all = json!({ "issuer": ISSUER, "audience": ISSUER, "now": NOW.as_secs(), "rings": rings, "tokens": tokens });
    std::fs::write(path(file), format!("{all:#}\n")).unwrap();
}
