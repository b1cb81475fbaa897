//! Seats: who has one, who gets one, and who makes room.

use std::time::Duration;

use countersign_token::Timestamp;

use crate::ledger::Ledger;
use crate::op::{Full, SessionRecord};
use crate::rules::{Limit, Limits, OnFull, Scope};
use crate::store::{HOLDS, NONE, Store, Within};

/// How many sessions a scope may have for a refusal to say when its next seat falls free: they are all looked at.
const LOOKED_AT: u64 = 1024;
/// How many of their own sessions a person can choose from.
const OWN: usize = 256;

/// Where a session sits or would sit: its owner and tenant, as far as they have live sessions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    owner: u32,
    tenant: u32,
    /// Whether the tenant scope concerns it, also where the tenant has no live session yet.
    has_tenant: bool,
}

impl Place {
    /// That of a live session.
    pub(crate) fn of(store: &Store, place: u32) -> Self {
        let owner = store.get(place).owner;
        let tenant = store.owners.get(owner).tenant;
        Self { owner, tenant, has_tenant: tenant != NONE }
    }

    /// That of a newcomer.
    pub(crate) fn for_newcomer(store: &Store, owner: &crate::Owner) -> Self {
        let tenant = owner.tenant.as_ref().and_then(|name| store.owners.find_tenant(name));
        Self {
            owner: store.owners.find(owner).unwrap_or(NONE),
            tenant: tenant.unwrap_or(NONE),
            has_tenant: owner.tenant.is_some(),
        }
    }

    fn counts_in(self, store: &Store, place: u32, scope: Scope) -> bool {
        let owner = store.get(place).owner;
        match scope {
            Scope::User => owner == self.owner,
            Scope::Tenant => self.tenant != NONE && store.owners.get(owner).tenant == self.tenant,
            Scope::Site => true,
        }
    }

    fn within(self, scope: Scope) -> Within {
        match scope {
            Scope::User => Within::Owner(self.owner),
            Scope::Tenant => Within::Tenant(self.tenant),
            Scope::Site => Within::Site,
        }
    }

    fn seats(self, store: &Store, scope: Scope) -> u64 {
        match scope {
            Scope::User if self.owner != NONE => store.owners.get(self.owner).counts().seats,
            Scope::Tenant if self.tenant != NONE => store.owners.tenant(self.tenant).counts().seats,
            Scope::Site => store.counts().seats,
            _ => 0,
        }
    }
}

/// The limits that concern a session, the narrowest first.
fn concerning(limits: Limits, at: Place) -> impl Iterator<Item = (Scope, Limit)> {
    let tenant = limits.tenant.filter(|_| at.has_tenant);
    [(Scope::User, limits.user), (Scope::Tenant, tenant), (Scope::Site, limits.site)]
        .into_iter()
        .filter_map(|(scope, limit)| limit.map(|limit| (scope, limit)))
}

impl Ledger {
    /// Plans a newcomer's seat in all scopes, without those who leave anyway: who must make room, or why there is none.
    /// Nothing has happened yet.
    pub(crate) fn plan(&mut self, at: Place, leaving: &[u32]) -> Result<Vec<u32>, Full> {
        let mut gone = leaving.to_vec();
        for (scope, limit) in concerning(self.rules.limits, at) {
            let in_use = self.in_use(at, scope, &gone);
            if in_use < limit.seats.into() {
                continue;
            }
            // A closed door is no reason to end anyone.
            if limit.seats == 0 || matches!(limit.on_full, OnFull::Refuse | OnFull::Ask) {
                return Err(self.full(at, scope, limit, in_use));
            }
            let need = in_use as usize + 1 - limit.seats as usize;
            let first = self.store.first(at.within(scope), need, limit.on_full, &gone);
            gone.extend(first);
        }
        Ok(gone.split_off(leaving.len()))
    }

    /// Whether a session that comes back finds a seat in all scopes. It never ends another.
    pub(crate) fn free_seat(&self, at: Place) -> Result<(), Full> {
        let full = concerning(self.rules.limits, at)
            .map(|(scope, limit)| (scope, limit, at.seats(&self.store, scope)))
            .find(|(_, limit, in_use)| *in_use >= limit.seats.into());
        full.map_or(Ok(()), |(scope, limit, in_use)| Err(self.full(at, scope, limit, in_use)))
    }

    fn in_use(&self, at: Place, scope: Scope, gone: &[u32]) -> u64 {
        let seated =
            |place: &&u32| self.store.get(**place).is(HOLDS) && at.counts_in(&self.store, **place, scope);
        at.seats(&self.store, scope) - gone.iter().filter(seated).count() as u64
    }

    fn full(&self, at: Place, scope: Scope, limit: Limit, in_use: u64) -> Full {
        Full {
            scope,
            limit: limit.seats,
            in_use,
            on_full: limit.on_full,
            retry_after: self.next_free(at, scope, limit, in_use),
            own: if limit.on_full == OnFull::Ask { self.own(at) } else { Vec::new() },
            position: self.position(),
            at: self.now(),
        }
    }

    /// When so many seats will have fallen free that one is left, if nobody did anything.
    fn next_free(&self, at: Place, scope: Scope, limit: Limit, in_use: u64) -> Option<Duration> {
        let mut free: Vec<Timestamp> = match scope {
            Scope::User if at.owner != NONE => self.free_at(self.store.of_owner(at.owner)),
            Scope::Tenant
                if at.tenant != NONE
                    && self.store.owners.tenant(at.tenant).counts().sessions <= LOOKED_AT =>
            {
                self.free_at(self.store.of_tenant(at.tenant))
            }
            Scope::Site if self.store.counts().sessions <= LOOKED_AT => self.free_at(self.store.iter()),
            _ => return None,
        };
        free.sort_unstable();
        let needed = usize::try_from(in_use + 1 - u64::from(limit.seats)).ok().filter(|_| limit.seats > 0)?;
        free.get(needed - 1).map(|at| at.since(self.now()))
    }

    fn free_at(&self, places: impl Iterator<Item = u32>) -> Vec<Timestamp> {
        let seated = places.map(|place| self.store.get(place)).filter(|slot| slot.is(HOLDS));
        seated.map(|slot| crate::ledger::due(slot, &self.rules)).collect()
    }

    fn own(&self, at: Place) -> Vec<SessionRecord> {
        if at.owner == NONE {
            return Vec::new();
        }
        let mut own: Vec<u32> =
            self.store.of_owner(at.owner).filter(|&place| self.store.get(place).is(HOLDS)).collect();
        own.sort_unstable_by_key(|&place| (self.store.get(place).activity, self.store.get(place).id));
        own.truncate(OWN);
        own.into_iter().map(|place| self.store.record(place)).collect()
    }
}
