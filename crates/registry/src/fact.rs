//! Facts: what the ledger says has changed. A log keeps them, the feed tells nodes the entries among them.

use std::sync::Arc;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::op::{OnceId, OpId, Owner, SessionRecord};
use crate::recovery::{NodeId, Past, Recovering};

/// A change of a ledger, as the state after it: applying one twice is applying it once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Fact {
    /// A session is new or has changed.
    Session(Box<SessionRecord>),
    /// A session is no longer live.
    Gone {
        /// Which.
        session: SessionId,
        /// Why; remembered for at least 24 h.
        reason: EndReason,
        /// Since when.
        at: Timestamp,
    },
    /// The feed has a new entry.
    Entry(Entry),
    /// A one-time id is used up.
    Once {
        /// Which.
        id: OnceId,
        /// Until when that matters.
        until: Timestamp,
    },
    /// An end by scope was carried out under this id.
    Done {
        /// The operation.
        id: OpId,
        /// The feed's position after it.
        position: FeedPosition,
        /// How many entries it made, the last of them at that position.
        entries: u64,
        /// How many sessions it ended.
        sessions: u64,
        /// Until when it is remembered.
        until: Timestamp,
    },
    /// An epoch has begun, in a registry that may lose writes.
    Epoch {
        /// Which.
        epoch: u64,
        /// What is left of the one before, where anything is.
        ended: Option<Past>,
    },
    /// A node was there.
    Node {
        /// Which.
        node: NodeId,
        /// When it said so last.
        at: Timestamp,
    },
    /// The registry recovers after a fail-over, or does so no longer.
    Recovering(Option<Recovering>),
    /// A session that was restored waits for its seat until the registry has recovered.
    Waiting(SessionId),
    /// An entry that was lost was told again.
    ToldAgain {
        /// Where it was told first.
        first: FeedPosition,
        /// Where it was told again.
        position: FeedPosition,
        /// Until when that is remembered.
        until: Timestamp,
    },
}

/// One entry of the feed: something that every node must know while it could still matter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its place in the registry's history.
    pub position: FeedPosition,
    /// The registry's instant.
    pub at: Timestamp,
    /// Until when it could matter: no access token that it concerns lives longer. [`Timestamp::MAX`]: for ever.
    pub until: Timestamp,
    /// What happened.
    pub news: News,
}

/// What an entry of the feed says. New kinds come last: logs keep them by number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum News {
    /// A session has ended.
    Ended(SessionId, EndReason),
    /// All sessions of an owner that were born before the entry's position have ended, but for one where given.
    OwnerEnded(Owner, Option<SessionId>, EndReason),
    /// All sessions of a tenant that were born before the entry's position have ended.
    TenantEnded(Arc<str>, EndReason),
    /// All sessions that were born before the entry's position have ended.
    EveryoneEnded(EndReason),
    /// A signing key was removed, by its `kid`.
    KeyRemoved(Arc<str>),
    /// States of this session below this exclusive version are refused.
    Floor(SessionId, u64),
    /// A session was handed off from this one, to a device of this label. It ends nothing: its user is told.
    HandedOver(SessionId, Option<Arc<str>>),
    /// This was told at that position of an earlier epoch, lost, and is told again. An end by owner, tenant or site hits
    /// the sessions of that epoch and of earlier ones that were born before the earlier position, and those of later
    /// epochs that were born before the new one.
    Again(FeedPosition, Box<News>),
}

impl News {
    /// What it says, whether for the first time or [again](News::Again).
    pub fn told(&self) -> &Self {
        match self {
            Self::Again(_, news) => news.told(),
            news => news,
        }
    }

    /// The earlier positions at which it was told, the first of them first.
    pub fn earlier(&self) -> Vec<FeedPosition> {
        let mut earlier = Vec::new();
        let mut news = self;
        while let Self::Again(position, before) = news {
            earlier.push(*position);
            news = before;
        }
        earlier.reverse();
        earlier
    }
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum EndReason {
    /// Its user logged out.
    Logout,
    /// Its user ended it from another session.
    EndedByUser,
    /// An administrator ended it.
    EndedByAdmin,
    /// It made room for another one, by a rule of the limit.
    Limit,
    /// A login or re-authentication in the same browser took its place.
    Replaced,
    /// Its refresh token was copied.
    RefreshReused,
    /// Nobody used it for the idle timeout.
    Idle,
    /// Its absolute end.
    Expired,
    /// The key that signed its tokens was removed.
    KeyRemoved,
}

impl EndReason {
    /// All of them, by number: registries keep a reason as its place here, so that new ones come last.
    pub const ALL: [Self; 9] = [
        Self::Logout,
        Self::EndedByUser,
        Self::EndedByAdmin,
        Self::Limit,
        Self::Replaced,
        Self::RefreshReused,
        Self::Idle,
        Self::Expired,
        Self::KeyRemoved,
    ];

    /// The reason as problem documents and events spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Logout => "logout",
            Self::EndedByUser => "ended-by-user",
            Self::EndedByAdmin => "ended-by-admin",
            Self::Limit => "limit",
            Self::Replaced => "replaced",
            Self::RefreshReused => "refresh-reused",
            Self::Idle => "idle",
            Self::Expired => "expired",
            Self::KeyRemoved => "key-removed",
        }
    }
}
