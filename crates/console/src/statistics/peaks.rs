//! High-water marks: the most seats in use at a time, of each day and each month (UTC). Hosting by the number of
//! simultaneous users is billed from them.

use std::collections::VecDeque;

use countersign::{Counts, Timestamp};
use serde::{Deserialize, Serialize};

use super::calendar;

/// Whose mark it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Period {
    /// A day: the last 400 are kept.
    Day,
    /// A month: the last 120 are kept.
    Month,
}

impl Period {
    fn kept(self) -> usize {
        match self {
            Self::Day => 400,
            Self::Month => 120,
        }
    }

    /// A name that sorts as time goes: `2026-11-27` or `2026-11`.
    fn name(self, at: Timestamp) -> String {
        match self {
            Self::Day => calendar::day(at),
            Self::Month => calendar::month(at),
        }
    }
}

/// The mark of a day or month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peak {
    /// Which: `2026-11-27` or `2026-11`.
    pub of: String,
    /// The most seats in use at a time.
    pub seats: u64,
    /// When that was first so.
    pub at: Timestamp,
    /// The most live sessions at a time.
    pub sessions: u64,
}

/// The last marks, as many as their [`Period`] says: full, it forgets the oldest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peaks {
    period: Period,
    marks: VecDeque<Peak>,
}

impl Peaks {
    pub(super) fn new(period: Period) -> Self {
        Self { period, marks: VecDeque::new() }
    }

    pub(super) fn sample(&mut self, counts: Counts, now: Timestamp) {
        let of = self.period.name(now);
        // A clock that was set back begins no period that is over.
        if self.marks.back().is_none_or(|last| last.of < of) {
            self.marks.push_back(Peak { of, seats: counts.seats, at: now, sessions: counts.sessions });
        }
        let beyond = self.marks.len().saturating_sub(self.period.kept());
        self.marks.drain(..beyond);
        if let Some(mark) = self.marks.back_mut() {
            mark.sessions = mark.sessions.max(counts.sessions);
            if counts.seats > mark.seats {
                (mark.seats, mark.at) = (counts.seats, now);
            }
        }
    }

    /// The marks, the oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Peak> {
        self.marks.iter()
    }

    pub(super) fn is_like(&self, other: &Self, now: Timestamp) -> bool {
        let is_sound = |mark: &Peak| mark.at <= now && mark.of == self.period.name(mark.at);
        self.period == other.period
            && self.marks.len() <= self.period.kept()
            && self.marks.iter().all(is_sound)
    }
}
