//! What a request presents: a reading of its headers, which proves nothing yet.

use std::fmt;

use countersign_registry::Activity;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::cookie::{CookieNames, Jar, text};
use crate::refusal::BadRequest;
use crate::transport::Transport;

const SESSION_STATE: HeaderName = HeaderName::from_static("session-state");
const SESSION_PASSIVE: HeaderName = HeaderName::from_static("session-passive");
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST_KEY: usize = 128;

/// The credentials of one request, and what else of its headers concerns its session.
#[derive(Clone, Debug)]
pub(crate) struct Credentials<'a> {
    /// The access token, from wherever the transport lets it come.
    pub(crate) access: Option<Presented<'a>>,
    /// Our cookies.
    pub(crate) jar: Jar<'a>,
    /// The state token of the header `Session-State`; with [`Transport::Body`] only.
    pub(crate) session_state: Option<&'a str>,
    /// What makes an exclusive update or a login safe to repeat.
    pub(crate) idempotency_key: Option<&'a str>,
    /// Whether the request is its user's doing, or a page's polling.
    pub(crate) passive: Activity,
}

/// An access token, as presented.
#[derive(Clone, Copy)]
pub(crate) struct Presented<'a> {
    /// The token.
    pub(crate) token: &'a str,
    /// How it came.
    pub(crate) scheme: Scheme,
}

/// How an access token came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// In the session cookie.
    Cookie,
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// `Authorization: DPoP` (RFC 9449).
    Dpop,
}

impl<'a> Credentials<'a> {
    /// Reads the headers of a request.
    ///
    /// An access token in `Authorization` (Bearer or DPoP; other schemes are not ours) counts alone: the session
    /// cookie beside it is not read. With [`Transport::Bearer`] and [`Transport::Body`] it never is.
    ///
    /// # Errors
    /// If two credentials of one kind came, or an `Idempotency-Key` is malformed.
    pub(crate) fn read(
        headers: &'a HeaderMap,
        names: &CookieNames,
        transport: Transport,
    ) -> Result<Self, BadRequest> {
        let bearer = at_most_one(headers, &AUTHORIZATION, BadRequest::TwoAuthorizations)?.and_then(bearer);
        let jar = Jar::read(headers, names)?;
        let cookie = jar.session.filter(|_| transport == Transport::Cookies);
        let cookie = cookie.map(|token| Presented { token, scheme: Scheme::Cookie });
        Ok(Self {
            access: bearer.or(cookie),
            jar,
            session_state: session_state(headers, transport)?,
            idempotency_key: idempotency_key(headers)?,
            passive: passive(headers),
        })
    }
}

fn at_most_one<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
    two: BadRequest,
) -> Result<Option<&'a [u8]>, BadRequest> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(HeaderValue::as_bytes)),
        (_, Some(_)) => Err(two),
    }
}

/// The token of an `Authorization` header, if its scheme is one of ours. Schemes are compared without regard to
/// case (RFC 9110, section 11.1).
fn bearer(header: &[u8]) -> Option<Presented<'_>> {
    let header = header.trim_ascii();
    let end = header.iter().position(|byte| *byte == b' ').unwrap_or(header.len());
    let (name, rest) = header.split_at(end);
    let scheme = match name {
        name if name.eq_ignore_ascii_case(b"Bearer") => Scheme::Bearer,
        name if name.eq_ignore_ascii_case(b"DPoP") => Scheme::Dpop,
        _ => return None,
    };
    Some(Presented { token: text(rest.trim_ascii()), scheme })
}

fn session_state(headers: &HeaderMap, transport: Transport) -> Result<Option<&str>, BadRequest> {
    if transport != Transport::Body {
        return Ok(None);
    }
    Ok(at_most_one(headers, &SESSION_STATE, BadRequest::TwoStates)?
        .map(text)
        .filter(|state| !state.is_empty()))
}

pub(crate) fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, BadRequest> {
    let Some(key) = at_most_one(headers, &IDEMPOTENCY_KEY, BadRequest::TwoIdempotencyKeys)? else {
        return Ok(None);
    };
    let well_formed = (1..=LONGEST_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    if well_formed { Ok(Some(text(key))) } else { Err(BadRequest::IdempotencyKey) }
}

/// `Session-Passive: ?1`, a structured boolean (RFC 9651). As that RFC asks, anything else is as if absent.
fn passive(headers: &HeaderMap) -> Activity {
    let mut values = headers.get_all(SESSION_PASSIVE).iter();
    match (values.next().map(HeaderValue::as_bytes), values.next()) {
        (Some(b"?1"), None) => Activity::Passive,
        _ => Activity::Active,
    }
}

impl fmt::Debug for Presented<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Presented").field("scheme", &self.scheme).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
