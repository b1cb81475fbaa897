//! Sessions that something unusual was found about, and what the host said to it.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use countersign_registry::Owner;
use countersign_token::{SessionId, Timestamp};

use super::{Finding, Reaction, locked};

/// How many sessions are remembered.
const CAPACITY: usize = 4096;

/// How long a finding waits for its session's next request: who asks nothing for that long is not asked about.
const PATIENCE: Duration = Duration::from_mins(15);

/// At most 4096 sessions under suspicion, each until its end. Full, it forgets the oldest: it errs towards letting them go on.
///
/// Whose time is over goes as soon as anybody's request is held against what is known, so that nobody is watched for ever.
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
    /// Nobody's time is over before.
    earliest_end: Option<Timestamp>,
}

struct Suspect {
    finding: Finding,
    reaction: Option<Reaction>,
    /// Without a reaction, how long it waits for one; with one, the session's absolute end: no token of it is good then.
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
        self.change(now, |known| {
            // A session that must step up stays so, whatever else is found.
            if known.of.get(&session).is_none_or(|suspect| suspect.reaction == Some(Reaction::Allow)) {
                known.put(session, finding.clone(), None, now.after(PATIENCE));
            }
        });
    }

    pub(super) fn judged(&self, session: SessionId, now: Timestamp) -> Option<Judged> {
        let known = self.known_at(now);
        let suspect = known.of.get(&session)?;
        Some(suspect.reaction.map_or_else(|| Judged::NotYet(suspect.finding.clone()), Judged::As))
    }

    /// What the host said to this very finding.
    pub(super) fn judged_before(&self, finding: &Finding, now: Timestamp) -> Option<Reaction> {
        let known = self.known_at(now);
        let suspect = known.of.get(&finding.session()?)?;
        match suspect.reaction {
            Some(Reaction::StepUp | Reaction::End) => suspect.reaction,
            Some(Reaction::Allow) if suspect.finding == *finding => suspect.reaction,
            _ => None,
        }
    }

    /// Remembers what the host said. Allowing one finding says nothing of another that waits, and takes back nothing that
    /// was demanded meanwhile.
    pub(super) fn judge(
        &self,
        session: SessionId,
        finding: &Finding,
        reaction: Reaction,
        until: Timestamp,
        now: Timestamp,
    ) {
        self.change(now, |known| {
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
        let mut known = locked(&self.known);
        known.of.remove(&session);
        self.count(&known);
    }

    /// Forgets a person.
    pub(super) fn forget_owner(&self, owner: &Owner) {
        let mut known = locked(&self.known);
        known.of.retain(|_, suspect| suspect.finding.owner() != Some(owner));
        self.count(&known);
    }

    fn change(&self, now: Timestamp, change: impl FnOnce(&mut Known)) {
        let mut known = self.known_at(now);
        change(&mut known);
        self.count(&known);
    }

    /// What is known, without those whose time is over.
    fn known_at(&self, now: Timestamp) -> MutexGuard<'_, Known> {
        let mut known = locked(&self.known);
        if known.earliest_end.is_some_and(|end| end <= now) {
            known.expire(now);
            self.count(&known);
        }
        known
    }

    fn count(&self, known: &Known) {
        let watched = known.of.values().filter(|suspect| suspect.reaction != Some(Reaction::Allow)).count();
        self.watched.store(watched, Ordering::Relaxed);
    }
}

impl Known {
    fn put(&mut self, session: SessionId, finding: Finding, reaction: Option<Reaction>, until: Timestamp) {
        self.earliest_end = Some(self.earliest_end.map_or(until, |end| end.min(until)));
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
        self.earliest_end = self.of.values().map(|suspect| suspect.until).min();
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
        assert!(matches!(suspects.judged(session(1), NOW), Some(Judged::NotYet(_))));
        suspects.judge(session(1), &finding(1, "curl"), Reaction::Allow, NOW.after(PATIENCE), NOW);
        assert!(!suspects.is_watching());
        assert_eq!(suspects.judged_before(&finding(1, "curl"), NOW), Some(Reaction::Allow));
        assert_eq!(suspects.judged_before(&finding(1, "wget"), NOW), None, "another finding");
    }

    #[test]
    fn who_must_step_up_stays_so() {
        let suspects = Suspects::default();
        suspects.judge(session(1), &finding(1, "curl"), Reaction::StepUp, NOW.after(PATIENCE), NOW);
        suspects.suspect(&finding(1, "wget"), NOW);
        assert!(matches!(suspects.judged(session(1), NOW), Some(Judged::As(Reaction::StepUp))));
        assert_eq!(suspects.judged_before(&finding(1, "wget"), NOW), Some(Reaction::StepUp));
    }

    #[test]
    fn whose_time_is_over_is_judged_no_more() {
        let suspects = Suspects::default();
        let (waited, ended) = (NOW.after(PATIENCE), NOW.after(2 * PATIENCE));
        suspects.suspect(&finding(1, "curl"), NOW);
        suspects.judge(session(2), &finding(2, "curl"), Reaction::StepUp, ended, NOW);
        let second = Duration::from_secs(1);
        assert!(matches!(suspects.judged(session(1), waited.before(second)), Some(Judged::NotYet(_))));
        assert!(suspects.judged(session(1), waited).is_none());
        assert!(suspects.is_watching(), "the other must step up");
        assert!(matches!(
            suspects.judged(session(2), ended.before(second)),
            Some(Judged::As(Reaction::StepUp))
        ));
        assert_eq!(suspects.judged_before(&finding(2, "curl"), ended), None);
        assert!(!suspects.is_watching());
    }

    #[test]
    fn what_is_allowed_takes_nothing_back() {
        let suspects = Suspects::default();
        let allow =
            |is| suspects.judge(session(1), &finding(1, is), Reaction::Allow, NOW.after(PATIENCE), NOW);
        suspects.suspect(&finding(1, "curl"), NOW);
        allow("wget");
        assert!(matches!(suspects.judged(session(1), NOW), Some(Judged::NotYet(_))), "the other one waits");
        suspects.judge(session(1), &finding(1, "curl"), Reaction::StepUp, NOW.after(PATIENCE), NOW);
        allow("curl");
        assert!(matches!(suspects.judged(session(1), NOW), Some(Judged::As(Reaction::StepUp))));
    }

    #[test]
    fn the_oldest_makes_room() {
        let suspects = Suspects::default();
        for n in 0..=CAPACITY {
            suspects.judge(session(n), &finding(n, "curl"), Reaction::StepUp, NOW.after(PATIENCE), NOW);
        }
        assert!(suspects.judged(session(0), NOW).is_none() && suspects.judged(session(1), NOW).is_some());
        for n in 0..4 * CAPACITY {
            suspects.judge(session(n), &finding(n, "curl"), Reaction::StepUp, NOW.after(PATIENCE), NOW);
            suspects.forget(session(n));
        }
        let known = locked(&suspects.known);
        assert!(known.of.len() <= CAPACITY && known.order.len() <= 2 * CAPACITY);
    }
}
