//! Listing live sessions: filter, order, cursor; and counting those that pass.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{SessionId, Timestamp};

use crate::fact::Fact;
use crate::ledger::Ledger;
use crate::op::{CountOf, Counts, Holding, Owner, SessionRecord};
use crate::tally::Tally;

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
    /// Those of a subject, in whatever tenant.
    Subject(Arc<str>),
}

/// In which order sessions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// The last active first.
    #[default]
    LastActivity,
    /// The newest first.
    Started,
    /// The one that was not active for longest first.
    LeastRecent,
    /// The one that started first.
    Oldest,
}

impl Order {
    /// Whether the instant of a session's start counts, not that of its last activity.
    pub fn is_by_start(self) -> bool {
        matches!(self, Self::Started | Self::Oldest)
    }

    /// Whether small instants come first.
    pub fn is_ascending(self) -> bool {
        matches!(self, Self::LeastRecent | Self::Oldest)
    }

    /// Where a session stands: those with a smaller rank come first.
    pub fn rank(self, at: Timestamp, id: SessionId) -> Rank {
        if self.is_ascending() {
            Rank(at.as_millis(), u128::from_be_bytes(*id.as_bytes()))
        } else {
            Rank(!at.as_millis(), !u128::from_be_bytes(*id.as_bytes()))
        }
    }
}

/// A session's place in an [`Order`]: the smaller one comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rank(u64, u128);

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
    /// Lists live sessions. An owner's and a tenant's are found by index; listing all looks at all, which is quick: 88
    /// bytes of each, one after the other.
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
        let mut first = First::new(limit);
        let after = list.after.as_ref().map(|cursor| list.order.rank(cursor.at, cursor.id));
        for place in self.whose(&list.filter.whose) {
            let slot = self.store.get(place);
            let at = if list.order.is_by_start() { slot.started } else { slot.activity };
            let rank = list.order.rank(at, slot.id);
            // What cannot be of the page need not pass.
            if first.wants(rank) && after.is_none_or(|after| after < rank) && self.passes(place, &list.filter)
            {
                first.keep(rank, place);
            }
        }
        let instant = |place| {
            let slot = self.store.get(place);
            (if list.order.is_by_start() { slot.started } else { slot.activity }, slot.id, place)
        };
        first.places().map(instant).collect()
    }

    /// Counts the live sessions that pass a filter. An owner's and a tenant's are found by index; counting all looks at
    /// all, and takes four bytes for each owner and each tenant while it does.
    pub fn tally(&mut self, filter: &Filter, now: Timestamp, facts: &mut Vec<Fact>) -> Tally {
        self.settle(now, facts);
        let owners = &self.store.owners;
        let (mut tally, mut of_owner) = (Tally::default(), SeatsBy::places(owners.places()));
        for place in self.whose(&filter.whose).filter(|&place| self.passes(place, filter)) {
            let seat = u32::from(self.holding(place) == Holding::Seat);
            tally.sessions += 1;
            tally.seats += u64::from(seat);
            of_owner.add(self.store.get(place).owner, seat);
        }
        let mut of_tenant = SeatsBy::places(owners.tenant_places());
        for (owner, seats) in of_owner.seen() {
            tally.people.add(seats.into());
            if let Some(tenant) = owners.tenant_of(owner) {
                of_tenant.add(tenant, seats);
            }
        }
        for (tenant, seats) in of_tenant.seen() {
            tally.add_tenant(owners.tenant(tenant).name(), seats.into());
        }
        tally
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
            Whose::Subject(subject) => {
                let owners = self.store.owners.of_subject(subject);
                Box::new(owners.into_iter().flat_map(|place| self.store.of_owner(place)))
            }
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

/// Seats, by the place of who holds them: as long as there are places.
struct SeatsBy(Vec<u32>);

impl SeatsBy {
    /// None of these was met yet.
    const UNSEEN: u32 = u32::MAX;

    fn places(count: usize) -> Self {
        Self(vec![Self::UNSEEN; count])
    }

    fn add(&mut self, place: u32, seats: u32) {
        let sum = &mut self.0[place as usize];
        *sum = if *sum == Self::UNSEEN { seats } else { *sum + seats };
    }

    /// Those that were met.
    fn seen(self) -> impl Iterator<Item = (u32, u32)> {
        (0..).zip(self.0).filter(|&(_, seats)| seats != Self::UNSEEN)
    }
}

/// The first sessions of an order. Twice as many as fit are kept before the others are dropped: so each that is looked
/// at costs the same on average, in whatever order they come.
struct First {
    limit: usize,
    kept: Vec<(Rank, u32)>,
    /// The last that fits, as far as is known.
    last: Option<Rank>,
}

impl First {
    fn new(limit: usize) -> Self {
        Self { limit, kept: Vec::with_capacity(2 * limit), last: None }
    }

    fn wants(&self, rank: Rank) -> bool {
        self.last.is_none_or(|last| rank < last)
    }

    fn keep(&mut self, rank: Rank, place: u32) {
        self.kept.push((rank, place));
        if self.kept.len() == 2 * self.limit {
            let (_, &mut (last, _), _) = self.kept.select_nth_unstable(self.limit - 1);
            self.last = Some(last);
            self.kept.truncate(self.limit);
        }
    }

    /// In order.
    fn places(mut self) -> impl Iterator<Item = u32> {
        self.kept.sort_unstable();
        self.kept.into_iter().take(self.limit).map(|(_, place)| place)
    }
}
