//! Listing live sessions: filter, order, cursor.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Duration;

use countersign_token::{SessionId, Timestamp};

use crate::fact::Fact;
use crate::ledger::Ledger;
use crate::op::{CountOf, Counts, Holding, Owner, SessionRecord};

/// Which live sessions to list.
#[derive(Clone, Debug)]
pub struct List {
    /// Only these.
    pub filter: Filter,
    /// In this order.
    pub order: Order,
    /// From where the last page ended.
    pub after: Option<Cursor>,
    /// At most so many, and at most 1000.
    pub limit: usize,
}

impl List {
    /// All sessions of an owner, the last active first.
    pub fn of(owner: Owner) -> Self {
        Self {
            filter: Filter { whose: Whose::Owner(owner), ..Filter::default() },
            order: Order::LastActivity,
            after: None,
            limit: 1000,
        }
    }
}

/// Which sessions pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub whose: Whose,
    /// Only those that hold a seat, or only those that do not.
    pub holding: Option<Holding>,
    /// Only those not active for at least this long.
    pub inactive_for: Option<Duration>,
}

/// Whose sessions pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// Anyone's.
    #[default]
    Anyone,
    /// An owner's.
    Owner(Owner),
    /// A tenant's.
    Tenant(Arc<str>),
}

/// In which order sessions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// The last active first.
    #[default]
    LastActivity,
    /// The newest first.
    Started,
}

/// Where a page ended. It stays meaningful while sessions come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The ordering instant of the last session of the page.
    pub at: Timestamp,
    /// Its id.
    pub id: SessionId,
}

/// A page of sessions.
#[derive(Clone, Debug)]
pub struct Page {
    /// The sessions, and whether each holds a seat.
    pub sessions: Vec<(SessionRecord, Holding)>,
    /// Where to go on, if there are more.
    pub next: Option<Cursor>,
    /// The registry's instant.
    pub at: Timestamp,
}

/// The longest page.
const PAGE: usize = 1000;

impl Ledger {
    /// Lists live sessions. An owner's and a tenant's are found by index; listing all looks at all.
    pub fn list(&mut self, list: &List, now: Timestamp, facts: &mut Vec<Fact>) -> Page {
        let at = self.settle(now, facts);
        let limit = list.limit.min(PAGE);
        let mut page = self.first_of(list, limit + 1);
        let more = page.len() > limit;
        page.truncate(limit);
        let end = page.last().map(|&(at, id, _)| Cursor { at, id });
        let sessions = page.into_iter().map(|(_, _, place)| (self.store.record(place), self.holding(place)));
        Page { sessions: sessions.collect(), next: end.filter(|_| more), at }
    }

    /// The first sessions that pass, in order: the latest instant first, then the largest id.
    fn first_of(&self, list: &List, limit: usize) -> Vec<(Timestamp, SessionId, u32)> {
        let mut first = BinaryHeap::with_capacity(limit + 1);
        let passing = self.whose(&list.filter.whose).filter(|&place| self.passes(place, &list.filter));
        for place in passing {
            let slot = self.store.get(place);
            let at = if list.order == Order::Started { slot.started } else { slot.activity };
            let after = list.after.as_ref().is_none_or(|cursor| (at, slot.id) < (cursor.at, cursor.id));
            if after {
                first.push(Reverse((at, slot.id, place)));
            }
            if first.len() > limit {
                first.pop();
            }
        }
        first.into_sorted_vec().into_iter().map(|Reverse(session)| session).collect()
    }

    fn whose(&self, whose: &Whose) -> Box<dyn Iterator<Item = u32> + '_> {
        match whose {
            Whose::Anyone => Box::new(self.store.iter()),
            Whose::Owner(owner) => Box::new(
                self.store.owners.find(owner).into_iter().flat_map(|place| self.store.of_owner(place)),
            ),
            Whose::Tenant(tenant) => Box::new(
                self.store
                    .owners
                    .find_tenant(tenant)
                    .into_iter()
                    .flat_map(|place| self.store.of_tenant(place)),
            ),
        }
    }

    fn passes(&self, place: u32, filter: &Filter) -> bool {
        let slot = self.store.get(place);
        filter.holding.is_none_or(|holding| self.holding(place) == holding)
            && filter.inactive_for.is_none_or(|time| self.now().since(slot.activity) >= time)
    }

    /// Counts live sessions and seats.
    pub fn counts(&mut self, of: &CountOf, now: Timestamp, facts: &mut Vec<Fact>) -> Counts {
        self.settle(now, facts);
        let owners = &self.store.owners;
        match of {
            CountOf::Owner(owner) => {
                owners.find(owner).map(|place| owners.get(place).counts()).unwrap_or_default()
            }
            CountOf::Tenant(tenant) => {
                owners.find_tenant(tenant).map(|place| owners.tenant(place).counts()).unwrap_or_default()
            }
            CountOf::Site => self.store.counts(),
        }
    }
}
