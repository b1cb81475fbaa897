//! Ending sessions, and one-time ids.

use std::sync::Arc;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use super::{OpId, Owner};
use crate::fact::{EndReason, Entry};

/// Sessions are to end.
#[derive(Clone, Debug)]
pub struct End {
    /// A repetition under the same id ends no session that was admitted in between.
    pub id: OpId,
    /// Which.
    pub target: Target,
    /// Why.
    pub reason: EndReason,
}

/// Which sessions end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// These, at most 256, whoever they belong to.
    Sessions(Vec<SessionId>),
    /// This one, if it belongs to this owner.
    Own(Owner, SessionId),
    /// All of an owner, but for one where given.
    Owner(Owner, Option<SessionId>),
    /// All of a tenant.
    Tenant(Arc<str>),
    /// All.
    Everyone,
    /// All whose tokens were signed with this key, by its `kid`: the key is remembered as removed for ever.
    Key(Arc<str>),
}

/// What came of an [`End`]. The ends are durable.
#[derive(Clone, Debug)]
#[must_use]
pub struct Ended {
    /// How many live sessions it ended. (Of [`Target::Key`]: 0, since no registry knows which key signed for whom.)
    pub sessions: u64,
    /// The feed's position: a view that has reached it refuses them.
    pub position: FeedPosition,
    /// What the feed says.
    pub entries: Vec<Entry>,
}

/// The id of something that happens once: 256 random bits, or a digest of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OnceId(pub [u8; 32]);

/// A one-time id is claimed, or only looked at.
#[derive(Clone, Debug)]
pub struct Once {
    /// The id.
    pub id: OnceId,
    /// Until when it is remembered: from then on, whatever it stood for has expired.
    pub until: Timestamp,
    /// The code's subject and the feed's position when it was made: it dies with an end of its subject, tenant
    /// or site. It may live for [`CODE_LIFE`](crate::CODE_LIFE) at most, so long are ends remembered. [`None`] for ids
    /// that belong to nobody.
    pub of: Option<(Owner, FeedPosition)>,
    /// Whether it is used up by this.
    pub claim: Claim,
}

/// What a [`Once`] does with its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Uses it up.
    UseUp,
    /// Leaves it as it is.
    LookOnly,
}

/// What came of a [`Once`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Claimed {
    /// It was free, and is used up now if that was asked for.
    First,
    /// It was used before, has expired, or died with an end.
    Spent,
}
