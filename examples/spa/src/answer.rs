//! Responses: JSON and text, and the headers that every response of this server has.

use std::convert::Infallible;

use bytes::Bytes;
use countersign::{Dialect, Grant, ProblemStyle, Refusal};
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body::Body as _;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use serde::Serialize;

/// The body of every response of this server.
pub(crate) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// A body that is all there.
pub(crate) fn full(content: impl Into<Bytes>) -> Body {
    Full::new(content.into()).boxed_unsync()
}

/// A JSON response that nobody may store.
pub(crate) fn json(value: &impl Serialize) -> Response<Body> {
    // Structs of strings, numbers and lists always serialise.
    let content = serde_json::to_vec(value).unwrap_or_default();
    typed("application/json", StatusCode::OK, full(content))
}

/// A response in plain text.
pub(crate) fn text(status: StatusCode, content: impl Into<Bytes>) -> Response<Body> {
    typed("text/plain; charset=utf-8", status, full(content))
}

/// A response of a content type, which nobody may store.
pub(crate) fn typed(content_type: &'static str, status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// A refusal, in the dialect of the request.
pub(crate) fn refused(refusal: &Refusal, request: &HeaderMap) -> Response<Body> {
    let style = ProblemStyle { dialect: Dialect::of(request), ..ProblemStyle::default() };
    refusal.to_response(&style).map(full)
}

/// The answer to a login.
pub(crate) fn granted(grant: Grant) -> Response<Body> {
    grant.into_response::<Bytes>().map(full)
}

/// The answer to a HEAD request: headers alone. (Of hyper's two protocols, only HTTP/1 cuts the body off by itself.)
pub(crate) fn without_body(mut response: Response<Body>) -> Response<Body> {
    if let Some(length @ 1..) = response.body().size_hint().exact() {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    *response.body_mut() = full(Bytes::new());
    response
}

/// Tells browsers to take nothing for anything else, to run no script but ours, and to show us in no frame.
pub(crate) fn harden<B>(response: &mut Response<B>) {
    let headers = response.headers_mut();
    let is_page = headers.get(CONTENT_TYPE).is_some_and(|content_type| content_type == HTML);
    let policy = HeaderValue::from_static(if is_page { PAGE_POLICY } else { DATA_POLICY });
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HARD {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

pub(crate) const HTML: &str = "text/html; charset=utf-8";
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";
/// Forms are sent by scripts alone: where those do not load, no password ends up in an address. `blob:` is for the QR
/// picture.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                           connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                           require-trusted-types-for 'script'; trusted-types 'none'";
const HARD: [(HeaderName, &str); 4] = [
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];
