//! Cross-site requests: the whole matrix of `Sec-Fetch-Site`, `Origin`, cookie and path.

use countersign_tests::{Answer, Call, Client, Stage, Transport, Wire};
use serde_json::json;

const SITES: [Option<&str>; 6] =
    [None, Some("same-origin"), Some("same-site"), Some("cross-site"), Some("none"), Some("junk")];

fn origins(own: &str) -> [Option<String>; 6] {
    [
        None,
        Some(own.to_owned()),
        Some("https://evil.example".to_owned()),
        Some("null".to_owned()),
        Some(format!("{own}1")),
        Some(own.replace("http:", "https:")),
    ]
}

/// The contract's rule, word by word.
fn passes(site: Option<&str>, origin: Option<&str>, own: &str, cookie_came: bool) -> bool {
    match (site, origin) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin == own,
        (None, None) => !cookie_came,
    }
}

fn aimed(call: Call, site: Option<&str>, origin: Option<&str>) -> Call {
    let call = site.iter().fold(call.bare(), |call, site| call.header("sec-fetch-site", site));
    origin.iter().fold(call, |call, origin| call.header("origin", origin))
}

async fn matrix(stage: &Stage, client: &Client, call: impl Fn() -> Call, cookie_came: bool) {
    let own = stage.server.origin();
    for site in SITES {
        for origin in origins(&own) {
            let answer = client.clone().send(aimed(call(), site, origin.as_deref())).await;
            let passes = passes(site, origin.as_deref(), &own, cookie_came);
            judge(&answer, passes, &format!("Sec-Fetch-Site {site:?}, Origin {origin:?}"));
        }
    }
}

#[track_caller]
fn judge(answer: &Answer, passes: bool, what: &str) {
    assert_eq!(answer.status != 403, passes, "{what}: {} {}", answer.status, answer.text());
    if !passes {
        answer.refused(403, "cross-site");
    }
}

#[tokio::test]
async fn with_a_session_cookie_every_unsafe_method_is_judged() {
    for transport in [Transport::Cookies, Transport::Bearer] {
        for wire in [Wire::Http1, Wire::Http2] {
            let stage = Stage::new(wire, transport, &[]).await;
            let client = stage.logged_in("alice").await;
            matrix(&stage, &client, || Call::post("/session/refresh"), true).await;
            if transport == Transport::Cookies {
                let add = || Call::post("/api/cart").json(&json!({"item": "tea"}));
                matrix(&stage, &client, add, true).await;
                let delete = || Call::delete("/session/AAAAAAAAAAAAAAAAAAAAAA");
                matrix(&stage, &client, delete, true).await;
                matrix(&stage, &client, || Call::post("/session/logout-others"), true).await;
            }
            client.clone().get("/session").await.expect(200);
        }
    }
}

#[tokio::test]
async fn login_and_logout_are_judged_without_any_cookie() {
    let stage = Stage::simple(&[]).await;
    let nobody = stage.client();
    let login = || Call::post("/login").json(&json!({"user": "alice", "password": "canary-4"}));
    matrix(&stage, &nobody, login, false).await;
    matrix(&stage, &nobody, || Call::post("/session/logout"), false).await;
    matrix(&stage, &nobody, || Call::post("/session/refresh"), false).await;
    let admit = || Call::post("/session/admit").json(&json!({"choice": "x", "end": "y"}));
    matrix(&stage, &nobody, admit, false).await;
}

#[tokio::test]
async fn a_cross_site_logout_ends_nothing() {
    let stage = Stage::simple(&[]).await;
    let mut client = stage.logged_in("alice").await;
    for site in ["cross-site", "same-site", "none"] {
        let call = Call::post("/session/logout").header("sec-fetch-site", site);
        client.send(call).await.refused(403, "cross-site");
    }
    client.get("/session").await.expect(200);
    client.refresh().await.expect(200);
}

#[tokio::test]
async fn login_from_another_site_logs_nobody_in() {
    let stage = Stage::simple(&[]).await;
    let mut victim = stage.client();
    let call = Call::post("/login").json(&json!({"user": "bob", "password": "correct horse"}));
    let call = call.header("sec-fetch-site", "cross-site").header("origin", "https://evil.example");
    victim.send(call).await.refused(403, "cross-site");
    assert!(victim.jar.names().is_empty());
}

#[tokio::test]
async fn safe_methods_pass_from_anywhere() {
    let stage = Stage::simple(&[]).await;
    let client = stage.logged_in("alice").await;
    let own = stage.server.origin();
    for site in SITES {
        for origin in origins(&own) {
            let call = aimed(Call::get("/session"), site, origin.as_deref());
            client.clone().send(call).await.expect(200);
        }
    }
}

#[tokio::test]
async fn doubled_or_odd_headers_do_not_pass() {
    let stage = Stage::simple(&[]).await;
    let client = stage.logged_in("alice").await;
    let own = stage.server.origin();
    let refresh = || Call::post("/session/refresh").bare();
    let doubled = refresh().header("sec-fetch-site", "same-origin").header("sec-fetch-site", "cross-site");
    client.clone().send(doubled).await.refused(403, "cross-site");
    let two = refresh().header("origin", &own).header("origin", "https://evil.example");
    client.clone().send(two).await.refused(403, "cross-site");
    for odd in
        [format!("{own}/"), format!("{own} "), own.to_uppercase(), format!("{own}, {own}"), String::new()]
    {
        let answer = client.clone().send(refresh().header("origin", &odd)).await;
        let trimmed = odd.trim() == own;
        assert!(trimmed || answer.status == 403, "{odd:?}: {}", answer.status);
    }
}

#[tokio::test]
async fn the_configured_origin_counts_not_the_address() {
    let stage = Stage::simple(&["--origin", "https://shop.example"]).await;
    let client = stage.logged_in("alice").await;
    let refresh = |origin: &str| Call::post("/session/refresh").bare().header("origin", origin);
    client.clone().send(refresh("https://shop.example")).await.expect(200);
    let bound = format!("http://{}", stage.server.address());
    client.clone().send(refresh(&bound)).await.refused(403, "cross-site");
    client.clone().send(refresh("http://shop.example")).await.refused(403, "cross-site");
}

#[tokio::test]
async fn a_bearer_without_cookies_is_no_business_of_browsers() {
    let stage = Stage::new(Wire::Http1, Transport::Body, &[]).await;
    let client = stage.logged_in("alice").await;
    for site in SITES {
        let add = Call::post("/api/cart").json(&json!({"item": "tea"}));
        client.clone().send(aimed(add, site, None)).await.expect(200);
    }
}
