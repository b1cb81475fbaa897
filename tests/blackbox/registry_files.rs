//! Registry files that are corrupt, locked or unwritable: refused with a clear error, and never repaired away.

use std::fs;
use std::path::Path;

use countersign_tests::{Client, Launch, Server, Transport, Wire};

const ORIGIN: &[&str] = &["--origin", "http://localhost:1"];

/// A file with a session in it, and that session.
async fn used() -> (Launch, Client) {
    let mut server = Server::start(ORIGIN).await;
    let mut client = server.client(Wire::Http1, Transport::Cookies);
    client.login("alice").await;
    server.terminate().await;
    (server.launch().clone(), client)
}

#[tokio::test]
async fn a_second_process_on_the_same_file_is_refused() {
    let mut server = Server::start(ORIGIN).await;
    let mut client = server.client(Wire::Http1, Transport::Cookies);
    client.login("alice").await;
    let refused = server.launch().clone().refused().await;
    assert!(refused.output.contains("registry.redb"), "{}", refused.output);
    let said = refused.output.to_lowercase();
    assert!(["use", "lock", "process", "open"].iter().any(|word| said.contains(word)), "{said}");
    client.get("/session").await.expect(200);
    client.refresh().await.expect(200);
    server.terminate().await;
    server.restart(&[]).await;
}

#[tokio::test]
async fn rubbish_is_no_registry() {
    let rubbish: [&[u8]; 4] = [b"x", b"not a registry at all, but long enough", &[0; 4096], &[0xff; 16_000]];
    for bytes in rubbish {
        let launch = Launch::new();
        fs::create_dir_all(launch.registry().parent().unwrap()).unwrap();
        fs::write(launch.registry(), bytes).unwrap();
        let refused = launch.clone().refused().await;
        assert!(refused.output.contains("registry.redb"), "{}", refused.output);
        assert_eq!(fs::read(launch.registry()).unwrap(), bytes, "what is not ours is left alone");
    }
}

#[tokio::test]
async fn half_a_registry_is_none() {
    let (launch, _) = used().await;
    let whole = fs::read(launch.registry()).unwrap();
    for keep in [whole.len() / 2, 4096, 100] {
        fs::write(launch.registry(), &whole[..keep]).unwrap();
        assert!(launch.clone().refused().await.output.contains("registry.redb"));
    }
}

/// A flipped bit is noticed, or makes no difference; it never opens a session nor panics.
#[tokio::test]
async fn a_flipped_bit_does_no_silent_harm() {
    let (launch, client) = used().await;
    let whole = fs::read(launch.registry()).unwrap();
    for at in (0..16).map(|n| n * whole.len() / 16) {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        fs::write(launch.registry(), &flipped).unwrap();
        let Some(server) = launch.clone().start_or_refuse().await else { continue };
        let mut client = Client { address: server.address(), ..client.clone() };
        let answer = client.get("/session").await;
        assert!([200, 401, 503].contains(&answer.status.as_u16()), "{}", answer.text());
    }
}

#[tokio::test]
async fn a_folder_or_an_unwritable_place_is_refused() {
    let launch = Launch::new();
    fs::create_dir_all(launch.registry()).unwrap();
    assert!(launch.refused().await.output.contains("registry.redb"));
    for place in ["file:/proc/countersign/registry.redb", "file:/dev/null/registry.redb"] {
        let refused = Launch::new().flags(&["--registry", place]).refused().await;
        assert!(refused.output.contains("registry.redb"), "{}", refused.output);
    }
}

#[tokio::test]
async fn a_missing_folder_is_made() {
    let launch = Launch::new();
    let path = launch.folder().join("a/b/registry.redb");
    let _server = launch.flags(&["--registry", &format!("file:{}", path.display())]).start().await;
    assert!(Path::new(&path).is_file());
}
