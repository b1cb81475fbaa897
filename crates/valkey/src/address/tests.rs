//! Tables: what each address means, and what is told of those that mean nothing.

use super::{Address, Host, Login, Place, Security};

fn host(name: &str, port: u16) -> Host {
    Host { name: name.into(), port }
}

fn login(user: &str, password: &str) -> Login {
    let some = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    Login { user: some(user), password: some(password) }
}

fn plain(place: Place) -> Address {
    Address { place, security: Security::Plain, login: Login::default(), database: 0, replicas: None }
}

fn server(name: &str, port: u16) -> Address {
    plain(Place::Server(host(name, port)))
}

fn service(sentinels: &[(&str, u16)], name: &str, login: Login) -> Place {
    let sentinels = sentinels.iter().map(|&(name, port)| host(name, port)).collect();
    Place::Service { sentinels, name: name.into(), login }
}

fn cluster(seeds: &[(&str, u16)]) -> Place {
    Place::Cluster(seeds.iter().map(|&(name, port)| host(name, port)).collect())
}

#[test]
fn addresses_mean_what_they_say() {
    for (url, expect) in [
        ("redis://localhost", server("localhost", 6379)),
        ("redis://localhost/", server("localhost", 6379)),
        ("redis://10.0.0.7:7000/3", Address { database: 3, ..server("10.0.0.7", 7000) }),
        ("redis://[::1]", server("::1", 6379)),
        ("redis://[fe80::2]:7000", server("fe80::2", 7000)),
        (
            "redis://node:se%40c%2Fr%3Aet@a",
            Address { login: login("node", "se@c/r:et"), ..server("a", 6379) },
        ),
        ("redis://:secret@a", Address { login: login("", "secret"), ..server("a", 6379) }),
        ("redis://n:se:cret@a", Address { login: login("n", "se:cret"), ..server("a", 6379) }),
        ("redis://a?replicas=2", Address { replicas: Some(2), ..server("a", 6379) }),
        ("redis://a/1?replicas=0", Address { replicas: Some(0), database: 1, ..server("a", 6379) }),
        ("redis+cluster://a,b:7001,[::1]", plain(cluster(&[("a", 6379), ("b", 7001), ("::1", 6379)]))),
        ("redis+cluster://a/0", plain(cluster(&[("a", 6379)]))),
        ("redis+sentinel://a,b:1/shop", plain(service(&[("a", 26379), ("b", 1)], "shop", Login::default()))),
        (
            "redis+sentinel://n:pw@a/my%20shop/4?sentinel_user=s&sentinel_password=x%26y&replicas=1",
            Address {
                login: login("n", "pw"),
                database: 4,
                replicas: Some(1),
                ..plain(service(&[("a", 26379)], "my shop", login("s", "x&y")))
            },
        ),
    ] {
        assert_eq!(Address::parse(url).unwrap(), expect, "{url}");
    }
}

#[test]
fn what_means_nothing_is_told_and_no_secret_with_it() {
    for (url, told) in [
        ("localhost:6379", "no `scheme://`"),
        ("node:secret@localhost", "no `scheme://`"),
        ("http://node:secret@a", "its scheme is none of"),
        ("redis+proxy://node:secret@a", "its scheme is none of"),
        ("redis://node:secret@", "name of a server is missing"),
        ("redis://node:secret@a,b", "several servers: use redis+cluster://"),
        ("redis://node:secret@local host", "is no name of a server"),
        ("redis://node:secret@a:", "is no port"),
        ("redis://node:secret@a:x", "is no port"),
        ("redis://node:secret@a:0", "is no port"),
        ("redis://node:secret@a:65536", "is no port"),
        ("redis://node:secret", "is no port"),
        ("redis://node:secret@[::1", "lacks its ]"),
        ("redis://node:secret@[::1]7", "is no port"),
        ("redis://node:secret@a/x", "\"x\" is no number of a database"),
        ("redis://node:secret@a/1/2", "\"1/2\" is no number of a database"),
        ("redis://secret@a", "a user without a password"),
        ("redis://node:@a", "its password is empty"),
        ("redis://node:secret%@a", "two hexadecimal digits"),
        ("redis://node:secret%4@a", "two hexadecimal digits"),
        ("redis://node:secret%zz@a", "two hexadecimal digits"),
        ("redis://node:secret%ff@a", "no UTF-8"),
        ("redis://node:sec/secret@a", "is written %2F"),
        ("redis://node:sec?secret@a", "is written %3F"),
        ("redis://node:sec#secret@a", "is written %23"),
        ("redis://node:secret@a?replicas=x", "replicas= takes a number"),
        ("redis://node:secret@a?replicas=-1", "replicas= takes a number"),
        ("redis://node:secret@a?replicas=1&replicas=2", "replicas= is there twice"),
        ("redis://node:secret@a?protocol=resp2", "an unknown parameter"),
        ("redis://a?sentinel_password=secret", "for Sentinels only"),
        ("redis+cluster://node:secret@a,b/1", "no other database than 0"),
        ("redis+cluster://node:secret@a,,b", "name of a server is missing"),
        ("redis+sentinel://node:secret@a,b", "names no service"),
        ("redis+sentinel://node:secret@a//3", "names no service"),
        ("redis+sentinel://a/shop?sentinel_user=secret", "without a sentinel_password="),
        ("redis+sentinel://a/shop?sentinel_password=sec@ret&x=1", "an unknown parameter"),
    ] {
        let error = Address::parse(url).unwrap_err();
        let all = format!("{error} {error:?}");
        assert!(all.contains(told), "{url}: {all}");
        assert!(!all.contains("secret") && !all.contains("sec@") && !all.contains("node:"), "{url}: {all}");
    }
}

#[test]
fn a_login_shows_no_password() {
    let address = Address::parse("redis+sentinel://node:hunter2@a/shop?sentinel_password=hunter3").unwrap();
    assert!(!format!("{address:?}").contains("hunter"), "{address:?}");
}

#[cfg(feature = "tls")]
#[test]
fn tls_is_asked_for_by_the_scheme() {
    for scheme in ["rediss://a", "rediss+cluster://a", "rediss+sentinel://a/shop"] {
        assert_eq!(Address::parse(scheme).unwrap().security, Security::Tls, "{scheme}");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn a_build_without_tls_says_so() {
    for scheme in ["rediss://a", "rediss+cluster://a", "rediss+sentinel://a/shop"] {
        let error = Address::parse(scheme).unwrap_err().to_string();
        assert!(error.contains("enable the feature `tls`"), "{error}");
    }
}
