//! What a ledger remembers of the past: why sessions ended, which ends by scope there were, which were carried out.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use foldhash::quality::RandomState;
use hashbrown::HashMap;
use hashbrown::hash_map::Entry as Slot;

use crate::ends::Ends;
use crate::fact::{EndReason, Entry, Fact, News};
use crate::feed::Feed;
use crate::op::{OpId, Owner, SessionRecord};

/// How long a one-time code that belongs to an owner may live, at most: so long is an end by owner, tenant or site
/// remembered that such a code dies with.
pub const CODE_LIFE: Duration = Duration::from_mins(15);
/// How long the end of a session is remembered with its reason.
const REASON_LIFE: Duration = Duration::from_hours(24);
const REASONS: usize = 1 << 20;
/// How long an end can be repeated under its id.
pub(crate) const REPEATABLE: Duration = Duration::from_hours(1);
const REPEATS: usize = 1 << 16;

/// Why sessions ended, for 24 h, of the last 2^20 of them. Full, it forgets the oldest: their reason is unknown then,
/// and they have ended all the same.
#[derive(Debug, Default)]
pub(crate) struct Graves {
    reasons: HashMap<SessionId, EndReason, RandomState>,
    oldest: VecDeque<(Timestamp, SessionId)>,
}

impl Graves {
    pub(crate) fn reason(&self, id: SessionId) -> Option<EndReason> {
        self.reasons.get(&id).copied()
    }

    pub(crate) fn dig(&mut self, id: SessionId, reason: EndReason, at: Timestamp) {
        if self.reasons.insert(id, reason).is_none() {
            self.oldest.push_back((at, id));
            self.bound();
        }
    }

    fn bound(&mut self) {
        if self.oldest.len() > REASONS {
            self.forget();
        }
    }

    fn forget(&mut self) {
        if let Some((_, id)) = self.oldest.pop_front() {
            self.reasons.remove(&id);
        }
    }

    /// A log may remember them in any order.
    pub(crate) fn recalled(&mut self) {
        self.oldest.make_contiguous().sort_unstable();
    }

    pub(crate) fn settle(&mut self, now: Timestamp) {
        while self.oldest.front().is_some_and(|(at, _)| at.after(REASON_LIFE) <= now) {
            self.forget();
        }
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact> {
        let reason = |id| self.reason(id).unwrap_or(EndReason::Expired);
        self.oldest.iter().map(move |&(at, session)| Fact::Gone { session, reason: reason(session), at })
    }
}

/// The ends by owner, tenant and site that a one-time code, or a session that is restored, could have died with: those of
/// the last [entry life](crate::Rules::entry_life) and 15 minutes, however many somebody asked for.
#[derive(Debug, Default)]
pub(crate) struct PastEnds {
    kept: VecDeque<Entry>,
    owners: HashMap<Owner, Ends, RandomState>,
    tenants: HashMap<Arc<str>, Ends, RandomState>,
    everyone: Option<Ends>,
}

impl PastEnds {
    /// Notes an entry, if it is an end by scope.
    pub(crate) fn note(&mut self, entry: &Entry) {
        let Some(ends) = Ends::told(entry) else { return };
        match entry.news.told() {
            News::OwnerEnded(owner, ..) => add(self.owners.entry(owner.clone()), ends),
            News::TenantEnded(tenant, _) => add(self.tenants.entry(tenant.clone()), ends),
            _ => {
                self.everyone = Some(match self.everyone.take() {
                    Some(known) => known.merge(ends),
                    None => ends,
                });
            }
        }
        if let Err(place) = self.kept.binary_search_by_key(&entry.position, |kept| kept.position) {
            self.kept.insert(place, entry.clone());
        }
    }

