//! Which credential of a request counts.

use http::header::COOKIE;

use super::*;

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn read(
    lines: &[(&'static str, &str)],
    transport: Transport,
    then: impl FnOnce(Result<Credentials<'_>, BadRequest>),
) {
    then(Credentials::read(&headers(lines), &CookieNames::host_prefixed(), transport));
}

fn check_access(lines: &[(&'static str, &str)], transport: Transport, expect: Option<(Scheme, &str)>) {
    read(lines, transport, |found| {
        let access = found.unwrap().access;
        assert_eq!(access.map(|access| (access.scheme, access.token)), expect, "{lines:?} {transport}");
    });
}

fn check_refused(lines: &[(&'static str, &str)], transport: Transport, expect: BadRequest) {
    read(lines, transport, |found| assert_eq!(found.err(), Some(expect), "{lines:?} {transport}"));
}

const COOKIE_A: (&str, &str) = ("cookie", "__Host-session=a");

#[test]
fn the_access_token_comes_from_where_the_transport_lets_it() {
    use Scheme::{Bearer, Cookie, Dpop};
    use Transport::{Body, Cookies};

    check_access(&[], Cookies, None);
    check_access(&[COOKIE_A], Cookies, Some((Cookie, "a")));
    check_access(&[COOKIE_A], Transport::Bearer, None);
    check_access(&[COOKIE_A], Body, None);
    for transport in [Cookies, Transport::Bearer, Body] {
        check_access(&[("authorization", "Bearer b")], transport, Some((Bearer, "b")));
        check_access(&[("authorization", "DPoP d"), COOKIE_A], transport, Some((Dpop, "d")));
        check_access(&[("authorization", "Bearer b"), COOKIE_A], transport, Some((Bearer, "b")));
    }
}

#[test]
fn schemes_are_read_as_rfc_9110_says() {
    let check = |value: &str, expect| check_access(&[("authorization", value)], Transport::Cookies, expect);
    check("bEARER x.y.z", Some((Scheme::Bearer, "x.y.z")));
    check("dpop x", Some((Scheme::Dpop, "x")));
    check("Bearer    x ", Some((Scheme::Bearer, "x")));
    check("Bearer", Some((Scheme::Bearer, "")));
    check("Bearer a b", Some((Scheme::Bearer, "a b")));
    check("Bearer \u{e9}", Some((Scheme::Bearer, "é")));
    check("Basic YTpi", None);
    check("Bearerx y", None);
    check("Bearer\tx", None);
    check("", None);
}

#[test]
fn another_scheme_leaves_the_cookie() {
    check_access(
        &[("authorization", "Basic YTpi"), COOKIE_A],
        Transport::Cookies,
        Some((Scheme::Cookie, "a")),
    );
}

#[test]
fn bytes_that_are_no_text_are_no_token() {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, HeaderValue::from_bytes(b"Bearer \xff\xfe").unwrap());
    headers.insert(COOKIE, HeaderValue::from_bytes(b"__Host-session-refresh=\xff").unwrap());
    let names = CookieNames::host_prefixed();
    let found = Credentials::read(&headers, &names, Transport::Cookies).unwrap();
    assert_eq!(found.access.unwrap().token, crate::cookie::NOT_A_TOKEN);
    assert_eq!(found.jar.refresh, Some(crate::cookie::NOT_A_TOKEN));
}

#[test]
fn two_credentials_of_one_kind_are_refused() {
    let check = |lines: &[_], expect| check_refused(lines, Transport::Body, expect);
    check(&[("authorization", "Bearer a"), ("authorization", "Bearer a")], BadRequest::TwoAuthorizations);
    check(&[("authorization", "Basic a"), ("authorization", "Bearer a")], BadRequest::TwoAuthorizations);
    check(&[COOKIE_A, COOKIE_A], BadRequest::TwoCookies);
    check(&[("session-state", "a"), ("session-state", "b")], BadRequest::TwoStates);
    check(&[("idempotency-key", "a"), ("idempotency-key", "a")], BadRequest::TwoIdempotencyKeys);
    // A bearer token wins over the cookie, but does not make two cookies one.
    check(&[("authorization", "Bearer b"), COOKIE_A, COOKIE_A], BadRequest::TwoCookies);
}

#[test]
fn the_state_header_belongs_to_one_transport() {
    let check = |transport, value, expect: Option<&str>| {
        read(&[("session-state", value)], transport, |found| {
            assert_eq!(found.unwrap().session_state, expect, "{transport} {value:?}");
        });
    };
    check(Transport::Body, "s", Some("s"));
    check(Transport::Body, "", None);
    check(Transport::Bearer, "s", None);
    check(Transport::Cookies, "s", None);
    // Where it is not read, two of them are nobody's business.
    read(&[("session-state", "a"), ("session-state", "b")], Transport::Cookies, |found| {
        assert_eq!(found.unwrap().session_state, None);
    });
}

#[test]
fn an_idempotency_key_has_1_to_128_visible_characters() {
    let check = |value: &str, expect: Result<Option<&str>, BadRequest>| {
        read(&[("idempotency-key", value)], Transport::Cookies, |found| {
            assert_eq!(found.map(|found| found.idempotency_key), expect, "{value:?}");
        });
    };
    check("a", Ok(Some("a")));
    check("!~\"%00", Ok(Some("!~\"%00")));
    let longest = "k".repeat(128);
    check(&longest, Ok(Some(&longest)));
    for wrong in ["", " ", "a b", "a\tb", "é", &"k".repeat(129)] {
        check(wrong, Err(BadRequest::IdempotencyKey));
    }
    read(&[], Transport::Cookies, |found| assert_eq!(found.unwrap().idempotency_key, None));
}

#[test]
fn only_a_plain_true_is_passive() {
    let check = |lines: &[_], expect| {
        read(lines, Transport::Cookies, |found| assert_eq!(found.unwrap().passive, expect, "{lines:?}"));
    };
    check(&[], Activity::Active);
    check(&[("session-passive", "?1")], Activity::Passive);
    for other in ["?0", "1", "true", "", "?1, ?1", "?10", "\"?1\""] {
        check(&[("session-passive", other)], Activity::Active);
    }
    check(&[("session-passive", "?1"), ("session-passive", "?1")], Activity::Active);
}

#[test]
fn debug_shows_no_credential() {
    let lines = [
        ("authorization", "Bearer secret"),
        ("cookie", "__Host-session-refresh=secret; __Host-visit=secret; __Host-state.abcdef.0=secret"),
    ];
    read(&lines, Transport::Cookies, |found| {
        let found = found.unwrap();
        assert!(found.access.is_some() && found.jar.refresh.is_some() && !found.jar.states.is_empty());
        let shown = format!("{found:?} {:?}", found.jar.states);
        assert!(!shown.contains("secret") && !shown.contains("abcdef"), "{shown}");
    });
}
