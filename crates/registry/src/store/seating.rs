//! Who holds a seat, and in which order they would make room.

use countersign_token::Timestamp;

use super::Store;
use super::ranks::{Rank, Ranks};
use super::session::{GIVEN_UP, HOLDS, Slot};
use super::slab::NONE;
use crate::rules::OnFull;

/// The rules that end sessions, by scope: their order is kept ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranked {
    pub(crate) tenant: Option<OnFull>,
    pub(crate) site: Option<OnFull>,
}

/// Some of the live sessions, by the place of whom they belong to.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Within {
    Owner(u32),
    Tenant(u32),
    Site,
}

impl Store {
    /// Gives a session a seat, if it has none.
    pub(crate) fn hold(&mut self, place: u32) {
        if self.slots[place].is(HOLDS) {
            return;
        }
        self.slots[place].set(HOLDS);
        self.slots[place].clear(GIVEN_UP);
        self.seats += 1;
        let owner = self.owners.get_mut(self.slots[place].owner);
        owner.seats += 1;
        let tenant = owner.tenant;
        if tenant != NONE {
            self.owners.tenant_mut(tenant).seats += 1;
        }
        self.rank(place);
    }

    /// Frees a session's seat, if it has one.
    pub(crate) fn release(&mut self, place: u32) {
        if !self.slots[place].is(HOLDS) {
            return;
        }
        self.slots[place].clear(HOLDS);
        self.seats -= 1;
        let owner = self.owners.get_mut(self.slots[place].owner);
        owner.seats -= 1;
        let tenant = owner.tenant;
        if tenant != NONE {
            self.owners.tenant_mut(tenant).seats -= 1;
        }
    }

    fn rank(&mut self, place: u32) {
        let (slot, Ranked { tenant, site }) = (&self.slots[place], self.ranked);
        if let Some(rule) = site {
            self.ranks.push(instant(slot, rule), slot.id);
        }
        let of = self.owners.get(slot.owner).tenant;
        if let Some(rule) = tenant
            && of != NONE
        {
            self.owners.tenant_mut(of).ranks.push(instant(slot, rule), slot.id);
        }
    }

    /// Says which scopes have a rule that ends sessions.
    pub(crate) fn keep_ranks(&mut self, ranked: Ranked) {
        if ranked != self.ranked {
            self.ranked = ranked;
            self.rank_anew();
        }
    }

    fn rank_anew(&mut self) {
        self.ranks = Ranks::default();
        self.owners.clear_ranks();
        let seated: Vec<u32> = self.iter().filter(|&place| self.slots[place].is(HOLDS)).collect();
        for place in seated {
            self.rank(place);
        }
    }

    /// The seat holders of a scope that make room first, but for those that leave anyway.
    pub(crate) fn first(&mut self, of: Within, need: usize, rule: OnFull, leaving: &[u32]) -> Vec<u32> {
        match of {
            Within::Owner(owner) => self.first_of_owner(owner, need, rule, leaving),
            Within::Tenant(tenant) => {
                let mut ranks = std::mem::take(&mut self.owners.tenant_mut(tenant).ranks);
                let first = self.first_of(&mut ranks, need, rule, leaving);
                self.owners.tenant_mut(tenant).ranks = ranks;
                first
            }
            Within::Site => {
                let mut ranks = std::mem::take(&mut self.ranks);
                let first = self.first_of(&mut ranks, need, rule, leaving);
                self.ranks = ranks;
                first
            }
        }
    }

    fn first_of_owner(&self, owner: u32, need: usize, rule: OnFull, leaving: &[u32]) -> Vec<u32> {
        let stays = |place: &u32| self.slots[*place].is(HOLDS) && !leaving.contains(place);
        let mut seated: Vec<u32> = self.of_owner(owner).filter(stays).collect();
        seated.sort_unstable_by_key(|&place| (instant(&self.slots[place], rule), self.slots[place].id));
        seated.truncate(need);
        seated
    }

    fn first_of(&self, ranks: &mut Ranks, need: usize, rule: OnFull, leaving: &[u32]) -> Vec<u32> {
        let first = ranks.first(need, |id| match self.find(id) {
            Some(place) if leaving.contains(&place) => Rank::Spared,
            Some(place) if self.slots[place].is(HOLDS) => Rank::At(instant(&self.slots[place], rule)),
            _ => Rank::Gone,
        });
        first.into_iter().filter_map(|id| self.find(id)).collect()
    }

    /// Throws away what the orders around an owner have gathered of sessions that are gone.
    pub(crate) fn tidy_ranks(&mut self, owner: u32) {
        let holds = |store: &Self, id| store.find(id).is_some_and(|place| store.slots[place].is(HOLDS));
        let mut ranks = std::mem::take(&mut self.ranks);
        ranks.tidy(self.seats, |id| holds(self, id));
        self.ranks = ranks;
        let tenant = self.owners.get(owner).tenant;
        if tenant != NONE {
            let seats = self.owners.tenant(tenant).seats;
            let mut ranks = std::mem::take(&mut self.owners.tenant_mut(tenant).ranks);
            ranks.tidy(seats, |id| holds(self, id));
            self.owners.tenant_mut(tenant).ranks = ranks;
        }
    }
}

/// The instant that decides who makes room first.
fn instant(slot: &Slot, rule: OnFull) -> Timestamp {
    if rule == OnFull::EndOldest { slot.started } else { slot.activity }
}
