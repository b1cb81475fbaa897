//! What an administrator should look at: what the framework finds unusual, and bursts of people who are turned away.

use std::collections::VecDeque;
use std::time::Duration;

use countersign::{Owner, Timestamp};
use serde::Serialize;

use crate::happening::{Happening, Kind};

/// At most so many are kept, and so long: full, the oldest is forgotten.
const KEPT: usize = 500;
const MONTH: Duration = Duration::from_hours(30 * 24);

/// So many within a minute are a burst.
const BURST: u32 = 20;
const MINUTE: Duration = Duration::from_mins(1);

/// Something unusual, with an explanation for people.
#[derive(Clone, Debug, Serialize)]
pub struct Oddity {
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening,
    /// Which kind of unusual: a name of [`Finding`](countersign::Finding), or `refused-logins`.
    pub oddity: &'static str,
    /// What it means.
    pub explanation: String,
}

/// The last unusual happenings, at most 500, of the last 30 days, and of each kind the last of a session: nobody fills the
/// list alone. Full, it forgets the oldest.
#[derive(Debug, Default)]
pub(crate) struct Unusual {
    kept: VecDeque<Oddity>,
    refused: Burst,
}

impl Unusual {
    /// Keeps a happening that was found unusual, or is one of a burst.
    pub(crate) fn judge(&mut self, happening: &Happening, found: Option<(&'static str, String)>) {
        while self.kept.front().is_some_and(|oldest| happening.at.since(oldest.happening.at) > MONTH) {
            self.kept.pop_front();
        }
        let turned_away = matches!(happening.kind, Kind::LoginRefused | Kind::SeatRefused);
        let burst = turned_away && self.refused.add(happening.at);
        let found = found.or_else(|| burst.then(|| ("refused-logins", REFUSED.to_owned())));
        let Some((oddity, explanation)) = found else { return };
        if let Some(session) = happening.session.as_ref() {
            self.kept
                .retain(|kept| kept.oddity != oddity || kept.happening.session.as_ref() != Some(session));
        }
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        // What it means is said once.
        let happening = Happening { detail: None, ..happening.clone() };
        self.kept.push_back(Oddity { happening, oddity, explanation });
    }

    /// Forgets a person.
    pub(crate) fn forget(&mut self, owner: &Owner) {
        self.kept.retain(|oddity| !oddity.happening.is_of(owner));
    }

    /// The kept ones, the newest first.
    pub(crate) fn newest_first(&self) -> Vec<Oddity> {
        self.kept.iter().rev().cloned().collect()
    }
}

const REFUSED: &str = "20 logins and returns within a minute found no seat: the limit is reached, and people are turned \
                       away.";

/// Counts within a minute, and tells when that is a burst, once a minute.
#[derive(Debug, Default)]
struct Burst {
    since: Timestamp,
    count: u32,
}

impl Burst {
    fn add(&mut self, at: Timestamp) -> bool {
        if at.since(self.since) >= MINUTE {
            (self.since, self.count) = (at, 0);
        }
        self.count = self.count.saturating_add(1);
        self.count == BURST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn found() -> (&'static str, String) {
        ("refresh-reused", "copied".to_owned())
    }

    #[test]
    fn what_was_found_is_kept_with_what_it_means() {
        let mut unusual = Unusual::default();
        unusual.judge(&Happening::new(Kind::Unusual, START), Some(found()));
        unusual.judge(&Happening::new(Kind::Refresh, START), None);
        let kept = unusual.newest_first();
        assert_eq!(kept.iter().map(|oddity| oddity.oddity).collect::<Vec<_>>(), ["refresh-reused"]);
    }

    #[test]
    fn a_burst_is_told_once_a_minute() {
        let mut unusual = Unusual::default();
        let refused = |at| Happening::new(Kind::LoginRefused, at);
        for second in 0..59 {
            unusual.judge(&refused(START.after(Duration::from_secs(second))), None);
        }
        assert_eq!(unusual.newest_first().len(), 1);
        // 19 in each minute are none.
        for minute in 2..6 {
            for _ in 0..19 {
                unusual.judge(&refused(START.after(Duration::from_mins(minute))), None);
            }
        }
        assert_eq!(unusual.newest_first().len(), 1);
    }

    #[test]
    fn a_session_takes_one_place_of_each_kind() {
        let mut unusual = Unusual::default();
        let of = |session: &str, seq| Happening {
            session: Some(session.into()),
            seq,
            ..Happening::new(Kind::Unusual, START)
        };
        unusual.judge(&of("a", 0), Some(found()));
        for seq in 1..600 {
            unusual.judge(&of("b", seq), Some(("device-changed", "another browser".to_owned())));
        }
        let kept = unusual.newest_first();
        let seqs: Vec<_> = kept.iter().map(|oddity| oddity.happening.seq).collect();
        assert_eq!(seqs, [599, 0]);
        unusual.judge(&Happening::new(Kind::Refresh, START.after(MONTH + MINUTE)), None);
        assert!(unusual.newest_first().is_empty(), "a month later");
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut unusual = Unusual::default();
        for seq in 0..600 {
            unusual.judge(&Happening { seq, ..Happening::new(Kind::Unusual, START) }, Some(found()));
        }
        let kept = unusual.newest_first();
        assert_eq!((kept.len(), kept[0].happening.seq, kept[499].happening.seq), (500, 599, 100));
    }
}
