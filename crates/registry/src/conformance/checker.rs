//! A checker for limits: from what callers saw, it tells whether a limit was ever exceeded, and whether each refusal
//! was just. It takes O(n log n), so it judges histories of any length.
//!
//! Threads and clients note when they called and when they were answered, by one [`Stopwatch`]. A session is
//! *definitely live* from the answer to its admission until somebody calls for its end or time could end it; it is
//! *possibly live* from the call for its admission until its end was answered or time must have ended it. The limit
//! was exceeded if more were definitely live at some instant than there are seats. A refusal was just if at some
//! instant of its call as many were possibly live.
//!
//! ```
//! use countersign_registry::conformance::checker::{History, Span};
//!
//! let mut history = History::new(1);
//! history.admitted(1, Span { called: 0, answered: 2 });
//! history.refused(Span { called: 1, answered: 3 });
//! history.left(1, Span { called: 4, answered: 6 });
//! history.admitted(2, Span { called: 5, answered: 7 });
//! assert_eq!(history.verdict(), Ok(()));
//! history.refused(Span { called: 20, answered: 21 });
//! assert_eq!(history.verdict(), Ok(()), "session 2 is still there");
//! history.left(2, Span { called: 8, answered: 9 });
//! assert!(history.verdict().is_err(), "somebody was turned away for nobody");
//! ```

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// Gives instants in the order in which they were asked for, whatever the threads do.
#[derive(Debug, Default)]
pub struct Stopwatch(AtomicU64);

impl Stopwatch {
    /// The next instant.
    pub fn tick(&self) -> u64 {
        self.0.fetch_add(1, Ordering::SeqCst)
    }

    /// Makes a call, and notes when it was made and when it was answered.
    pub fn time<T>(&self, call: impl FnOnce() -> T) -> (T, Span) {
        let called = self.tick();
        let answer = call();
        (answer, Span { called, answered: self.tick() })
    }

    /// Awaits a call, and notes when it was made and when it was answered.
    pub async fn time_async<T>(&self, call: impl Future<Output = T>) -> (T, Span) {
        let called = self.tick();
        let answer = call.await;
        (answer, Span { called, answered: self.tick() })
    }
}

/// When a call was made and when it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Just before the call.
    pub called: u64,
    /// Just after the answer; [`u64::MAX`] if none came, and the call may have its effect at any time.
    pub answered: u64,
}

/// What callers saw of one limit: who was admitted, who left, who was refused.
#[derive(Clone, Debug)]
pub struct History {
    seats: usize,
    sittings: HashMap<u128, Vec<Sitting>>,
    refusals: Vec<Span>,
}

/// One session's stay on a seat, from taking it until giving it up.
#[derive(Clone, Copy, Debug)]
struct Sitting {
    taken: Span,
    left: Option<Span>,
}

/// What a history proves against a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// More sessions definitely held seats than there are.
    Exceeded {
        /// When.
        at: u64,
        /// How many held one, at least.
        definitely: usize,
    },
    /// Somebody was refused while a seat was free during the whole call.
    Unjust {
        /// The call.
        refusal: Span,
        /// How many held a seat, at most, at any instant of it.
        possibly: usize,
    },
}

impl History {
    /// The history of a limit of so many seats, in which nothing has happened.
    pub fn new(seats: usize) -> Self {
        Self { seats, sittings: HashMap::new(), refusals: Vec::new() }
    }

    /// A session was admitted, or came back, and took a seat.
    pub fn admitted(&mut self, session: u128, call: Span) {
        self.sittings.entry(session).or_default().push(Sitting { taken: call, left: None });
    }

    /// A session that took a seat gave it up: by a logout, by dangling, by expiry, by making room. What ends by time
    /// has `called` at an instant before which it cannot have, and `answered` at one after which it must have.
    pub fn left(&mut self, session: u128, call: Span) {
        if let Some(sitting) = self.sittings.get_mut(&session).and_then(|sittings| sittings.last_mut()) {
            sitting.left = Some(call);
        }
    }

    /// Somebody was told that all seats are taken.
    pub fn refused(&mut self, call: Span) {
        self.refusals.push(call);
    }

    /// How many were refused.
    pub fn refusals(&self) -> usize {
        self.refusals.len()
    }

    /// Adds what another caller saw of the same limit.
    pub fn merge(&mut self, other: Self) {
        for (session, sittings) in other.sittings {
            self.sittings.entry(session).or_default().extend(sittings);
        }
        self.refusals.extend(other.refusals);
    }

    /// Whether the limit was kept and every refusal was just.
    ///
    /// # Errors
    ///
    /// The first [`Violation`] that was found.
    pub fn verdict(&self) -> Result<(), Violation> {
        self.never_exceeded()?;
        self.never_unjust()
    }

    fn never_exceeded(&self) -> Result<(), Violation> {
        let definitely = self
            .sittings
            .values()
            .flatten()
            .map(|sitting| (sitting.taken.answered, sitting.left.map_or(u64::MAX, |left| left.called)));
        let levels = Levels::of(definitely.filter(|(from, to)| from < to));
        match levels.0.iter().find(|&&(_, level)| level > self.seats) {
            Some(&(at, definitely)) => Err(Violation::Exceeded { at, definitely }),
            None => Ok(()),
        }
    }

    fn never_unjust(&self) -> Result<(), Violation> {
        let possibly = self.sittings.values().flatten().map(|sitting| {
            (sitting.taken.called, sitting.left.map_or(u64::MAX, |left| left.answered.saturating_add(1)))
        });
        let levels = Levels::of(possibly);
        let full: Vec<(u64, u64)> = levels.at_least(self.seats).collect();
        for &refusal in &self.refusals {
            let first = full.partition_point(|&(_, to)| to <= refusal.called);
            if full.get(first).is_none_or(|&(from, _)| from > refusal.answered) {
                let possibly = levels.highest(refusal);
                return Err(Violation::Unjust { refusal, possibly });
            }
        }
        Ok(())
    }
}

/// How many intervals cover each instant: from each of these instants to the next, so many.
struct Levels(Vec<(u64, usize)>);

impl Levels {
    /// Intervals include their first instant and not their last.
    fn of(intervals: impl Iterator<Item = (u64, u64)>) -> Self {
        let mut steps: Vec<(u64, bool)> =
            intervals.flat_map(|(from, to)| [(from, true), (to, false)]).collect();
        steps.sort_unstable();
        let (mut levels, mut level) = (Vec::<(u64, usize)>::new(), 0);
        for (at, up) in steps {
            level = if up { level + 1 } else { level - 1 };
            match levels.last_mut() {
                Some(last) if last.0 == at => last.1 = level,
                _ => levels.push((at, level)),
            }
        }
        Self(levels)
    }

    /// The intervals in which the level is at least this, in order.
    fn at_least(&self, level: usize) -> impl Iterator<Item = (u64, u64)> {
        let ends = self.0.iter().skip(1).map(|&(at, _)| at).chain([u64::MAX]);
        self.0
            .iter()
            .zip(ends)
            .filter(move |((_, here), _)| *here >= level)
            .map(|(&(from, _), to)| (from, to))
    }

    fn highest(&self, within: Span) -> usize {
        let first = self.0.partition_point(|&(at, _)| at <= within.called).saturating_sub(1);
        let during = self.0[first.min(self.0.len())..].iter().take_while(|&&(at, _)| at <= within.answered);
        during.map(|&(_, level)| level).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
