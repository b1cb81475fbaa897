//! Minting: claims to a signed token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::claims::{AccessClaims, RefreshClaims, StateClaims};
use crate::error::MintError;
use crate::header::Kind;
use crate::keyring::KeyRing;
use crate::wire::Claims;

impl KeyRing {
    /// Mints an access token with the signing key (RFC 9068).
    ///
    /// # Errors
    ///
    /// [`MintError`]: an application's claim has a name that is taken.
    pub fn mint_access(&self, claims: &AccessClaims) -> Result<String, MintError> {
        self.sign(Kind::Access, claims)
    }

    /// Mints a refresh token with the signing key.
    ///
    /// # Errors
    ///
    /// [`MintError`], hardly ever.
    pub fn mint_refresh(&self, claims: &RefreshClaims) -> Result<String, MintError> {
        self.sign(Kind::Refresh, claims)
    }

    pub(crate) fn sign_state(&self, claims: &StateClaims) -> Result<String, MintError> {
        self.sign(Kind::SignedState, claims)
    }

    fn sign(&self, kind: Kind, claims: &impl Claims) -> Result<String, MintError> {
        let payload = claims.to_json()?;
        let signer = self.signer();
        let header = signer.headers.get(kind);
        let mut token = String::with_capacity(header.len() + payload.len() * 4 / 3 + 96);
        token.push_str(header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&payload, &mut token);
        let mut signature = [0; 64];
        let len = signer.key.sign(token.as_bytes(), &mut signature).ok_or(MintError::Unrepresentable)?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&signature[..len], &mut token);
        Ok(token)
    }
}
