//! Counts of the sessions that pass a filter, and of whose they are, which may take several calls.

use std::sync::Arc;

use countersign_registry::{Filter, RegistryError, Tally};

use crate::bytes::{Reader, Writer};
use crate::caller::Caller;
use crate::header::duration;
use crate::list::{Members, holding};
use crate::script::Script;

impl Caller {
    /// Up to 1000 sessions are looked at in one call, in the order of their owners, so that each owner is counted once. A
    /// session that changes meanwhile is counted as it was or as it is.
    pub(crate) async fn tally(self: Arc<Self>, filter: Filter) -> Result<Tally, RegistryError> {
        let anyone = Members { letter: b"a", of: Vec::new() };
        let Members { letter, of } = Members::of(&filter.whose)?.unwrap_or(anyone);
        let mut figures = Writer::default();
        figures.number(holding(filter.holding), 1);
        figures.number(filter.inactive_for.map_or(0, duration), 6);
        let figures = figures.done();
        let (mut tally, mut person, mut from) = (Tally::default(), Person::default(), Vec::new());
        loop {
            let mut answer = self.call(Script::Tally, &[letter, &of, &from, &figures]).await?;
            from = answer.bytes()?;
            let people = answer.bytes()?;
            // The first goes on with the last of the call before.
            for (place, figures) in people.chunks(4).enumerate() {
                if place > 0 {
                    std::mem::take(&mut person).count(&mut tally);
                }
                person.add(figures)?;
            }
            if from.is_empty() {
                person.count(&mut tally);
                return Ok(tally);
            }
        }
    }
}

/// An owner's sessions that pass.
#[derive(Default)]
struct Person {
    sessions: u64,
    seats: u64,
}

impl Person {
    fn add(&mut self, figures: &[u8]) -> Result<(), RegistryError> {
        let mut figures = Reader::new(figures);
        self.sessions += figures.number(2)?;
        self.seats += figures.number(2)?;
        Ok(())
    }

    fn count(self, tally: &mut Tally) {
        tally.sessions += self.sessions;
        tally.seats += self.seats;
        if self.sessions > 0 {
            tally.add_person(self.seats);
        }
    }
}
