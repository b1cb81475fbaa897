//! `GET /.well-known/jwks.json`: the public keys (RFC 7517).

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Response};

use crate::body::OwnBody;
use crate::layer::Answer;
use crate::sessions::Inner;

/// Shorter than the time for which a key is published before it signs, so that no verifier misses one.
const CACHE: HeaderValue = HeaderValue::from_static("public, max-age=300");

pub(super) fn serve(inner: &Inner) -> Answer {
    let mut answer = Response::new(OwnBody::from(Bytes::from(inner.ring().jwks_json())));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/jwk-set+json"));
    answer.headers_mut().insert(CACHE_CONTROL, CACHE);
    answer
}
