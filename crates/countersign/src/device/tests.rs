//! Labels of devices.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn label_of(agent: &[u8]) -> Option<String> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_bytes(agent).unwrap());
    label(&headers).map(|label| label.to_string())
}

fn check(agent: &str, expect: Option<&str>) {
    assert_eq!(label_of(agent.as_bytes()).as_deref(), expect, "{agent:?}");
}

#[test]
fn browsers_are_told_apart() {
    check("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", Some("Firefox on Linux"));
    check(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36",
        Some("Chrome on Windows"),
    );
    check(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/147.0.0.0 Safari/537.36 Edg/147.0.0.0",
        Some("Edge on Windows"),
    );
    check(
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.2 Safari/605.1.15",
        Some("Safari on macOS"),
    );
    check(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/147.0 Mobile/15E148 Safari/604.1",
        Some("Chrome on iPhone"),
    );
    check(
        "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36",
        Some("Samsung Internet on Android"),
    );
    check(
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/147.0.0.0 Safari/537.36",
        Some("Chrome on Linux"),
    );
    check("Mozilla/5.0 (compatible; Something)", Some("Browser"));
}

#[test]
fn programs_are_named() {
    check("curl/8.5.0", Some("curl"));
    check("python-requests/2.32", Some("python-requests"));
    check("MyApp/1.0 (iPad; iOS 18)", Some("MyApp on iPad"));
    check("", None);
    check("   ", None);
    check("/1.0", None);
    assert_eq!(label(&HeaderMap::new()), None);
}

#[test]
fn a_label_carries_no_mark_up() {
    check("<script>alert(1)</script>", Some("scriptalert"));
    check("\"><img src=x onerror=alert(1)> Linux", Some("img on Linux"));
    check(&"x".repeat(10_000), Some(&"x".repeat(48)));
}

proptest! {
    #[test]
    fn any_agent_gives_a_short_harmless_label(agent in proptest::collection::vec(0x20_u8.., 0..300)) {
        let Ok(agent) = HeaderValue::from_bytes(&agent) else { return Ok(()) };
        if let Some(label) = label_of(agent.as_bytes()) {
            prop_assert!((1..=LONGEST).contains(&label.len()));
            prop_assert!(label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b" .-_".contains(&byte)));
        }
    }
}
