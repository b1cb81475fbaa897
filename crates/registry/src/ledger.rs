//! The ledger: the pure state machine that holds all rules of one limit domain.

use countersign_token::{FeedPosition, SessionId, Timestamp};

use crate::contract::Batch;
use crate::fact::Fact;
use crate::list::{List, Page};
use crate::op::{
    Admit, Admitted, Advance, Advanced, Claimed, CountOf, Counts, End, Ended, Once, Rotate, Rotated, SetLimits,
    Standing, Touch,
};
use crate::rules::Rules;

/// The pure state machine of one limit domain: what lives, who sits where, what has ended.
///
/// Each operation takes the instant and appends to `facts` what has changed, as states after the change: a log that
/// keeps the facts of one operation together or not at all can [restore](Ledger::restore) the ledger. Reading
/// operations append facts too, for what time alone has ended; a log may write those whenever it likes.
/// An instant that is smaller than one seen before counts as that one.
#[derive(Debug)]
pub struct Ledger {
    rules: Rules,
    position: FeedPosition,
}

#[allow(unused_variables, clippy::todo, clippy::needless_pass_by_value, missing_docs)]
impl Ledger {
    /// An empty ledger at the beginning of an epoch (below 2^53). What an earlier epoch admitted is unknown to it:
    /// call [`Ledger::open_epoch`] first.
    pub fn new(rules: Rules, epoch: u64) -> Self {
        Self { rules, position: FeedPosition { epoch, seq: 0 } }
    }

    /// Ends everyone of earlier epochs, in an entry of the feed.
    pub fn open_epoch(&mut self, now: Timestamp, facts: &mut Vec<Fact>) {
        todo!()
    }

    /// The ledger that a log remembers: at least `position` and `now`, and whatever the facts say. A fact that comes
    /// twice counts once; facts about one session come in the order in which they happened.
    pub fn restore(rules: Rules, position: FeedPosition, now: Timestamp, facts: impl IntoIterator<Item = Fact>) -> Self {
        todo!()
    }

    /// Everything the ledger knows, as the facts that restore it: what a log that compacts itself keeps.
    pub fn facts(&self) -> impl Iterator<Item = Fact> + '_ {
        std::iter::empty()
    }

    /// Whether the entry at this position is still needed, by the feed or by a one-time code that may have died
    /// with it. A log may drop one that is not.
    pub fn keeps(&self, position: FeedPosition) -> bool {
        todo!()
    }

    /// The figures of the rules.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Changes the figures of the rules.
    pub fn set_rules(&mut self, rules: Rules) {
        self.rules = rules;
    }

    /// Changes the limits. Lowering one ends nobody.
    pub fn set_limits(&mut self, limits: SetLimits) {
        self.rules.limits = limits.limits;
    }

    /// The feed's position: entries of this epoch so far.
    pub fn position(&self) -> FeedPosition {
        self.position
    }

    /// The largest instant seen.
    pub fn now(&self) -> Timestamp {
        todo!()
    }

    /// Ends what time has ended, and frees what nobody needs to remember. Every operation does so first.
    pub fn settle(&mut self, now: Timestamp, facts: &mut Vec<Fact>) {
        todo!()
    }

    /// See [`Registry::admit`](crate::Registry::admit).
    pub fn admit(&mut self, admit: Admit, now: Timestamp, facts: &mut Vec<Fact>) -> Admitted {
        todo!()
    }

    /// See [`Registry::rotate`](crate::Registry::rotate).
    pub fn rotate(&mut self, rotate: Rotate, now: Timestamp, facts: &mut Vec<Fact>) -> Rotated {
        todo!()
    }

    /// See [`Registry::advance_version`](crate::Registry::advance_version).
    pub fn advance_version(&mut self, advance: Advance, now: Timestamp, facts: &mut Vec<Fact>) -> Advanced {
        todo!()
    }

    /// See [`Registry::touch`](crate::Registry::touch).
    pub fn touch(&mut self, marks: &[Touch], now: Timestamp, facts: &mut Vec<Fact>) {
        todo!()
    }

    /// See [`Registry::end`](crate::Registry::end).
    pub fn end(&mut self, end: End, now: Timestamp, facts: &mut Vec<Fact>) -> Ended {
        todo!()
    }

    /// See [`Registry::once`](crate::Registry::once).
    pub fn once(&mut self, once: Once, now: Timestamp, facts: &mut Vec<Fact>) -> Claimed {
        todo!()
    }

    /// See [`Registry::list`](crate::Registry::list).
    pub fn list(&mut self, list: &List, now: Timestamp, facts: &mut Vec<Fact>) -> Page {
        todo!()
    }

    /// See [`Registry::counts`](crate::Registry::counts).
    pub fn counts(&mut self, of: &CountOf, now: Timestamp, facts: &mut Vec<Fact>) -> Counts {
        todo!()
    }

    /// See [`Registry::get`](crate::Registry::get).
    pub fn get(&mut self, sessions: &[SessionId], now: Timestamp, facts: &mut Vec<Fact>) -> Vec<Standing> {
        todo!()
    }

    /// See [`Registry::feed`](crate::Registry::feed).
    pub fn entries_after(&mut self, after: Option<FeedPosition>, now: Timestamp, facts: &mut Vec<Fact>) -> Batch {
        todo!()
    }
}
