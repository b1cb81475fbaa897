//! Our cookies: their names, how they are read and written.

use std::fmt;

use bytes::Bytes;
use http::header::{COOKIE, Entry};
use http::{HeaderMap, HeaderValue};
use memchr::memchr;

use crate::refusal::BadRequest;

mod write;

pub(crate) use write::{SameSite, SetCookie, delete};

/// What stands for a value that is not text: no token looks like it, so it is refused like any forgery.
pub(crate) const NOT_A_TOKEN: &str = "?";

/// The names of our cookies, and whether they are `Secure`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CookieNames {
    /// Of the access token's cookie.
    pub session: String,
    /// Of the refresh token's.
    pub refresh: String,
    /// What the names of state cookies begin with: `<prefix>.<tag>.<x>`.
    pub state_prefix: String,
    /// Of a visit's state.
    pub visit: String,
    /// Whether they are `Secure`.
    pub secure: bool,
}

impl CookieNames {
    /// The names for every site on TLS: the prefix keeps sibling hosts from setting them.
    pub fn host_prefixed() -> Self {
        Self {
            session: "__Host-session".into(),
            refresh: "__Host-session-refresh".into(),
            state_prefix: "__Host-state".into(),
            visit: "__Host-visit".into(),
            secure: true,
        }
    }

    /// Names for the own machine without TLS: no prefix, not `Secure`.
    ///
    /// # Errors
    /// If `name` is empty, or not a token of RFC 9110, or begins with `__`: browsers store no cookie without `Secure`
    /// under a prefix.
    pub fn for_development(name: &str) -> Result<Self, InvalidCookieName> {
        if name.is_empty() || name.starts_with("__") || !name.bytes().all(is_token) {
            return Err(InvalidCookieName);
        }
        Ok(Self {
            session: name.into(),
            refresh: format!("{name}-refresh"),
            state_prefix: format!("{name}-state"),
            visit: format!("{name}-visit"),
            secure: false,
        })
    }

    /// The name of the cookie of a session's state with this exclusive version.
    pub fn state(&self, tag: &str, exclusive: u64) -> String {
        format!("{}.{tag}.{exclusive}", self.state_prefix)
    }
}

/// A name that no cookie can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a cookie name: use letters, digits, `-`, `_` and `.`")]
pub struct InvalidCookieName;

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.')
}

/// Our cookies of one request.
///
/// An empty value is what a deleted cookie leaves in a careless client: it counts as no cookie.
#[derive(Clone, Default)]
pub(crate) struct Jar<'a> {
    /// The access token's.
    pub(crate) session: Option<&'a str>,
    /// The refresh token's.
    pub(crate) refresh: Option<&'a str>,
    /// A visit's state.
    pub(crate) visit: Option<&'a str>,
    /// The states, of whatever sessions.
    pub(crate) states: States<'a>,
}

/// A state cookie: `<prefix>.<tag>.<x>=<value>`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct StateCookie<'a> {
    /// Its whole name, for its deletion.
    pub(crate) name: &'a str,
    /// The session's tag.
    pub(crate) tag: &'a str,
    /// The exclusive version.
    pub(crate) exclusive: u64,
    /// The state token.
    pub(crate) value: &'a str,
}

/// The state cookies of one request: a few without an allocation, as many as the header limit lets through.
#[derive(Clone, Default)]
pub(crate) struct States<'a> {
    few: [Option<StateCookie<'a>>; FEW],
    more: Vec<StateCookie<'a>>,
}

const FEW: usize = 4;

impl<'a> States<'a> {
    /// All of them, in the order of the request.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &StateCookie<'a>> {
        self.few.iter().flatten().chain(&self.more)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.few[0].is_none()
    }

    fn push(&mut self, state: StateCookie<'a>) {
        match self.few.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(state),
            None => self.more.push(state),
        }
    }
}

impl<'a> Jar<'a> {
    /// Reads our cookies from all `Cookie` lines (HTTP/2 clients may send one line for each cookie, RFC 9113,
    /// section 8.2.3). Names are compared byte by byte; cookies of others are ignored.
    ///
    /// # Errors
    /// If two cookies have the same one of our names: nobody can tell which of them is meant.
    pub(crate) fn read(headers: &'a HeaderMap, names: &CookieNames) -> Result<Self, BadRequest> {
        let mut jar = Self::default();
        for (name, value) in headers.get_all(COOKIE).iter().flat_map(|line| pairs(line.as_bytes())) {
            jar.put(name, value, names)?;
        }
        if has_twins(&jar.states) {
            return Err(BadRequest::TwoCookies);
        }
        jar.drop_empty();
        Ok(jar)
    }

    /// Whether any of our cookies came, so that a browser may be acting for someone.
    pub(crate) fn carries_session(&self) -> bool {
        self.session.is_some() || self.refresh.is_some() || self.visit.is_some() || !self.states.is_empty()
    }

