//! The ledger: the pure state machine that holds all rules of one limit domain.
//!
//! Here is what it knows, and how it follows the clock; its operations lie where their rules are: [`admit`](crate::admit),
//! [`rotation`](crate::rotation), [`version`](crate::version), [`revocation`](crate::revocation), [`once`](crate::once),
//! [`list`](crate::list).

use countersign_token::{FeedPosition, SessionId, Timestamp};

use crate::contract::Batch;
use crate::fact::{EndReason, Fact, News};
use crate::feed::Feed;
use crate::once::Spent;
use crate::op::{Holding, SessionRecord, SetLimits, Standing};
use crate::past::{Done, Graves, PastEnds, Repeats};
use crate::recovery::Recovery;
use crate::rules::{OnFull, Rules};
use crate::store::{GIVEN_UP, HOLDS, LATEST, Ranked, Slot, Store};

/// The pure state machine of one limit domain: what lives, who sits where, what has ended.
///
/// It holds the live sessions (bounded by the limits, or by memory where there are none), and of the past only what
/// could still matter, each kind within a bound of its own.
///
/// Each operation takes the instant and appends to `facts` what has changed, as states after the change: a log that
/// keeps the facts of one operation together or not at all can [restore](Ledger::restore) the ledger. Reading
/// operations append facts too, for what time alone has ended; a log may write those whenever it likes, but in order.
/// An instant that is smaller than one seen before counts as that one.
///
/// ```
/// use countersign_registry::{Admit, Admitted, Ledger, Owner, Rules};
/// use countersign_token::{SessionId, Timestamp};
///
/// let (now, mut facts) = (Timestamp::from_secs(1_800_000_000), Vec::new());
/// let mut ledger = Ledger::new(Rules::default(), 1);
/// let login = Admit::new(SessionId::from_bytes([7; 16]), Owner::new("ada"));
/// assert!(matches!(ledger.admit(login, now, &mut facts), Admitted::Seated(_)));
///
/// let restored = Ledger::restore(Rules::default(), ledger.position(), now, facts);
/// assert_eq!(restored.facts().count(), 1);
/// ```
#[derive(Debug)]
pub struct Ledger {
    pub(crate) rules: Rules,
    pub(crate) now: Timestamp,
    pub(crate) store: Store,
    pub(crate) feed: Feed,
    pub(crate) graves: Graves,
    pub(crate) ends: PastEnds,
    pub(crate) repeats: Repeats,
    pub(crate) spent: Spent,
    pub(crate) recovery: Recovery,
    /// It was just restored, and who holds a seat is still to be told by the rules.
    unseated: bool,
}

impl Ledger {
    /// An empty ledger at the beginning of an epoch (below 2^53). It knows nothing of earlier epochs: call
    /// [`Ledger::open_epoch`] first, unless there was none.
    pub fn new(rules: Rules, epoch: u64) -> Self {
        Self::at(rules, FeedPosition { epoch, seq: 0 }, Timestamp::ZERO)
    }

    fn at(rules: Rules, position: FeedPosition, now: Timestamp) -> Self {
        let mut ledger = Self {
            rules,
            now,
            store: Store::default(),
            feed: Feed::new(position),
            graves: Graves::default(),
            ends: PastEnds::default(),
            repeats: Repeats::default(),
            spent: Spent::default(),
            recovery: Recovery::default(),
            unseated: false,
        };
        ledger.store.keep_ranks(ranked(&rules));
        ledger
    }

    /// The ledger that a log remembers: at least at `position` and `now`, and whatever the facts say. Where the rules
    /// may differ from these, call [`Ledger::set_rules`] before any operation, which would carry these out. Facts about one
    /// session, and of one kind about one id, come in the order in which they happened; otherwise their order and
    /// their repetition do not matter.
    pub fn restore(
        rules: Rules,
        position: FeedPosition,
        now: Timestamp,
        facts: impl IntoIterator<Item = Fact>,
    ) -> Self {
        let mut ledger = Self::at(rules, position, now);
        for fact in facts {
            ledger.recall(fact);
        }
        ledger.feed.recalled();
        ledger.graves.recalled();
        ledger.repeats.recalled();
        ledger.unseated = true;
        ledger
    }

    fn recall(&mut self, fact: Fact) {
        match fact {
            Fact::Session(record) => self.recall_session(&record),
            Fact::Gone { session, reason, at } => {
                self.now = self.now.max(at);
                if let Some(place) = self.store.find(session) {
                    self.store.remove(place);
                }
                self.graves.dig(session, reason, at);
            }
            Fact::Entry(entry) => {
                self.now = self.now.max(entry.at);
                if let (News::Again(..), News::Floor(session, exclusive)) = (&entry.news, entry.news.told()) {
                    self.recovery.retold.raise(*session, *exclusive);
                }
                self.ends.note(&entry);
                self.feed.recall(entry);
            }
            Fact::Once { id, until } => self.spent.recall(id, until),
            Fact::Done { id, position, entries, sessions, until } => {
                self.repeats.note(id, Done { position, entries, sessions, until });
            }
            Fact::Waiting(session) => {
                if let Some(place) = self.store.find(session) {
                    self.recovery.wait_for_seat(self.store.get(place).started, session);
                }
            }
            Fact::Epoch { epoch, .. } => {
                self.feed.begin(epoch);
                self.recovery.recall(fact);
            }
            Fact::Node { at, .. } => {
                self.now = self.now.max(at);
                self.recovery.recall(fact);
            }
            Fact::Recovering(_) | Fact::ToldAgain { .. } => self.recovery.recall(fact),
        }
    }

