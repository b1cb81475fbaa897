//! How a refusal looks on the wire: a problem document (RFC 9457) with its headers, or a gRPC status.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign_registry::EndReason;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use serde::Serialize;

use crate::dpop::DPOP_NONCE;
use crate::object::SessionObject;
use crate::refusal::Refusal;

/// How a site writes its refusals.
#[derive(Clone, Debug, Default)]
pub struct ProblemStyle {
    /// What the `type` of a problem document begins with; without it, `type` is `about:blank`.
    pub type_base: Option<Arc<str>>,
    /// What the refused client understands.
    pub dialect: Dialect,
}

impl ProblemStyle {
    /// A style; `grpc`: whether the refused client speaks gRPC.
    pub fn new(type_base: Option<Arc<str>>, grpc: bool) -> Self {
        Self { type_base, dialect: if grpc { Dialect::Grpc } else { Dialect::Http } }
    }

    /// Whether it is not how a refusal is written by itself.
    pub(crate) fn differs(&self) -> bool {
        self.type_base.is_some() || self.dialect != Dialect::Http
    }
}

/// What a client understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Dialect {
    /// HTTP status and problem document.
    #[default]
    Http,
    /// gRPC: HTTP 200, and `grpc-status` in the headers of a response without a body ("Trailers-Only").
    Grpc,
}

impl Dialect {
    /// The dialect of a request: gRPC where its `Content-Type` is `application/grpc`, with or without a suffix.
    pub fn of(headers: &HeaderMap) -> Self {
        const GRPC: &[u8] = b"application/grpc";
        let content_type = headers.get(CONTENT_TYPE).map_or(&b""[..], HeaderValue::as_bytes);
        match content_type.split_at_checked(GRPC.len()) {
            Some((start, [] | [b'+' | b';' | b' ', ..])) if start.eq_ignore_ascii_case(GRPC) => Self::Grpc,
            _ => Self::Http,
        }
    }
}

impl Refusal {
    /// The whole response. It carries the refusal itself among its extensions, so that a layer further out can write
    /// it in its own style.
    pub fn to_response(&self, style: &ProblemStyle) -> Response<Bytes> {
        let mut response = match style.dialect {
            Dialect::Http => self.to_problem(style.type_base.as_deref()),
            Dialect::Grpc => self.to_trailers_only(),
        };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(nonce) = self.dpop_nonce() {
            response.headers_mut().insert(DPOP_NONCE, nonce.as_header().clone());
        }
        response.extensions_mut().insert(self.clone());
        response
    }

    /// The problem document alone, as JSON. Its `type` is `about:blank`, or `type_base` and the code.
    pub fn problem_body(&self, type_base: Option<&str>) -> String {
        // A struct of strings and numbers always serialises.
        serde_json::to_string(&Problem {
            r#type: problem_type(type_base, self.code()),
            title: self.title(),
            status: self.status().as_u16(),
            detail: self.detail(),
            code: self.code(),
            more: More::of(self),
        })
        .unwrap_or_default()
    }

