//! Writing cookies. Every one is `Path=/; HttpOnly`, `Secure` outside development, and has no `Domain`.

use std::fmt;
use std::fmt::Write as _;
use std::time::Duration;

use http::HeaderValue;

/// Browsers ignore a cookie whose name and value are longer (RFC 6265bis).
const LIMIT: usize = 4096;
/// Browsers keep no cookie longer (RFC 6265bis).
const LONGEST: Duration = Duration::from_hours(400 * 24);

/// From where a browser sends a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SameSite {
    /// From the site itself, and when a person follows a link to it.
    Lax,
    /// From the site itself only.
    Strict,
}

impl SameSite {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
        }
    }
}

/// A cookie to set.
#[derive(Clone, Copy)]
pub(crate) struct SetCookie<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its value, a token.
    pub(crate) value: &'a str,
    /// How long the browser keeps it, at most 400 days; [`None`]: until it is closed.
    pub(crate) max_age: Option<Duration>,
    /// From where it is sent.
    pub(crate) same_site: SameSite,
}

impl SetCookie<'_> {
    /// The value of the `Set-Cookie` header, marked sensitive.
    ///
    /// # Errors
    /// If name and value are longer than 4096 bytes: browsers would ignore the cookie.
    pub(crate) fn to_header(self, secure: bool) -> Result<HeaderValue, TooLarge> {
        let size = self.name.len() + self.value.len();
        if size > LIMIT {
            return Err(TooLarge { size, limit: LIMIT });
        }
        Ok(header(&self, secure))
    }
}

/// The value of the `Set-Cookie` header that deletes a cookie which was set with the same attributes.
pub(crate) fn delete(name: &str, same_site: SameSite, secure: bool) -> HeaderValue {
    header(&SetCookie { name, value: "", max_age: Some(Duration::ZERO), same_site }, secure)
}

fn header(cookie: &SetCookie<'_>, secure: bool) -> HeaderValue {
    let mut text = String::with_capacity(cookie.name.len() + cookie.value.len() + 80);
    push_octets(&mut text, cookie.name);
    text.push('=');
    push_octets(&mut text, cookie.value);
    if let Some(max_age) = cookie.max_age {
        text.push_str("; Max-Age=");
        push_secs(&mut text, max_age.min(LONGEST));
    }
    text.push_str(if secure {
        "; Path=/; HttpOnly; Secure; SameSite="
    } else {
        "; Path=/; HttpOnly; SameSite="
    });
    text.push_str(cookie.same_site.as_str());
    let mut value = HeaderValue::try_from(text).expect("visible ASCII and spaces only");
    value.set_sensitive(true);
    value
}

/// Tokens and our names consist of characters that a cookie may have. Should anything else get here, it is
/// percent-encoded, so that it cannot add an attribute or a header.
fn push_octets(text: &mut String, octets: &str) {
    for byte in octets.bytes() {
        match byte {
            b'"' | b',' | b';' | b'\\' | b'%' | ..=b' ' | 0x7f.. => push_encoded(text, byte),
            _ => text.push(char::from(byte)),
        }
    }
}

fn push_encoded(text: &mut String, byte: u8) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    text.push('%');
    text.push(char::from(HEX[usize::from(byte >> 4)]));
    text.push(char::from(HEX[usize::from(byte & 15)]));
}

fn push_secs(text: &mut String, duration: Duration) {
    // Writing to a String does not fail.
    let _ = write!(text, "{}", duration.as_secs());
}

impl fmt::Debug for SetCookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SetCookie")
            .field("max_age", &self.max_age)
            .field("same_site", &self.same_site)
            .finish_non_exhaustive()
    }
}

/// A cookie that browsers would ignore.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("name and value of a cookie have {size} bytes, browsers take {limit}")]
pub(crate) struct TooLarge {
    /// Bytes of name and value together.
    pub(crate) size: usize,
    /// How many there may be.
    pub(crate) limit: usize,
}
