//! What a refused client is told of proofs: the scheme, and the nonce for its next one.

use http::header::{AUTHORIZATION, CACHE_CONTROL, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use super::came::DPOP;
use super::{Dpop, DpopNonce};
use crate::refusal::Refusal;
use crate::sessions::Inner;

/// Tells a client the nonce for its next proofs (RFC 9449, section 8).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// How a client shows its tokens, as far as its request tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spoken {
    Bearer,
    /// It brought a proof, or a token under the scheme DPoP.
    Dpop,
}

impl Spoken {
    /// Of a request that is refused.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let scheme =
            headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().trim_ascii_start().get(..5));
        let dpop = scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"DPoP "));
        if dpop || headers.contains_key(DPOP) { Self::Dpop } else { Self::Bearer }
    }
}

/// Challenges a client that was refused with 401 in the words of RFC 9449, if it speaks them or the site demands it.
/// Where the site demands it, the client is told the nonce for its first proof.
pub(crate) fn challenge<B>(inner: &Inner, spoken: Spoken, refusal: &Refusal, response: &mut Response<B>) {
    let Some(dpop) = inner.config.dpop else { return };
    if refusal.status() != StatusCode::UNAUTHORIZED || (dpop, spoken) == (Dpop::Offered, Spoken::Bearer) {
        return;
    }
    let headers = response.headers_mut();
    // A gRPC client is told in another way.
    if headers.contains_key(WWW_AUTHENTICATE) {
        headers.insert(WWW_AUTHENTICATE, refusal.dpop_challenge());
    }
    if dpop == Dpop::Required {
        headers.entry(DPOP_NONCE).or_insert_with(|| DpopNonce::current(inner).0);
    }
}

/// Tells a client the current nonce, with an answer to a proof that had an older one. Nobody else is to read it from
/// a cache.
pub(crate) fn renew_nonce(nonce: DpopNonce, headers: &mut HeaderMap) {
    headers.insert(DPOP_NONCE, nonce.0);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
}