    fn of<'a>(&'a self, owner: &Owner) -> impl Iterator<Item = &'a Ends> {
        let of_tenant = owner.tenant.as_ref().and_then(|tenant| self.tenants.get(tenant));
        [self.owners.get(owner), of_tenant, self.everyone.as_ref()].into_iter().flatten()
    }

    /// Whether something that belongs to this owner and was made at this position has died with an end.
    pub(crate) fn hit(&self, owner: &Owner, born: FeedPosition) -> bool {
        self.of(owner).any(|ends| ends.hit_any(born))
    }

    /// Why a session has ended, if one of these ends hits it.
    pub(crate) fn hit_session(&self, session: &SessionRecord) -> Option<EndReason> {
        self.of(&session.owner).find_map(|ends| ends.hit(session.born, &session.id))
    }

    pub(crate) fn settle(&mut self, now: Timestamp) {
        while self.kept.front().is_some_and(|end| end.until.after(CODE_LIFE) <= now) {
            if let Some(end) = self.kept.pop_front() {
                self.forget(&end);
            }
        }
    }

    /// Forgets an end, unless a later one of the same scope is remembered in its place.
    fn forget(&mut self, end: &Entry) {
        let is_last = |ends: Option<&Ends>| ends.is_some_and(|ends| ends.position() == end.position);
        match end.news.told() {
            News::OwnerEnded(owner, ..) if is_last(self.owners.get(owner)) => {
                self.owners.remove(owner);
            }
            News::TenantEnded(tenant, _) if is_last(self.tenants.get(tenant)) => {
                self.tenants.remove(tenant);
            }
            News::EveryoneEnded(_) if is_last(self.everyone.as_ref()) => self.everyone = None,
            _ => {}
        }
    }

    pub(crate) fn keeps(&self, position: FeedPosition) -> bool {
        self.kept.binary_search_by_key(&position, |kept| kept.position).is_ok()
    }

    /// The entries that the feed has dropped.
    pub(crate) fn only_here<'a>(&'a self, feed: &'a Feed) -> impl Iterator<Item = &'a Entry> {
        self.kept.iter().filter(|kept| !feed.keeps(kept.position))
    }
}

fn add<N: std::hash::Hash>(slot: Slot<'_, N, Ends, RandomState>, ends: Ends) {
    match slot {
        Slot::Occupied(mut slot) => {
            let known = slot.get().clone();
            slot.insert(known.merge(ends));
        }
        Slot::Vacant(slot) => {
            slot.insert(ends);
        }
    }
}

/// What an end came to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Done {
    pub(crate) position: FeedPosition,
    pub(crate) entries: u64,
    pub(crate) sessions: u64,
    pub(crate) until: Timestamp,
}

impl Done {
    pub(crate) fn fact(self, id: OpId) -> Fact {
        let Self { position, entries, sessions, until } = self;
        Fact::Done { id, position, entries, sessions, until }
    }
}

/// The ends that can be repeated under their ids, for an hour, the last 2^16 of them. Full, it forgets the oldest: a
/// repetition that comes so late is carried out again.
#[derive(Debug, Default)]
pub(crate) struct Repeats {
    done: HashMap<OpId, Done, RandomState>,
    oldest: VecDeque<(Timestamp, OpId)>,
}

impl Repeats {
    pub(crate) fn get(&self, id: OpId) -> Option<Done> {
        self.done.get(&id).copied()
    }

    pub(crate) fn note(&mut self, id: OpId, done: Done) {
        if self.done.insert(id, done).is_none() {
            self.oldest.push_back((done.until, id));
            if self.oldest.len() > REPEATS {
                self.forget();
            }
        }
    }

    fn forget(&mut self) {
        if let Some((_, id)) = self.oldest.pop_front() {
            self.done.remove(&id);
        }
    }

    /// A log may remember them in any order.
    pub(crate) fn recalled(&mut self) {
        self.oldest.make_contiguous().sort_unstable_by_key(|&(until, id)| (until, id.0));
    }

    pub(crate) fn settle(&mut self, now: Timestamp) {
        while self.oldest.front().is_some_and(|&(until, _)| until <= now) {
            self.forget();
        }
    }

    pub(crate) fn facts(&self) -> impl Iterator<Item = Fact> {
        self.oldest.iter().filter_map(|&(_, id)| self.get(id).map(|done| done.fact(id)))
    }
}
