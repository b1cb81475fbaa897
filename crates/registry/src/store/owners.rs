//! Owners and tenants: whose sessions there are, and how many seats they hold.

use std::hash::BuildHasher as _;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashTable};

use super::ranks::Ranks;
use super::slab::{NONE, Slab, walk};
use super::text::Text;
use crate::op::{Counts, Owner};

/// Holds each owner of a live session once, and each tenant of those: at most as many as there are sessions.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    entries: Slab<OwnerEntry>,
    places: HashTable<u32>,
    hasher: RandomState,
    tenants: Slab<TenantEntry>,
    tenant_places: HashMap<Arc<str>, u32, RandomState>,
}

/// An owner of live sessions.
#[derive(Debug)]
pub(crate) struct OwnerEntry {
    subject: Text,
    pub(crate) tenant: u32,
    pub(crate) first: u32,
    pub(crate) sessions: u32,
    pub(crate) seats: u32,
    before: u32,
    after: u32,
}

impl Default for OwnerEntry {
    fn default() -> Self {
        Self {
            subject: Text::default(),
            tenant: NONE,
            first: NONE,
            sessions: 0,
            seats: 0,
            before: NONE,
            after: NONE,
        }
    }
}

impl OwnerEntry {
    pub(crate) fn counts(&self) -> Counts {
        Counts { sessions: self.sessions.into(), seats: self.seats.into() }
    }
}

/// A tenant that has owners.
#[derive(Debug, Default)]
pub(crate) struct TenantEntry {
    name: Arc<str>,
    first: u32,
    owners: u32,
    pub(crate) sessions: u32,
    pub(crate) seats: u32,
    pub(crate) ranks: Ranks,
}

impl TenantEntry {
    pub(crate) fn name(&self) -> &Arc<str> {
        &self.name
    }

    pub(crate) fn counts(&self) -> Counts {
        Counts { sessions: self.sessions.into(), seats: self.seats.into() }
    }
}

impl Owners {
    pub(crate) fn find(&self, owner: &Owner) -> Option<u32> {
        let tenant = match &owner.tenant {
            Some(name) => self.find_tenant(name)?,
            None => NONE,
        };
        let same = |&place: &u32| {
            let entry = &self.entries[place];
            entry.tenant == tenant && entry.subject.as_str() == &*owner.subject
        };
        self.places.find(self.hash(tenant, &owner.subject), same).copied()
    }

    pub(crate) fn find_tenant(&self, name: &str) -> Option<u32> {
        self.tenant_places.get(name).copied()
    }

    /// The owner's place, made if there was none.
    pub(crate) fn enter(&mut self, owner: &Owner) -> u32 {
        if let Some(place) = self.find(owner) {
            return place;
        }
        let tenant = owner.tenant.as_ref().map_or(NONE, |name| self.enter_tenant(name));
        let place = self.entries.insert(OwnerEntry {
            subject: (&*owner.subject).into(),
            tenant,
            ..Default::default()
        });
        let hash = self.hash(tenant, &owner.subject);
        let Self { places, entries, hasher, .. } = self;
        places.insert_unique(hash, place, |&place| {
            hasher.hash_one((entries[place].tenant, entries[place].subject.as_str()))
        });
        self.link(place, tenant);
        place
    }

    fn enter_tenant(&mut self, name: &Arc<str>) -> u32 {
        if let Some(place) = self.find_tenant(name) {
            return place;
        }
        let entry = TenantEntry { name: name.clone(), first: NONE, ..Default::default() };
        let place = self.tenants.insert(entry);
        self.tenant_places.insert(name.clone(), place);
        place
    }

    fn link(&mut self, place: u32, tenant: u32) {
        if tenant == NONE {
            return;
        }
        let after = std::mem::replace(&mut self.tenants[tenant].first, place);
        self.tenants[tenant].owners += 1;
        self.entries[place].after = after;
        if after != NONE {
            self.entries[after].before = place;
        }
    }

    /// Forgets an owner without sessions, and a tenant without owners.
    pub(crate) fn leave(&mut self, place: u32) {
        if self.entries[place].sessions > 0 {
            return;
        }
        let hash = self.hash(self.entries[place].tenant, self.entries[place].subject.as_str());
        if let Ok(found) = self.places.find_entry(hash, |&other| other == place) {
            found.remove();
        }
        let OwnerEntry { tenant, before, after, .. } = self.entries.remove(place);
        if tenant == NONE {
            return;
        }
        if after != NONE {
            self.entries[after].before = before;
        }
        match before {
            NONE => self.tenants[tenant].first = after,
            before => self.entries[before].after = after,
        }
        self.tenants[tenant].owners -= 1;
        if self.tenants[tenant].owners == 0 {
            let entry = self.tenants.remove(tenant);
            self.tenant_places.remove(&entry.name);
        }
    }

    pub(crate) fn get(&self, place: u32) -> &OwnerEntry {
        &self.entries[place]
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> &mut OwnerEntry {
        &mut self.entries[place]
    }

    pub(crate) fn tenant(&self, place: u32) -> &TenantEntry {
        &self.tenants[place]
    }

    pub(crate) fn tenant_mut(&mut self, place: u32) -> &mut TenantEntry {
        &mut self.tenants[place]
    }

    /// An owner as operations name them.
    pub(crate) fn name(&self, place: u32) -> Owner {
        let entry = &self.entries[place];
        let tenant = (entry.tenant != NONE).then(|| self.tenants[entry.tenant].name.clone());
        Owner { tenant, subject: entry.subject.as_str().into() }
    }

    /// The owners of this name, in whatever tenant: one look-up for each tenant.
    pub(crate) fn of_subject(&self, subject: &Arc<str>) -> Vec<u32> {
        let tenants = self.tenant_places.keys().cloned().map(Some);
        let owner = |tenant| Owner { tenant, subject: subject.clone() };
        tenants.chain([None]).filter_map(|tenant| self.find(&owner(tenant))).collect()
    }

    /// How many places of owners there are, the free ones too.
    pub(crate) fn places(&self) -> usize {
        self.entries.places()
    }

    pub(crate) fn tenant_places(&self) -> usize {
        self.tenants.places()
    }

    /// The tenant of an owner.
    pub(crate) fn tenant_of(&self, owner: u32) -> Option<u32> {
        Some(self.entries[owner].tenant).filter(|&tenant| tenant != NONE)
    }

    /// The owners of a tenant.
    pub(crate) fn of_tenant(&self, tenant: u32) -> impl Iterator<Item = u32> {
        walk(self.tenants[tenant].first, |place| self.entries[place].after)
    }

    /// Forgets the order in which each tenant's sessions would make room.
    pub(crate) fn clear_ranks(&mut self) {
        let places: Vec<u32> = self.tenant_places.values().copied().collect();
        for place in places {
            self.tenants[place].ranks = Ranks::default();
        }
    }

    fn hash(&self, tenant: u32, subject: &str) -> u64 {
        self.hasher.hash_one((tenant, subject))
    }
}
