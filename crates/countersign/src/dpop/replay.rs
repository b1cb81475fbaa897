//! The proofs that this node has seen lately, so that none is good twice.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign_token::Timestamp;

/// At most 2^18 proofs of other requests than those that ask the registry, by what is used up with them. Full, it
/// forgets the older half before its time: it errs towards taking a replayed proof, which is still good for that
/// very request and token alone. (A route that cannot accept even that asks the registry:
/// [`Require::single_use_proof`](crate::Require::single_use_proof).)
#[derive(Debug)]
pub(crate) struct Replay {
    halves: Mutex<Halves>,
    half: usize,
}

#[derive(Debug, Default)]
struct Halves {
    newer: HashSet<[u8; 32], ahash::RandomState>,
    older: HashSet<[u8; 32], ahash::RandomState>,
    /// Since when the newer half is filled.
    since: Timestamp,
}

impl Default for Replay {
    fn default() -> Self {
        Self::with_capacity(1 << 18)
    }
}

impl Replay {
    fn with_capacity(capacity: usize) -> Self {
        Self { halves: Mutex::default(), half: capacity / 2 }
    }

    /// Whether it comes for the first time, which is then over. It is remembered for `keep` at least.
    pub(super) fn is_first(&self, id: [u8; 32], now: Timestamp, keep: Duration) -> bool {
        let mut halves = self.halves.lock().unwrap_or_else(PoisonError::into_inner);
        if now.since(halves.since) >= keep || halves.newer.len() >= self.half {
            halves.older = std::mem::take(&mut halves.newer);
            halves.since = now;
        }
        !halves.older.contains(&id) && halves.newer.insert(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEEP: Duration = Duration::from_mins(2);
    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn id(number: u8) -> [u8; 32] {
        [number; 32]
    }

    #[test]
    fn nothing_is_first_twice_for_as_long_as_it_is_kept() {
        for offset in 0..240 {
            let replay = Replay::default();
            assert!(replay.is_first(id(0), START, KEEP));
            let came = START.after(Duration::from_secs(offset));
            assert!(replay.is_first(id(1), came, KEEP));
            for other in 2..120 {
                let at = came.after(Duration::from_secs(u64::from(other)));
                assert!(replay.is_first(id(other), at, KEEP));
                assert!(!replay.is_first(id(1), at, KEEP), "{offset} {other}");
            }
        }
    }

    #[test]
    fn what_is_over_is_forgotten() {
        let replay = Replay::default();
        assert!(replay.is_first(id(1), START, KEEP));
        assert!(replay.is_first(id(2), START.after(KEEP), KEEP));
        assert!(replay.is_first(id(1), START.after(2 * KEEP), KEEP));
    }

    #[test]
    fn a_clock_set_back_makes_nothing_first_again() {
        let replay = Replay::default();
        assert!(replay.is_first(id(1), START, KEEP));
        assert!(!replay.is_first(id(1), START.before(10 * KEEP), KEEP));
    }

    #[test]
    fn full_it_forgets_the_older_half() {
        let replay = Replay::with_capacity(8);
        for number in 0..8 {
            assert!(replay.is_first(id(number), START, KEEP));
        }
        assert!(!replay.is_first(id(4), START, KEEP) && !replay.is_first(id(7), START, KEEP));
        let halves = replay.halves.lock().unwrap();
        assert!(halves.newer.len() + halves.older.len() <= 8);
    }

    #[test]
    fn of_many_threads_one_is_first() {
        let replay = Replay::default();
        let first = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| replay.is_first(id(1), START, KEEP))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).filter(|first| *first).count()
        });
        assert_eq!(first, 1);
    }
}
