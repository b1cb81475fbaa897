//! Instants as people write and read them.

use std::fmt;
use std::str::FromStr;

/// An instant of the command line, to the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Instant(jiff::Timestamp);

impl Instant {
    /// This very moment: the one clock of the program.
    pub(crate) fn now() -> Self {
        Self(jiff::Timestamp::now())
    }

    /// From Unix seconds, if a calendar has a date for them.
    pub(crate) fn from_secs(secs: i64) -> Option<Self> {
        jiff::Timestamp::from_second(secs).ok().map(Self)
    }

    /// Unix seconds.
    pub(crate) fn as_secs(self) -> i64 {
        self.0.as_second()
    }

    /// As tokens and keys count time; before 1970 is 1970.
    pub(crate) fn timestamp(self) -> countersign_token::Timestamp {
        countersign_token::Timestamp::from_millis(u64::try_from(self.0.as_millisecond()).unwrap_or(0))
    }

    /// `2026-09-21 12:00:00Z (in 4m 30s)`, seen from `now`.
    pub(crate) fn seen_from(self, now: Self) -> String {
        format!("{self} ({})", self.relative(now))
    }

    /// `in 4m 30s`, `2h 1m ago`, seen from `now`.
    pub(crate) fn relative(self, now: Self) -> String {
        let seconds = self.0.as_second() - now.0.as_second();
        match seconds {
            0 => "now".to_owned(),
            1.. => format!("in {}", two_units(seconds.unsigned_abs())),
            _ => format!("{} ago", two_units(seconds.unsigned_abs())),
        }
    }
}

/// From the library's instants; one beyond every calendar is its last day.
impl From<countersign_token::Timestamp> for Instant {
    fn from(at: countersign_token::Timestamp) -> Self {
        let millis = i64::try_from(at.as_millis()).unwrap_or(i64::MAX);
        Self(jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX))
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%d %H:%M:%SZ"))
    }
}

/// Unix seconds, or a date and time with an offset (RFC 3339).
impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let seconds = text.parse().ok().and_then(Self::from_secs);
        seconds.or_else(|| text.parse().ok().map(Self)).ok_or_else(|| {
            "write an instant as Unix seconds (1790000000) or with date, time and offset (2026-09-21T12:00:00Z)".to_owned()
        })
    }
}

/// A span in its two largest units, rounded down: `13d 23h`, `4m 59s`.
fn two_units(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        ..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m {}s", seconds % 60),
        3600..86_400 => format!("{hours}h {}m", minutes % 60),
        86_400.. => format!("{days}d {}h", hours % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_read_as_seconds_and_as_dates() {
        let at = Instant::from_secs(1_790_000_000);
        for text in ["1790000000", "2026-09-21T14:13:20Z", "2026-09-21 16:13:20+02:00"] {
            assert_eq!(text.parse().ok(), at, "{text}");
        }
        for text in ["", "noon", "1e9", "99999999999999999", "2026-09-21", "2026-09-21 14:13:20"] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
    }

    #[test]
    fn distances_are_rounded_for_people() {
        let check = |from_now: i64, expect: &str| {
            let now = Instant::from_secs(1_790_000_000).unwrap();
            let at = Instant::from_secs(1_790_000_000 + from_now).unwrap();
            assert_eq!(at.relative(now), expect);
        };
        check(0, "now");
        check(59, "in 59s");
        check(-60, "1m 0s ago");
        check(299, "in 4m 59s");
        check(-7_261, "2h 1m ago");
        check(1_209_599, "in 13d 23h");
    }
}
