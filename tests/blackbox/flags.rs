//! Flags that cannot work: refused at the start, saying why.

use countersign_tests::Launch;

/// Demands that these flags are refused, and that the refusal speaks of each of these words.
async fn check(flags: &[&str], words: &[&str]) {
    let refused = Launch::new().flags(flags).refused().await;
    let said = refused.output.to_lowercase().replace('_', "-");
    for word in words {
        assert!(said.contains(word), "{flags:?} does not speak of {word:?}: {}", refused.output);
    }
}

#[tokio::test]
async fn durations_that_contradict_each_other() {
    check(&["--access-ttl", "10m", "--dangling-after", "5m"], &["access", "dangling"]).await;
    check(&["--access-ttl", "5m", "--clock-skew", "26m"], &["dangling", "skew"]).await;
    check(&["--idle-timeout", "2d", "--lifetime", "1d"], &["idle", "lifetime"]).await;
    check(&["--race-window", "0s"], &["race"]).await;
    check(&["--race-window", "0ms"], &["race"]).await;
}

#[tokio::test]
async fn durations_of_seconds_are_legal() {
    let flags = ["--access-ttl", "1s", "--dangling-after", "1s", "--idle-timeout", "1s", "--lifetime", "1s"];
    Launch::new().flags(&flags).flags(&["--race-window", "1s", "--fresh-for", "1s"]).start().await;
}

#[tokio::test]
async fn values_that_are_none() {
    check(&["--access-ttl", "soon"], &["access-ttl", "soon"]).await;
    check(&["--access-ttl=-1s"], &["access-ttl"]).await;
    check(&["--site-limit", "-1"], &["-1"]).await;
    check(&["--user-limit", "many"], &["user-limit", "many"]).await;
    check(&["--on-full", "panic"], &["on-full", "end-oldest"]).await;
    check(&["--transport", "pigeon"], &["transport", "bearer"]).await;
    check(&["--dpop", "perhaps"], &["dpop", "required"]).await;
    check(&["--alg", "RS256"], &["alg", "es256"]).await;
    check(&["--alg", "none"], &["alg"]).await;
    check(&["--listen", "nowhere"], &["nowhere"]).await;
    check(&["--no-such-flag"], &["no-such-flag"]).await;
}

#[tokio::test]
async fn registries_that_this_build_lacks() {
    for scheme in ["redis", "rediss", "redis+cluster", "redis+sentinel"] {
        check(&["--registry", &format!("{scheme}://127.0.0.1:1")], &[scheme]).await;
    }
    check(&["--registry", "postgres://localhost"], &["postgres"]).await;
    check(&["--registry", "registry.redb"], &["registry.redb"]).await;
    check(&["--registry", ""], &["registry"]).await;
    check(&["--registry", "file:"], &["file"]).await;
}

#[tokio::test]
async fn origins_that_are_none_or_not_safe() {
    check(&["--origin", "http://shop.example"], &["http://shop.example"]).await;
    check(&["--origin", "http://192.168.1.1"], &["192.168.1.1"]).await;
    check(&["--origin", "http://localhost.evil.example"], &["localhost.evil.example"]).await;
    check(&["--origin", "shop.example"], &["shop.example"]).await;
    check(&["--origin", "ftp://localhost"], &["ftp"]).await;
    for origin in ["http://localhost:3000", "http://app.localhost", "http://[::1]:1", "https://shop.example"]
    {
        Launch::new().flags(&["--origin", origin]).start().await;
    }
}

#[tokio::test]
async fn development_cookies_off_the_loopback() {
    check(&["--dev-cookies", "--listen", "0.0.0.0:0"], &["loopback"]).await;
    check(&["--dev-cookies", "--origin", "https://shop.example"], &["loopback"]).await;
}

#[tokio::test]
async fn proofs_where_no_client_holds_a_token() {
    check(&["--dpop", "required"], &["dpop", "cookies"]).await;
    Launch::new().flags(&["--dpop", "required", "--transport", "bearer"]).start().await;
}

#[tokio::test]
async fn an_address_in_use() {
    let running = Launch::new().start().await;
    let address = running.address().to_string();
    check(&["--listen", &address], &[&address]).await;
}
