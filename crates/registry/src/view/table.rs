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
    marks: DashMap<Key, M, RandomState>,
    len: AtomicUsize,
    /// No mark is due before this instant, in milliseconds.
    due: AtomicU64,
}

/// 96 of the 128 random bits of an id, which makes a slot of 16 bytes instead of 20. Among ten million entries one
/// look-up in 10^22 takes one session for another.
pub(super) type Key = [u32; 3];

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
        if self.filter.may_hold(key(session)) { self.look_up(session) } else { None }
    }

    /// Out of line, and by the id: what the filter works on stays in registers.
    #[inline(never)]
    fn look_up(&self, session: &SessionId) -> Option<M> {
        self.marks.get(&key(session)).map(|mark| *mark)
    }

    pub(super) fn merge(&self, session: &SessionId, mark: M, bound: usize) -> Result<(), Full> {
        // The map first, the filter second: a filter that is rebuilt in between finds the id in the map. Whoever
        // repeats a mark sets the filter too, since the first may not have got there.
        let key = key(session);
        match self.marks.entry(key) {
            Slot::Occupied(mut slot) => {
                let merged = slot.get().merge(mark);
                slot.insert(merged);
                self.filter.repeat(key);
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
        if self.filter.insert(key).is_err() {
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

    /// Gives the filter the size that it should have. It takes 0.1 µs a mark, so nobody's request does it.
    pub(super) fn tidy(&self) {
        if self.filter.crowded() {
            self.rebuild(self.len());
        }
    }

    fn rebuild(&self, len: usize) {
        self.filter.rebuild(len, |insert| {
            for mark in &self.marks {
                insert(*mark.key());
            }
        });
    }

    pub(super) fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }
}

/// The last 32 bits folded into the first, so that all count.
#[inline]
fn key(session: &SessionId) -> Key {
    let id = u128::from_le_bytes(*session.as_bytes());
    [(id ^ (id >> 96)) as u32, (id >> 32) as u32, (id >> 64) as u32]
}
