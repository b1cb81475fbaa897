//! What a count of the sessions that pass a filter tells, and counting in a registry that can only list them.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::contract::{Registry, RegistryError};
use crate::list::{Filter, List, Order};
use crate::op::Holding;

/// How many sessions pass a filter, whose they are, and who holds how many seats by them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The sessions.
    pub sessions: u64,
    /// Those of them that hold a seat.
    pub seats: u64,
    /// The owners that they belong to.
    pub people: Holders,
    /// The tenants that they belong to.
    pub tenants: Holders,
    /// The tenants that hold the most seats by them, at most [`Tally::FULLEST`]: the fullest first, equals by name.
    pub fullest: Vec<(Arc<str>, u64)>,
}

impl Tally {
    /// So many tenants are named.
    pub const FULLEST: usize = 8;

    /// Counts a tenant, which holds so many seats by the sessions that pass.
    pub fn add_tenant(&mut self, name: &str, seats: u64) {
        self.tenants.add(seats);
        let fuller = |(other, held): &(Arc<str>, u64)| *held > seats || *held == seats && **other < *name;
        let at = self.fullest.partition_point(fuller);
        if seats > 0 && at < Self::FULLEST {
            self.fullest.truncate(Self::FULLEST - 1);
            self.fullest.insert(at, (name.into(), seats));
        }
    }
}

/// How many people, or tenants, hold no seat, one, two, …: a figure for each number that occurs, which are 3162 at most
/// for five million seats.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holders(BTreeMap<u64, u64>);

impl Holders {
    /// Counts one who holds so many seats.
    pub fn add(&mut self, seats: u64) {
        *self.0.entry(seats).or_default() += 1;
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.with(0)
    }

    /// How many of them hold at least so many seats.
    pub fn with(&self, seats: u64) -> u64 {
        self.0.range(seats..).map(|(_, count)| count).sum()
    }

    /// The most seats that one of them holds.
    pub fn most(&self) -> u64 {
        self.0.last_key_value().map_or(0, |(&seats, _)| seats)
    }
}

/// Goes through all pages. Owners are told apart by 64-bit hashes: among a million, one is missed in 30 million counts.
pub(crate) fn page_by_page<R: Registry + ?Sized>(
    registry: &R,
    filter: Filter,
) -> BoxFuture<'_, Result<Tally, RegistryError>> {
    async move {
        let (mut tally, hasher) = (Tally::default(), RandomState::default());
        let mut seats_of: HashMap<u64, u64> = HashMap::new();
        let mut seats_in: HashMap<Arc<str>, u64> = HashMap::new();
        let mut list = List { filter, order: Order::Oldest, after: None, limit: 1000 };
        loop {
            let page = registry.list(list.clone()).await?;
            for (record, holding) in &page.sessions {
                let seat = u64::from(*holding == Holding::Seat);
                tally.sessions += 1;
                tally.seats += seat;
                *seats_of.entry(hasher.hash_one(&record.owner)).or_default() += seat;
                if let Some(tenant) = &record.owner.tenant {
                    *seats_in.entry(tenant.clone()).or_default() += seat;
                }
            }
            list.after = page.next;
            if list.after.is_none() {
                break;
            }
        }
        for seats in seats_of.into_values() {
            tally.people.add(seats);
        }
        for (tenant, seats) in seats_in {
            tally.add_tenant(&tenant, seats);
        }
        Ok(tally)
    }
    .boxed()
}
