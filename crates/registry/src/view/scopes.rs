//! Ends by scope: an owner's, a tenant's, everyone's. They hit the sessions that were born before them.

use std::hash::{BuildHasher, Hash};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arc_swap::ArcSwapOption;
use countersign_token::{FeedPosition, SessionId, Timestamp};
use dashmap::DashMap;
use dashmap::mapref::entry::Entry as Slot;
use foldhash::fast::RandomState;

use super::Question;
use crate::fact::{EndReason, Entry};
use crate::op::Owner;

/// The ends by scope; the caller gives the bound of owners and tenants, and one too many ends everyone.
#[derive(Debug)]
pub(super) struct Scopes {
    owners: Named<Owner>,
    tenants: Named<Arc<str>>,
    everyone: Everyone,
}

impl Scopes {
    pub(super) fn new() -> Self {
        Self { owners: Named::new(), tenants: Named::new(), everyone: Everyone::default() }
    }

    /// Why the session has ended, if an end by scope hits it.
    #[inline]
    pub(super) fn hit(&self, question: &Question<'_>) -> Option<EndReason> {
        let Question { session, born, subject, tenant, .. } = *question;
        let same_owner = |owner: &Owner| *owner.subject == *subject && owner.tenant.as_deref() == tenant;
        let by_owner = self.owners.find((tenant, subject), same_owner, |ends| ends.hit(born, session));
        let by_tenant = || {
            let tenant = tenant?;
            self.tenants.find(tenant, |known| **known == *tenant, |ends| ends.hit(born, session))
        };
        by_owner.or_else(by_tenant).or_else(|| self.everyone.hit(born, session))
    }

    pub(super) fn end_owner(
        &self,
        owner: &Owner,
        except: Option<SessionId>,
        reason: EndReason,
        entry: &Entry,
        bound: usize,
    ) {
        let key = (owner.tenant.as_deref(), &*owner.subject);
        if !self.owners.add(key, owner, Ends::of(entry, except, reason), bound) {
            self.collapse(entry);
        }
    }

    pub(super) fn end_tenant(&self, tenant: &Arc<str>, reason: EndReason, entry: &Entry, bound: usize) {
        if !self.tenants.add(&**tenant, tenant, Ends::of(entry, None, reason), bound) {
            self.collapse(entry);
        }
    }

    pub(super) fn end_everyone(&self, reason: EndReason, entry: &Entry) {
        self.everyone.add(Ends::of(entry, None, reason));
    }

    /// Where there is no room for an entry: everyone born before it has ended, whom it concerns among them.
    pub(super) fn collapse(&self, entry: &Entry) {
        self.end_everyone(EndReason::EndedByAdmin, entry);
    }

    pub(super) fn expire(&self, now: Timestamp) {
        self.owners.expire(now);
        self.tenants.expire(now);
        self.everyone.expire(now);
    }

    pub(super) fn len(&self) -> usize {
        self.owners.len() + self.tenants.len() + self.everyone.len()
    }
}

/// Ends by name: found by the name's hash, then compared in full. A look-up in an empty one reads a counter.
#[derive(Debug)]
struct Named<N> {
    by_hash: DashMap<u64, Vec<(N, Ends)>, RandomState>,
    len: AtomicUsize,
}

impl<N: Clone + PartialEq> Named<N> {
    fn new() -> Self {
        Self { by_hash: DashMap::default(), len: AtomicUsize::new(0) }
    }

    #[inline]
    fn find<R>(
        &self,
        key: impl Hash,
        same: impl Fn(&N) -> bool,
        read: impl Fn(&Ends) -> Option<R>,
    ) -> Option<R> {
        if self.len() == 0 {
            return None;
        }
        let named = self.by_hash.get(&self.by_hash.hasher().hash_one(key))?;
        read(&named.iter().find(|(name, _)| same(name))?.1)
    }

