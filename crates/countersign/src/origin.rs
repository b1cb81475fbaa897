//! The public origin of a site: configured, never taken from a request.

use std::fmt;
use std::str::FromStr;

use http::HeaderValue;
use url::{Host, Url};

/// The public origin of a site, such as `https://shop.example`: scheme, host and port (RFC 6454).
///
/// It comes from the configuration alone; `Host`, `X-Forwarded-Host` and the like have no say in it. It is
/// `https`, or `http` where the host is a loopback address, `localhost` or below `localhost`.
///
/// ```
/// # use countersign::Origin;
/// let origin: Origin = "HTTPS://Shop.Example:443/".parse()?;
/// assert_eq!(origin.as_str(), "https://shop.example");
/// assert!("http://shop.example".parse::<Origin>().is_err());
/// # Ok::<(), countersign::OriginError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Origin {
    canonical: Box<str>,
    host: Box<str>,
    loopback: bool,
}

impl Origin {
    /// The origin as browsers write it in `Origin` (ASCII, lower case, no default port, no final slash).
    pub fn as_str(&self) -> &str {
        &self.canonical
    }

    /// The host alone, an IPv6 address in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether the origin is on TLS, so that `Secure` cookies are stored by every browser.
    pub fn is_https(&self) -> bool {
        self.canonical.starts_with("https:")
    }

    /// Whether the host is a loopback address, `localhost` or below `localhost`: the own machine.
    pub fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Whether an `Origin` header names exactly this origin. `null` never does.
    pub fn is(&self, header: &HeaderValue) -> bool {
        header.as_bytes() == self.canonical.as_bytes()
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        let url = Url::parse(text).map_err(|_| OriginError::NotAnUrl)?;
        let host = url.host().ok_or(OriginError::NotAnUrl)?;
        let loopback = is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => return Err(OriginError::ClearText),
            _ => return Err(OriginError::Scheme),
        }
        if !is_bare(&url) {
            return Err(OriginError::MoreThanOrigin);
        }
        let canonical = url.origin().ascii_serialization().into();
        Ok(Self { canonical, host: host.to_string().into(), loopback })
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// Whether a URL holds no more than an origin and the slash that `Url` adds.
fn is_bare(url: &Url) -> bool {
    url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.canonical)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Origin({})", self.canonical)
    }
}

/// A text that cannot be a site's [`Origin`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginError {
    /// Not an absolute URL with a host.
    #[error("an origin is a URL such as https://shop.example")]
    NotAnUrl,
    /// `http` beyond the own machine: anyone on the way could read and steal the sessions.
    #[error("an http: origin is for loopback addresses, localhost and *.localhost only; use https:")]
    ClearText,
    /// Neither `https` nor `http`.
    #[error("an origin is https:, or http: on the own machine")]
    Scheme,
    /// A path, query, fragment or user beside the origin.
    #[error("an origin has no path, query, fragment or user")]
    MoreThanOrigin,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: Result<&str, OriginError>) {
        let origin = text.parse::<Origin>();
        assert_eq!(origin.as_ref().map(Origin::as_str).map_err(|error| *error), expect, "{text:?}");
    }

    #[test]
    fn an_origin_is_canonical() {
        check("https://shop.example", Ok("https://shop.example"));
        check("HTTPS://Shop.Example:443/", Ok("https://shop.example"));
        check("https://shop.example:8443", Ok("https://shop.example:8443"));
        check("https://bücher.example", Ok("https://xn--bcher-kva.example"));
        check("http://127.0.0.1:8080", Ok("http://127.0.0.1:8080"));
        check("http://127.9.9.9", Ok("http://127.9.9.9"));
        check("http://[::1]:80", Ok("http://[::1]"));
        check("http://localhost:3000", Ok("http://localhost:3000"));
        check("http://shop.localhost", Ok("http://shop.localhost"));
    }

    #[test]
    fn an_origin_knows_its_host() {
        let origin = |text: &str| text.parse::<Origin>().unwrap();
        assert_eq!(origin("https://Shop.example:8443").host(), "shop.example");
        assert_eq!(origin("http://[::1]:8080").host(), "[::1]");
        assert!(origin("https://localhost").is_loopback() && origin("http://[::1]").is_loopback());
        assert!(!origin("https://shop.example").is_loopback());
        assert!(origin("https://localhost").is_https() && !origin("http://localhost").is_https());
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for text in ["", "shop.example", "null", "https://", "https://a b", "/session"] {
            check(text, Err(OriginError::NotAnUrl));
        }
        for text in [
            "http://shop.example",
            "http://localhost.shop.example",
            "http://notlocalhost",
            "http://127.0.0.1.shop.example",
            "http://10.0.0.1",
            "http://[::2]",
            "http://0.0.0.0",
        ] {
            check(text, Err(OriginError::ClearText));
        }
        check("ws://shop.example", Err(OriginError::Scheme));
        for rest in ["/app", "?q", "#f", "//"] {
            check(&format!("https://shop.example{rest}"), Err(OriginError::MoreThanOrigin));
        }
        check("https://alice@shop.example", Err(OriginError::MoreThanOrigin));
        check("https://:pw@shop.example", Err(OriginError::MoreThanOrigin));
    }

    #[test]
    fn only_the_whole_origin_is_the_origin() {
        let own: Origin = "https://shop.example".parse().unwrap();
        assert!(own.is(&HeaderValue::from_static("https://shop.example")));
        for other in [
            "null",
            "",
            "http://shop.example",
            "https://shop.example.attacker.test",
            "https://evil-shop.example",
            "https://www.shop.example",
            "https://shop.example:8443",
            "https://shop.example/",
            "https://shop.example https://shop.example",
        ] {
            assert!(!own.is(&HeaderValue::from_static(other)), "{other:?}");
        }
    }
}
