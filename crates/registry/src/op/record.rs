//! What a registry remembers of a session, and tells of it.

use std::sync::Arc;

use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Digest, Owner};
use crate::fact::EndReason;

/// What a registry remembers of a live session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The session.
    pub id: SessionId,
    /// Whom it belongs to.
    pub owner: Owner,
    /// When it was admitted.
    pub started_at: Timestamp,
    /// When its user proved who they are.
    pub auth_time: Timestamp,
    /// How, as the words of RFC 8176 with a space between them (`pwd otp`).
    pub methods: Arc<str>,
    /// What the user's list shows, such as `Firefox on Linux`.
    pub device: Option<Arc<str>>,
    /// Its absolute end, which nothing moves.
    pub expires_at: Timestamp,
    /// Its last activity: a login, a refresh that was not passive, or a mark of a node.
    pub last_activity: Timestamp,
    /// Whether it is counted against the limits while it is in use.
    pub seat: SeatState,
    /// The feed's position when it was admitted.
    pub born: FeedPosition,
    /// The refresh token that was used up last; nil at login.
    pub current: RotationId,
    /// The exclusive version of its state that counts.
    pub exclusive: u64,
    /// The last exclusive update that had an `Idempotency-Key`.
    pub last_update: Option<Box<UpdateMemo>>,
    /// The digest of the `Idempotency-Key` of its login.
    pub login_key: Option<Digest>,
    /// The session that this one was handed off from.
    pub handed_off_from: Option<SessionId>,
}

/// Whether a session holds a seat, as stored. A session that holds one gives it up by dangling, which no write
/// marks: [`Ledger`](crate::Ledger) tells it from `last_activity`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SeatState {
    /// It took a seat, and holds it for as long as it is not dangling.
    Taken,
    /// It dangled, and came back by a passive refresh only, which takes none.
    GivenUp,
}

/// The last exclusive update of a session, so that its repetition is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpdateMemo {
    /// Of the `Idempotency-Key`.
    pub key: Digest,
    /// Of the state token that the update started from.
    pub old_state: Digest,
    /// Of the serialised data that it led to.
    pub new_data: Digest,
    /// The exclusive version that it led to.
    pub exclusive: u64,
}

/// Whether a session occupies a seat at some instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// It does.
    Seat,
    /// It does not: it dangles, or a passive refresh brought it back.
    Nothing,
}

/// What a registry knows of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Standing {
    /// It is live.
    Live(Box<SessionRecord>, Holding),
    /// It has ended, or never was. The reason is known for at least 24 h.
    Ended(Option<EndReason>),
}

/// How many sessions and seats there are in a scope.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Live sessions, dangling ones included.
    pub sessions: u64,
    /// Seats in use.
    pub seats: u64,
}

/// Whose sessions are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CountOf {
    /// An owner's.
    Owner(Owner),
    /// A tenant's.
    Tenant(Arc<str>),
    /// All.
    Site,
}
