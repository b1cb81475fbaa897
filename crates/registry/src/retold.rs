//! What nodes tell a registry again that has lost it: ends, admissions, used one-time ids.

use std::collections::VecDeque;
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::fact::{EndReason, Entry, Fact, News};
use crate::ledger::{Ledger, due};
use crate::op::{OnceId, SeatState, SessionRecord};
use crate::past::CODE_LIFE;

/// How long after the fence behind which it was lost a session can be restored: no longer than ends by scope are
/// remembered that it may have died with.
pub(crate) const RESTORABLE: Duration = CODE_LIFE;
/// How long it is remembered that an entry was told again.
const REMEMBERED: Duration = Duration::from_hours(24);
const BOUND: usize = 1 << 18;
const FLOORS: usize = 1 << 16;

/// What a registry has lost of what is no end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lost {
    /// A session that was admitted.
    Session(Box<SessionRecord>),
    /// A one-time id that was used up, and until when that matters.
    Once(OnceId, Timestamp),
}

/// The entries that were told again, by where they were told first, for 24 h, the last 2^18. Full, it forgets the oldest:
/// a node that comes so late has it told once more, and errs towards ending. And the floors among them, at most 2^16, of
/// sessions that may yet be restored. Full, it takes no more: a session comes back with an older floor.
#[derive(Debug, Default)]
pub(crate) struct Retold {
    again: HashMap<FeedPosition, (FeedPosition, Timestamp), RandomState>,
    oldest: VecDeque<(Timestamp, FeedPosition)>,
    floors: HashMap<SessionId, u64, RandomState>,
}

impl Retold {
    pub(crate) fn raise(&mut self, session: SessionId, exclusive: u64) {
        if let Some(floor) = self.floors.get_mut(&session) {
            *floor = exclusive.max(*floor);
        } else if self.floors.len() < FLOORS {
            self.floors.insert(session, exclusive);
        }
    }

    fn floor(&self, session: SessionId) -> u64 {
        self.floors.get(&session).copied().unwrap_or_default()
    }

    pub(crate) fn forget_floors(&mut self) {
        if !self.floors.is_empty() {
            self.floors = HashMap::default();
        }
    }

    pub(crate) fn note(&mut self, first: FeedPosition, position: FeedPosition, until: Timestamp) {
        self.again.insert(first, (position, until));
        let place = self.oldest.partition_point(|&(other, _)| other <= until);
        self.oldest.insert(place, (until, first));
        if self.oldest.len() > BOUND {
            self.forget();
        }
    }

    fn position(&self, first: FeedPosition) -> Option<FeedPosition> {
        self.again.get(&first).map(|&(position, _)| position)
    }

    fn forget(&mut self) {
        if let Some((until, first)) = self.oldest.pop_front()
            // It may have been told once more since.
            && self.again.get(&first).is_some_and(|&(_, last)| last == until)
        {
            self.again.remove(&first);
        }
    }

    pub(crate) fn settle(&mut self, now: Timestamp) {
        while self.oldest.front().is_some_and(|&(until, _)| until <= now) {
            self.forget();
        }
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact> {
        self.again.iter().map(|(&first, &(position, until))| Fact::ToldAgain { first, position, until })
    }
}

impl Ledger {
    /// Takes in entries of the feed that a node has heard, and carries out those that were lost. Any node may tell them, in
    /// any order, however often. Returns those that the feed tells [again](News::Again), now or since another node said so.
    pub fn republish(&mut self, entries: &[Entry], now: Timestamp, facts: &mut Vec<Fact>) -> Vec<Entry> {
        self.settle(now, facts);
        entries.iter().filter_map(|entry| self.tell_again(entry, facts)).collect()
    }

    fn tell_again(&mut self, entry: &Entry, facts: &mut Vec<Fact>) -> Option<Entry> {
        let mut positions = entry.news.earlier();
        positions.push(entry.position);
        let first = positions[0];
        if let Some(position) = self.recovery.retold.position(first)
            && !self.history().lacks(position)
        {
            return self.feed.entry(position).filter(|known| known.until > self.now()).cloned();
        }
        let history = self.history();
        if !positions.iter().all(|&position| history.lacks(position)) {
            return None;
        }
        if let News::KeyRemoved(kid) = entry.news.told()
            && self.feed.removal_of(kid).is_some()
        {
            return None;
        }
        let again = News::Again(entry.position, Box::new(entry.news.clone()));
        let announced = match entry.news.told() {
            News::HandedOver(..) => return None,
            _ => self.announce(again, facts),
        };
        self.carry_out(&announced, facts);
        let until = self.now().after(REMEMBERED);
        self.recovery.retold.note(first, announced.position, until);
        facts.push(Fact::ToldAgain { first, position: announced.position, until });
        Some(announced)
    }

