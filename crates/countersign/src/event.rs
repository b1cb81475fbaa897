//! What happens to sessions, for logs, metrics and audits. No event carries a secret.

use countersign_registry::{EndReason, Owner, RegistryError, Scope};
use countersign_token::SessionId;

/// Something that happened to a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SessionEvent {
    /// A login was admitted. Told again where the login is repeated because its answer was lost.
    Started {
        /// The new session.
        session: SessionId,
        /// Whose.
        owner: Owner,
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
    },
    /// A session came back from dangling and found no seat.
    SeatRefused {
        /// Which.
        session: SessionId,
        /// The narrowest full scope.
        scope: Scope,
    },
    /// A refresh token was copied: an alarm. The session has been ended.
    RefreshReused {
        /// Which.
        session: SessionId,
    },
    /// A session has ended (as this node learns it).
    Ended {
        /// Which.
        session: SessionId,
        /// Why.
        reason: EndReason,
    },
    /// Many sessions have ended at once, by owner, tenant or site.
    EndedMany {
        /// Why.
        reason: EndReason,
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
    },
    /// A request was refused, by the code of its problem document.
    Refused {
        /// Such as `token-invalid`.
        code: &'static str,
    },
    /// The proof of a client's key (RFC 9449) was not good.
    ProofRefused {
        /// The first check that it does not pass, by the member that it is about (`signature`, `htu`, `nonce`, …), or
        /// `replay`.
        check: &'static str,
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

/// Where [`SessionEvent`]s go. Called on the request path: it must not block.
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
    pub(crate) fn registry_failed(operation: &'static str, error: &RegistryError) -> Self {
        let detail = std::error::Error::source(error).map_or_else(|| error.to_string(), ToString::to_string);
        Self::RegistryFailed { operation, detail }
    }
}
