//! Raising the exclusive version of a session's state.

use countersign_token::{SessionId, Timestamp};

use super::Digest;
use crate::fact::{EndReason, Entry};

/// An exclusive update of a session's state: compare its exclusive version and raise it.
#[derive(Clone, Copy, Debug)]
pub struct Advance {
    /// The session.
    pub session: SessionId,
    /// What the update starts from.
    pub base: Base,
    /// The highest exclusive version that the node knows of this session.
    pub known: u64,
    /// Makes the update safe to repeat.
    pub memo: Option<AdvanceMemo>,
}

/// What an exclusive update starts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// A state of this exclusive version.
    Version(u64),
    /// None: the state is reset, whatever it was.
    Reset,
}

/// What makes an exclusive update safe to repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AdvanceMemo {
    /// Of the `Idempotency-Key`.
    pub key: Digest,
    /// Of the state token that the update starts from.
    pub old_state: Digest,
    /// Of the serialised data that it leads to.
    pub new_data: Digest,
}

/// What came of an [`Advance`].
#[derive(Clone, Debug)]
#[must_use]
pub enum Advanced {
    /// This update won: its state has this exclusive version, and lower ones are refused from now on.
    Set {
        /// The new exclusive version.
        exclusive: u64,
        /// The registry's instant.
        at: Timestamp,
        /// What the feed says: the new floor.
        entries: Vec<Entry>,
    },
    /// This exact update had won before.
    Repeated {
        /// The exclusive version that it led to.
        exclusive: u64,
        /// The registry's instant.
        at: Timestamp,
    },
    /// Another update won, or the same `Idempotency-Key` came with another result.
    Conflict {
        /// The exclusive version that counts.
        exclusive: u64,
    },
    /// The session is not live.
    Ended(Option<EndReason>),
}
