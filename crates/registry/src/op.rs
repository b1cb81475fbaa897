//! What a registry is asked, and what it answers.
//!
//! Outcomes are closed enums: a caller handles each of them, and none is an error. (A registry out of reach is a
//! [`RegistryError`](crate::RegistryError).)

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fact::{EndReason, Entry};
use crate::rules::{Limits, OnFull, Scope};

/// Whom a session belongs to: a subject, within a tenant where the host has tenants.
///
/// Two subjects of one name in different tenants are two people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The customer or site that the subject belongs to.
    pub tenant: Option<Arc<str>>,
    /// The person or service, by the host's id.
    pub subject: Arc<str>,
}

impl Owner {
    /// A subject of a host without tenants.
    pub fn new(subject: impl Into<Arc<str>>) -> Self {
        Self { tenant: None, subject: subject.into() }
    }

    /// The same subject within a tenant.
    pub fn of_tenant(self, tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }
}

/// The id of one operation, 128 random bits: a repetition of it has no second effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpId(pub [u8; 16]);

/// A digest (the first 128 bits of SHA-256) of something that the registry compares but need not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 16]);

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
    /// The answer to a refusal by the rule [`OnFull::Ask`].
    pub choice: Option<Choice>,
    /// The session that this one is handed off from.
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

/// A person chose which of their sessions ends, so that they can go on here.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The session that ends, of the same owner.
    pub end: SessionId,
    /// The one-time id of the code that the refusal carried; used up only by an admission.
    pub code: OnceId,
    /// When the code expires.
    pub until: Timestamp,
    /// The feed's position when the code was made: it dies with an end of its subject, tenant or site.
    pub born: FeedPosition,
}

/// What came of an [`Admit`].
#[derive(Clone, Debug)]
#[must_use]
pub enum Admitted {
    /// The session lives.
    Seated(Seated),
    /// No seat.
    Full(Full),
    /// The choice code was used before, has expired, or died with an end of its subject.
    ChoiceSpent,
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
    /// What the feed says of it (ends that made room, the end of a replaced session): the node's own view learns
    /// it before the node answers.
    pub entries: Vec<Entry>,
}

/// Whether an operation had its effect now or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Now.
    First,
    /// Before; this was a repetition without a second effect.
    Again,
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
    /// With [`OnFull::Ask`]: the owner's own sessions, the least recently active first, at most 256.
    pub own: Vec<SessionRecord>,
    /// The feed's position, for a choice code.
    pub position: FeedPosition,
    /// The registry's instant.
    pub at: Timestamp,
}

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

/// Whether a session occupies a seat at some instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holding {
    /// It does.
    Seat,
    /// It does not: it dangles, or a passive refresh brought it back.
    Nothing,
}

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

/// A mark of activity, as an age: a node's clock says nothing to the registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Touch {
    /// The session.
    pub session: SessionId,
    /// How long ago it was active.
    pub age: Duration,
}

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

/// What a registry knows of one session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Standing {
    /// It is live.
    Live(Box<SessionRecord>, Holding),
    /// It has ended, or never was. The reason is known for at least 24 h.
    Ended(Option<EndReason>),
}

/// The id of something that happens once: 256 random bits, or a digest of that length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OnceId(pub [u8; 32]);

/// A one-time id is claimed.
#[derive(Clone, Debug)]
pub struct Once {
    /// The id.
    pub id: OnceId,
    /// Until when it is remembered: from then on, whatever it stood for has expired.
    pub until: Timestamp,
    /// The code's subject and the feed's position when it was made: it dies with an end of its subject, tenant
    /// or site. [`None`] for ids that belong to nobody.
    pub of: Option<(Owner, FeedPosition)>,
}

/// What came of a [`Once`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Claimed {
    /// It was free, and is used up now.
    First,
    /// It was used before, has expired, or died with an end.
    Spent,
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

/// The limits of a registry change while it runs. Lowering one ends nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// The new limits.
    pub limits: Limits,
}
