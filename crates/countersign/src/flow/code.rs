//! One-time codes: sealed by the key ring, so no server needs to remember them, and opened as their own kind alone.

use countersign_token::{CodeClaims, Timestamp, Unverified};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::mint;
use crate::authenticate::{self, TOKEN_LIMIT};
use crate::refusal::Refusal;
use crate::sessions::Inner;

/// A code of this kind that can be opened until it expires.
pub(super) fn seal(
    inner: &Inner,
    kind: &str,
    sealed: &impl Serialize,
    expires_at: Timestamp,
) -> Result<String, Refusal> {
    let claims = CodeClaims {
        issuer: inner.config.issuer.to_string(),
        expires_at,
        data: serde_json::value::to_raw_value(sealed).map_err(|_| Refusal::Internal)?,
    };
    let minted = inner.ring().mint_code(kind, &claims, inner.random.bytes());
    minted.map_err(|error| mint::cannot_mint(inner, &error))
}

/// What a code of this kind seals, and when it expires. A forged or expired one opens as nothing: one answer for all.
pub(super) fn open<T: DeserializeOwned>(
    inner: &Inner,
    kind: &str,
    code: &str,
) -> Result<(T, Timestamp), Refusal> {
    let unverified = Unverified::parse(code, TOKEN_LIMIT).map_err(authenticate::refusal)?;
    let claims = inner
        .ring()
        .open_code(&unverified, kind, &inner.config.issuer, inner.now())
        .map_err(|_| Refusal::TokenInvalid)?;
    let sealed = serde_json::from_str(claims.data.get()).map_err(|_| Refusal::TokenInvalid)?;
    Ok((sealed, claims.expires_at))
}