    /// Does what an entry says to the sessions that it hits.
    fn carry_out(&mut self, entry: &Entry, facts: &mut Vec<Fact>) {
        let hit: Vec<u32> = match entry.news.told() {
            News::Ended(session, reason) => return self.end_again(*session, *reason, facts),
            News::Floor(session, exclusive) => return self.raise(*session, *exclusive, facts),
            News::OwnerEnded(owner, ..) => {
                let place = self.store.owners.find(owner);
                place.map(|place| self.store.of_owner(place).collect()).unwrap_or_default()
            }
            News::TenantEnded(tenant, _) => {
                let place = self.store.owners.find_tenant(tenant);
                place.map(|place| self.store.of_tenant(place).collect()).unwrap_or_default()
            }
            News::EveryoneEnded(_) => self.store.iter().collect(),
            News::KeyRemoved(_) | News::HandedOver(..) | News::Again(..) => return,
        };
        let Some(ends) = crate::ends::Ends::told(entry) else { return };
        for place in hit {
            let record = self.store.record(place);
            if let Some(reason) = ends.hit(record.born, &record.id) {
                self.bury(place, reason, facts);
            }
        }
    }

    /// A session has ended, whether this registry still knows it, or will be told of it only later.
    fn end_again(&mut self, session: SessionId, reason: EndReason, facts: &mut Vec<Fact>) {
        match self.store.find(session) {
            Some(place) => self.bury(place, reason, facts),
            None if self.graves.reason(session).is_none() => self.remember(session, reason, facts),
            None => {}
        }
    }

    fn raise(&mut self, session: SessionId, exclusive: u64, facts: &mut Vec<Fact>) {
        self.recovery.retold.raise(session, exclusive);
        let Some(place) = self.store.find(session) else { return };
        if self.store.exclusive(place) < exclusive {
            self.store.set_exclusive(place, exclusive);
            self.tell(place, facts);
        }
    }

    /// Whether a session that this registry does not know may have been admitted and lost, and be restored yet.
    pub(crate) fn may_come_back(&self) -> bool {
        self.history().past.last().is_some_and(|past| self.now() <= past.until.after(RESTORABLE))
    }

    /// Takes in what a node knows to have happened, and puts back what was lost, however often it is told. A session that
    /// has ended meanwhile stays ended. While the registry recovers, a session gets back the seat that it had, if there is
    /// one left when recovery ends; later it comes without a seat, and takes one when it returns.
    pub fn restore_lost(&mut self, lost: Vec<Lost>, now: Timestamp, facts: &mut Vec<Fact>) {
        self.settle(now, facts);
        for lost in lost {
            match lost {
                Lost::Session(record) if self.may_restore(&record) => self.put_back(*record, facts),
                Lost::Session(_) => {}
                Lost::Once(id, until) => self.spend_again(id, until, facts),
            }
        }
    }

    fn may_restore(&self, record: &SessionRecord) -> bool {
        let now = self.now();
        let history = self.history();
        let fence = history.fence(record.born.epoch);
        let lost = history.may_lack(record.born.epoch, record.started_at)
            && fence.is_some_and(|past| now <= past.until.after(RESTORABLE));
        let parent = record.handed_off_from.and_then(|parent| self.graves.reason(parent));
        lost && self.store.find(record.id).is_none()
            && self.graves.reason(record.id).is_none()
            && parent != Some(EndReason::RefreshReused)
            && self.ends.hit_session(record).is_none()
            && now < record.expires_at.min(record.last_activity.after(self.rules.idle_timeout))
    }

    fn put_back(&mut self, record: SessionRecord, facts: &mut Vec<Fact>) {
        let (rules, had_seat) = (self.rules, record.seat == SeatState::Taken);
        let exclusive = record.exclusive.max(self.recovery.retold.floor(record.id));
        let record = SessionRecord { seat: SeatState::GivenUp, exclusive, ..record };
        self.store.insert(&record, |slot| due(slot, &rules));
        let (started, id) = (record.started_at, record.id);
        facts.push(Fact::Session(Box::new(record)));
        if had_seat && self.is_recovering(self.now()) {
            self.recovery.wait_for_seat(started, id);
            facts.push(Fact::Waiting(id));
        }
    }

    fn spend_again(&mut self, id: OnceId, until: Timestamp, facts: &mut Vec<Fact>) {
        if self.is_usable(id, until, None) {
            self.spend(id, until, facts);
        }
    }
}