    fn put(&mut self, name: &'a [u8], value: &'a [u8], names: &CookieNames) -> Result<(), BadRequest> {
        let place = if name == names.session.as_bytes() {
            &mut self.session
        } else if name == names.refresh.as_bytes() {
            &mut self.refresh
        } else if name == names.visit.as_bytes() {
            &mut self.visit
        } else {
            if let Some(state) = StateCookie::parse(name, value, names) {
                self.states.push(state);
            }
            return Ok(());
        };
        match place.replace(text(value)) {
            None => Ok(()),
            Some(_) => Err(BadRequest::TwoCookies),
        }
    }

    fn drop_empty(&mut self) {
        for place in [&mut self.session, &mut self.refresh, &mut self.visit] {
            *place = place.filter(|value| !value.is_empty());
        }
    }
}

impl<'a> StateCookie<'a> {
    /// A state cookie, if name and value have the form of one.
    fn parse(name: &'a [u8], value: &'a [u8], names: &CookieNames) -> Option<Self> {
        let rest = name.strip_prefix(names.state_prefix.as_bytes())?.strip_prefix(b".")?;
        let rest = std::str::from_utf8(rest).ok()?;
        let (tag, version) = rest.split_once('.')?;
        let exclusive = canonical_decimal(version)?;
        let fits = is_tag(tag) && !value.is_empty();
        fits.then_some(Self { name: std::str::from_utf8(name).ok()?, tag, exclusive, value: text(value) })
    }
}

/// Six characters of base64url.
fn is_tag(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A number in its one spelling: no sign, no leading zero.
fn canonical_decimal(text: &str) -> Option<u64> {
    let canonical = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    if canonical { text.parse().ok() } else { None }
}

/// Whether two state cookies have one name. In the common case there are too few of them to sort.
fn has_twins(states: &States<'_>) -> bool {
    if states.more.is_empty() {
        let twins = |(i, a): (usize, &StateCookie<'_>)| states.iter().skip(i + 1).any(|b| a.name == b.name);
        return states.iter().enumerate().any(twins);
    }
    let mut names: Vec<_> = states.iter().map(|state| state.name).collect();
    names.sort_unstable();
    names.windows(2).any(|pair| pair[0] == pair[1])
}

/// The cookies of one line, as name and value without the white space around them. What has no `=` is a value
/// without a name, which is none of ours.
fn pairs(line: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    parts(line).map(|pair| match memchr(b'=', pair) {
        Some(at) => (trim(&pair[..at]), trim(&pair[at + 1..])),
        None => (&[][..], trim(pair)),
    })
}

/// What stands between the semicolons of a line.
fn parts(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let (part, after) =
            memchr(b';', line).map_or((line, None), |at| (&line[..at], Some(&line[at + 1..])));
        rest = after;
        Some(part)
    })
}

/// Without SP and HTAB at both ends, and nothing else: what other white space is, recipients do not agree on.
fn trim(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] | [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or(NOT_A_TOKEN)
}

/// Removes the refresh cookie from a request before the application sees it. Without one, it changes nothing.
pub(crate) fn strip_refresh(headers: &mut HeaderMap, names: &CookieNames) {
    let Entry::Occupied(mut lines) = headers.entry(COOKIE) else { return };
    let mut some_empty = false;
    for line in lines.iter_mut() {
        if pairs(line.as_bytes()).any(|(name, _)| name == names.refresh.as_bytes()) {
            *line = without(line.as_bytes(), names.refresh.as_bytes());
            some_empty |= line.is_empty();
        }
    }
    if some_empty {
        let (name, lines) = lines.remove_entry_mult();
        let full: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
        headers.extend(full.into_iter().map(|line| (name.clone(), line)));
    }
}

/// A line without the cookies of one name.
fn without(line: &[u8], gone: &[u8]) -> HeaderValue {
    let mut kept = Vec::with_capacity(line.len());
    for part in parts(line).map(trim).filter(|part| !part.is_empty() && !is_of(part, gone)) {
        if !kept.is_empty() {
            kept.extend_from_slice(b"; ");
        }
        kept.extend_from_slice(part);
    }
    // Parts of a header value make a header value; were that wrong, no cookie is safer than the refresh cookie.
    let mut line =
        HeaderValue::from_maybe_shared(Bytes::from(kept)).unwrap_or_else(|_| HeaderValue::from_static(""));
    line.set_sensitive(true);
    line
}

fn is_of(pair: &[u8], name: &[u8]) -> bool {
    pairs(pair).any(|(found, _)| found == name)
}

impl fmt::Debug for Jar<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jar")
            .field("session", &self.session.map(|_| Redacted))
            .field("refresh", &self.refresh.map(|_| Redacted))
            .field("visit", &self.visit.map(|_| Redacted))
            .field("states", &self.states.iter().count())
            .finish()
    }
}

impl fmt::Debug for StateCookie<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateCookie").field("exclusive", &self.exclusive).finish_non_exhaustive()
    }
}

impl fmt::Debug for States<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// What `Debug` shows of a secret.
struct Redacted;

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

#[cfg(test)]
mod tests;
