//! The whole matrix: method, `Sec-Fetch-Site`, `Origin` and cookie, against the contract's sentence about them.

use super::*;

const OWN: &str = "https://shop.example";

const SITES: &[&[&str]] = &[
    &[],
    &["same-origin"],
    &["same-site"],
    &["cross-site"],
    &["none"],
    &[""],
    &["Same-Origin"],
    &["same-origin "],
    &["same-origin, same-origin"],
    &["same-origin", "same-origin"],
    &["same-origin", "cross-site"],
    &["cross-site", "same-origin"],
];

const ORIGINS: &[&[&str]] = &[
    &[],
    &[OWN],
    &["null"],
    &[""],
    &["http://shop.example"],
    &["https://shop.example:8443"],
    &["https://www.shop.example"],
    &["https://shop.example.attacker.test"],
    &["https://attacker.test"],
    &[OWN, OWN],
    &[OWN, "https://attacker.test"],
];

const METHODS: &[&str] =
    &["GET", "HEAD", "OPTIONS", "TRACE", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "QUERY", "get"];

/// The contract's words, without a thought for how `judge` goes about it.
fn expect(method: &str, sites: &[&str], origins: &[&str], cookie_came: bool) -> Verdict {
    let allowed = ["GET", "HEAD", "OPTIONS", "TRACE"].contains(&method)
        || sites == ["same-origin"]
        || (sites.is_empty() && origins == [OWN])
        || (sites.is_empty() && origins.is_empty() && !cookie_came);
    if allowed { Verdict::SameOrigin } else { Verdict::CrossSite }
}

fn request(sites: &[&'static str], origins: &[&'static str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for site in sites {
        headers.append("sec-fetch-site", HeaderValue::from_static(site));
    }
    for origin in origins {
        headers.append("origin", HeaderValue::from_static(origin));
    }
    headers
}

#[test]
fn every_combination_is_judged_as_the_contract_says() {
    let own = OWN.parse().unwrap();
    for method in METHODS {
        let as_method = Method::from_bytes(method.as_bytes()).unwrap();
        for sites in SITES {
            for origins in ORIGINS {
                for cookie_came in [false, true] {
                    assert_eq!(
                        judge(&as_method, &request(sites, origins), &own, cookie_came),
                        expect(method, sites, origins, cookie_came),
                        "{method}, Sec-Fetch-Site {sites:?}, Origin {origins:?}, cookie {cookie_came}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_handshake_of_a_web_socket_is_no_safe_request() {
    let own = OWN.parse().unwrap();
    let check = |upgrade: &[&'static str], opens: bool| {
        for sites in SITES {
            for origins in ORIGINS {
                for cookie_came in [false, true] {
                    let mut headers = request(sites, origins);
                    for line in upgrade {
                        headers.append("upgrade", HeaderValue::from_static(line));
                    }
                    let as_method = if opens { "POST" } else { "GET" };
                    assert_eq!(
                        judge(&Method::GET, &headers, &own, cookie_came),
                        expect(as_method, sites, origins, cookie_came),
                        "Upgrade {upgrade:?}, Sec-Fetch-Site {sites:?}, Origin {origins:?}, cookie {cookie_came}"
                    );
                }
            }
        }
    };
    check(&["websocket"], true);
    check(&["WebSocket"], true);
    check(&["h2c, websocket/13"], true);
    check(&["h2c", " websocket "], true);
    check(&["h2c"], false);
    check(&["websockets"], false);
}

#[test]
fn the_host_of_a_request_has_no_say() {
    let own = OWN.parse().unwrap();
    let mut headers = request(&[], &["https://attacker.test"]);
    headers.insert("host", HeaderValue::from_static("attacker.test"));
    headers.insert("x-forwarded-host", HeaderValue::from_static("attacker.test"));
    assert_eq!(judge(&Method::POST, &headers, &own, true), Verdict::CrossSite);
}