    fn recall_session(&mut self, record: &SessionRecord) {
        self.now = self.now.max(record.last_activity).max(record.started_at);
        if let Some(place) = self.store.find(record.id) {
            self.store.remove(place);
        }
        self.store.insert(record, |slot| slot.expires);
    }

    /// Everything the ledger knows, as the facts that restore it: what a log that compacts itself keeps.
    pub fn facts(&self) -> impl Iterator<Item = Fact> + '_ {
        let sessions = self.store.iter().map(|place| Fact::Session(Box::new(self.store.record(place))));
        // The entries that only one-time codes still need come first, as they are the oldest.
        let entries = self.ends.only_here(&self.feed).chain(self.feed.entries()).cloned().map(Fact::Entry);
        sessions
            .chain(self.graves.facts())
            .chain(entries)
            .chain(self.repeats.facts())
            .chain(self.spent.facts())
            .chain(self.recovery.facts(self.position()))
    }

    /// Whether the entry at this position is still needed, by the feed or for a one-time code that may have died
    /// with it. A log may drop one that is not.
    pub fn keeps(&self, position: FeedPosition) -> bool {
        self.feed.keeps(position) || self.ends.keeps(position)
    }

    /// The figures of the rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Changes the figures of the rules. A longer `dangling_after` gives no seat back; but those of a ledger that was
    /// just restored decide who holds a seat.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
        self.store.keep_ranks(ranked(&rules));
        self.seat_the_restored();
        self.store.wake_all(|slot| due(slot, &rules));
    }

    fn seat_the_restored(&mut self) {
        if !std::mem::take(&mut self.unseated) {
            return;
        }
        let (rules, places) = (self.rules, self.store.iter().collect::<Vec<u32>>());
        for place in places {
            let slot = self.store.get(place);
            if !slot.is(GIVEN_UP) && self.now < slot.activity.after(rules.dangling_after) {
                self.store.hold(place);
            }
        }
        self.store.wake_all(|slot| due(slot, &rules));
    }

    /// Changes the limits. Lowering one ends nobody.
    pub fn set_limits(&mut self, limits: SetLimits) {
        self.rules.limits = limits.limits;
        self.store.keep_ranks(ranked(&self.rules));
    }

    /// The feed's position: entries of this epoch so far.
    pub fn position(&self) -> FeedPosition {
        self.feed.position()
    }

    /// The largest instant seen.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Ends what time has ended, frees the seats of sessions that dangle, and forgets what nobody needs to remember.
    /// Every operation does so first; its cost is spread over what it ends. Returns the instant that counts.
    pub fn settle(&mut self, now: Timestamp, facts: &mut Vec<Fact>) -> Timestamp {
        self.seat_the_restored();
        self.now = self.now.max(now).min(Timestamp::from_millis(LATEST));
        while let Some((place, at)) = self.store.pop(self.now) {
            self.look_at(place, at, facts);
        }
        self.store.finish(self.now);
        self.feed.settle(self.now);
        self.ends.settle(self.now);
        self.graves.settle(self.now);
        self.repeats.settle(self.now);
        self.spent.settle(self.now);
        self.recovery.retold.settle(self.now);
        if !self.may_come_back() {
            self.recovery.retold.forget_floors();
        }
        self.open_in_time(facts);
        self.now
    }

    /// Judges a session at an instant at which its time may have come.
    fn look_at(&mut self, place: u32, at: Timestamp, facts: &mut Vec<Fact>) {
        let slot = self.store.get(place);
        if slot.expires <= at {
            self.lapse(place, EndReason::Expired, facts);
        } else if slot.activity.after(self.rules.idle_timeout) <= at {
            self.lapse(place, EndReason::Idle, facts);
        } else {
            if slot.activity.after(self.rules.dangling_after) <= at {
                self.store.release(place);
            }
            let due = due(self.store.get(place), &self.rules);
            self.store.wake(place, due);
        }
    }

    /// Looks sessions up.
    pub fn get(&mut self, sessions: &[SessionId], now: Timestamp, facts: &mut Vec<Fact>) -> Vec<Standing> {
        self.settle(now, facts);
        sessions.iter().map(|&id| self.standing(id)).collect()
    }

    fn standing(&self, id: SessionId) -> Standing {
        match self.store.find(id) {
            Some(place) => Standing::Live(Box::new(self.store.record(place)), self.holding(place)),
            None => Standing::Ended(self.graves.reason(id)),
        }
    }

    pub(crate) fn holding(&self, place: u32) -> Holding {
        if self.store.get(place).is(HOLDS) { Holding::Seat } else { Holding::Nothing }
    }

    /// The feed's entries after a position, or all that still matter.
    pub fn entries_after(
        &mut self,
        after: Option<FeedPosition>,
        now: Timestamp,
        facts: &mut Vec<Fact>,
    ) -> Batch {
        let now = self.settle(now, facts);
        self.feed.batch(after, now)
    }

    /// Tells the log what a session looks like now.
    pub(crate) fn tell(&self, place: u32, facts: &mut Vec<Fact>) {
        facts.push(Fact::Session(Box::new(self.store.record(place))));
    }
}

/// When time alone will next change a session.
pub(crate) fn due(slot: &Slot, rules: &Rules) -> Timestamp {
    let ends = slot.expires.min(slot.activity.after(rules.idle_timeout));
    if slot.is(HOLDS) { ends.min(slot.activity.after(rules.dangling_after)) } else { ends }
}

fn ranked(rules: &Rules) -> Ranked {
    let ends = |limit: Option<crate::Limit>| {
        limit
            .map(|limit| limit.on_full)
            .filter(|rule| matches!(rule, OnFull::EndLeastRecent | OnFull::EndOldest))
    };
    Ranked { tenant: ends(rules.limits.tenant), site: ends(rules.limits.site) }
}

#[cfg(test)]
mod tests;
