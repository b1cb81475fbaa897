//! Revocation: ending sessions for good, one or many.

use std::sync::Arc;

use countersign_token::{FeedPosition, SessionId, Timestamp};

use crate::fact::{EndReason, Entry, Fact, News};
use crate::ledger::Ledger;
use crate::op::{End, Ended, Target};
use crate::past::{Done, REPEATABLE};

impl Ledger {
    /// Ends everyone of earlier epochs, in an entry of the feed.
    pub fn open_epoch(&mut self, now: Timestamp, facts: &mut Vec<Fact>) {
        self.settle(now, facts);
        self.announce(News::EveryoneEnded(EndReason::EndedByAdmin), facts);
    }

    /// Ends sessions for good.
    pub fn end(&mut self, end: End, now: Timestamp, facts: &mut Vec<Fact>) -> Ended {
        let now = self.settle(now, facts);
        if let Some(done) = self.repeats.get(end.id) {
            return self.ended_before(done);
        }
        let before = self.position();
        let (sessions, entries) = self.end_target(end.target, end.reason, facts);
        let (position, until) = (self.position(), now.after(REPEATABLE));
        let done = Done { position, entries: position.seq - before.seq, sessions, until };
        self.repeats.note(end.id, done);
        facts.push(done.fact(end.id));
        Ended { sessions, position, entries }
    }

    /// What an end under this id came to; of its entries those that could still matter.
    fn ended_before(&self, done: Done) -> Ended {
        let first = FeedPosition { seq: done.position.seq + 1 - done.entries, ..done.position };
        let entries = self.feed.since(first).take_while(|entry| entry.position <= done.position);
        Ended { sessions: done.sessions, position: done.position, entries: entries.cloned().collect() }
    }

    fn end_target(&mut self, target: Target, reason: EndReason, facts: &mut Vec<Fact>) -> (u64, Vec<Entry>) {
        match target {
            Target::Sessions(ids) => self.end_each(&ids, reason, facts),
            Target::Own(owner, id) => {
                let other = self.store.find(id).is_some_and(|place| self.store.owner_of(place) != owner);
                let ids: &[SessionId] = if other { &[] } else { &[id] };
                self.end_each(ids, reason, facts)
            }
            Target::Owner(owner, except) => {
                let place = self.store.owners.find(&owner);
                let of_owner = place.map(|place| self.store.of_owner(place).collect()).unwrap_or_default();
                self.end_all(of_owner, except, reason, News::OwnerEnded(owner, except, reason), facts)
            }
            Target::Tenant(tenant) => {
                let place = self.store.owners.find_tenant(&tenant);
                let of_tenant = place.map(|place| self.store.of_tenant(place).collect()).unwrap_or_default();
                self.end_all(of_tenant, None, reason, News::TenantEnded(tenant, reason), facts)
            }
            Target::Everyone => {
                let all = self.store.iter().collect();
                self.end_all(all, None, reason, News::EveryoneEnded(reason), facts)
            }
            Target::Key(kid) => (0, vec![self.remove_key(kid, facts)]),
        }
    }

    fn end_each(&mut self, ids: &[SessionId], reason: EndReason, facts: &mut Vec<Fact>) -> (u64, Vec<Entry>) {
        let (mut sessions, mut entries) = (0, Vec::new());
        for &id in ids {
            if let Some(place) = self.store.find(id) {
                entries.push(self.end_one(place, reason, facts));
                sessions += 1;
            } else if self.may_come_back() && self.graves.reason(id).is_none() {
                // It may have been admitted and lost: it is not to be restored, and its access token is alive.
                self.remember(id, reason, facts);
                entries.push(self.announce(News::Ended(id, reason), facts));
            }
        }
        (sessions, entries)
    }

    /// One entry says it of all that were born before it.
    fn end_all(
        &mut self,
        places: Vec<u32>,
        except: Option<SessionId>,
        reason: EndReason,
        news: News,
        facts: &mut Vec<Fact>,
    ) -> (u64, Vec<Entry>) {
        let entry = self.announce(news, facts);
        let mut sessions = 0;
        for place in places {
            if Some(self.store.get(place).id) != except {
                self.bury(place, reason, facts);
                sessions += 1;
            }
        }
        (sessions, vec![entry])
    }

    /// A key that was removed before stays removed, by the entry that said so.
    fn remove_key(&mut self, kid: Arc<str>, facts: &mut Vec<Fact>) -> Entry {
        let removed = self.feed.removal_of(&kid).cloned();
        removed.unwrap_or_else(|| self.announce(News::KeyRemoved(kid), facts))
    }

    /// Ends a session and those handed off from it, and from those.
    pub(crate) fn end_family(
        &mut self,
        id: SessionId,
        reason: EndReason,
        facts: &mut Vec<Fact>,
    ) -> Vec<Entry> {
        let mut family = vec![id];
        let mut next = 0;
        while let Some(&member) = family.get(next) {
            family.extend_from_slice(self.store.children(member));
            next += 1;
        }
        self.end_each(&family, reason, facts).1
    }

    /// Ends one session, in an entry of its own.
    pub(crate) fn end_one(&mut self, place: u32, reason: EndReason, facts: &mut Vec<Fact>) -> Entry {
        let id = self.store.get(place).id;
        self.bury(place, reason, facts);
        self.announce(News::Ended(id, reason), facts)
    }

    /// Takes a session out of the living. Those handed off from it belong to the one that it came from, so that a
    /// thief who passes a session on and ends the one in between does not get away.
    pub(crate) fn bury(&mut self, place: u32, reason: EndReason, facts: &mut Vec<Fact>) {
        self.hand_over_children(place, facts);
        let session = self.store.get(place).id;
        self.store.remove(place);
        self.remember(session, reason, facts);
    }

    /// Time ends a session that was just looked at. Nothing lives beyond the absolute end; but where pages poll, which
    /// is no activity, an access token may be younger than the idle session: so the feed tells of it.
    pub(crate) fn lapse(&mut self, place: u32, reason: EndReason, facts: &mut Vec<Fact>) {
        self.hand_over_children(place, facts);
        let slot = self.store.get(place);
        let (session, idled) = (slot.id, slot.activity.after(self.rules.idle_timeout));
        self.store.drop_woken(place);
        self.remember(session, reason, facts);
        if reason == EndReason::Idle && self.now() < idled.after(self.rules.entry_life()) {
            self.announce(News::Ended(session, reason), facts);
        }
    }

    fn hand_over_children(&mut self, place: u32, facts: &mut Vec<Fact>) {
        let id = self.store.get(place).id;
        let Some(parent) = self.store.extra(place).and_then(|extra| extra.handed_off_from) else { return };
        for child in self.store.children(id).to_vec() {
            if let Some(child) = self.store.find(child) {
                self.store.adopt(child, parent);
                self.tell(child, facts);
            }
        }
    }

    pub(crate) fn remember(&mut self, session: SessionId, reason: EndReason, facts: &mut Vec<Fact>) {
        let at = self.now();
        self.graves.dig(session, reason, at);
        facts.push(Fact::Gone { session, reason, at });
    }

    /// Adds an entry to the feed.
    pub(crate) fn announce(&mut self, news: News, facts: &mut Vec<Fact>) -> Entry {
        let at = self.now();
        let until = match news.told() {
            News::KeyRemoved(_) => Timestamp::MAX,
            _ => at.after(self.rules.entry_life()),
        };
        let entry = self.feed.append(at, until, news);
        self.ends.note(&entry);
        facts.push(Fact::Entry(entry.clone()));
        entry
    }
}
