//! Sessions that something unusual was found about, and what the host said to it.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use countersign_registry::Owner;
use countersign_token::{SessionId, Timestamp};

use super::{Finding, Reaction, locked};

/// How many sessions are remembered.
const CAPACITY: usize = 4096;

/// How long a finding waits for its session's next request.
const PATIENCE: Duration = Duration::from_mins(15);

/// At most 4096 sessions under suspicion, each until its end. Full, it forgets the oldest: it errs towards letting them go on.
#[derive(Default)]
pub(super) struct Suspects {
    known: Mutex<Known>,
    /// How many of them a request must be held against: the hot path looks at nothing else.
    watched: AtomicUsize,
}

#[derive(Default)]
struct Known {
    of: HashMap<SessionId, Suspect>,
    order: VecDeque<SessionId>,
}

struct Suspect {
    finding: Finding,
    reaction: Option<Reaction>,
    until: Timestamp,
}

/// What is known of a session.
pub(super) enum Judged {
    NotYet(Finding),
    As(Reaction),
}

impl Suspects {
    #[inline]
    pub(super) fn is_watching(&self) -> bool {
        self.watched.load(Ordering::Relaxed) > 0
    }

    /// Waits for the session's next request, to ask the host about it.
    pub(super) fn suspect(&self, finding: &Finding, now: Timestamp) {
        let Some(session) = finding.session() else { return };
        self.change(|known| {
            known.expire(now);
            // A session that must step up stays so, whatever else is found.
            if known.of.get(&session).is_none_or(|suspect| suspect.reaction == Some(Reaction::Allow)) {
                known.put(session, finding.clone(), None, now.after(PATIENCE));
            }
        });
    }

    pub(super) fn judged(&self, session: SessionId) -> Option<Judged> {
        let known = locked(&self.known);
        let suspect = known.of.get(&session)?;
        Some(suspect.reaction.map_or_else(|| Judged::NotYet(suspect.finding.clone()), Judged::As))
    }

    /// What the host said to this very finding.
    pub(super) fn judged_before(&self, finding: &Finding) -> Option<Reaction> {
        let known = locked(&self.known);
        let suspect = known.of.get(&finding.session()?)?;
        match suspect.reaction {
            Some(Reaction::StepUp | Reaction::End) => suspect.reaction,
            Some(Reaction::Allow) if suspect.finding == *finding => suspect.reaction,
            _ => None,
        }
    }

    /// Remembers what the host said. Allowing one finding says nothing of another that waits, and takes back nothing that
    /// was demanded meanwhile.
    pub(super) fn judge(&self, session: SessionId, finding: &Finding, reaction: Reaction, until: Timestamp) {
        self.change(|known| {
            let other = |suspect: &Suspect| match suspect.reaction {
                Some(Reaction::StepUp | Reaction::End) => true,
                Some(Reaction::Allow) => false,
                None => suspect.finding != *finding,
            };
            if reaction != Reaction::Allow || !known.of.get(&session).is_some_and(other) {
                known.put(session, finding.clone(), Some(reaction), until);
            }
        });
    }

    pub(super) fn forget(&self, session: SessionId) {
        self.change(|known| {
            known.of.remove(&session);
        });
    }

    /// Forgets a person.
    pub(super) fn forget_owner(&self, owner: &Owner) {
        self.change(|known| known.of.retain(|_, suspect| suspect.finding.owner() != Some(owner)));
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        let mut known = locked(&self.known);
        change(&mut known);
        let watched = known.of.values().filter(|suspect| suspect.reaction != Some(Reaction::Allow)).count();
        self.watched.store(watched, Ordering::Relaxed);
    }
}

impl Known {
    fn put(&mut self, session: SessionId, finding: Finding, reaction: Option<Reaction>, until: Timestamp) {
        if self.of.insert(session, Suspect { finding, reaction, until }).is_none() {
            self.order.push_back(session);
        }
        while self.of.len() > CAPACITY || self.order.len() > 2 * CAPACITY {
            if let Some(oldest) = self.order.pop_front() {
                self.of.remove(&oldest);
            }
        }
    }

    fn expire(&mut self, now: Timestamp) {
        self.of.retain(|_, suspect| suspect.until > now);
        self.order.retain(|session| self.of.contains_key(session));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

    fn session(n: usize) -> SessionId {
        SessionId::from_bytes((n as u128).to_be_bytes())
    }

    fn finding(n: usize, is: &str) -> Finding {
        Finding::DeviceChanged {
            session: session(n),
            owner: Owner::new("alice"),
            was: "Firefox on Linux".into(),
            is: Some(is.into()),
        }
    }

    #[test]
    fn nobody_is_watched_once_the_host_allows() {
        let suspects = Suspects::default();
        suspects.suspect(&finding(1, "curl"), NOW);
        assert!(suspects.is_watching());
        assert!(matches!(suspects.judged(session(1)), Some(Judged::NotYet(_))));
        suspects.judge(session(1), &finding(1, "curl"), Reaction::Allow, NOW.after(PATIENCE));
        assert!(!suspects.is_watching());
        assert_eq!(suspects.judged_before(&finding(1, "curl")), Some(Reaction::Allow));
        assert_eq!(suspects.judged_before(&finding(1, "wget")), None, "another finding");
    }

    #[test]
    fn who_must_step_up_stays_so() {
        let suspects = Suspects::default();
        suspects.judge(session(1), &finding(1, "curl"), Reaction::StepUp, NOW.after(PATIENCE));
        suspects.suspect(&finding(1, "wget"), NOW);
        assert!(matches!(suspects.judged(session(1)), Some(Judged::As(Reaction::StepUp))));
        assert_eq!(suspects.judged_before(&finding(1, "wget")), Some(Reaction::StepUp));
        suspects.suspect(&finding(2, "curl"), NOW.after(PATIENCE));
        assert!(suspects.judged(session(1)).is_none(), "its time is over");
    }

    #[test]
    fn what_is_allowed_takes_nothing_back() {
        let suspects = Suspects::default();
        let allow = |is| suspects.judge(session(1), &finding(1, is), Reaction::Allow, NOW.after(PATIENCE));
        suspects.suspect(&finding(1, "curl"), NOW);
        allow("wget");
        assert!(matches!(suspects.judged(session(1)), Some(Judged::NotYet(_))), "the other one waits");
        suspects.judge(session(1), &finding(1, "curl"), Reaction::StepUp, NOW.after(PATIENCE));
        allow("curl");
        assert!(matches!(suspects.judged(session(1)), Some(Judged::As(Reaction::StepUp))));
    }

    #[test]
    fn the_oldest_makes_room() {
        let suspects = Suspects::default();
        for n in 0..=CAPACITY {
            suspects.judge(session(n), &finding(n, "curl"), Reaction::StepUp, NOW.after(PATIENCE));
        }
        assert!(suspects.judged(session(0)).is_none() && suspects.judged(session(1)).is_some());
        for n in 0..4 * CAPACITY {
            suspects.judge(session(n), &finding(n, "curl"), Reaction::StepUp, NOW.after(PATIENCE));
            suspects.forget(session(n));
        }
        let known = locked(&suspects.known);
        assert!(known.of.len() <= CAPACITY && known.order.len() <= 2 * CAPACITY);
    }
}