    fn to_problem(&self, type_base: Option<&str>) -> Response<Bytes> {
        let mut response = Response::new(Bytes::from(self.problem_body(type_base)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(seconds) = self.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Self::MethodNotAllowed { allow } = self {
            headers.insert(ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(challenge) = self.challenge() {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// The challenge of a 401 (RFC 6750, section 3; RFC 9470, section 3). Without a credential, there is no error.
    fn challenge(&self) -> Option<HeaderValue> {
        if self.status() != StatusCode::UNAUTHORIZED {
            return None;
        }
        Some(match self {
            Self::NotAuthenticated | Self::LoginFailed => HeaderValue::from_static("Bearer"),
            Self::StepUpRequired { .. } => step_up("Bearer", &More::of(self)),
            Self::DpopRequired { .. } | Self::DpopInvalid | Self::UseDpopNonce { .. } => {
                self.dpop_challenge()
            }
            _ => HeaderValue::from_static(r#"Bearer error="invalid_token""#),
        })
    }

    /// The challenge of a 401 for a client that proves a key (RFC 9449, section 7.1).
    pub(crate) fn dpop_challenge(&self) -> HeaderValue {
        let error = match self {
            Self::NotAuthenticated | Self::LoginFailed => None,
            Self::StepUpRequired { .. } => return step_up(&format!("DPoP {DPOP_ALGS},"), &More::of(self)),
            Self::DpopInvalid => Some("invalid_dpop_proof"),
            Self::UseDpopNonce { .. } => Some("use_dpop_nonce"),
            _ => Some("invalid_token"),
        };
        visible(match error {
            Some(error) => format!(r#"DPoP error="{error}", {DPOP_ALGS}"#),
            None => format!("DPoP {DPOP_ALGS}"),
        })
    }

    fn to_trailers_only(&self) -> Response<Bytes> {
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(GRPC_STATUS, HeaderValue::from(u16::from(self.grpc_status())));
        let message = percent_encoded(&format!("{}: {}", self.code(), self.detail()));
        headers.insert(GRPC_MESSAGE, visible(message));
        response
    }
}

/// The algorithms of proofs (RFC 9449, section 5.1).
const DPOP_ALGS: &str = r#"algs="ES256 EdDSA""#;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

/// The members of a problem document, in their order.
#[derive(Serialize)]
struct Problem<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: Cow<'static, str>,
    code: &'static str,
    #[serde(flatten)]
    more: More<'a>,
}

/// The members that only some codes have.
#[derive(Serialize, Default)]
struct More<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limit: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sessions: Option<&'a [SessionObject]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    choice: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_age: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    acr_values: Option<&'a [String]>,
}

impl More<'_> {
    fn of(refusal: &Refusal) -> More<'_> {
        let more = More::default();
        match refusal {
            Refusal::SessionEnded(reason) => More { reason: reason.map(EndReason::as_str), ..more },
            Refusal::StateTooLarge { size, limit } => More { size: Some(*size), limit: Some(*limit), ..more },
            Refusal::StepUpRequired { max_age, acr_values } => More {
                max_age: Some(*max_age).filter(|age| *age != Duration::MAX).map(|age| age.as_secs()),
                acr_values: Some(&**acr_values).filter(|values| !values.is_empty()),
                ..more
            },
            Refusal::SessionsLimit(limit) => More {
                scope: Some(limit.scope.as_str()),
                limit: usize::try_from(limit.limit).ok(),
                retry_after: refusal.retry_after(),
                sessions: limit.sessions.as_deref(),
                choice: limit.choice.as_ref().map(|code| &*code.0),
                ..more
            },
            _ => more,
        }
    }
}

fn problem_type(base: Option<&str>, code: &str) -> String {
    base.map_or_else(|| "about:blank".into(), |base| format!("{}/{code}", base.trim_end_matches('/')))
}

/// The challenge for a stronger or newer authentication (RFC 9470, section 3).
fn step_up(scheme: &str, more: &More<'_>) -> HeaderValue {
    let mut text = format!(r#"{scheme} error="insufficient_user_authentication""#);
    if let Some(seconds) = more.max_age {
        // Writing to a String does not fail.
        let _ = write!(text, r#", max_age="{seconds}""#);
    }
    if let Some(values) = more.acr_values {
        let _ = write!(text, r#", acr_values="{}""#, quotable(&values.join(" ")));
    }
    visible(text)
}

/// What may stand between the quotes of a quoted string: `"` and `\` are escaped, what has no place in a header is
/// left out.
fn quotable(text: &str) -> String {
    let mut quotable = String::with_capacity(text.len());
    for character in text.chars().filter(|character| matches!(character, ' '..='~')) {
        if matches!(character, '"' | '\\') {
            quotable.push('\\');
        }
        quotable.push(character);
    }
    quotable
}

/// The percent-encoding of gRPC: everything but visible ASCII, space and `%` as it is.
fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'%' | ..b' ' | 0x7f.. => _ = write!(encoded, "%{byte:02X}"),
            _ => encoded.push(char::from(byte)),
        }
    }
    encoded
}

fn visible(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("visible ASCII and spaces only")
}

#[cfg(test)]
mod tests;
