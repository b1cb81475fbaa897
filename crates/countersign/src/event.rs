//! What happens to sessions, for logs, metrics and audits. No event carries a secret.

mod actor;
mod json_lines;
mod members;
mod trace;

use std::sync::Arc;

use countersign_registry::{EndReason, Owner, RegistryError, Repetition, Scope};
use countersign_token::SessionId;

use crate::unusual::Finding;

pub use actor::{Actor, EndScope};
pub use json_lines::JsonLines;

/// Something that happened to a session.
///
/// Each is told once in a site, by the node that did it. What time ends (idle and expired sessions) is told by nobody: the
/// registry notices it when it next looks. As JSON ([`Serialize`](serde::Serialize)) an event is one flat object of stable
/// names; docs/OBSERVABILITY.md has an example of each.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A login was admitted.
    Started {
        /// The new session.
        session: SessionId,
        /// Whose.
        owner: Owner,
        /// What its user's list shows, such as `Firefox on Linux`.
        device: Option<Arc<str>>,
        /// Whether it was told before: a login is repeated where its answer was lost.
        repetition: Repetition,
    },
    /// A login found no seat.
    LimitReached {
        /// Whose.
        owner: Owner,
        /// The narrowest full scope.
        scope: Scope,
        /// Its limit.
        limit: u32,
    },
    /// A session was refreshed.
    Refreshed {
        /// Which.
        session: SessionId,
        /// Whose.
        owner: Owner,
        /// What refreshed it, by its `User-Agent`.
        device: Option<Arc<str>>,
    },
    /// A session came back from dangling and found no seat.
    SeatRefused {
        /// Which.
        session: SessionId,
        /// Whose.
        owner: Owner,
        /// The narrowest full scope.
        scope: Scope,
        /// Its limit.
        limit: u32,
    },
    /// A refresh token was copied: an alarm. The session has been ended, as `Ended` tells too.
    RefreshReused {
        /// Which.
        session: SessionId,
        /// Whose.
        owner: Owner,
    },
    /// A session has ended.
    Ended {
        /// Which.
        session: SessionId,
        /// Whose, where this node knows it: not where it made room for somebody else.
        owner: Option<Owner>,
        /// Why.
        reason: EndReason,
        /// Who ended it.
        by: Actor,
    },
    /// Many sessions have ended at once. They are not told one by one.
    EndedMany {
        /// Whose.
        scope: EndScope,
        /// How many live ones. 0 for a removed key: no registry knows which key signed for whom.
        sessions: u64,
        /// Why.
        reason: EndReason,
        /// Who ended them.
        by: Actor,
    },
    /// Session data was written by another version of the application, and this build cannot read it: the
    /// session goes on with the default.
    DataUnreadable {
        /// Which; none for a visit.
        session: Option<SessionId>,
        /// The version that the data says it has.
        version: u16,
    },
    /// A session was handed off: it goes on, on another device, as a session of its own.
    HandedOver {
        /// The first one.
        session: SessionId,
        /// The other one.
        to: SessionId,
        /// Whose both are.
        owner: Owner,
        /// What the other one runs on.
        device: Option<Arc<str>>,
    },
    /// A request was refused, by the code of its problem document.
    Refused {
        /// Such as `token-invalid`.
        code: &'static str,
        /// The live session that asked, if one did.
        session: Option<SessionId>,
    },
    /// The proof of a client's key (RFC 9449) was not good.
    ProofRefused {
        /// The first check that it does not pass, by the member that it is about (`signature`, `htu`, `nonce`, …), or
        /// `replay`.
        check: &'static str,
    },
    /// Something unusual, which the host may have to look at.
    Unusual {
        /// What, with an explanation.
        finding: Finding,
    },
    /// The registry did not do what it was asked.
    RegistryFailed {
        /// The operation.
        operation: &'static str,
        /// What the registry says of it.
        detail: String,
    },
    /// A token could not be minted: the application's claims do not fit one.
    MintFailed {
        /// What is wrong.
        detail: String,
    },
    /// The key ring has changed, by schedule, command or removal.
    KeysChanged,
    /// The key file cannot be read or written; the node goes on with the ring that it has.
    KeysFailed {
        /// What is wrong.
        detail: String,
    },
    /// Marks of activity were dropped, since too many sessions were active at once.
    MarksDropped {
        /// How many.
        marks: u64,
    },
}

/// Where [`SessionEvent`]s go. Called on the request path: it must not block. One that blocks holds up the requests of a
/// whole thread; one that panics ends the request that the event is about.
pub trait EventSink: Send + Sync + 'static {
    /// Takes note of an event.
    fn note(&self, event: &SessionEvent);
}

impl<F: Fn(&SessionEvent) + Send + Sync + 'static> EventSink for F {
    fn note(&self, event: &SessionEvent) {
        self(event);
    }
}

impl SessionEvent {
    /// The event as JSON lines, traces and metrics spell it, such as `limit-reached`.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Started { .. } => "started",
            Self::LimitReached { .. } => "limit-reached",
            Self::Refreshed { .. } => "refreshed",
            Self::SeatRefused { .. } => "seat-refused",
            Self::RefreshReused { .. } => "refresh-reused",
            Self::Ended { .. } => "ended",
            Self::EndedMany { .. } => "ended-many",
            Self::DataUnreadable { .. } => "data-unreadable",
            Self::HandedOver { .. } => "handed-over",
            Self::Refused { .. } => "refused",
            Self::ProofRefused { .. } => "proof-refused",
            Self::Unusual { .. } => "unusual",
            Self::RegistryFailed { .. } => "registry-failed",
            Self::MintFailed { .. } => "mint-failed",
            Self::KeysChanged => "keys-changed",
            Self::KeysFailed { .. } => "keys-failed",
            Self::MarksDropped { .. } => "marks-dropped",
        }
    }

    pub(crate) fn registry_failed(operation: &'static str, error: &RegistryError) -> Self {
        let detail = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        Self::RegistryFailed { operation, detail }
    }
}
