//! Exchanging a refresh token, and marking activity.

use std::time::Duration;

use countersign_token::{RotationId, SessionId, Timestamp};

use super::{Full, Holding, SessionRecord};
use crate::fact::{EndReason, Entry};

/// A refresh token is exchanged.
#[derive(Clone, Copy, Debug)]
pub struct Rotate {
    /// The session.
    pub session: SessionId,
    /// The presented token's own id.
    pub id: RotationId,
    /// Its parent's.
    pub parent: RotationId,
    /// The registry's instant at which it was issued.
    pub issued: Timestamp,
    /// Whether the refresh is the user's doing or a page's polling.
    pub activity: Activity,
}

/// Whether a request counts as the user's presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It does.
    Active,
    /// It does not: polling must not hold a seat for ever.
    Passive,
}

/// What came of a [`Rotate`].
#[derive(Clone, Debug)]
#[must_use]
pub enum Rotated {
    /// An early refresh: a new access token only, the presented refresh token stays.
    Kept(Renewal),
    /// A new access token, and a new refresh token whose parent is `current`.
    Renewed(Renewal),
    /// The session dangled and finds no seat; nothing changed, the client may retry.
    Full(Full),
    /// The token was used up before, or is one of two successors of one token: a copy. The session, and those
    /// handed off from it, have just been ended; the entries say so.
    Reused(Vec<Entry>),
    /// The session is not live. The reason is known for at least 24 h.
    Ended(Option<EndReason>),
}

/// What a refreshed session's tokens need.
#[derive(Clone, Debug)]
pub struct Renewal {
    /// The session, after the rotation. A new refresh token's parent is its `current`.
    pub record: SessionRecord,
    /// Whether it holds a seat now.
    pub seat: Holding,
    /// The registry's instant, from which the access token counts.
    pub at: Timestamp,
}

/// A mark of activity, as an age: a node's clock says nothing to the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The session.
    pub session: SessionId,
    /// How long ago it was active.
    pub age: Duration,
}
