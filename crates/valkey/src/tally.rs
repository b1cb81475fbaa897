//! Counts of the sessions that pass a filter, and of whose they are, which may take several calls.

use std::sync::Arc;

use countersign_registry::{Filter, RegistryError, Tally};

use crate::bytes::{Reader, Writer};
use crate::caller::Caller;
use crate::header::duration;
use crate::list::{Members, holding};
use crate::script::Script;

impl Caller {
    /// Up to 1000 sessions are looked at in one call, in the order of their owners and so of their tenants, so that each
    /// is counted once. A session that changes meanwhile is counted as it was or as it is.
    pub(crate) async fn tally(self: Arc<Self>, filter: Filter) -> Result<Tally, RegistryError> {
        let anyone = Members { letter: b"a", of: Vec::new() };
        let Members { letter, of } = Members::of(&filter.whose)?.unwrap_or(anyone);
        let mut figures = Writer::default();
        figures.number(holding(filter.holding), 1);
        figures.number(filter.inactive_for.map_or(0, duration), 6);
        let figures = figures.done();
        let (mut tally, mut from) = (Tally::default(), Vec::new());
        let (mut person, mut tenant) = (Figures::default(), Tenant::default());
        loop {
            let mut answer = self.call(Script::Tally, &[letter, &of, &from, &figures]).await?;
            from = answer.bytes()?;
            let people = answer.bytes()?;
            // The first goes on with the last of the call before.
            for (place, figures) in people.chunks(4).enumerate() {
                if place > 0 {
                    std::mem::take(&mut person).count_person(&mut tally);
                }
                person.add(Figures::read(&mut Reader::new(figures))?);
            }
            for (name, figures) in answer.tenants()? {
                if name != tenant.name {
                    std::mem::replace(&mut tenant, Tenant { name, ..Tenant::default() }).count(&mut tally);
                }
                tenant.figures.add(figures);
            }
            if from.is_empty() {
                person.count_person(&mut tally);
                tenant.count(&mut tally);
                return Ok(tally);
            }
        }
    }
}

/// Sessions of a person or a tenant that pass, and their seats.
#[derive(Clone, Copy, Default)]
pub(crate) struct Figures {
    sessions: u64,
    seats: u64,
}

impl Figures {
    pub(crate) fn read(bytes: &mut Reader<'_>) -> Result<Self, RegistryError> {
        Ok(Self { sessions: bytes.number(2)?, seats: bytes.number(2)? })
    }

    fn add(&mut self, more: Self) {
        self.sessions += more.sessions;
        self.seats += more.seats;
    }

    fn count_person(self, tally: &mut Tally) {
        tally.sessions += self.sessions;
        tally.seats += self.seats;
        if self.sessions > 0 {
            tally.people.add(self.seats);
        }
    }
}

#[derive(Default)]
struct Tenant {
    name: String,
    figures: Figures,
}

impl Tenant {
    fn count(self, tally: &mut Tally) {
        if self.figures.sessions > 0 {
            tally.add_tenant(&self.name, self.figures.seats);
        }
    }
}