    /// Adds ends under a name. `false`: there is no room for another name.
    fn add(&self, key: impl Hash, name: &N, ends: Ends, bound: usize) -> bool {
        let mut slot = self.by_hash.entry(self.by_hash.hasher().hash_one(key));
        if let Slot::Occupied(slot) = &mut slot
            && let Some((_, known)) = slot.get_mut().iter_mut().find(|(known, _)| known == name)
        {
            *known = known.merge(ends);
            return true;
        }
        if self.len() >= bound {
            return false;
        }
        // Counted while the slot is locked: an expiry cannot take away what was not counted yet.
        let mut named = slot.or_default();
        named.push((name.clone(), ends));
        self.len.fetch_add(1, Ordering::SeqCst);
        true
    }

    fn expire(&self, now: Timestamp) {
        if self.len() == 0 {
            return;
        }
        self.by_hash.retain(|_, named| {
            let before = named.len();
            named.retain(|(_, ends)| !ends.due(now));
            self.len.fetch_sub(before - named.len(), Ordering::SeqCst);
            !named.is_empty()
        });
    }

    fn len(&self) -> usize {
        self.len.load(Ordering::SeqCst)
    }
}

/// The ends of everyone. A look-up while there are none reads a counter.
#[derive(Debug, Default)]
struct Everyone {
    ends: ArcSwapOption<Ends>,
    /// Not 0 while there are ends.
    added: AtomicUsize,
}

impl Everyone {
    #[inline]
    fn hit(&self, born: FeedPosition, session: &SessionId) -> Option<EndReason> {
        if self.added.load(Ordering::SeqCst) == 0 {
            return None;
        }
        self.ends.load().as_ref()?.hit(born, session)
    }

    fn add(&self, more: Ends) {
        self.ends.rcu(|known| Some(Arc::new(known.as_ref().map_or(more, |known| known.merge(more)))));
        self.added.fetch_add(1, Ordering::SeqCst);
    }

    fn expire(&self, now: Timestamp) {
        let added = self.added.load(Ordering::SeqCst);
        if self.ends.load().as_ref().is_none_or(|ends| !ends.due(now)) {
            return;
        }
        self.ends.rcu(|ends| ends.as_ref().filter(|ends| !ends.due(now)).map(Arc::clone));
        if self.ends.load().is_none() {
            // Ends that were added meanwhile have raised the counter, or are about to.
            let _ = self.added.compare_exchange(added, 0, Ordering::SeqCst, Ordering::SeqCst);
        }
    }

    fn len(&self) -> usize {
        usize::from(self.ends.load().is_some())
    }
}

/// All ends of one scope in two: the last, and the last of those that spare another session than it (or none).
///
/// Whom any of them hits is hit by one of the two, so however often a user ends their other sessions, it stays
/// this small. They are kept until the last of them expires: who was ended stays ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    last: ScopeEnd,
    other: Option<ScopeEnd>,
    until: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ScopeEnd {
    position: FeedPosition,
    except: Option<SessionId>,
    reason: EndReason,
}

impl Ends {
    fn of(entry: &Entry, except: Option<SessionId>, reason: EndReason) -> Self {
        let last = ScopeEnd { position: entry.position, except, reason };
        Self { last, other: None, until: entry.until }
    }

    fn hit(&self, born: FeedPosition, session: &SessionId) -> Option<EndReason> {
        let hits = |end: &ScopeEnd| born < end.position && end.except != Some(*session);
        let other = self.other.filter(hits).map(|end| end.reason);
        if hits(&self.last) { Some(self.last.reason) } else { other }
    }

    fn merge(self, more: Self) -> Self {
        let until = self.until.max(more.until);
        let mut ends = Self { until, ..self };
        for end in std::iter::once(more.last).chain(more.other) {
            ends.take(end);
        }
        ends
    }

    fn take(&mut self, end: ScopeEnd) {
        if end.position > self.last.position {
            if end.except != self.last.except {
                self.other = Some(self.last);
            }
            self.last = end;
        } else if end.except != self.last.except && self.other.is_none_or(|o| o.position < end.position) {
            self.other = Some(end);
        }
    }

    fn due(&self, now: Timestamp) -> bool {
        self.until <= now && self.until != Timestamp::MAX
    }
}
