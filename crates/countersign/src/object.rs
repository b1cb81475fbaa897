//! What a client is told of a session, as JSON: the session object and the token response.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{Holding, SessionRecord};
use countersign_token::{Seat, SessionId, Timestamp};
use serde::{Serialize, Serializer};

use crate::authenticate::Active;
use crate::sessions::Inner;

/// A session, as `GET /session`, the list and the token response show it. Instants become whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionObject {
    /// Its id, no credential.
    pub id: SessionId,
    /// Whom it belongs to.
    pub subject: Arc<str>,
    /// The customer or site that the subject belongs to.
    pub tenant: Option<Arc<str>>,
    /// When it was admitted.
    #[serde(serialize_with = "secs")]
    pub started_at: Timestamp,
    /// Its absolute end.
    #[serde(serialize_with = "secs")]
    pub expires_at: Timestamp,
    /// When it ends if nobody uses it any more.
    #[serde(serialize_with = "secs")]
    pub idle_expires_at: Timestamp,
    /// When the access token expires: known of the current session only.
    #[serde(serialize_with = "secs_or_null")]
    pub access_expires_at: Option<Timestamp>,
    /// When its user proved who they are.
    #[serde(serialize_with = "secs")]
    pub auth_time: Timestamp,
    /// How: words of RFC 8176 with a space between them, an array in JSON.
    #[serde(serialize_with = "words")]
    pub amr: Arc<str>,
    /// Whether it is the session that asks.
    pub current: bool,
    /// Its last known activity.
    #[serde(serialize_with = "secs")]
    pub last_activity: Timestamp,
    /// Whether it holds no seat, because nobody used it for a while.
    pub dangling: bool,
    /// What it runs on, such as `Firefox on Linux`.
    pub device: Option<Arc<str>>,
}

impl SessionObject {
    /// A session of a list, as the registry knows it.
    pub fn listed(record: &SessionRecord, holding: Holding, idle_timeout: Duration) -> Self {
        Self {
            id: record.id,
            subject: record.owner.subject.clone(),
            tenant: record.owner.tenant.clone(),
            started_at: record.started_at,
            expires_at: record.expires_at,
            idle_expires_at: idle_end(record.last_activity, idle_timeout, record.expires_at),
            access_expires_at: None,
            auth_time: record.auth_time,
            amr: record.methods.clone(),
            current: false,
            last_activity: record.last_activity,
            dangling: holding == Holding::Nothing,
            device: record.device.clone(),
        }
    }

    /// The session that asks, as the registry knows it.
    pub fn current(
        record: &SessionRecord,
        holding: Holding,
        access_expires_at: Timestamp,
        idle_timeout: Duration,
    ) -> Self {
        Self::listed(record, holding, idle_timeout).as_current(access_expires_at)
    }

    /// The same session, as the one that asks.
    pub fn as_current(self, access_expires_at: Timestamp) -> Self {
        Self { current: true, access_expires_at: Some(access_expires_at), ..self }
    }
}

impl SessionObject {
    /// The session that asks, as its access token and this node tell. No I/O.
    pub(crate) fn of_active(inner: &Inner, active: &Active, device: Option<Arc<str>>) -> Self {
        let claims = active.claims();
        let identity = &claims.identity;
        let marked = inner.node.marked(&identity.session).unwrap_or(Timestamp::ZERO);
        let last_activity = marked.max(claims.issued_at);
        Self {
            id: identity.session,
            subject: identity.subject.as_str().into(),
            tenant: identity.tenant.as_deref().map(Into::into),
            started_at: identity.started_at,
            expires_at: identity.session_expires_at,
            idle_expires_at: idle_end(last_activity, inner.config.policy.idle, identity.session_expires_at),
            access_expires_at: Some(claims.expires_at),
            auth_time: identity.auth_time,
            amr: identity.methods.join(" ").into(),
            current: true,
            last_activity,
            dangling: claims.seat == Seat::None,
            device,
        }
    }
}

/// When a session ends if nobody uses it any more: after the idle timeout, but never beyond its absolute end.
pub(crate) fn idle_end(last_activity: Timestamp, idle_timeout: Duration, expires_at: Timestamp) -> Timestamp {
    last_activity.after(idle_timeout).min(expires_at)
}

/// The answer to a login, refresh, admit or redeem. A token is a member only where the transport puts it in the
/// body and there is a new one.
#[derive(Clone, Serialize)]
pub struct TokenResponse {
    /// The session.
    pub session: SessionObject,
    /// How the access token is presented.
    pub token_type: TokenType,
    /// The access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_token: Option<String>,
    /// For how many seconds the access token is good.
    pub expires_in: u64,
    /// The refresh token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refresh_token: Option<String>,
    /// The state token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

/// Which tokens there are, and none of them.
impl fmt::Debug for TokenResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenResponse")
            .field("session", &self.session)
            .field("access_token", &self.access_token.is_some())
            .field("expires_in", &self.expires_in)
            .field("refresh_token", &self.refresh_token.is_some())
            .field("state", &self.state.is_some())
            .finish_non_exhaustive()
    }
}

/// How an access token is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum TokenType {
    /// `Authorization: Bearer` (RFC 6750).
    Bearer,
    /// `Authorization: DPoP` (RFC 9449).
    #[serde(rename = "DPoP")]
    Dpop,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn secs<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(instant.as_secs())
}

// The signature is serde's.
#[allow(clippy::ref_option)]
pub(crate) fn secs_or_null<S: Serializer>(
    instant: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    instant.map(Timestamp::as_secs).serialize(serializer)
}

fn words<S: Serializer>(text: &Arc<str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(text.split_ascii_whitespace())
}

#[cfg(test)]
mod tests;
