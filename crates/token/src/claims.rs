//! The claims of the tokens, as types. How they are spelled is docs/WIRE.md's and `wire`'s.

use std::fmt;
use std::sync::Arc;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::id::{FeedPosition, RotationId, SessionId, StateVersion, Timestamp};

/// Whom a session belongs to, how its user proved who they are, and what the registry knew when it was admitted:
/// the same in each access and refresh token of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Who minted the token (`iss`).
    pub issuer: Arc<str>,
    /// Whom it speaks of (`sub`): a pseudonymous id, for a token can be read by whoever holds it.
    pub subject: String,
    /// On whose behalf it was asked for (`client_id`, RFC 9068).
    pub client_id: String,
    /// The customer or site that the subject belongs to (`tenant`).
    pub tenant: Option<String>,
    /// The session (`sid`).
    pub session: SessionId,
    /// When the session was admitted (`session_started`).
    pub started_at: Timestamp,
    /// When its user proved who they are (`auth_time`).
    pub auth_time: Timestamp,
    /// How (`amr`, RFC 8176).
    pub methods: Vec<String>,
    /// In which class of trust (`acr`).
    pub context: Option<String>,
    /// The feed's position when the session was admitted (`born`, `[epoch, seq]`).
    pub born: FeedPosition,
    /// The thumbprint of the key that the token is bound to (`cnf.jkt`, RFC 9449).
    pub key_thumbprint: Option<String>,
    /// The session's absolute end (`session_expiry`), which nothing moves.
    pub session_expires_at: Timestamp,
    /// Whether the browser keeps it when it is closed (`remember`: `false`, or absent).
    pub persistence: Persistence,
}

/// Whether a browser keeps a session when it is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Persistence {
    /// It does, until the session's end.
    #[default]
    Persistent,
    /// It forgets the session when it is closed.
    Browser,
}

/// The claims of an access token (RFC 9068): it proves a session on each request.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessClaims {
    /// Who.
    pub identity: Identity,
    /// The APIs that it is for (`aud`).
    pub audience: Audience,
    /// When it was minted, by the registry's clock (`iat`).
    pub issued_at: Timestamp,
    /// From when on it is no good (`exp`). No leeway.
    pub expires_at: Timestamp,
    /// Its own id (`jti`).
    pub id: String,
    /// The lowest exclusive state version that counted when it was minted (`ver`).
    pub floor: u64,
    /// Whether the session held a seat (`seat`: `false`, or absent).
    pub seat: Seat,
    /// Claims of the application: roles and the like.
    pub app: Map<String, Value>,
}

/// Whether a session holds a seat of the sessions limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Seat {
    /// It does.
    #[default]
    Held,
    /// It does not: the token is good for pollable routes only.
    None,
}

/// The claims of a refresh token: it is exchanged for the next access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefreshClaims {
    /// Who.
    pub identity: Identity,
    /// The issuer itself (`aud`).
    pub audience: Audience,
    /// When it was minted, by the registry's clock (`iat`).
    pub issued_at: Timestamp,
    /// The session's absolute end (`exp`).
    pub expires_at: Timestamp,
    /// Its own id (`jti`).
    pub id: String,
    /// Its place in the session's rotation (`rot`).
    pub rotation: Rotation,
}

/// A refresh token's place in its session's rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Its own id.
    pub id: RotationId,
    /// The id of the token that was used up for it.
    pub parent: RotationId,
    /// The registry's instant of its issue.
    pub issued: Timestamp,
}

/// The claims of a state token: the application's own data, held by the client.
#[derive(Clone)]
pub struct StateClaims {
    /// Who minted it (`iss`).
    pub issuer: String,
    /// Whose services it is for (`aud`): the issuer's.
    pub audience: Audience,
    /// From when on it is no good (`exp`).
    pub expires_at: Timestamp,
    /// The session that it belongs to (`sid`); none for a visit.
    pub session: Option<SessionId>,
    /// Its version (`ver`, `[exclusive, plain]`).
    pub version: StateVersion,
    /// The version of the data's type (`dv`).
    pub data_version: u16,
    /// The data (`data`).
    pub data: Box<RawValue>,
}

/// The claims of a one-time code: sealed, short-lived, for the issuer's own eyes.
#[derive(Clone)]
pub struct CodeClaims {
    /// Who minted it (`iss`).
    pub issuer: String,
    /// From when on it is no good (`exp`).
    pub expires_at: Timestamp,
    /// What it seals (`data`).
    pub data: Box<RawValue>,
}

/// For whom a token is (`aud`): one audience, or several.
#[derive(Clone, PartialEq, Eq)]
pub struct Audience(Names);

#[derive(Clone, PartialEq, Eq)]
enum Names {
    One(Arc<str>),
    Several(Arc<[String]>),
}

impl Audience {
    /// One audience.
    pub fn one(audience: impl Into<Arc<str>>) -> Self {
        Self(Names::One(audience.into()))
    }

    /// Several audiences.
    pub fn several(audiences: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<String> = audiences.into_iter().collect();
        match all.pop() {
            Some(one) if all.is_empty() => Self::one(one),
            last => {
                all.extend(last);
                Self(Names::Several(all.into()))
            }
        }
    }

    /// Whether it is for this one: compared as bytes, as a whole (RFC 7519, section 4.1.3).
    pub fn contains(&self, audience: &str) -> bool {
        self.iter().any(|one| one == audience)
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let (one, several) = match &self.0 {
            Names::One(one) => (Some(&**one), &[][..]),
            Names::Several(several) => (None, &**several),
        };
        one.into_iter().chain(several.iter().map(String::as_str))
    }
}

impl From<&str> for Audience {
    fn from(audience: &str) -> Self {
        Self::one(audience)
    }
}

impl fmt::Debug for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// The application's data is nobody else's: `Debug` tells its length only.
pub(crate) struct Hidden<'a>(pub(crate) &'a RawValue);

impl fmt::Debug for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} bytes)", self.0.get().len())
    }
}

impl fmt::Debug for StateClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StateClaims")
            .field("issuer", &self.issuer)
            .field("expires_at", &self.expires_at)
            .field("session", &self.session)
            .field("version", &self.version)
            .field("data", &Hidden(&self.data))
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for CodeClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CodeClaims")
            .field("issuer", &self.issuer)
            .field("expires_at", &self.expires_at)
            .field("data", &Hidden(&self.data))
            .finish()
    }
}
