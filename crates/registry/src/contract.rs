//! The contract of a registry: one trait, and what it costs if an implementation lies.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use futures_util::future::BoxFuture;

use crate::fact::Entry;
use crate::list::{Filter, List, Page};
use crate::op::{
    Admit, Admitted, Advance, Advanced, Claimed, CountOf, Counts, End, Ended, Once, Rotate, Rotated,
    SetLimits, Standing, Touch,
};
use crate::rules::Rules;
use crate::tally::{self, Tally};

/// What the server remembers of its sessions.
///
/// Each operation is atomic, and idempotent by the id that it carries, so a caller whose call ended in an error
/// of [`Effect::Unknown`] may repeat it. Instants are the registry's own and never go back.
///
/// # What it costs if an implementation lies
///
/// - An acknowledged [`end`](Registry::end) that is forgotten: a stolen session lives on. It must be durable
///   before it is acknowledged.
/// - An [`admit`](Registry::admit) that is not atomic: the sessions limit is exceeded.
/// - A refusal while a seat is free: a person is turned away for nobody.
/// - A [`rotate`](Registry::rotate) that forgets: after a crash an honest client looks like a thief.
/// - A [`feed`](Registry::feed) that leaves out an entry: a node accepts an ended session until its access token
///   expires.
///
/// The conformance suite in [`conformance`](crate::conformance) checks an implementation.
pub trait Registry: Send + Sync + 'static {
    /// Sets the figures of the rules. The framework calls it once, before anything else.
    fn configure(&self, rules: Rules);

    /// Asks for a session, and a seat for it.
    fn admit(&self, admit: Admit) -> BoxFuture<'_, Result<Admitted, RegistryError>>;

    /// Exchanges a refresh token, whose signature has been verified.
    fn rotate(&self, rotate: Rotate) -> BoxFuture<'_, Result<Rotated, RegistryError>>;

    /// Raises the exclusive version of a session's state, if it is still the expected one.
    fn advance_version(&self, advance: Advance) -> BoxFuture<'_, Result<Advanced, RegistryError>>;

    /// Notes activity, in a batch. A mark of a session that is not live is dropped; none gives a seat back.
    fn touch(&self, marks: Vec<Touch>) -> BoxFuture<'_, Result<(), RegistryError>>;

    /// Ends sessions for good.
    fn end(&self, end: End) -> BoxFuture<'_, Result<Ended, RegistryError>>;

    /// Lists live sessions.
    fn list(&self, list: List) -> BoxFuture<'_, Result<Page, RegistryError>>;

    /// Counts the live sessions that pass a filter. By default it goes through all their pages, and takes eight bytes
    /// and a few for each owner, and the names of the tenants.
    fn tally(&self, filter: Filter) -> BoxFuture<'_, Result<Tally, RegistryError>> {
        tally::page_by_page(self, filter)
    }

    /// Counts live sessions and seats.
    fn counts(&self, of: CountOf) -> BoxFuture<'_, Result<Counts, RegistryError>>;

    /// Looks sessions up, the answers in the order of the ids.
    fn get(&self, sessions: Vec<SessionId>) -> BoxFuture<'_, Result<Vec<Standing>, RegistryError>>;

    /// The feed's entries after a position, or all that still matter. A registry that recovers after a fail-over learns here
    /// what this node knows of it, and answers once it carries out everything again.
    fn feed(&self, after: Option<FeedPosition>) -> BoxFuture<'_, Result<Batch, RegistryError>>;

    /// Resolves once the feed has gone past a position (at once if it has). A registry that cannot tell may
    /// resolve early; one that resolves late makes revocations slow, up to the follower's own pace.
    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()>;

    /// Claims a one-time id, or looks whether it could be claimed.
    fn once(&self, once: Once) -> BoxFuture<'_, Result<Claimed, RegistryError>>;

    /// Changes the limits while the registry runs.
    fn set_limits(&self, limits: SetLimits) -> BoxFuture<'_, Result<(), RegistryError>>;

    /// Returns once everything acknowledged is where it survives a restart, for an orderly shut-down.
    fn flush(&self) -> BoxFuture<'_, Result<(), RegistryError>>;

    /// Whether other nodes use this registry too: then their clocks may differ from ours.
    fn sharing(&self) -> Sharing;
}

