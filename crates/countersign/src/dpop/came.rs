//! What a request brings to prove a key with, and for what: kept from its head, not looked into.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::cookie::text;
use crate::sessions::Config;

/// Carries the proof (RFC 9449, section 4.1).
pub(super) const DPOP: HeaderName = HeaderName::from_static("dpop");

/// The `DPoP` header of a request, with the method and path that its proof must be for.
#[derive(Clone)]
pub(crate) struct Came {
    method: Method,
    path: Box<str>,
    /// None if there are several.
    proof: Option<HeaderValue>,
}

impl Came {
    /// None without such a header, and where no proofs are asked for.
    pub(crate) fn of(config: &Config, method: &Method, path: &str, headers: &HeaderMap) -> Option<Self> {
        config.dpop?;
        let mut values = headers.get_all(DPOP).iter();
        let first = values.next()?;
        let proof = if values.next().is_none() { Some(first.clone()) } else { None };
        Some(Self { method: method.clone(), path: path.into(), proof })
    }

    pub(super) fn method(&self) -> &str {
        self.method.as_str()
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The proof, if there is exactly one.
    pub(super) fn only_proof(&self) -> Option<&str> {
        self.proof.as_ref().map(|proof| text(proof.as_bytes()))
    }
}

impl std::fmt::Debug for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Came").field("method", &self.method).finish_non_exhaustive()
    }
}
