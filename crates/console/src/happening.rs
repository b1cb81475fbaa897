//! What happens on a site, as the live view tells it.

use std::sync::Arc;

use countersign::{Actor, EndScope, SessionEvent, Timestamp};
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
    /// Something unusual was found.
    Unusual,
    /// Something that the host's sinks know better.
    Other,
    /// An administrator did something.
    Audit,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 14] = [
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
        Self::Unusual,
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
            Self::Unusual => "unusual",
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
            SessionEvent::Started { session, owner, device, .. } => {
                of(Kind::Login).by(owner).to(session).on(device.as_deref())
            }
            SessionEvent::LimitReached { owner, scope, limit } => {
                of(Kind::LoginRefused).by(owner).at_limit(*scope, *limit)
            }
            SessionEvent::Refreshed { session, owner, device } => {
                of(Kind::Refresh).by(owner).to(session).on(device.as_deref())
            }
            SessionEvent::SeatRefused { session, owner, scope, limit } => {
                of(Kind::SeatRefused).by(owner).to(session).at_limit(*scope, *limit)
            }
            SessionEvent::RefreshReused { session, owner } => of(Kind::Reuse).by(owner).to(session),
            SessionEvent::Ended { session, owner, reason, by } => {
                let end = Self { reason: Some(reason.as_str()), ..of(Kind::End).to(session).done_by(by) };
                owner.iter().fold(end, Self::by)
            }
            SessionEvent::EndedMany { scope, sessions, reason, by } => {
                let many = Self { reason: Some(reason.as_str()), ..of(Kind::Ends).done_by(by) };
                many.within(scope).and(format!("{sessions} sessions, by {}", scope.as_str()))
            }
            SessionEvent::HandedOver { session, owner, device, .. } => {
                of(Kind::Handoff).by(owner).to(session).on(device.as_deref())
            }
            SessionEvent::Refused { code, session } => {
                session.iter().fold(Self { code: Some(code), ..of(Kind::Refusal) }, Self::to)
            }
            SessionEvent::ProofRefused { check } => {
                Self { code: Some("dpop-invalid"), ..of(Kind::Refusal).and(*check) }
            }
            SessionEvent::Unusual { finding } => {
                let told = of(Kind::Unusual).and(finding.explanation());
                let told = finding.session().iter().fold(told, Self::to);
                finding.owner().into_iter().fold(told, Self::by)
            }
            SessionEvent::KeysChanged => of(Kind::Keys),
            SessionEvent::KeysFailed { detail } | SessionEvent::MintFailed { detail } => {
                of(Kind::Trouble).and(detail)
            }
            SessionEvent::RegistryFailed { operation, detail } => {
                of(Kind::Trouble).and(format!("the registry, at {operation}: {detail}"))
            }
            SessionEvent::MarksDropped { marks } => {
                of(Kind::Trouble).and(format!("{marks} marks of activity were dropped"))
            }
            other => of(Kind::Other).and(other.name()),
        }
    }

    /// Whether it is this person's.
    pub(crate) fn is_of(&self, owner: &countersign::Owner) -> bool {
        self.subject.as_ref() == Some(&owner.subject) && self.tenant == owner.tenant
    }

    pub(crate) fn by(self, owner: &countersign::Owner) -> Self {
        Self { subject: Some(owner.subject.clone()), tenant: owner.tenant.clone(), ..self }
    }

    fn to(self, session: &countersign::SessionId) -> Self {
        Self { session: Some(session.to_string()), ..self }
    }

    fn on(self, device: Option<&str>) -> Self {
        Self { detail: device.map(ToOwned::to_owned), ..self }
    }

    fn at_limit(self, scope: countersign::Scope, limit: u32) -> Self {
        Self { scope: Some(scope.as_str()), limit: Some(limit), ..self }
    }

    /// Whose sessions ended together.
    fn within(self, scope: &EndScope) -> Self {
        match scope {
            EndScope::User(owner) | EndScope::Others(owner, _) => self.by(owner),
            EndScope::Tenant(tenant) => Self { tenant: Some(tenant.clone()), ..self },
            _ => self,
        }
    }

    fn done_by(self, actor: &Actor) -> Self {
        let Actor::Administrator(who) = actor else { return self };
        match &who.tenant {
            Some(tenant) => self.and(format!("by {} ({tenant})", who.subject)),
            None => self.and(format!("by {}", who.subject)),
        }
    }

    /// What else there is to say.
    fn and(self, words: impl Into<String>) -> Self {
        let words = words.into();
        let detail = self.detail.map_or_else(|| words.clone(), |before| format!("{words}, {before}"));
        Self { detail: Some(detail), ..self }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_work_is_trouble() {
        for event in [
            SessionEvent::MintFailed { detail: "a reserved name".into() },
            SessionEvent::KeysFailed { detail: "no space".into() },
            SessionEvent::RegistryFailed { operation: "end", detail: "out of reach".into() },
            SessionEvent::MarksDropped { marks: 1 },
        ] {
            let told = Happening::of(&event, Timestamp::from_secs(1));
            assert!(told.kind == Kind::Trouble && told.detail.is_some(), "{event:?}: {told:?}");
        }
    }
}