impl<R: Registry + ?Sized> Registry for Arc<R> {
    fn configure(&self, rules: Rules) {
        (**self).configure(rules);
    }

    fn admit(&self, admit: Admit) -> BoxFuture<'_, Result<Admitted, RegistryError>> {
        (**self).admit(admit)
    }

    fn rotate(&self, rotate: Rotate) -> BoxFuture<'_, Result<Rotated, RegistryError>> {
        (**self).rotate(rotate)
    }

    fn advance_version(&self, advance: Advance) -> BoxFuture<'_, Result<Advanced, RegistryError>> {
        (**self).advance_version(advance)
    }

    fn touch(&self, marks: Vec<Touch>) -> BoxFuture<'_, Result<(), RegistryError>> {
        (**self).touch(marks)
    }

    fn end(&self, end: End) -> BoxFuture<'_, Result<Ended, RegistryError>> {
        (**self).end(end)
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Page, RegistryError>> {
        (**self).list(list)
    }

    fn tally(&self, filter: Filter) -> BoxFuture<'_, Result<Tally, RegistryError>> {
        (**self).tally(filter)
    }

    fn counts(&self, of: CountOf) -> BoxFuture<'_, Result<Counts, RegistryError>> {
        (**self).counts(of)
    }

    fn get(&self, sessions: Vec<SessionId>) -> BoxFuture<'_, Result<Vec<Standing>, RegistryError>> {
        (**self).get(sessions)
    }

    fn feed(&self, after: Option<FeedPosition>) -> BoxFuture<'_, Result<Batch, RegistryError>> {
        (**self).feed(after)
    }

    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()> {
        (**self).news(after)
    }

    fn once(&self, once: Once) -> BoxFuture<'_, Result<Claimed, RegistryError>> {
        (**self).once(once)
    }

    fn set_limits(&self, limits: SetLimits) -> BoxFuture<'_, Result<(), RegistryError>> {
        (**self).set_limits(limits)
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), RegistryError>> {
        (**self).flush()
    }

    fn sharing(&self) -> Sharing {
        (**self).sharing()
    }
}

/// Whether several nodes use one registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// One process, whose clock is the registry's.
    OneNode,
    /// Many.
    ManyNodes,
}

/// A reading of the feed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The position up to which, in its epoch, nothing is missing.
    pub complete_to: FeedPosition,
    /// Whether the entries stand for themselves.
    pub kind: BatchKind,
    /// The entries, in order.
    pub entries: Vec<Entry>,
    /// The registry's instant.
    pub at: Timestamp,
    /// How much older than its asking it may be. Zero where an answer proves itself: it comes from the one place that
    /// carries out operations. A registry that leaves it out lets a view pass for younger than it is.
    pub behind: Duration,
}

/// Whether a [`Batch`] goes on from the asked position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchKind {
    /// Its entries follow the position that was asked for.
    Tail,
    /// Its entries are all that still matter; what a view held before is replaced.
    Snapshot,
}

/// A registry could not carry out an operation.
#[derive(Debug)]
pub struct RegistryError {
    /// Whether the operation may have had its effect all the same.
    pub effect: Effect,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl RegistryError {
    /// An error of an implementation.
    pub fn new(effect: Effect, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self { effect, source: source.into() }
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.effect {
            Effect::None => write!(f, "the registry did nothing"),
            Effect::Unknown => write!(f, "the registry did not answer, and may have done it"),
        }
    }
}

impl std::error::Error for RegistryError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&*self.source)
    }
}

/// Whether a failed operation may have had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It had none.
    None,
    /// It may have; every operation may be repeated with the same id.
    Unknown,
}
