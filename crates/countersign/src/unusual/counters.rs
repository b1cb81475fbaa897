//! Counts of refusals within a window. Pure: the time is an argument, and nothing grows.

use std::time::Duration;

use countersign_registry::Owner;
use countersign_token::{SessionId, Timestamp};

use super::Finding;
use crate::refusal::Refusal;

/// How many refusals within a minute are unusual. 0: none ever are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Of one live session.
    pub of_session: u32,
    /// Of anybody, on this node.
    pub of_node: u32,
    /// Of forged tokens and proofs, on this node.
    pub forged: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { of_session: 30, of_node: 600, forged: 60 }
    }
}

const WINDOW: Duration = Duration::from_mins(1);

/// A window is counted in so many parts, so that it moves on by a sixth of itself.
const PARTS: usize = 6;

/// So many sessions are counted at once.
const SESSIONS: usize = 1024;

/// What was refused within the last minute: two counts of this node, and those of at most 1024 sessions. Where two sessions
/// need one place, the one that is refused more often keeps it: when full, it errs towards noticing less.
pub(super) struct Counters {
    thresholds: Thresholds,
    refusals: Burst,
    forged: Burst,
    sessions: Box<[Option<OfSession>]>,
}

#[derive(Clone, Copy)]
struct OfSession {
    session: SessionId,
    burst: Burst,
}

impl Counters {
    pub(super) fn new(thresholds: Thresholds) -> Self {
        let sessions = vec![None; SESSIONS].into_boxed_slice();
        Self { thresholds, refusals: Burst::default(), forged: Burst::default(), sessions }
    }

    /// Counts a refusal; what is unusual by it, told once in a window.
    pub(super) fn note(
        &mut self,
        refusal: &Refusal,
        who: Option<(SessionId, Owner)>,
        now: Timestamp,
    ) -> impl Iterator<Item = Finding> + use<> {
        let within = WINDOW;
        let refusals = self.refusals.note(now, self.thresholds.of_node);
        let forged = match refusal {
            Refusal::TokenInvalid | Refusal::DpopInvalid => self.forged.note(now, self.thresholds.forged),
            _ => None,
        };
        let of_session = who.and_then(|(session, owner)| {
            let refusals = self.note_session(session, now)?;
            Some(Finding::SessionRefusedOften { session, owner, refusals, within })
        });
        let of_node = refusals.map(|refusals| Finding::Refusals { refusals, within });
        let forged = forged.map(|tokens| Finding::ForgedTokens { tokens, within });
        of_node.into_iter().chain(forged).chain(of_session)
    }

    fn note_session(&mut self, session: SessionId, now: Timestamp) -> Option<u32> {
        // Ids are random.
        let [.., high, low] = *session.as_bytes();
        let place = &mut self.sessions[usize::from(u16::from_be_bytes([high, low])) % SESSIONS];
        let newcomer = OfSession { session, burst: Burst::default() };
        match place {
            Some(known) if known.session == session => {}
            Some(other) => {
                // Each refusal of another wears it down.
                if other.burst.wear(now) > 0 {
                    return None;
                }
                *place = Some(newcomer);
            }
            None => *place = Some(newcomer),
        }
        place.as_mut()?.burst.note(now, self.thresholds.of_session)
    }
}

/// How often something happened within a window that moves.
#[derive(Clone, Copy, Default)]
struct Burst {
    parts: [u32; PARTS],
    /// The number of the newest part since 1970.
    newest: u64,
    /// The part in which it was last told.
    told: Option<u64>,
}

impl Burst {
    /// Counts once more; how often it happened, if that is unusual and was not told within a window.
    fn note(&mut self, now: Timestamp, threshold: u32) -> Option<u32> {
        self.move_on(now);
        let part = &mut self.parts[place(self.newest)];
        *part = part.saturating_add(1);
        let times = self.times();
        let quiet = self.told.is_some_and(|told| self.newest < told + PARTS as u64);
        if threshold == 0 || times < threshold || quiet {
            return None;
        }
        self.told = Some(self.newest);
        Some(times)
    }

