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

use countersign_registry::Entry;
use countersign_token::{SessionId, Timestamp};
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
