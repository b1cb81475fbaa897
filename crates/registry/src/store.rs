//! The live sessions and their indexes, compact. No rules: those are the ledger's.

mod family;
mod owners;
mod ranks;
mod seating;
mod session;
mod slab;
mod text;
mod wheel;

use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashTable};

use self::owners::Owners;
use self::ranks::Ranks;
pub(crate) use self::seating::{Ranked, Within};
use self::session::LoginKeys;
pub(crate) use self::session::{EXTRA, Extra, GIVEN_UP, HOLDS, KEYED, Slot};
pub(crate) use self::slab::NONE;
use self::slab::{Slab, walk};
use self::text::Faces;
pub(crate) use self::wheel::LATEST;
use self::wheel::Wheel;
use crate::op::{Counts, Digest, Owner, SeatState, SessionRecord};

/// Holds the live sessions, as many as are admitted: limits bound them, and memory where there is no limit. (At
/// 10 million, 88 bytes each, 9 for the look-up by id, about 60 for an owner.)
#[derive(Debug, Default)]
pub(crate) struct Store {
    slots: Slab<Slot>,
    ids: HashTable<u32>,
    extras: HashMap<u32, Box<Extra>, FixedState>,
    login_keys: LoginKeys,
    /// Sessions that were handed off, by the one they came from.
    children: HashMap<SessionId, Vec<SessionId>, FixedState>,
    /// The epochs in which live sessions were born. One beyond 2^16 is an extra of its session.
    epochs: Vec<u64>,
    faces: Faces,
    pub(crate) owners: Owners,
    wheel: Wheel,
    seats: u32,
    ranks: Ranks,
    /// Which scopes have a rule that ends sessions, and which sessions it ends first.
    ranked: Ranked,
}

impl Store {
    pub(crate) fn find(&self, id: SessionId) -> Option<u32> {
        self.ids.find(hash(id), |&place| self.slots[place].id == id).copied()
    }

    pub(crate) fn get(&self, place: u32) -> &Slot {
        &self.slots[place]
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut Slot {
        &mut self.slots[place]
    }

    /// All live sessions.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> {
        self.slots.iter().filter(|(_, slot)| slot.lives()).map(|(place, _)| place)
    }

    /// The live sessions of an owner.
    pub(crate) fn of_owner(&self, owner: u32) -> impl Iterator<Item = u32> {
        walk(self.owners.get(owner).first, |place| self.slots[place].own_after)
    }

    /// The live sessions of a tenant.
    pub(crate) fn of_tenant(&self, tenant: u32) -> impl Iterator<Item = u32> {
        self.owners.of_tenant(tenant).flat_map(|owner| self.of_owner(owner))
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { sessions: self.ids.len() as u64, seats: self.seats.into() }
    }

    /// Puts a session in, without a seat, to be looked at when `due` says.
    pub(crate) fn insert(&mut self, record: &SessionRecord, due: impl FnOnce(&Slot) -> Timestamp) -> u32 {
        let owner = self.owners.enter(&record.owner);
        let face = self.faces.share((record.methods.clone(), record.device.clone()));
        let epoch = self.epoch(record.born.epoch);
        let place = self.slots.insert(Slot {
            id: record.id,
            started: record.started_at,
            expires: record.expires_at,
            owner,
            face,
            own_after: self.owners.get(owner).first,
            epoch,
            born_seq: record.born.seq,
            ..Slot::default()
        });
        self.write(place, record);
        let slots = &self.slots;
        self.ids.insert_unique(hash(record.id), place, |&place| hash(slots[place].id));
        if let Some(parent) = record.handed_off_from {
            self.children.entry(parent).or_default().push(record.id);
        }
        self.join_owner(place, owner);
        let due = due(&self.slots[place]);
        self.wheel.place(&mut self.slots, place, due.as_millis());
        place
    }

    /// Writes what can change in a session, and what few have.
    fn write(&mut self, place: u32, record: &SessionRecord) {
        let slot = &mut self.slots[place];
        slot.activity = record.last_activity;
        slot.current = record.current.to_bits();
        slot.exclusive = record.exclusive as u32;
        if record.seat == SeatState::GivenUp {
            slot.set(GIVEN_UP);
        }
        let epoch = (self.slots[place].epoch == u16::MAX).then_some(record.born.epoch);
        self.set_extra(
            place,
            Extra {
                auth_time: (record.auth_time != record.started_at).then_some(record.auth_time),
                last_update: record.last_update.clone(),
                handed_off_from: record.handed_off_from,
                exclusive_high: (record.exclusive >> 32) as u32,
                epoch,
            },
        );
        if let Some(key) = record.login_key {
            self.slots[place].set(KEYED);
            self.login_keys.insert(place, key);
        }
    }

    fn join_owner(&mut self, place: u32, owner: u32) {
        let entry = self.owners.get_mut(owner);
        let first = std::mem::replace(&mut entry.first, place);
        entry.sessions += 1;
        let tenant = entry.tenant;
        if first != NONE {
            self.slots[first].own_before = place;
        }
        if tenant != NONE {
            self.owners.tenant_mut(tenant).sessions += 1;
        }
    }

    /// Takes a session out, and frees its seat.
    pub(crate) fn remove(&mut self, place: u32) {
        self.release(place);
        self.wheel.remove(&mut self.slots, place);
        self.forget(place);
    }

    /// Takes a session out that is not in the wheel.
    fn forget(&mut self, place: u32) {
        if let Some(parent) = self.extra(place).and_then(|extra| extra.handed_off_from) {
            self.disown(parent, self.slots[place].id);
        }
        let slot = self.slots.remove(place);
        if let Ok(found) = self.ids.find_entry(hash(slot.id), |&other| other == place) {
            found.remove();
        }
        if slot.is(EXTRA) {
            self.extras.remove(&place);
        }
        if slot.is(KEYED) {
            self.login_keys.remove(&place);
        }
        self.faces.drop(slot.face);
        self.leave_owner(&slot);
    }

