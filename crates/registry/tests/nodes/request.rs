//! What clients ask nodes, and what they are told. Tokens are values here: nobody forges any.

use countersign_registry::{Digest, OpId, Owner, Target};
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};

/// What a client holds of a session.
#[derive(Clone, Debug)]
pub(crate) struct Tokens {
    pub(crate) session: SessionId,
    pub(crate) owner: Owner,
    pub(crate) born: FeedPosition,
    /// The registry's instant of its admission.
    pub(crate) since: Timestamp,
    /// When the access token expires.
    pub(crate) expires: Timestamp,
    pub(crate) refresh: RefreshToken,
    /// The exclusive version of its state.
    pub(crate) version: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RefreshToken {
    pub(crate) id: RotationId,
    pub(crate) parent: RotationId,
    pub(crate) issued: Timestamp,
}

#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) caller: Caller,
    /// When it was sent.
    pub(crate) sent: u64,
    pub(crate) want: Want,
}

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) client: usize,
    /// The number of the question.
    pub(crate) ticket: u64,
    pub(crate) who: Who,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Who {
    Client,
    /// Somebody with a copy of the client's tokens.
    Thief,
}

#[derive(Clone, Debug)]
pub(crate) enum Want {
    Login {
        owner: Owner,
        key: Digest,
    },
    Use(Tokens),
    Refresh(Tokens),
    /// An end, by somebody whose session was born there.
    End {
        id: OpId,
        target: Target,
        born: FeedPosition,
    },
    /// An exclusive update from this version.
    Update {
        tokens: Tokens,
        base: u64,
        key: Digest,
    },
    /// Uses up a one-time id.
    Claim {
        id: [u8; 32],
        until: Timestamp,
    },
}

#[derive(Clone, Debug)]
pub(crate) enum Told {
    LoggedIn(Tokens),
    Served,
    Refreshed(Tokens),
    /// The session has ended.
    Ended,
    /// The access token has expired.
    Expired,
    Full,
    /// An end was carried out.
    Done,
    Updated(u64),
    /// Another version counts.
    Conflict(u64),
    Claimed,
    Spent,
    /// Nothing, or nobody knows: try again.
    Unavailable,
}
