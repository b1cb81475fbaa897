//! What an administrator should look at: judged by what happens, purely.

use std::collections::VecDeque;
use std::time::Duration;

use countersign::Timestamp;
use serde::Serialize;

use crate::happening::{Happening, Kind};

/// At most so many are kept: full, the oldest is forgotten.
const KEPT: usize = 500;

/// So many of one kind within a minute are a burst.
const BURST: u32 = 20;
const MINUTE: Duration = Duration::from_mins(1);

/// Something unusual, with an explanation for people.
#[derive(Clone, Debug, Serialize)]
pub struct Oddity {
    /// What happened.
    #[serde(flatten)]
    pub happening: Happening,
    /// Which kind of unusual: `refresh-reused`, `forged-tokens`, `refused-logins`, `proofs-refused`.
    pub oddity: &'static str,
    /// What it means, and what may be done.
    pub explanation: &'static str,
}

/// The last unusual happenings, at most 500; full, the oldest is forgotten.
#[derive(Debug, Default)]
pub(crate) struct Unusual {
    kept: VecDeque<Oddity>,
    forged: Burst,
    refused: Burst,
    proofs: Burst,
}

impl Unusual {
    /// Judges a happening, and keeps it if it is unusual.
    pub(crate) fn judge(&mut self, happening: &Happening) {
        let Some((oddity, explanation)) = self.oddity(happening) else { return };
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Oddity { happening: happening.clone(), oddity, explanation });
    }

    /// The kept ones, the newest first.
    pub(crate) fn newest_first(&self) -> Vec<Oddity> {
        self.kept.iter().rev().cloned().collect()
    }

    fn oddity(&mut self, happening: &Happening) -> Option<(&'static str, &'static str)> {
        let at = happening.at;
        match (happening.kind, happening.code) {
            (Kind::Reuse, _) => Some(("refresh-reused", REUSED)),
            (Kind::Refusal, Some("token-invalid")) => {
                self.forged.add(at).then_some(("forged-tokens", FORGED))
            }
            (Kind::Refusal, Some("dpop-invalid")) => {
                self.proofs.add(at).then_some(("proofs-refused", PROOFS))
            }
            (Kind::LoginRefused | Kind::SeatRefused, _) => {
                self.refused.add(at).then_some(("refused-logins", REFUSED))
            }
            _ => None,
        }
    }
}

const REUSED: &str = "A refresh token was presented that had been used up: somebody holds a copy of this session. It was \
                      ended everywhere, and its user has to log in again.";
const FORGED: &str = "20 tokens within a minute were not ours: somebody tries out forged tokens, or a service sends those \
                      of another site.";
const PROOFS: &str = "20 proofs of keys within a minute were not good: somebody uses tokens that are bound to another \
                      client's key, or a client's clock is wrong.";
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

    fn forged(at: Timestamp) -> Happening {
        Happening { code: Some("token-invalid"), ..Happening::new(Kind::Refusal, at) }
    }

    #[test]
    fn a_copied_token_is_always_told() {
        let mut unusual = Unusual::default();
        unusual.judge(&Happening::new(Kind::Reuse, START));
        unusual.judge(&Happening::new(Kind::Refresh, START));
        let kept = unusual.newest_first();
        assert_eq!(kept.iter().map(|oddity| oddity.oddity).collect::<Vec<_>>(), ["refresh-reused"]);
    }

    #[test]
    fn a_burst_is_told_once_a_minute() {
        let mut unusual = Unusual::default();
        for second in 0..59 {
            unusual.judge(&forged(START.after(Duration::from_secs(second))));
        }
        assert_eq!(unusual.newest_first().len(), 1);
        // 19 in each minute are none.
        for minute in 2..6 {
            for _ in 0..19 {
                unusual.judge(&forged(START.after(Duration::from_mins(minute))));
            }
        }
        assert_eq!(unusual.newest_first().len(), 1);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut unusual = Unusual::default();
        for seq in 0..600 {
            unusual.judge(&Happening { seq, ..Happening::new(Kind::Reuse, START) });
        }
        let kept = unusual.newest_first();
        assert_eq!((kept.len(), kept[0].happening.seq, kept[499].happening.seq), (500, 599, 100));
    }
}