    fn leave_owner(&mut self, slot: &Slot) {
        if slot.own_after != NONE {
            self.slots[slot.own_after].own_before = slot.own_before;
        }
        match slot.own_before {
            NONE => self.owners.get_mut(slot.owner).first = slot.own_after,
            before => self.slots[before].own_after = slot.own_after,
        }
        let entry = self.owners.get_mut(slot.owner);
        entry.sessions -= 1;
        if entry.tenant != NONE {
            let tenant = entry.tenant;
            self.owners.tenant_mut(tenant).sessions -= 1;
        }
        self.owners.leave(slot.owner);
    }

    /// The next session whose time may have come by `now`, and the instant to judge it by. It must be
    /// [placed](Store::wake) again or [buried](Store::drop_woken).
    pub(crate) fn pop(&mut self, now: Timestamp) -> Option<(u32, Timestamp)> {
        let place = self.wheel.pop(&mut self.slots, now.as_millis())?;
        Some((place, Timestamp::from_millis(self.wheel.elapsed())))
    }

    /// Asks for a look at a session that was popped.
    pub(crate) fn wake(&mut self, place: u32, due: Timestamp) {
        self.wheel.place(&mut self.slots, place, due.as_millis());
    }

    /// Takes a session out that was popped.
    pub(crate) fn drop_woken(&mut self, place: u32) {
        self.release(place);
        self.forget(place);
    }

    /// Asks for a look at a session that is in the wheel.
    pub(crate) fn wake_at(&mut self, place: u32, due: Timestamp) {
        self.wheel.remove(&mut self.slots, place);
        self.wake(place, due);
    }

    /// All sessions whose time had come by `now` have been popped.
    pub(crate) fn finish(&mut self, now: Timestamp) {
        self.wheel.finish(now.as_millis());
    }

    /// Asks for a look at every session anew, since the rules changed.
    pub(crate) fn wake_all(&mut self, due: impl Fn(&Slot) -> Timestamp) {
        let places: Vec<u32> = self.iter().collect();
        for place in places {
            self.wheel.remove(&mut self.slots, place);
            let due = due(&self.slots[place]);
            self.wheel.place(&mut self.slots, place, due.as_millis());
        }
    }

    pub(crate) fn extra(&self, place: u32) -> Option<&Extra> {
        let slot = &self.slots[place];
        if slot.is(EXTRA) { self.extras.get(&place).map(|extra| &**extra) } else { None }
    }

    pub(crate) fn set_extra(&mut self, place: u32, extra: Extra) {
        if extra == Extra::default() {
            if self.slots[place].is(EXTRA) {
                self.extras.remove(&place);
                self.slots[place].clear(EXTRA);
            }
        } else {
            self.slots[place].set(EXTRA);
            self.extras.insert(place, Box::new(extra));
        }
    }

    pub(crate) fn login_key(&self, place: u32) -> Option<Digest> {
        if self.slots[place].is(KEYED) { self.login_keys.get(&place).copied() } else { None }
    }

    pub(crate) fn exclusive(&self, place: u32) -> u64 {
        let high = self.extra(place).map_or(0, |extra| extra.exclusive_high);
        u64::from(high) << 32 | u64::from(self.slots[place].exclusive)
    }

    pub(crate) fn set_exclusive(&mut self, place: u32, exclusive: u64) {
        let mut extra = self.extra(place).cloned().unwrap_or_default();
        extra.exclusive_high = (exclusive >> 32) as u32;
        self.set_extra(place, extra);
        self.slots[place].exclusive = exclusive as u32;
    }

    pub(crate) fn owner_of(&self, place: u32) -> Owner {
        self.owners.name(self.slots[place].owner)
    }

    /// A session as operations tell of it.
    pub(crate) fn record(&self, place: u32) -> SessionRecord {
        let slot = &self.slots[place];
        let (methods, device) = self.faces.get(slot.face);
        let none = Extra::default();
        let extra = self.extra(place).unwrap_or(&none);
        let epoch = extra.epoch.or_else(|| self.epochs.get(usize::from(slot.epoch)).copied());
        SessionRecord {
            id: slot.id,
            owner: self.owners.name(slot.owner),
            started_at: slot.started,
            auth_time: extra.auth_time.unwrap_or(slot.started),
            methods,
            device,
            expires_at: slot.expires,
            last_activity: slot.activity,
            seat: if slot.is(GIVEN_UP) { SeatState::GivenUp } else { SeatState::Taken },
            born: FeedPosition { epoch: epoch.unwrap_or_default(), seq: slot.born_seq },
            current: RotationId::from_bits(slot.current),
            exclusive: self.exclusive(place),
            last_update: extra.last_update.clone(),
            login_key: self.login_key(place),
            handed_off_from: extra.handed_off_from,
        }
    }

    /// The place of an epoch, or [`u16::MAX`] if there are too many.
    fn epoch(&mut self, epoch: u64) -> u16 {
        // Nearly all sessions are of the latest epoch.
        let known = self.epochs.iter().rposition(|&known| known == epoch);
        let place = known.unwrap_or(self.epochs.len());
        match u16::try_from(place) {
            Ok(place) if place != u16::MAX => {
                if known.is_none() {
                    self.epochs.push(epoch);
                }
                place
            }
            _ => u16::MAX,
        }
    }
}

/// Ids are random, and none is drawn by an attacker: a fast hash with a fixed seed is enough.
fn hash(id: SessionId) -> u64 {
    use std::hash::BuildHasher as _;
    FixedState::default().hash_one(id)
}
