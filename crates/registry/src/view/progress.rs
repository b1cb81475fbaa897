//! How far a view has followed the feed, and how old that knowledge is.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_token::{FeedPosition, Timestamp};

use crate::contract::{Batch, BatchKind};
use crate::fact::Entry;

/// An instant on a node, by both its clocks.
///
/// The boot-time clock goes on while the machine is suspended and cannot be set; the wall clock catches what it
/// misses (a virtual machine that was frozen).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Since the machine was started (`CLOCK_BOOTTIME`).
    pub boot: Duration,
    /// The wall clock.
    pub wall: Timestamp,
}

/// What came of a reading of the feed. Its entries are in the view in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Loaded {
    /// The view is complete, as of the instant at which the reading was asked for.
    Complete,
    /// Something between the view's position and the reading is missing: ask for a snapshot.
    Gap,
    /// The reading is older than the view, or of an earlier epoch: it proves nothing.
    Older,
}

#[derive(Debug)]
pub(super) struct Progress {
    position: Mutex<Option<FeedPosition>>,
    // As of when the last complete reading was so. The two are read one after the other: each belongs to a
    // complete reading, and the age is the larger difference, so a mixture errs towards older.
    boot: AtomicU64,
    wall: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Progress {
    pub(super) fn new() -> Self {
        Self { position: Mutex::new(None), boot: AtomicU64::new(NEVER), wall: AtomicU64::new(NEVER) }
    }

    pub(super) fn position(&self) -> Option<FeedPosition> {
        *self.position.lock().unwrap_or_else(PoisonError::into_inner)
    }

    #[inline]
    pub(super) fn age(&self, now: Reading) -> Option<Duration> {
        let boot = self.boot.load(Ordering::Acquire);
        let wall = self.wall.load(Ordering::Acquire);
        if boot == NEVER || wall == NEVER {
            return None;
        }
        let by_boot = now.boot.saturating_sub(Duration::from_millis(boot));
        Some(by_boot.max(now.wall.since(Timestamp::from_millis(wall))))
    }

    /// Moves on to where a reading leads. Its entries must be applied before.
    pub(super) fn advance(&self, batch: &Batch, asked: Reading) -> Loaded {
        let mut position = self.position.lock().unwrap_or_else(PoisonError::into_inner);
        let loaded = judge(*position, batch);
        if loaded == Loaded::Complete {
            *position = Some(batch.complete_to);
            self.ask(asked, batch.behind);
        }
        loaded
    }

    /// Notes the latest instant as of which a reading is known to be complete. (One before the machine was started
    /// counts from there on: then nothing was served yet.)
    fn ask(&self, asked: Reading, behind: Duration) {
        let boot = asked.boot.saturating_sub(behind);
        let boot = u64::try_from(boot.as_millis()).unwrap_or(NEVER - 1);
        let known = self.boot.load(Ordering::Relaxed);
        if known == NEVER || boot >= known {
            self.wall.store(asked.wall.before(behind).as_millis(), Ordering::Release);
            self.boot.store(boot, Ordering::Release);
        }
    }
}

fn judge(position: Option<FeedPosition>, batch: &Batch) -> Loaded {
    let snapshot = batch.kind == BatchKind::Snapshot;
    match position {
        Some(at) if batch.complete_to < at => Loaded::Older,
        _ if snapshot => Loaded::Complete,
        Some(at) if at.epoch == batch.complete_to.epoch && follows(at, batch) => Loaded::Complete,
        _ => Loaded::Gap,
    }
}

/// Whether the entries lead from `at` to where the batch claims to be complete, one by one.
fn follows(at: FeedPosition, batch: &Batch) -> bool {
    let news = batch.entries.iter().map(|entry: &Entry| entry.position).filter(|position| *position > at);
    let mut last = at;
    for position in news {
        if position != (FeedPosition { seq: last.seq + 1, ..last }) {
            return false;
        }
        last = position;
    }
    last == batch.complete_to
}
