//! Every combination that cannot work is refused, naming what clashes.

use std::time::Duration;

use countersign::testing::ORIGIN;
use countersign::{
    Algorithm, Builder, ConfigError, Dpop, KeyRing, MemoryRegistry, Policy, Sessions, Timestamp, Transport,
};

fn build(origin: &str, configure: impl FnOnce(Builder) -> Builder) -> Result<Sessions, ConfigError> {
    let keys = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000));
    configure(Sessions::builder(origin, keys, MemoryRegistry::new())).build()
}

#[track_caller]
fn refused(origin: &str, configure: impl FnOnce(Builder) -> Builder, expect: &[&str]) {
    let error = build(origin, configure).expect_err("a refusal").to_string();
    for word in expect {
        assert!(error.contains(word), "{error:?} does not name {word:?}");
    }
}

const HOUR: Duration = Duration::from_hours(1);

#[test]
fn a_policy_that_cannot_work_is_refused() {
    let check = |policy: Policy, expect: &[&str]| refused(ORIGIN, |b| b.policy(policy), expect);
    let default = Policy::default();
    check(default.access_ttl(Duration::ZERO), &["access-ttl"]);
    check(default.idle(Duration::ZERO), &["idle-timeout"]);
    check(default.lifetime(Duration::ZERO), &["lifetime"]);
    check(default.race_window(Duration::ZERO), &["race-window"]);
    check(default.visit_ttl(Duration::ZERO), &["visit-ttl"]);
    check(default.access_ttl(HOUR), &["access-ttl", "dangling-after"]);
    check(
        default.access_ttl(30 * HOUR / 60).clock_skew(Duration::from_secs(1)),
        &["clock-skew", "dangling-after"],
    );
    check(default.dangling_after(Duration::ZERO), &["dangling-after"]);
    check(default.idle(15 * 24 * HOUR), &["idle-timeout", "lifetime"]);
    for too_long in [
        default.access_ttl(Duration::MAX),
        default.idle(Duration::MAX),
        default.lifetime(Duration::MAX),
        default.race_window(Duration::MAX),
        default.visit_ttl(Duration::MAX),
        default.dangling_after(Duration::MAX),
        default.clock_skew(Duration::MAX),
        default.max_staleness(Duration::MAX),
        default.fresh_for(Duration::MAX),
    ] {
        check(too_long, &["100 years"]);
    }
}

#[test]
fn an_origin_or_a_prefix_that_is_none_is_refused() {
    for origin in
        ["", "shop.test", "http://shop.test", "https://shop.test/path", "https://a:b@shop.test", "ftp://x"]
    {
        refused(origin, |b| b, &[origin]);
    }
    for prefix in
        ["", "/", "session", "/session/", "//session", "/a//b", "/a b", "/a?b", "/..", "/a/../b", "/./a"]
    {
        refused(ORIGIN, |b| b.prefix(prefix), &[prefix]);
    }
    assert!(build(ORIGIN, |b| b.prefix("/app/v1.0/session")).is_ok());
}

#[test]
fn cookies_that_cannot_work_are_refused() {
    for transport in [Transport::Bearer, Transport::Body] {
        refused(ORIGIN, |b| b.inline_renewal().transport(transport), &["inline renewal", transport.as_str()]);
    }
    refused(ORIGIN, |b| b.development_cookies("shop"), &["loopback", ORIGIN]);
    for name in ["", "a b", "a=b", "a;b", "__Host-a"] {
        refused("http://localhost:8080", |b| b.development_cookies(name), &["cookie"]);
    }
    assert!(build("http://localhost:8080", |b| b.development_cookies("shop").inline_renewal()).is_ok());
}

#[test]
fn proofs_cannot_be_demanded_where_no_client_holds_a_token() {
    refused(ORIGIN, |b| b.dpop(Dpop::Required), &["cookies", "DPoP"]);
    assert!(build(ORIGIN, |b| b.dpop(Dpop::Offered)).is_ok());
    for transport in [Transport::Bearer, Transport::Body] {
        assert!(build(ORIGIN, |b| b.dpop(Dpop::Required).transport(transport)).is_ok());
    }
}
