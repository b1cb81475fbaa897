//! Rotation: which refresh token is a retry, which is the next one, and which is a copy.

use std::time::Duration;

use countersign_token::{RotationId, Timestamp};

use crate::fact::{EndReason, Fact};
use crate::ledger::{Ledger, due};
use crate::op::{Activity, Full, Holding, Renewal, Rotate, Rotated};
use crate::seats::Place;
use crate::store::{GIVEN_UP, HOLDS};

/// A refresh token as it is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// Its own id.
    pub id: RotationId,
    /// Its parent's.
    pub parent: RotationId,
    /// The registry's instant at which it was issued.
    pub issued: Timestamp,
}

/// What a presented refresh token means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// An early refresh: it stays the refresh token, and its parent the one that was used up last.
    Keep {
        /// What the registry holds from now on.
        current: RotationId,
    },
    /// Used up now or before: it gets a successor whose parent is `current`.
    Renew {
        /// What the registry holds from now on.
        current: RotationId,
    },
    /// A used-up token, or the other of two successors of one token: somebody has a copy.
    Reused,
}

/// The rotation table. `current` is the token that was used up last, nil at login.
///
/// Nobody honest is ever judged [`Verdict::Reused`] while an exchange takes less than a third of `race_window`; a copy is,
/// once both holders have gone on.
pub fn judge(current: RotationId, presented: Presented, race_window: Duration, now: Timestamp) -> Verdict {
    let Presented { id, parent, issued } = presented;
    if id == current {
        // A retry, a lost answer, a racing tab.
        Verdict::Renew { current }
    } else if parent == current || id.generation() > current.generation() {
        // Of another parent, but of a later generation: the registry lost steps that we have signed.
        if now.since(issued) < race_window {
            Verdict::Keep { current: parent }
        } else {
            Verdict::Renew { current: id }
        }
    } else {
        Verdict::Reused
    }
}

impl Ledger {
    /// Exchanges a refresh token, whose signature has been verified.
    pub fn rotate(&mut self, rotate: Rotate, now: Timestamp, facts: &mut Vec<Fact>) -> Rotated {
        let now = self.settle(now, facts);
        let Some(place) = self.store.find(rotate.session) else {
            return Rotated::Ended(self.graves.reason(rotate.session));
        };
        let presented = Presented { id: rotate.id, parent: rotate.parent, issued: rotate.issued };
        let current = RotationId::from_bits(self.store.get(place).current);
        match judge(current, presented, self.rules.race_window, now) {
            Verdict::Reused => {
                Rotated::Reused(self.end_family(rotate.session, EndReason::RefreshReused, facts))
            }
            Verdict::Keep { current } => {
                self.renew(place, current, rotate.activity, facts).map_or_else(Rotated::Full, Rotated::Kept)
            }
            Verdict::Renew { current } => self
                .renew(place, current, rotate.activity, facts)
                .map_or_else(Rotated::Full, Rotated::Renewed),
        }
    }

    /// Notes the step and the activity, or nothing of either if the session finds no seat.
    fn renew(
        &mut self,
        place: u32,
        current: RotationId,
        activity: Activity,
        facts: &mut Vec<Fact>,
    ) -> Result<Renewal, Full> {
        let before = self.store.get(place).step();
        match activity {
            Activity::Active => self.sit_again(place)?,
            Activity::Passive => self.pass_by(place),
        }
        self.store.get_mut(place).current = current.to_bits();
        let record = self.store.record(place);
        if self.store.get(place).step() != before {
            facts.push(Fact::Session(Box::new(record.clone())));
        }
        Ok(Renewal { record, seat: self.holding(place), at: self.now() })
    }

    /// A session is active now: it takes a seat if it has none, and never by ending another.
    pub(crate) fn sit_again(&mut self, place: u32) -> Result<(), Full> {
        if !self.store.get(place).is(HOLDS) {
            self.free_seat(Place::of(&self.store, place))?;
        }
        let now = self.now();
        let slot = self.store.get_mut(place);
        slot.activity = slot.activity.max(now);
        if self.holding(place) == Holding::Nothing {
            self.store.hold(place);
            // It dangles sooner than it was asked to be looked at.
            let due = due(self.store.get(place), &self.rules);
            self.store.wake_at(place, due);
        }
        Ok(())
    }

    /// A page polls for a session: that is no activity, and takes no seat.
    fn pass_by(&mut self, place: u32) {
        let slot = self.store.get_mut(place);
        if !slot.is(HOLDS) {
            slot.set(GIVEN_UP);
        }
    }
}

#[cfg(test)]
mod tests;
