//! Answers: JSON, text and streams, which nobody may store; and refusals.

use std::convert::Infallible;

use bytes::Bytes;
use countersign::{ProblemStyle, Refusal};
use futures_util::{Stream, StreamExt as _};
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response};
use http_body::{Body as _, Frame};
use http_body_util::{BodyExt as _, Full, StreamBody};
use serde::Serialize;

use crate::console::Body;

pub(crate) type Answer = Response<Body>;

/// A JSON answer.
pub(crate) fn json(value: &impl Serialize) -> Answer {
    // Structs of strings, numbers and lists always serialise.
    typed("application/json", full(serde_json::to_vec(value).unwrap_or_default()))
}

/// A file for the administrator to keep, as they save it.
pub(crate) fn download(content_type: &'static str, name: &'static str, body: Body) -> Answer {
    let mut answer = typed(content_type, body);
    answer.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static(name));
    answer
}

/// An answer of a content type.
pub(crate) fn typed(content_type: &'static str, body: Body) -> Answer {
    let mut answer = Response::new(body);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// A refusal; the session layer around writes it in the site's style.
pub(crate) fn refused(refusal: &Refusal) -> Answer {
    refusal.to_response(&ProblemStyle::default()).map(full)
}

/// A body that is all there.
pub(crate) fn full(content: impl Into<Bytes>) -> Body {
    Full::new(content.into()).boxed_unsync()
}

/// A body that comes bit by bit.
pub(crate) fn stream(pieces: impl Stream<Item = Bytes> + Send + 'static) -> Body {
    StreamBody::new(pieces.map(|piece| Ok::<_, Infallible>(Frame::data(piece)))).boxed_unsync()
}

/// The answer to `HEAD`: the headers alone.
pub(crate) fn without_body(mut answer: Answer) -> Answer {
    if let Some(length) = answer.body().size_hint().exact() {
        answer.headers_mut().entry(CONTENT_LENGTH).or_insert_with(|| length.into());
    }
    *answer.body_mut() = full(Bytes::new());
    answer
}

/// Tells browsers to take nothing for anything else, to run no script but the site's, and to show it in no frame.
pub(crate) fn harden(answer: &mut Answer) {
    let is_page = answer.headers().get(CONTENT_TYPE).is_some_and(|content_type| content_type == HTML);
    let policy = HeaderValue::from_static(if is_page { PAGE_POLICY } else { DATA_POLICY });
    answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HARD {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
}

pub(crate) const HTML: &str = "text/html; charset=utf-8";
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                           require-trusted-types-for 'script'; trusted-types 'none'";
const HARD: [(HeaderName, &str); 4] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