    /// Takes one away; how many are left.
    fn wear(&mut self, now: Timestamp) -> u32 {
        self.move_on(now);
        if let Some(part) = self.parts.iter_mut().find(|part| **part > 0) {
            *part -= 1;
        }
        self.times()
    }

    fn times(&self) -> u32 {
        self.parts.iter().fold(0, |all, part| all.saturating_add(*part))
    }

    /// A clock that steps back counts into the newest part.
    fn move_on(&mut self, now: Timestamp) {
        let part_millis = WINDOW.as_secs() * 1000 / PARTS as u64;
        let newest = (now.as_millis() / part_millis).max(self.newest);
        let over = (newest - self.newest).min(PARTS as u64);
        for past in 0..over {
            self.parts[place(newest - past)] = 0;
        }
        self.newest = newest;
    }
}

fn place(part: u64) -> usize {
    (part % PARTS as u64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn at(secs: u64) -> Timestamp {
        START.after(Duration::from_secs(secs))
    }

    fn session(n: u16) -> SessionId {
        let mut bytes = [7; 16];
        bytes[14..].copy_from_slice(&n.to_be_bytes());
        SessionId::from_bytes(bytes)
    }

    #[test]
    fn a_burst_is_told_once_in_a_window() {
        let mut burst = Burst::default();
        let told: Vec<_> = (0..10).map(|_| burst.note(at(0), 5)).collect();
        assert_eq!(told.iter().flatten().collect::<Vec<_>>(), [&5]);
        assert_eq!(burst.note(at(59), 5), None, "told within the last minute");
        assert_eq!(burst.note(at(61), 5), None, "the first ten are over");
        let again: Vec<_> = (0..10).filter_map(|_| burst.note(at(62), 5)).collect();
        assert_eq!(again, [5]);
    }

    #[test]
    fn what_is_slow_is_no_burst() {
        let mut burst = Burst::default();
        assert!((0..1000).all(|n| burst.note(at(15 * n), 6).is_none()));
        assert_eq!((0..1000).filter(|n| burst.note(at(15_000 + 9 * n), 6).is_some()).count(), 150);
    }

    #[test]
    fn a_clock_that_steps_back_harms_nothing() {
        let mut burst = Burst::default();
        assert!(burst.note(at(1000), 3).is_none());
        assert!(burst.note(at(0), 3).is_none());
        assert_eq!(burst.note(Timestamp::ZERO, 3), Some(3));
        assert_eq!(burst.note(Timestamp::MAX, 3), None);
    }

    #[test]
    fn a_threshold_of_zero_is_never_passed() {
        let mut burst = Burst::default();
        assert!((0..100).all(|_| burst.note(at(0), 0).is_none()));
    }

    #[test]
    fn sessions_are_counted_apart_and_share_a_bounded_room() {
        let mut counters = Counters::new(Thresholds { of_session: 3, of_node: 0, forged: 2 });
        let owner = || Owner::new("alice");
        let mut note = |n, refusal: &Refusal| {
            counters.note(refusal, Some((session(n), owner())), at(0)).collect::<Vec<_>>()
        };
        let missing = Refusal::NotFound;
        assert!(note(1, &missing).is_empty() && note(2, &missing).is_empty() && note(1, &missing).is_empty());
        let refusals =
            Finding::SessionRefusedOften { session: session(1), owner: owner(), refusals: 3, within: WINDOW };
        assert_eq!(note(1, &missing), [refusals]);
        // 1025 shares its place with 1, which has three.
        for _ in 0..2 {
            assert!(note(1025, &missing).is_empty());
        }
        assert!(note(1025, &Refusal::TokenInvalid).is_empty(), "it has just got the place");
        let forged = note(1025, &Refusal::TokenInvalid);
        assert_eq!(forged, [Finding::ForgedTokens { tokens: 2, within: WINDOW }]);
    }
}
