//! A ring of points in time.

use std::collections::VecDeque;
use std::time::Duration;

use countersign::{Counts, EndReason, Timestamp};
use serde::{Deserialize, Serialize};

use super::Count;

/// What happened within one step of a series. Counters stop at 2^32 - 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Point {
    /// The most seats in use at a time.
    pub seats: u32,
    /// The most live sessions at a time.
    pub sessions: u32,
    /// Logins that were admitted.
    pub logins: u32,
    /// Refreshes.
    pub refreshes: u32,
    /// Logins and returns that found no seat.
    pub refusals: u32,
    /// Tokens that were not ours.
    pub forged: u32,
    /// Ends, each reason at its place in [`EndReason::ALL`].
    pub ends: [u32; EndReason::ALL.len()],
}

impl Point {
    pub(super) fn count(&mut self, what: Count) {
        let counter = match what {
            Count::Login => &mut self.logins,
            Count::Refresh => &mut self.refreshes,
            Count::Refusal => &mut self.refusals,
            Count::Forged => &mut self.forged,
            Count::End(reason) => &mut self.ends[place(reason)],
        };
        *counter = counter.saturating_add(1);
    }

    pub(super) fn sample(&mut self, counts: Counts) {
        self.seats = self.seats.max(narrow(counts.seats));
        self.sessions = self.sessions.max(narrow(counts.sessions));
    }
}

/// The place of a reason among all.
fn place(reason: EndReason) -> usize {
    EndReason::ALL.iter().position(|known| *known == reason).unwrap_or(EndReason::ALL.len() - 1)
}

/// Counters stop instead of wrapping.
pub(super) fn narrow(count: u64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The last points, as many as it was made for: full, it forgets the oldest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Series {
    /// Seconds.
    step: u64,
    length: usize,
    /// The number of the newest point's step since 1970.
    newest: u64,
    points: VecDeque<Point>,
}

impl Series {
    pub(super) fn new(step: u64, length: usize) -> Self {
        Self { step, length, newest: 0, points: VecDeque::new() }
    }

    pub(super) fn step(&self) -> u64 {
        self.step
    }

    /// Writes to the point of this instant. One that is older than the newest (a clock that was set back) counts there.
    pub(super) fn at(&mut self, now: Timestamp, write: impl FnOnce(&mut Point)) {
        let step = now.as_secs() / self.step;
        if self.points.is_empty() {
            self.newest = step;
            self.points.push_back(Point::default());
        }
        let ahead = usize::try_from(step.saturating_sub(self.newest)).unwrap_or(usize::MAX);
        for _ in 0..ahead.min(self.length) {
            self.points.push_back(Point::default());
        }
        self.newest = self.newest.max(step);
        let beyond = self.points.len().saturating_sub(self.length);
        self.points.drain(..beyond);
        if let Some(point) = self.points.back_mut() {
            write(point);
        }
    }

    /// As many points as fit, up to this instant, the oldest first; where nothing is known, nothing happened.
    pub(super) fn points(&self, now: Timestamp) -> Vec<(Timestamp, Point)> {
        let last = (now.as_secs() / self.step).max(self.newest);
        let first = (last + 1).saturating_sub(self.length as u64);
        (first..=last).map(|step| (self.instant(step), self.point(step))).collect()
    }

    fn point(&self, step: u64) -> Point {
        let back = self.newest.checked_sub(step).and_then(|back| usize::try_from(back).ok());
        let place = back.and_then(|back| self.points.len().checked_sub(back + 1));
        place.and_then(|place| self.points.get(place)).copied().unwrap_or_default()
    }

    fn instant(&self, step: u64) -> Timestamp {
        Timestamp::ZERO.after(Duration::from_secs(step.saturating_mul(self.step)))
    }

    /// Whether it is of the same size, and of no time to come.
    pub(super) fn is_like(&self, other: &Self, now: Timestamp) -> bool {
        (self.step, self.length) == (other.step, other.length)
            && self.points.len() <= self.length
            && self.newest <= now.as_secs() / self.step + 1
    }
}
