//! One-time ids: choice codes, handoff codes, and whatever else may happen only once.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use countersign_token::{FeedPosition, Timestamp};
use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::fact::Fact;
use crate::ledger::Ledger;
use crate::op::{Claim, Claimed, Once, OnceId, Owner};

/// How many used-up ids are remembered at most.
const REMEMBERED: usize = 1 << 20;

/// The ids that are used up and have not expired, at most 2^20. Full, it takes every further id for used up: a
/// one-time code that fails is a nuisance, one that works twice is a hole.
#[derive(Debug, Default)]
pub(crate) struct Spent {
    until: HashMap<OnceId, Timestamp, RandomState>,
    soonest: BinaryHeap<Reverse<(Timestamp, [u8; 32])>>,
}

impl Spent {
    fn is_usable(&self, id: OnceId, until: Timestamp, now: Timestamp) -> bool {
        now < until && !self.until.contains_key(&id) && self.until.len() < REMEMBERED
    }

    fn spend(&mut self, id: OnceId, until: Timestamp) {
        if self.until.insert(id, until) != Some(until) {
            self.soonest.push(Reverse((until, id.0)));
        }
    }

    pub(crate) fn recall(&mut self, id: OnceId, until: Timestamp) {
        self.spend(id, until);
    }

    pub(crate) fn settle(&mut self, now: Timestamp) {
        while let Some(&Reverse((until, id))) = self.soonest.peek()
            && until <= now
        {
            self.soonest.pop();
            // A log may remember an id that was claimed again after it had expired.
            if self.until.get(&OnceId(id)) == Some(&until) {
                self.until.remove(&OnceId(id));
            }
        }
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact> {
        self.until.iter().map(|(&id, &until)| Fact::Once { id, until })
    }
}

impl Ledger {
    /// Claims a one-time id, or looks at one. One that belongs to an owner is meant to be claimed within
    /// [15 minutes](crate::CODE_LIFE) of its making: so long is an end remembered that it may have died with.
    pub fn once(&mut self, once: Once, now: Timestamp, facts: &mut Vec<Fact>) -> Claimed {
        self.settle(now, facts);
        let Once { id, until, of, claim } = once;
        if !self.is_usable(id, until, of.as_ref().map(|(owner, born)| (owner, *born))) {
            return Claimed::Spent;
        }
        if claim == Claim::UseUp {
            self.spend(id, until, facts);
        }
        Claimed::First
    }

    pub(crate) fn is_usable(&self, id: OnceId, until: Timestamp, of: Option<(&Owner, FeedPosition)>) -> bool {
        let alive = of.is_none_or(|(owner, born)| {
            until.since(self.now()) <= crate::CODE_LIFE && !self.ends.hit(owner, born)
        });
        alive && self.spent.is_usable(id, until, self.now())
    }

    pub(crate) fn spend(&mut self, id: OnceId, until: Timestamp, facts: &mut Vec<Fact>) {
        self.spent.spend(id, until);
        facts.push(Fact::Once { id, until });
    }
}
