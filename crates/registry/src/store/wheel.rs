//! When to look at which session again: a hierarchical timing wheel with a resolution of one millisecond.
//!
//! Activity only ever moves a session's next change into the future, so it does not touch the wheel: a session that is
//! looked at too early is placed again. Exactness comes from never looking too late.

use super::session::Slot;
use super::slab::{NONE, Slab};

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 8;
const END_OF_TIME: u64 = (1 << (BITS * LEVELS as u32)) - 1;
/// The latest instant that it can be told has come: the year 10889.
pub(crate) const LATEST: u64 = END_OF_TIME - 1;
/// Marks a bucket where a session's predecessor is expected: it is the first of that bucket.
const BUCKET: u32 = 1 << 31;

/// Holds each live session once; its links lie in the sessions.
#[derive(Debug)]
pub(crate) struct Wheel {
    heads: [u32; SLOTS * LEVELS],
    occupied: [u64; LEVELS],
    elapsed: u64,
    /// The bucket that is being emptied.
    draining: Option<usize>,
}

impl Default for Wheel {
    fn default() -> Self {
        Self { heads: [NONE; SLOTS * LEVELS], occupied: [0; LEVELS], elapsed: 0, draining: None }
    }
}

impl Wheel {
    /// The instant up to which all sessions have been looked at.
    pub(crate) fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// Everything up to `now` has been looked at.
    pub(crate) fn finish(&mut self, now: u64) {
        self.elapsed = self.elapsed.max(now);
        self.draining = None;
    }

    /// Asks for a look at a session at `due`, or at once if that has passed.
    pub(crate) fn place(&mut self, slots: &mut Slab<Slot>, place: u32, due: u64) {
        let due = due.clamp(self.elapsed, END_OF_TIME);
        // The level is that of the highest digit in which the instants differ.
        let level = ((due ^ self.elapsed) | 1).ilog2() / BITS;
        let digit = (due >> (level * BITS)) as usize % SLOTS;
        let bucket = level as usize * SLOTS + digit;
        let next = std::mem::replace(&mut self.heads[bucket], place);
        self.occupied[level as usize] |= 1 << digit;
        slots[place].wake_before = BUCKET | bucket as u32;
        slots[place].wake_after = next;
        if next != NONE {
            slots[next].wake_before = place;
        }
    }

    /// Takes a session out.
    pub(crate) fn remove(&mut self, slots: &mut Slab<Slot>, place: u32) {
        let (before, after) = (slots[place].wake_before, slots[place].wake_after);
        if after != NONE {
            slots[after].wake_before = before;
        }
        if before & BUCKET == 0 {
            slots[before].wake_after = after;
            return;
        }
        let bucket = (before & !BUCKET) as usize;
        self.heads[bucket] = after;
        if after == NONE {
            self.occupied[bucket / SLOTS] &= !(1 << (bucket % SLOTS));
        }
    }

    /// Takes out the next session to look at until `now` (at most [`LATEST`]), with [`Wheel::elapsed`] at the instant that it was asked for
    /// or earlier.
    pub(crate) fn pop(&mut self, slots: &mut Slab<Slot>, now: u64) -> Option<u32> {
        let bucket = match self.draining {
            Some(bucket) if self.heads[bucket] != NONE => bucket,
            _ => self.turn(now)?,
        };
        let place = self.heads[bucket];
        self.remove(slots, place);
        Some(place)
    }

    /// Goes on to the next bucket that has something by `now`.
    fn turn(&mut self, now: u64) -> Option<usize> {
        // All of a level lies before all of the next, since it shares the higher digits with `elapsed`.
        let level = self.occupied.iter().position(|&digits| digits != 0)?;
        let digit = self.occupied[level].trailing_zeros();
        let shift = BITS * level as u32;
        let start = (self.elapsed >> shift >> BITS << BITS | u64::from(digit)) << shift;
        if start.max(self.elapsed) > now {
            return None;
        }
        self.elapsed = self.elapsed.max(start);
        self.draining = Some(level * SLOTS + digit as usize);
        self.draining
    }
}
