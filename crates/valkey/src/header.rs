//! What every script is told: the clock of tests, what this node has seen of the registry, and the rules.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use countersign_registry::{Clock, Limit, Limits, OnFull, Rules};
use countersign_token::{FeedPosition, Timestamp};

use crate::answer::Answer;
use crate::bytes::{Writer, millis};
use crate::options::Part;

/// What a node knows of its registry.
pub(crate) struct Known {
    /// [`None`]: a guest, who is told none.
    rules: Option<RwLock<Rules>>,
    clock: Option<Arc<dyn Clock>>,
    instant: AtomicU64,
    epoch: AtomicU64,
}

impl Known {
    pub(crate) fn new(part: Part, clock: Option<Arc<dyn Clock>>) -> Self {
        let rules = (part == Part::Node).then(RwLock::default);
        Self { rules, clock, instant: AtomicU64::new(0), epoch: AtomicU64::new(0) }
    }

    pub(crate) fn set_rules(&self, rules: Rules) {
        if let Some(known) = &self.rules {
            *known.write().unwrap_or_else(PoisonError::into_inner) = rules;
        }
    }

    /// Whether it is a guest, who may not do what depends on rules.
    pub(crate) fn is_guest(&self) -> bool {
        self.rules.is_none()
    }

    /// Takes note of what a script answered.
    pub(crate) fn note(&self, answer: &Answer) -> FeedPosition {
        self.instant.fetch_max(millis(answer.at), Ordering::Relaxed);
        self.epoch.fetch_max(answer.position.epoch, Ordering::Relaxed);
        answer.position
    }

    /// The latest epoch that was seen.
    pub(crate) fn epoch(&self) -> u64 {
        self.epoch.load(Ordering::Relaxed)
    }

    /// Whether instants are not the server's.
    pub(crate) fn has_own_clock(&self) -> bool {
        self.clock.is_some()
    }

    /// The first argument of every script.
    pub(crate) fn header(&self) -> Vec<u8> {
        let rules = self.rules.as_ref().map(|rules| *rules.read().unwrap_or_else(PoisonError::into_inner));
        let mut bytes = Writer::default();
        bytes.instant(self.clock.as_ref().map_or(Timestamp::ZERO, Clock::now));
        bytes.number(self.instant.load(Ordering::Relaxed), 6);
        bytes.number(self.epoch.load(Ordering::Relaxed), 7);
        // A guest's are all 0, which no node's are.
        let times = rules.map_or([Duration::ZERO; 4], |rules| {
            [rules.race_window, rules.dangling_after, rules.idle_timeout, rules.entry_life()]
        });
        for time in times {
            bytes.number(duration(time), 6);
        }
        bytes.raw(&limits(rules.map_or(Limits::none(), |rules| rules.limits)));
        bytes.done()
    }
}

/// Limits as the scripts read them: of user, tenant and site, the rule (0: no limit) and the seats.
pub(crate) fn limits(limits: Limits) -> Vec<u8> {
    let mut bytes = Writer::default();
    for limit in [limits.user, limits.tenant, limits.site] {
        bytes.number(limit.map_or(0, rule), 1);
        bytes.number(limit.map_or(0, |limit| limit.seats.into()), 4);
    }
    bytes.done()
}

fn rule(limit: Limit) -> u64 {
    match limit.on_full {
        OnFull::Refuse => 1,
        OnFull::EndLeastRecent => 2,
        OnFull::EndOldest => 3,
        OnFull::Ask => 4,
    }
}

/// Milliseconds, half of all time at most, so that a sum of two stays an instant.
pub(crate) fn duration(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX).min(1 << 47)
}
