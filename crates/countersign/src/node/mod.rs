//! What a node does beside requests: it follows the feed, flushes marks of activity, tends the keys, and watches
//! sessions for streams.

mod activity;
mod check;
mod ending;
mod follow;
#[cfg(feature = "metrics")]
mod meter;
mod upkeep;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use countersign_registry::{Entry, Sharing};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use tokio::sync::watch;

use crate::refusal::Refusal;
use crate::sessions::Inner;

pub use ending::Ending;

use activity::Marks;
use check::Checks;
pub(crate) use ending::{Told, Watch, Watched};

/// A node's background work and what it shares with requests.
#[derive(Debug)]
pub(crate) struct Node {
    started: Once,
    registry_instant: AtomicU64,
    marks: Marks,
    checks: Checks,
    pub(crate) watched: Watched,
    loaded: watch::Sender<()>,
}

impl Default for Node {
    fn default() -> Self {
        Self {
            started: Once::new(),
            registry_instant: AtomicU64::new(0),
            marks: Marks::default(),
            checks: Checks::default(),
            watched: Watched::default(),
            loaded: watch::Sender::new(()),
        }
    }
}

/// So old a view may be where this node speaks for the registry, whatever less the policy allows for requests.
const PROVEN: Duration = Duration::from_secs(5);

/// Whether a node may take traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// Its view of revocations is complete and fresh.
    Ready,
    /// It has not seen a complete view yet.
    Starting,
    /// Its view is older than [`Policy::max_staleness`](crate::Policy::max_staleness).
    Stale,
}

impl Node {
    /// Starts the background work, once. Outside of a runtime it does nothing; the next call may.
    pub(crate) fn start(&self, inner: &Arc<Inner>) {
        if self.started.is_completed() {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        self.started.call_once(|| {
            runtime.spawn(follow::run(Arc::downgrade(inner)));
            runtime.spawn(activity::run(Arc::downgrade(inner)));
            runtime.spawn(upkeep::run(Arc::downgrade(inner)));
            runtime.spawn(ending::run(Arc::downgrade(inner)));
            #[cfg(feature = "metrics")]
            runtime.spawn(meter::run(Arc::downgrade(inner)));
        });
    }

    pub(crate) fn readiness(inner: &Inner) -> Readiness {
        match inner.view.age(follow::reading(inner)) {
            None => Readiness::Starting,
            Some(age) if age > inner.config.policy.max_staleness.max(follow::PACE * 2) => Readiness::Stale,
            Some(_) => Readiness::Ready,
        }
    }

    pub(crate) async fn ready(&self, inner: &Inner) {
        let mut loaded = self.loaded.subscribe();
        while Self::readiness(inner) != Readiness::Ready {
            let _ = tokio::time::timeout(follow::PACE, loaded.changed()).await;
        }
    }

    /// Waits a moment for this node's first complete view: without one it knows neither what has ended nor which
    /// keys were removed, and serves no session.
    pub(crate) async fn first_view(&self, inner: &Inner) -> Result<(), Refusal> {
        let mut loaded = self.loaded.subscribe();
        let seen = async {
            while inner.view.position().is_none() {
                let _ = loaded.changed().await;
            }
        };
        tokio::time::timeout(check::DEADLINE, seen).await.map_err(|_| Refusal::RegistryUnavailable)
    }

    /// Waits for the first complete view, and refuses where this node may be [cut off](Node::is_cut_off): it would grant
    /// tokens to sessions that have ended elsewhere, and for longer than views remember that.
    pub(crate) async fn may_grant(&self, inner: &Inner) -> Result<(), Refusal> {
        self.first_view(inner).await?;
        if Self::is_cut_off(inner) { Err(Refusal::RegistryUnavailable) } else { Ok(()) }
    }

    /// Whether nothing has proven for a while that the registry that this node asks is the one of all nodes. It may be a
    /// primary that another one has taken the place of.
    pub(crate) fn is_cut_off(inner: &Inner) -> bool {
        let bound = inner.config.policy.max_staleness.max(PROVEN);
        inner.registry.sharing() == Sharing::ManyNodes
            && inner.view.age(follow::reading(inner)).is_none_or(|age| age > bound)
    }

    /// Whether a session was born in an epoch that this node has not heard of. A registry that does not know it may be one
    /// that another has taken the place of: it says nothing of the session.
    pub(crate) fn is_of_an_unknown_epoch(inner: &Inner, born: FeedPosition) -> bool {
        inner.registry.sharing() == Sharing::ManyNodes
            && inner.view.epoch().is_none_or(|epoch| epoch < born.epoch)
    }

    /// The largest instant of the registry that this node has seen.
    pub(crate) fn last_registry_instant(&self) -> Timestamp {
        Timestamp::from_millis(self.registry_instant.load(Ordering::Relaxed))
    }

    pub(crate) fn saw_registry_instant(&self, at: Timestamp) {
        self.registry_instant.fetch_max(at.as_millis(), Ordering::Relaxed);
    }

    /// Takes entries into the view, and tells the streams of the sessions that they end. A flow calls it before it
    /// answers, the follower as it reads.
    pub(crate) fn learn(&self, inner: &Inner, entries: &[Entry]) {
        if entries.is_empty() {
            return;
        }
        inner.view.apply_all(entries);
        for entry in entries {
            self.saw_registry_instant(entry.at);
            upkeep::learn_removed_key(inner, entry);
        }
        self.watched.learn(inner, entries);
    }

    /// Notes that a session was active now.
    pub(crate) fn mark(&self, session: SessionId, now: Timestamp) {
        self.marks.note(session, now);
    }

    /// The last activity of a session that this node has not flushed yet.
    pub(crate) fn marked(&self, session: &SessionId) -> Option<Timestamp> {
        self.marks.of(session)
    }

    pub(crate) async fn flush_activity(&self, inner: &Inner) {
        self.marks.flush(inner).await;
    }

    pub(crate) fn checks(&self) -> &Checks {
        &self.checks
    }
}

pub(crate) use check::Checked;
pub(crate) use follow::is_stale;
