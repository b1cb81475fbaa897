//! The signature: the only maker of [`Verified`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::claims::{AccessClaims, RefreshClaims, StateClaims};
use crate::error::TokenError;
use crate::header::Kind;
use crate::key::KeyId;
use crate::keyring::KeyRing;
use crate::unverified::Unverified;
use crate::wire;

/// Claims whose signature, header and types have been verified. Whether they are still good, and for us, is
/// [`live`](Verified::live)'s question.
///
/// Nothing outside of this crate can make one:
///
/// ```compile_fail
/// let forged = countersign_token::Verified { claims: (), key: "key".into() };
/// ```
#[derive(Clone, Debug)]
pub struct Verified<C> {
    claims: C,
    key: KeyId,
}

impl<C> Verified<C> {
    /// The claims, which may have expired or be for somebody else.
    pub fn claims(&self) -> &C {
        &self.claims
    }

    /// The key that signed them.
    pub fn key_id(&self) -> &KeyId {
        &self.key
    }

    pub(crate) fn claims_mut(&mut self) -> &mut C {
        &mut self.claims
    }

    pub(crate) fn into_claims(self) -> C {
        self.claims
    }
}

impl KeyRing {
    /// Verifies the signature, header and types of an access token.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn verify_access(&self, token: &Unverified<'_>) -> Result<Verified<AccessClaims>, TokenError> {
        self.verify(token, Kind::Access, wire::access)
    }

    /// Verifies the signature, header and types of a refresh token.
    ///
    /// # Errors
    ///
    /// [`TokenError`].
    pub fn verify_refresh(&self, token: &Unverified<'_>) -> Result<Verified<RefreshClaims>, TokenError> {
        self.verify(token, Kind::Refresh, wire::refresh)
    }

    pub(crate) fn verify_state(&self, token: &Unverified<'_>) -> Result<Verified<StateClaims>, TokenError> {
        self.verify(token, Kind::SignedState, wire::state)
    }

    /// Nothing of the payload is looked at before its signature is found good.
    fn verify<C>(
        &self,
        token: &Unverified<'_>,
        kind: Kind,
        read: impl FnOnce(&str) -> Result<C, TokenError>,
    ) -> Result<Verified<C>, TokenError> {
        let entry = self.key_of(token.header(), kind)?;
        let mut signature = [0; 64];
        let len = entry.key.algorithm.signature_len();
        match URL_SAFE_NO_PAD.decode_slice(token.signature(), &mut signature) {
            Ok(decoded) if decoded == len => {}
            _ => return Err(TokenError::INVALID),
        }
        if !entry.key.verify(token.signed(), &signature[..len]) {
            return Err(TokenError::INVALID);
        }
        let payload = URL_SAFE_NO_PAD.decode(token.payload()).map_err(|_| TokenError::INVALID)?;
        let text = std::str::from_utf8(&payload).map_err(|_| TokenError::INVALID)?;
        Ok(Verified { claims: read(text)?, key: entry.key.id.clone() })
    }
}
