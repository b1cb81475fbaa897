//! Whether a request comes from the site itself: Fetch Metadata first, then `Origin` against the configured one.
//! No token to manage.

use http::header::{ORIGIN, UPGRADE};
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::origin::Origin;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Where a request comes from, as far as its effect matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(crate) enum Verdict {
    /// From the site's own pages, or from something that is not a browser, or it changes nothing.
    SameOrigin,
    /// From another site, or it cannot be told: it must not use or change this browser's session.
    CrossSite,
}

/// Judges a request that carries a session cookie, or whose answer could set or delete one (login, admit, redeem,
/// refresh, logout). `cookie_came`: whether any of our cookies came with it.
///
/// The handshake of a WebSocket is judged as an unsafe method is: it is a `GET`, but browsers send it for any site, with
/// its cookies, and let that site talk on what it opens.
///
/// | `Sec-Fetch-Site` | `Origin` | verdict on an unsafe method |
/// |---|---|---|
/// | `same-origin` | any | same origin |
/// | anything else, or twice | any | cross-site |
/// | absent | the configured one | same origin |
/// | absent | another, `null`, or twice | cross-site |
/// | absent | absent | cross-site if a cookie came; else it is no browser |
pub(crate) fn judge(method: &Method, headers: &HeaderMap, own: &Origin, cookie_came: bool) -> Verdict {
    let same = (is_safe(method) && !opens_socket(headers))
        || match (the_one(headers, &SEC_FETCH_SITE), the_one(headers, &ORIGIN)) {
            (Found::One(site), _) => site == "same-origin",
            (Found::Several, _) | (Found::None, Found::Several) => false,
            (Found::None, Found::One(origin)) => own.is(origin),
            (Found::None, Found::None) => !cookie_came,
        };
    if same { Verdict::SameOrigin } else { Verdict::CrossSite }
}

/// RFC 9110, section 9.2.1. An unknown method is unsafe.
fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// RFC 6455, section 4.1. (Over HTTP/2 the method is `CONNECT`, which is unsafe: RFC 8441.)
fn opens_socket(headers: &HeaderMap) -> bool {
    let mut lines = headers.get_all(UPGRADE).iter().map(HeaderValue::as_bytes);
    let is_websocket = |protocol: &[u8]| {
        let name = protocol.split(|byte| *byte == b'/').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"websocket")
    };
    lines.any(|line| line.split(|byte| *byte == b',').any(is_websocket))
}

enum Found<'a> {
    None,
    One(&'a HeaderValue),
    Several,
}

fn the_one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Found<'a> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (None, _) => Found::None,
        (Some(value), None) => Found::One(value),
        (Some(_), Some(_)) => Found::Several,
    }
}

#[cfg(test)]
mod tests;
