//! An event as a flat list of members, under the names that JSON lines and traces share.

use std::borrow::Cow;

use countersign_registry::{Owner, Repetition};
use countersign_token::SessionId;
use serde::{Serialize, Serializer};

use super::{Actor, EndScope, SessionEvent};
use crate::unusual::Finding;

/// Every member that an event may have. These names are promised: a new one may come, none changes its meaning.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Members<'a> {
    pub(crate) event: &'static str,
    /// Which session it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<SessionId>,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) device: Option<&'a str>,
    /// `true` where it was told before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) repeated: Option<bool>,
    /// The session that another was handed off to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) to: Option<SessionId>,
    /// Why a session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    /// Who ended it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by_session: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by_subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by_tenant: Option<&'a str>,
    /// What is full, or what ended together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limit: Option<u32>,
    /// How many sessions ended together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sessions: Option<u64>,
    /// The session that others ended around.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) except: Option<SessionId>,
    /// The key that was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) kid: Option<&'a str>,
    /// Of a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) check: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) finding: Option<&'static str>,
    /// How often it happened, and within how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) times: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) within_seconds: Option<u64>,
    /// The device that a session had before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) was: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<u16>,
    /// How many marks were dropped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) marks: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) operation: Option<&'static str>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<Cow<'a, str>>,
}

impl Serialize for SessionEvent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.members().serialize(serializer)
    }
}

impl SessionEvent {
    pub(crate) fn members(&self) -> Members<'_> {
        let this = Members { event: self.name(), ..Members::default() };
        match self {
            Self::Started { session, owner, device, repetition } => {
                let repeated = (*repetition == Repetition::Again).then_some(true);
                Members { repeated, ..this.of(*session).owned_by(owner).on(device.as_deref()) }
            }
            Self::LimitReached { owner, scope, limit } => {
                Members { scope: Some(scope.as_str()), limit: Some(*limit), ..this.owned_by(owner) }
            }
            Self::Refreshed { session, owner, device } => {
                this.of(*session).owned_by(owner).on(device.as_deref())
            }
            Self::SeatRefused { session, owner, scope, limit } => {
                let this = this.of(*session).owned_by(owner);
                Members { scope: Some(scope.as_str()), limit: Some(*limit), ..this }
            }
            Self::RefreshReused { session, owner } => this.of(*session).owned_by(owner),
            Self::Ended { session, owner, reason, by } => {
                let this = Members { reason: Some(reason.as_str()), ..this.of(*session).ended_by(by) };
                match owner {
                    Some(owner) => this.owned_by(owner),
                    None => this,
                }
            }
            Self::EndedMany { scope, sessions, reason, by } => {
                let this = this.ended_by(by).scope(scope);
                Members { sessions: Some(*sessions), reason: Some(reason.as_str()), ..this }
            }
            Self::DataUnreadable { session, version } => {
                Members { session: *session, version: Some(*version), ..this }
            }
            Self::HandedOver { session, to, owner, device } => {
                Members { to: Some(*to), ..this.of(*session).owned_by(owner).on(device.as_deref()) }
            }
            Self::Refused { code, session } => Members { code: Some(code), session: *session, ..this },
            Self::ProofRefused { check } => Members { check: Some(check), ..this },
            Self::Unusual { finding } => this.found(finding),
            Self::RegistryFailed { operation, detail } => {
                Members { operation: Some(operation), detail: Some(detail.into()), ..this }
            }
            Self::MintFailed { detail } | Self::KeysFailed { detail } => {
                Members { detail: Some(detail.into()), ..this }
            }
            Self::KeysChanged => this,
            Self::MarksDropped { marks } => Members { marks: Some(*marks), ..this },
        }
    }
}

impl<'a> Members<'a> {
    fn of(self, session: SessionId) -> Self {
        Self { session: Some(session), ..self }
    }

    fn owned_by(self, owner: &'a Owner) -> Self {
        Self { subject: Some(&owner.subject), tenant: owner.tenant.as_deref(), ..self }
    }

    fn on(self, device: Option<&'a str>) -> Self {
        Self { device, ..self }
    }

    fn ended_by(self, by: &'a Actor) -> Self {
        let this = Self { by: Some(by.as_str()), ..self };
        match by {
            Actor::User(session) => Self { by_session: Some(*session), ..this },
            Actor::Administrator(owner) => {
                Self { by_subject: Some(&owner.subject), by_tenant: owner.tenant.as_deref(), ..this }
            }
            Actor::Host | Actor::Rule => this,
        }
    }

    fn scope(self, scope: &'a EndScope) -> Self {
        let this = Self { scope: Some(scope.as_str()), ..self };
        match scope {
            EndScope::User(owner) => this.owned_by(owner),
            EndScope::Others(owner, except) => Self { except: Some(*except), ..this.owned_by(owner) },
            EndScope::Tenant(tenant) => Self { tenant: Some(tenant), ..this },
            EndScope::Site => this,
            EndScope::Key(kid) => Self { kid: Some(kid), ..this },
        }
    }

    fn found(self, finding: &'a Finding) -> Self {
        let this = Self {
            finding: Some(finding.name()),
            session: finding.session(),
            detail: Some(finding.explanation().into()),
            ..self
        };
        let this = match finding.owner() {
            Some(owner) => this.owned_by(owner),
            None => this,
        };
        match finding {
            Finding::RefreshReused { .. } => this,
            Finding::DeviceChanged { was, is, .. } => Self { was: Some(was), device: is.as_deref(), ..this },
            Finding::SessionRefusedOften { refusals: times, within, .. }
            | Finding::Refusals { refusals: times, within }
            | Finding::ForgedTokens { tokens: times, within } => {
                Self { times: Some(*times), within_seconds: Some(within.as_secs()), ..this }
            }
        }
    }
}
