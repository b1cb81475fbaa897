//! What is known by session id: a map, and a filter in front of it that answers almost every look-up.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use countersign_token::{SessionId, Timestamp};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;
use foldhash::fast::RandomState;

use super::filter::Filter;

/// What a table keeps of a session.
pub(super) trait Mark: Copy {
    /// What both say together, whichever came first.
    fn merge(self, other: Self) -> Self;
    /// Until when it matters; [`Timestamp::MAX`]: for ever.
    fn until(self) -> Timestamp;
}

/// A table of marks by session id; the caller gives its bound with each mark, and a mark too many is refused.
#[derive(Debug)]
pub(super) struct Table<M> {
    filter: Filter,
    marks: DashMap<[u8; 16], M, RandomState>,
    len: AtomicUsize,
    /// No mark is due before this instant, in milliseconds.
    due: AtomicU64,
}

/// There is no room for another mark.
#[derive(Debug)]
pub(super) struct Full;

/// Many small shards: dropping what has expired locks each for a moment only.
const SHARDS: usize = 256;

impl<M: Mark> Table<M> {
    pub(super) fn new() -> Self {
        Self {
            filter: Filter::new(),
            marks: DashMap::with_hasher_and_shard_amount(RandomState::default(), SHARDS),
            len: AtomicUsize::new(0),
            due: AtomicU64::new(u64::MAX),
        }
    }

    #[inline]
    pub(super) fn get(&self, session: &SessionId) -> Option<M> {
        if self.filter.may_hold(session.as_bytes()) { self.look_up(session) } else { None }
    }

    #[inline(never)]
    fn look_up(&self, session: &SessionId) -> Option<M> {
        self.marks.get(session.as_bytes()).map(|mark| *mark)
    }

    pub(super) fn merge(&self, session: &SessionId, mark: M, bound: usize) -> Result<(), Full> {
        // The map first, the filter second: a filter that is rebuilt in between finds the id in the map. Whoever
        // repeats a mark sets the filter too, since the first may not have got there.
        match self.marks.entry(*session.as_bytes()) {
            Slot::Occupied(mut slot) => {
                let merged = slot.get().merge(mark);
                slot.insert(merged);
                self.filter.repeat(session.as_bytes());
                return Ok(());
            }
            Slot::Vacant(_) if self.len() >= bound => return Err(Full),
            Slot::Vacant(slot) => {
                self.len.fetch_add(1, Ordering::Relaxed);
                slot.insert(mark);
            }
        }
        // After the mark: an expiry that overwrites this has yet to come across the mark.
        self.due.fetch_min(mark.until().as_millis(), Ordering::SeqCst);
        if self.filter.insert(session.as_bytes()).is_err() {
            self.rebuild(self.len());
        }
        Ok(())
    }

    pub(super) fn expire(&self, now: Timestamp) {
        if self.due.load(Ordering::SeqCst) > now.as_millis() {
            return;
        }
        self.due.store(u64::MAX, Ordering::SeqCst);
        let (mut due, mut dropped) = (u64::MAX, 0);
        self.marks.retain(|_, mark| {
            let until = mark.until();
            let keep = until > now || until == Timestamp::MAX;
            if keep {
                due = due.min(until.as_millis());
            }
            dropped += usize::from(!keep);
            keep
        });
        self.due.fetch_min(due, Ordering::SeqCst);
        let before = self.len.fetch_sub(dropped, Ordering::Relaxed);
        if dropped > before / 2 {
            self.marks.shrink_to_fit();
            self.rebuild(before - dropped);
        }
    }

    fn rebuild(&self, len: usize) {
        self.filter.rebuild(len, |insert| {
            for mark in &self.marks {
                insert(mark.key());
            }
        });
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }
}
