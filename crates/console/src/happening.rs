//! What happens on a site, as the live view tells it.

use std::sync::Arc;

use countersign::{SessionEvent, Timestamp};
use serde::{Serialize, Serializer};

/// A kind of happening.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A login was admitted.
    Login,
    /// A login found no seat.
    LoginRefused,
    /// A session was refreshed.
    Refresh,
    /// A session came back from dangling and found no seat.
    SeatRefused,
    /// A refresh token was copied.
    Reuse,
    /// A session ended.
    End,
    /// Many sessions ended at once.
    Ends,
    /// A session was handed off.
    Handoff,
    /// A request was refused.
    Refusal,
    /// The key ring changed, or could not.
    Keys,
    /// Something does not work.
    Trouble,
    /// Something that the host's sinks know better.
    Other,
    /// An administrator did something.
    Audit,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 13] = [
        Self::Login,
        Self::LoginRefused,
        Self::Refresh,
        Self::SeatRefused,
        Self::Reuse,
        Self::End,
        Self::Ends,
        Self::Handoff,
        Self::Refusal,
        Self::Keys,
        Self::Trouble,
        Self::Other,
        Self::Audit,
    ];

    /// The kind in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::LoginRefused => "login-refused",
            Self::Refresh => "refresh",
            Self::SeatRefused => "seat-refused",
            Self::Reuse => "reuse",
            Self::End => "end",
            Self::Ends => "ends",
            Self::Handoff => "handoff",
            Self::Refusal => "refusal",
            Self::Keys => "keys",
            Self::Trouble => "trouble",
            Self::Other => "other",
            Self::Audit => "audit",
        }
    }

    /// The kind of this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Something that happened. Only what applies has a value.
#[derive(Clone, Debug, Serialize)]
pub struct Happening {
    /// Its number on this node since the start.
    pub seq: u64,
    /// When.
    #[serde(serialize_with = "secs")]
    pub at: Timestamp,
    /// What.
    #[serde(serialize_with = "word")]
    pub kind: Kind,
    /// To which session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// Whose.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<Arc<str>>,
    /// Of which tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<Arc<str>>,
    /// Why a session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// Which limit was reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<&'static str>,
    /// Its seats.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Why a request was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<&'static str>,
    /// What else there is to say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl Happening {
    pub(crate) fn new(kind: Kind, at: Timestamp) -> Self {
        Self {
            seq: 0,
            at,
            kind,
            session: None,
            subject: None,
            tenant: None,
            reason: None,
            scope: None,
            limit: None,
            code: None,
            detail: None,
        }
    }

    /// What an event of the framework comes to.
    pub(crate) fn of(event: &SessionEvent, at: Timestamp) -> Self {
        let of = |kind| Self::new(kind, at);
        match event {
            SessionEvent::Started { session, owner, .. } => {
                Self { session: Some(session.to_string()), ..of(Kind::Login).by(owner) }
            }
            SessionEvent::LimitReached { owner, scope, limit, .. } => {
                Self { scope: Some(scope.as_str()), limit: Some(*limit), ..of(Kind::LoginRefused).by(owner) }
            }
            SessionEvent::Refreshed { session, .. } => of(Kind::Refresh).to(session),
            SessionEvent::SeatRefused { session, scope, .. } => {
                Self { scope: Some(scope.as_str()), ..of(Kind::SeatRefused).to(session) }
            }
            SessionEvent::RefreshReused { session, .. } => of(Kind::Reuse).to(session),
            SessionEvent::Ended { session, reason, .. } => {
                Self { reason: Some(reason.as_str()), ..of(Kind::End).to(session) }
            }
            SessionEvent::EndedMany { reason, .. } => {
                Self { reason: Some(reason.as_str()), ..of(Kind::Ends) }
            }
            SessionEvent::HandedOver { session, to, .. } => {
                Self { detail: Some(format!("to {to}")), ..of(Kind::Handoff).to(session) }
            }
            SessionEvent::Refused { code, .. } => Self { code: Some(code), ..of(Kind::Refusal) },
            SessionEvent::ProofRefused { check } => {
                Self { code: Some("dpop-invalid"), detail: Some((*check).to_owned()), ..of(Kind::Refusal) }
            }
            SessionEvent::KeysChanged => of(Kind::Keys),
            SessionEvent::KeysFailed { detail } => Self { detail: Some(detail.clone()), ..of(Kind::Trouble) },
            SessionEvent::RegistryFailed { operation, detail } => {
                Self { detail: Some(format!("the registry, at {operation}: {detail}")), ..of(Kind::Trouble) }
            }
            SessionEvent::MarksDropped { marks } => {
                Self { detail: Some(format!("{marks} marks of activity were dropped")), ..of(Kind::Trouble) }
            }
            other => Self { detail: Some(name(other)), ..of(Kind::Other) },
        }
    }

    fn by(self, owner: &countersign::Owner) -> Self {
        Self { subject: Some(owner.subject.clone()), tenant: owner.tenant.clone(), ..self }
    }

    fn to(self, session: &countersign::SessionId) -> Self {
        Self { session: Some(session.to_string()), ..self }
    }
}

/// The name of an event that this version does not know: its first word, which holds no data.
fn name(event: &SessionEvent) -> String {
    let debug = format!("{event:?}");
    debug.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn secs<S: Serializer>(instant: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u64(instant.as_secs())
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn word<S: Serializer>(kind: &Kind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.as_str())
}
