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
use crate::ends::Ends;
use crate::fact::{EndReason, Entry, News};
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

    /// Takes in an entry, if it is an end by scope. The caller gives the bound of owners and tenants.
    pub(super) fn end(&self, entry: &Entry, bound: usize) {
        let Some(ends) = Ends::told(entry) else { return };
        let kept = Kept { ends, until: entry.until };
        let fits = match entry.news.told() {
            News::OwnerEnded(owner, ..) => {
                self.owners.add((owner.tenant.as_deref(), &*owner.subject), owner, kept, bound)
            }
            News::TenantEnded(tenant, _) => self.tenants.add(&**tenant, tenant, kept, bound),
            _ => {
                self.everyone.add(&kept);
                true
            }
        };
        if !fits {
            self.collapse(entry);
        }
    }

    /// Where there is no room for an entry: everyone born before it has ended, whom it concerns among them.
    pub(super) fn collapse(&self, entry: &Entry) {
        let ends = Ends::before(entry, EndReason::EndedByAdmin);
        self.everyone.add(&Kept { ends, until: entry.until });
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
    by_hash: DashMap<u64, Vec<(N, Kept)>, RandomState>,
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
        read: impl Fn(&Kept) -> Option<R>,
    ) -> Option<R> {
        if self.len() == 0 {
            return None;
        }
        let named = self.by_hash.get(&self.by_hash.hasher().hash_one(key))?;
        read(&named.iter().find(|(name, _)| same(name))?.1)
    }

    /// Adds ends under a name. `false`: there is no room for another name.
    fn add(&self, key: impl Hash, name: &N, kept: Kept, bound: usize) -> bool {
        let mut slot = self.by_hash.entry(self.by_hash.hasher().hash_one(key));
        if let Slot::Occupied(slot) = &mut slot
            && let Some((_, known)) = slot.get_mut().iter_mut().find(|(known, _)| known == name)
        {
            *known = known.clone().merge(kept);
            return true;
        }
        if self.len() >= bound {
            return false;
        }
        // Counted while the slot is locked: an expiry cannot take away what was not counted yet.
        let mut named = slot.or_default();
        named.push((name.clone(), kept));
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
    ends: ArcSwapOption<Kept>,
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

    fn add(&self, more: &Kept) {
        self.ends.rcu(|known| {
            let more = more.clone();
            Some(Arc::new(match known {
                Some(known) => Kept::clone(known).merge(more),
                None => more,
            }))
        });
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

/// The ends of one scope. They are kept until the last of them expires: who was ended stays ended.
#[derive(Clone, Debug)]
struct Kept {
    ends: Ends,
    until: Timestamp,
}

impl Kept {
    fn hit(&self, born: FeedPosition, session: &SessionId) -> Option<EndReason> {
        self.ends.hit(born, session)
    }

    fn merge(self, more: Self) -> Self {
        Self { ends: self.ends.merge(more.ends), until: self.until.max(more.until) }
    }

    fn due(&self, now: Timestamp) -> bool {
        self.until <= now && self.until != Timestamp::MAX
    }
}
