//! Activity: marks that nodes bring in batches, as ages.

use countersign_token::Timestamp;

use crate::fact::Fact;
use crate::ledger::Ledger;
use crate::op::Touch;
use crate::store::{GIVEN_UP, HOLDS};

impl Ledger {
    /// Notes activity. A mark of a session that is not live is dropped, and one that is older than what is known.
    ///
    /// A mark never gives a seat back. One that arrives after its session has dangled counts for the idle timeout only,
    /// even if it was made while the session held its seat: somebody else may sit there by now.
    pub fn touch(&mut self, marks: &[Touch], now: Timestamp, facts: &mut Vec<Fact>) {
        self.settle(now, facts);
        for mark in marks {
            self.mark(*mark, facts);
        }
    }

    fn mark(&mut self, mark: Touch, facts: &mut Vec<Fact>) {
        let at = self.now().before(mark.age);
        let Some(place) = self.store.find(mark.session) else { return };
        let slot = self.store.get_mut(place);
        if slot.activity >= at {
            return;
        }
        slot.activity = at;
        if !slot.is(HOLDS) {
            slot.set(GIVEN_UP);
        }
        self.tell(place, facts);
    }
}
