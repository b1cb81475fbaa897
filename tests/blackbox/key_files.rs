//! Key ring files that cannot be used: missing, malformed, of a wrong kind, open to others.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use countersign_tests::{Launch, Server};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn put(launch: &Launch, bytes: &[u8], mode: u32) {
    fs::create_dir_all(launch.keys().parent().unwrap()).unwrap();
    fs::write(launch.keys(), bytes).unwrap();
    fs::set_permissions(launch.keys(), fs::Permissions::from_mode(mode)).unwrap();
}

/// The ring of a server that ran.
async fn a_ring(alg: &str) -> Vec<u8> {
    let mut server = Server::start(&["--alg", alg]).await;
    server.terminate().await;
    fs::read(server.launch().keys()).unwrap()
}

#[tokio::test]
async fn a_missing_ring_is_made_for_its_owner_only() {
    let server = Launch::new().start().await;
    assert_eq!(mode(&server.launch().keys()), 0o600);
    let launch = Launch::new();
    let path = launch.folder().join("a/b/ring.json");
    let _server = launch.flags(&["--keys", path.to_str().unwrap()]).start().await;
    assert_eq!(mode(&path), 0o600);
}

#[tokio::test]
async fn a_ring_that_others_may_read_is_refused() {
    let ring = a_ring("EdDSA").await;
    for exposed in [0o644, 0o640, 0o604, 0o660, 0o606, 0o622] {
        let launch = Launch::new();
        put(&launch, &ring, exposed);
        let refused = launch.clone().refused().await;
        assert!(refused.output.contains("keys.json"), "{}", refused.output);
        let said = refused.output.to_lowercase();
        assert!(said.contains("chmod") || said.contains("600"), "it says what to do: {}", refused.output);
        assert_eq!(mode(&launch.keys()), exposed, "it is left as it is");
    }
    for private in [0o600, 0o400] {
        let launch = Launch::new();
        put(&launch, &ring, private);
        launch.start().await;
    }
}

#[tokio::test]
async fn what_is_no_ring_is_refused_and_left_alone() {
    let ring = a_ring("EdDSA").await;
    let half = &ring[..ring.len() / 2];
    let text = String::from_utf8(ring.clone()).unwrap();
    let no_keys =
        serde_json::json!({"version": 1, "algorithm": "EdDSA", "keys": [], "removed": {}}).to_string();
    let newer = text.replacen("\"version\": 1", "\"version\": 99", 1);
    assert_ne!(newer, text);
    let wrong: [&[u8]; 9] = [
        b"",
        b"\n",
        b"rubbish",
        b"{}",
        b"[]",
        half,
        no_keys.as_bytes(),
        newer.as_bytes(),
        b"-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n",
    ];
    for bytes in wrong {
        let launch = Launch::new();
        put(&launch, bytes, 0o600);
        let refused = launch.clone().refused().await;
        assert!(refused.output.contains("keys.json"), "{}", refused.output);
        assert_eq!(fs::read(launch.keys()).unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_key_of_a_wrong_kind_is_refused_without_showing_it() {
    let ring = String::from_utf8(a_ring("EdDSA").await).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&ring).unwrap();
    let private = parsed["keys"][0]["private"].as_str().unwrap().to_owned();
    let kinds = [
        ring.replace("EdDSA", "ES256"),
        ring.replace("EdDSA", "RS256"),
        ring.replace("EdDSA", "none"),
        ring.replace(&private, "AAAA"),
        ring.replace(&private, "not base64url!"),
        ring.replace(parsed["keys"][0]["kid"].as_str().unwrap(), "another-name"),
    ];
    for wrong in kinds {
        let launch = Launch::new();
        put(&launch, wrong.as_bytes(), 0o600);
        let refused = launch.refused().await;
        assert!(refused.output.contains("keys.json"), "{}", refused.output);
        assert!(!refused.output.contains(&private), "{}", refused.output);
    }
}

#[tokio::test]
async fn a_ring_of_another_algorithm_than_asked_for_is_refused() {
    let launch = Launch::new();
    put(&launch, &a_ring("HS256").await, 0o600);
    let refused = launch.flags(&["--alg", "EdDSA"]).refused().await;
    assert!(refused.output.contains("HS256") && refused.output.contains("EdDSA"), "{}", refused.output);
}

#[tokio::test]
async fn a_folder_or_an_unwritable_place_is_refused() {
    let launch = Launch::new();
    fs::create_dir_all(launch.keys()).unwrap();
    assert!(launch.refused().await.output.contains("keys.json"));
    for place in ["/proc/countersign/keys.json", "/dev/null/keys.json", "/dev/full"] {
        let refused = Launch::new().flags(&["--keys", place]).refused().await;
        assert!(refused.output.contains(place), "{}", refused.output);
    }
}
