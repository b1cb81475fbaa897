//! Counters of what happens to sessions, of a fixed size and without a clock: `now` is an argument.
//!
//! They take at most [`BYTES`] in memory, however many sessions there are and however long they run. They are
//! serialisable, so that a host can keep them across restarts.
//!
//! Sessions and seats are sampled from the registry: they are of the whole site. A peak that lasts shorter than the time
//! between two samples (a second after a login, ten else) may be missed. All else is counted by the events of this node.

mod calendar;
mod lasted;
mod peaks;
mod series;
#[cfg(test)]
mod tests;

use countersign::{Counts, EndReason, Timestamp};
use serde::{Deserialize, Serialize};

pub use self::lasted::{Lasted, UP_TO};
pub use self::peaks::{Peak, Peaks, Period};
pub use self::series::{Point, Series};

/// The most bytes that [`Statistics`] take: three series, and the marks of 400 days and 120 months.
pub const BYTES: usize = 1 << 17;

/// What happened over the last hour, day and month; the high-water marks; how long sessions lasted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    hour: Series,
    day: Series,
    month: Series,
    days: Peaks,
    months: Peaks,
    lasted: Lasted,
}

/// A span of time that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// 60 minutes, by the minute.
    Hour,
    /// 24 hours, by five minutes.
    Day,
    /// 31 days, by the hour.
    Month,
}

/// Something to count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// A login was admitted.
    Login,
    /// A session was refreshed.
    Refresh,
    /// A login or a returning session found no seat.
    Refusal,
    /// A token was refused as not ours.
    Forged,
    /// A session ended.
    End(EndReason),
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            hour: Series::new(60, 60),
            day: Series::new(300, 288),
            month: Series::new(3600, 31 * 24),
            days: Peaks::new(Period::Day),
            months: Peaks::new(Period::Month),
            lasted: Lasted::default(),
        }
    }
}

impl Statistics {
    /// Counts something that happened now.
    pub fn count(&mut self, what: Count, now: Timestamp) {
        for series in [&mut self.hour, &mut self.day, &mut self.month] {
            series.at(now, |point| point.count(what));
        }
    }

    /// Counts a session that ended, and how long it lasted.
    pub fn count_end(&mut self, reason: EndReason, started: Option<Timestamp>, now: Timestamp) {
        self.count(Count::End(reason), now);
        if let Some(started) = started {
            self.lasted.add(now.since(started));
        }
    }

    /// Notes how many sessions and seats the registry has just counted.
    pub fn sample(&mut self, counts: Counts, now: Timestamp) {
        for series in [&mut self.hour, &mut self.day, &mut self.month] {
            series.at(now, |point| point.sample(counts));
        }
        self.days.sample(counts, now);
        self.months.sample(counts, now);
    }

    /// What happened in a span that ends now: a point for each step, the oldest first.
    pub fn points(&self, span: Span, now: Timestamp) -> Vec<(Timestamp, Point)> {
        self.series(span).points(now)
    }

    /// The seconds from one point of a span to the next.
    pub fn step(&self, span: Span) -> u64 {
        self.series(span).step()
    }

    /// How often something was counted in a span that ends now.
    pub fn total(&self, span: Span, now: Timestamp, of: impl Fn(&Point) -> u32) -> u64 {
        self.points(span, now).iter().map(|(_, point)| u64::from(of(point))).sum()
    }

    /// Logins by day (UTC) of the last month, the oldest first: the day as `2026-11-27`, and how many.
    pub fn logins_by_day(&self, now: Timestamp) -> Vec<(String, u64)> {
        let mut days: Vec<(String, u64)> = Vec::new();
        for (at, point) in self.points(Span::Month, now) {
            let day = calendar::day(at);
            match days.last_mut() {
                Some((last, logins)) if *last == day => *logins += u64::from(point.logins),
                _ => days.push((day, point.logins.into())),
            }
        }
        days
    }

    /// The most seats in use at a time, by day or month.
    pub fn peaks(&self, period: Period) -> &Peaks {
        match period {
            Period::Day => &self.days,
            Period::Month => &self.months,
        }
    }

    /// How long sessions lasted that began and ended while this was counted.
    pub fn lasted(&self) -> &Lasted {
        &self.lasted
    }

    /// Whether these have the sizes that this version keeps, and are of no time to come: those of a file may be from
    /// another version, or of a clock that was wrong.
    pub fn is_sound(&self, now: Timestamp) -> bool {
        let fresh = Self::default();
        [Span::Hour, Span::Day, Span::Month]
            .iter()
            .all(|&span| self.series(span).is_like(fresh.series(span), now))
            && self.days.is_like(&fresh.days, now)
            && self.months.is_like(&fresh.months, now)
            && self.lasted.is_sound()
    }

    fn series(&self, span: Span) -> &Series {
        match span {
            Span::Hour => &self.hour,
            Span::Day => &self.day,
            Span::Month => &self.month,
        }
    }
}
