//! Asking for a session.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};

use super::{Digest, OnceId, Owner, Repetition, SessionRecord};
use crate::fact::{EndReason, Entry};
use crate::rules::{OnFull, Scope};

/// A login asks for a session.
#[derive(Clone, Debug)]
pub struct Admit {
    /// The new session's id, freshly drawn. A repetition under the same id is the same admission.
    pub session: SessionId,
    /// Whom it will belong to.
    pub owner: Owner,
    /// When its user proved who they are; [`None`]: now.
    pub auth_time: Option<Timestamp>,
    /// How (see [`SessionRecord::methods`]).
    pub methods: Arc<str>,
    /// What the user's list will show.
    pub device: Option<Arc<str>>,
    /// How long it may live.
    pub lifetime: Lifetime,
    /// Whether the limits may refuse it.
    pub admission: Admission,
    /// A session of the same browser that this one takes the place of: counted without its seat, ended in the
    /// same step; if the newcomer is refused, the old one stays.
    pub replaces: Option<SessionId>,
    /// The digest of the login's `Idempotency-Key`: a repetition for the same owner, while that session lives, is
    /// the same admission.
    pub login_key: Option<Digest>,
    /// The one-time code by which it is asked for: the answer to a refusal by the rule [`OnFull::Ask`], or a handoff.
    pub code: Option<Code>,
    /// The session that this one is handed off from. It must be live, and the feed tells it.
    pub handed_off_from: Option<SessionId>,
}

/// When a session ends for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// So long after its admission.
    For(Duration),
    /// At this instant (a session handed off ends with its first one).
    Until(Timestamp),
}

/// Whether the limits may refuse a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// The limits decide.
    Limited,
    /// It takes a seat and is never refused: an administrator must get into a full site.
    Exempt,
}

/// A one-time code: used up by the admission that it leads to, and by nothing else.
#[derive(Clone, Copy, Debug)]
pub struct Code {
    /// Its id.
    pub id: OnceId,
    /// When it expires: within [`CODE_LIFE`](crate::CODE_LIFE) of its making, or it counts as spent.
    pub until: Timestamp,
    /// The feed's position when it was made: it dies with an end of its subject, tenant or site.
    pub born: FeedPosition,
    /// The session of the same owner that its user chose to end, so that they can go on here.
    pub end: Option<SessionId>,
}

impl Admit {
    /// A login of this owner now, by password, for 14 days, as the limits allow. Set the fields that differ.
    pub fn new(session: SessionId, owner: Owner) -> Self {
        Self {
            session,
            owner,
            auth_time: None,
            methods: Arc::from("pwd"),
            device: None,
            lifetime: Lifetime::For(Duration::from_hours(14 * 24)),
            admission: Admission::Limited,
            replaces: None,
            login_key: None,
            code: None,
            handed_off_from: None,
        }
    }
}

/// What came of an [`Admit`].
#[derive(Clone, Debug)]
#[must_use]
pub enum Admitted {
    /// The session lives.
    Seated(Seated),
    /// No seat.
    Full(Full),
    /// The code was used before, has expired, or died with an end of its subject.
    CodeSpent,
    /// The chosen session is not a live session of this owner. The code stays usable.
    ChoiceGone,
    /// It would be a session that has ended: its id was admitted before and ended since, the session that it is
    /// handed off from is not live, or its absolute end is not in the future.
    Ended(Option<EndReason>),
}

/// A session that was admitted.
#[derive(Clone, Debug)]
pub struct Seated {
    /// The session, as the registry remembers it; its id is that of the first admission where this one
    /// [repeats](Repetition) it.
    pub record: SessionRecord,
    /// Whether this admission had happened before.
    pub repetition: Repetition,
    /// The registry's instant, from which the access token counts.
    pub at: Timestamp,
    /// What the feed says of it (ends that made room, the end of a replaced session, a handoff): the node's own view
    /// learns it before the node answers.
    pub entries: Vec<Entry>,
}

/// A refusal for want of a seat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Full {
    /// The narrowest scope that is full.
    pub scope: Scope,
    /// Its limit.
    pub limit: u32,
    /// The seats in use in that scope, at least the limit.
    pub in_use: u64,
    /// The rule of that scope.
    pub on_full: OnFull,
    /// When the next seat would fall free if nobody did anything, if that can be told.
    pub retry_after: Option<Duration>,
    /// With [`OnFull::Ask`]: the owner's own sessions that hold a seat, the least recently active first, at most 256.
    pub own: Vec<SessionRecord>,
    /// The feed's position, for a choice code.
    pub position: FeedPosition,
    /// The registry's instant.
    pub at: Timestamp,
}
