//! The trusted-proxy rule: nobody chooses their own address.

use proptest::prelude::*;

use super::*;

const PEER: &str = "10.0.0.1";

fn proxies(header: ProxyHeader) -> TrustedProxies {
    let networks = ["10.0.0.0/8", "127.0.0.1", "fd00::/8"].map(|network| network.parse().unwrap());
    TrustedProxies::new(networks, header)
}

fn client(proxies: &TrustedProxies, peer: &str, lines: &[(&'static str, &str)]) -> String {
    let mut headers = HeaderMap::new();
    for (name, value) in lines {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    proxies.client_address(peer.parse().unwrap(), &headers).to_string()
}

fn check(peer: &str, hops: &[&str], expect: &str) {
    let lines: Vec<_> = hops.iter().map(|hops| ("x-forwarded-for", *hops)).collect();
    assert_eq!(client(&proxies(ProxyHeader::XForwardedFor), peer, &lines), expect, "{peer} {hops:?}");
}

fn check_forwarded(hops: &[&str], expect: &str) {
    let lines: Vec<_> = hops.iter().map(|hops| ("forwarded", *hops)).collect();
    assert_eq!(client(&proxies(ProxyHeader::Forwarded), PEER, &lines), expect, "{hops:?}");
}

#[test]
fn a_peer_that_is_no_proxy_of_ours_is_the_client() {
    check("203.0.113.9", &["198.51.100.1"], "203.0.113.9");
    check(PEER, &[], PEER);
    let none = TrustedProxies::none();
    assert_eq!(client(&none, PEER, &[("x-forwarded-for", "198.51.100.1")]), PEER);
}

#[test]
fn the_last_hop_that_is_no_proxy_is_the_client() {
    check(PEER, &["198.51.100.1"], "198.51.100.1");
    // What stands left of it, the client wrote.
    check(PEER, &["192.0.2.66, 198.51.100.1"], "198.51.100.1");
    check(PEER, &["192.0.2.66", "198.51.100.1"], "198.51.100.1");
    check(PEER, &["198.51.100.1, 10.0.0.2,10.0.0.3"], "198.51.100.1");
    check(PEER, &["10.0.0.9, 198.51.100.1, 10.0.0.2"], "198.51.100.1");
    // A request from within: every hop is ours.
    check(PEER, &["10.0.0.5, 10.0.0.2"], "10.0.0.5");
}

#[test]
fn hops_are_read_in_all_their_spellings() {
    check(PEER, &["198.51.100.1:5000"], "198.51.100.1");
    check(PEER, &["2001:db8::1"], "2001:db8::1");
    check(PEER, &["[2001:db8::1]"], "2001:db8::1");
    check(PEER, &["[2001:db8::1]:443"], "2001:db8::1");
    check(PEER, &["::ffff:198.51.100.1"], "198.51.100.1");
    check("::ffff:10.0.0.1", &["198.51.100.1"], "198.51.100.1");
    check("fd00::1", &[" \t198.51.100.1 "], "198.51.100.1");
}

#[test]
fn a_hop_that_is_no_address_ends_the_chain() {
    for rubbish in
        ["", "unknown", "_hidden", "300.1.1.1", "1.2.3", "01.2.3.4", "localhost", "[", "1.2.3.4:99999", "é"]
    {
        check(PEER, &[rubbish], PEER);
        check(PEER, &[&format!("198.51.100.1, {rubbish}")], PEER);
        check(PEER, &[&format!("198.51.100.1, {rubbish}, 10.0.0.2")], "10.0.0.2");
        check(PEER, &[&format!("{rubbish}, 198.51.100.1")], "198.51.100.1");
    }
}

#[test]
fn bytes_that_are_no_text_are_no_address() {
    let line = HeaderValue::from_bytes(b"192.0.2.66, \xff").unwrap();
    let headers = [(X_FORWARDED_FOR, line)].into_iter().collect();
    let client = proxies(ProxyHeader::XForwardedFor).client_address(PEER.parse().unwrap(), &headers);
    assert_eq!(client.to_string(), PEER);
}

#[test]
fn forwarded_is_read_as_rfc_7239_says() {
    check_forwarded(&["for=198.51.100.1"], "198.51.100.1");
    check_forwarded(&["For=\"[2001:db8::1]:4711\""], "2001:db8::1");
    check_forwarded(&["for=198.51.100.1;proto=http;by=203.0.113.43"], "198.51.100.1");
    check_forwarded(
        &["proto=https; for=192.0.2.66, for=198.51.100.1;by=10.0.0.2, for=10.0.0.2"],
        "198.51.100.1",
    );
    check_forwarded(&["for=192.0.2.66", "for=198.51.100.1"], "198.51.100.1");
    for rubbish in [
        "",
        "for=",
        "for=unknown",
        "by=198.51.100.1",
        "198.51.100.1",
        "for=\"198.51.100.1",
        "for=\"1.2.3.4,5\"",
    ] {
        check_forwarded(&[rubbish], PEER);
    }
}

#[test]
fn only_the_declared_header_is_believed() {
    let both = [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=192.0.2.66")];
    assert_eq!(client(&proxies(ProxyHeader::XForwardedFor), PEER, &both), "198.51.100.1");
    assert_eq!(client(&proxies(ProxyHeader::Forwarded), PEER, &both), "192.0.2.66");
}

#[test]
fn a_network_has_an_address_and_a_prefix() {
    let check = |network: &str, address: &str, expect| {
        let network: Network = network.parse().unwrap();
        assert_eq!(network.contains(address.parse().unwrap()), expect, "{network:?} {address}");
    };
    check("10.0.0.0/8", "10.255.255.255", true);
    check("10.0.0.0/8", "11.0.0.0", false);
    check("10.1.2.3/8", "10.9.9.9", true);
    check("192.0.2.7", "192.0.2.7", true);
    check("192.0.2.7", "192.0.2.6", false);
    check("192.0.2.6/31", "192.0.2.7", true);
    check("0.0.0.0/0", "203.0.113.1", true);
    check("0.0.0.0/0", "2001:db8::1", false);
    check("0.0.0.0/0", "::ffff:1.2.3.4", true);
    check("::/0", "2001:db8::1", true);
    check("2001:db8::/32", "2001:db8:ffff::1", true);
    check("2001:db8::/32", "2001:db9::", false);
    for wrong in
        ["", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "::/129", "10.0.0/8", "localhost"]
    {
        assert_eq!(wrong.parse::<Network>(), Err(ParseNetworkError), "{wrong:?}");
    }
}

proptest! {
    /// Whatever a client writes to the left of what the proxies add, its address stays the one they saw.
    #[test]
    fn nobody_writes_their_own_address(
        line in prop_oneof!["[ -~]{0,60}".prop_map(String::into_bytes), proptest::collection::vec(0x20_u8.., 0..60)],
        forwarded in any::<bool>(),
    ) {
        let (header, name, hop) = if forwarded {
            (ProxyHeader::Forwarded, FORWARDED, "for=198.51.100.1")
        } else {
            (ProxyHeader::XForwardedFor, X_FORWARDED_FOR, "198.51.100.1")
        };
        let Ok(alone) = HeaderValue::from_bytes(&line) else { return Ok(()) };
        let joined = HeaderValue::from_bytes(&[&line, &b", "[..], hop.as_bytes()].concat()).unwrap();
        let hop = HeaderValue::from_static(hop);
        for lines in [vec![joined], vec![alone, hop]] {
            let headers = lines.into_iter().map(|line| (name.clone(), line)).collect();
            let client = proxies(header).client_address(PEER.parse().unwrap(), &headers);
            prop_assert_eq!(client.to_string(), "198.51.100.1");
        }
    }
}
