//! State tokens: the application's own data, sealed or signed, held by the client.

use std::fmt;

use serde_json::value::RawValue;

use crate::claims::{Hidden, StateClaims};
use crate::data::SessionData;
use crate::error::{MintError, TokenError};
use crate::header::Kind;
use crate::id::{SessionId, StateVersion, Timestamp};
use crate::keyring::KeyRing;
use crate::seal::Purpose;
use crate::unverified::Unverified;
use crate::verify::Verified;
use crate::wire;

/// How state travels. It comes from configuration, never from a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum StateFormat {
    /// Encrypted: its client cannot read it (JWE, RFC 7516).
    #[default]
    Sealed,
    /// Signed: its client may read it (JWS, RFC 7515).
    Signed,
}

/// A state token that was opened: it is ours, belongs where it was presented, and has not expired.
#[derive(Clone)]
pub struct OpenState {
    /// Its version.
    pub version: StateVersion,
    /// The version of its data's type.
    pub data_version: u16,
    /// Its data.
    pub data: Box<RawValue>,
}

impl OpenState {
    /// The data as a type: as it is now, or [upgraded](SessionData::upgrade) from another version. [`None`] if this
    /// build cannot read it.
    pub fn decode<D: SessionData>(&self) -> Option<D> {
        if self.data_version == D::VERSION {
            return serde_json::from_str(self.data.get()).ok();
        }
        D::upgrade(self.data_version, &self.data)
    }
}

impl fmt::Debug for OpenState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenState")
            .field("version", &self.version)
            .field("data_version", &self.data_version)
            .field("data", &Hidden(&self.data))
            .finish()
    }
}

impl KeyRing {
    /// Mints a state token. The nonce is 12 fresh random bytes; a signed state needs none.
    ///
    /// # Errors
    ///
    /// [`MintError`], hardly ever.
    pub fn mint_state(
        &self,
        claims: &StateClaims,
        format: StateFormat,
        nonce: [u8; 12],
    ) -> Result<String, MintError> {
        match format {
            StateFormat::Signed => self.sign_state(claims),
            StateFormat::Sealed => {
                self.seal(Kind::SealedState, &purpose(&claims.issuer, claims.session.as_ref()), claims, nonce)
            }
        }
    }

    /// Opens the state token of a session, or (with no session) of a visit.
    ///
    /// # Errors
    ///
    /// [`TokenError`]: not ours, of another session, of another format, or expired.
    pub fn open_state(
        &self,
        token: &Unverified<'_>,
        format: StateFormat,
        issuer: &str,
        session: Option<SessionId>,
        now: Timestamp,
    ) -> Result<OpenState, TokenError> {
        let claims = match format {
            StateFormat::Signed => self.verify_state(token).map(Verified::into_claims)?,
            StateFormat::Sealed => {
                self.open(Kind::SealedState, &purpose(issuer, session.as_ref()), token, wire::state)?
            }
        };
        let ours = claims.issuer == issuer && claims.audience.contains(issuer) && claims.session == session;
        if !ours || now >= claims.expires_at {
            return Err(TokenError::INVALID);
        }
        Ok(OpenState { version: claims.version, data_version: claims.data_version, data: claims.data })
    }
}

fn purpose<'a>(issuer: &'a str, session: Option<&'a SessionId>) -> Purpose<'a> {
    let kind = if session.is_some() { "session" } else { "visit" };
    Purpose { issuer, kind, session }
}
