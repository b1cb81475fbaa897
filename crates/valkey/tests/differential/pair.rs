//! The ledger and the registry side by side, and what must be the same of them.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

use countersign_registry::{
    BatchKind, Clock as _, CountOf, EndReason, Entry, Fact, Ledger, ManualClock, News, Registry,
    RegistryError, Rules,
};
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::step::{SESSIONS, sid};
use crate::support::{START, Server};

/// The ledger and the registry, side by side.
pub(crate) struct Pair {
    pub(crate) ledger: Ledger,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) clock: ManualClock,
    /// All entries that there ever were.
    log: Vec<Entry>,
    positions: Vec<FeedPosition>,
    pub(crate) current: HashMap<SessionId, RotationId>,
}

/// What is left of an answer once the permitted differences are gone.
fn told(answer: &impl Debug) -> String {
    format!("{answer:#?}")
}

impl Pair {
    pub(crate) async fn new(server: &Server, rules: Rules) -> Self {
        let clock = ManualClock::at(START);
        let registry = server.fresh(clock.clone()).await;
        registry.configure(rules);
        // A registry's history begins before it is told the rules, and is said again to tokens that live longer.
        let _ = registry.counts(CountOf::Site).await.unwrap();
        let mut ledger = Ledger::new(Rules::default(), START.as_millis());
        let mut facts = Vec::new();
        ledger.open_epoch(START, &mut facts);
        ledger.set_rules(rules);
        if rules.entry_life() > Rules::default().entry_life() {
            ledger.open_epoch(START, &mut facts);
        }
        let mut pair =
            Self { ledger, registry, clock, log: Vec::new(), positions: Vec::new(), current: HashMap::new() };
        pair.note(facts);
        pair
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().max(self.ledger.now())
    }

    pub(crate) fn note(&mut self, facts: Vec<Fact>) {
        self.log.extend(facts.into_iter().filter_map(|fact| match fact {
            Fact::Entry(entry) => Some(entry),
            _ => None,
        }));
        self.positions.push(self.ledger.position());
    }

    pub(crate) fn position(&self, number: usize) -> FeedPosition {
        self.positions[number % self.positions.len()]
    }

    /// Carries out one operation on both.
    pub(crate) async fn both<T, U: Debug>(
        &mut self,
        on_ledger: impl FnOnce(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T,
        on_registry: impl AsyncFnOnce(Arc<dyn Registry>) -> Result<T, RegistryError>,
        plain: impl Fn(T) -> U,
    ) -> Result<U, TestCaseError> {
        let (now, mut facts) = (self.clock.now(), Vec::new());
        let expected = plain(on_ledger(&mut self.ledger, now, &mut facts));
        self.note(facts);
        let found = on_registry(self.registry.clone()).await;
        let found = plain(found.map_err(|error| TestCaseError::fail(format!("{error:?}")))?);
        prop_assert_eq!(told(&expected), told(&found));
        Ok(found)
    }

    /// A tail is everything that came after its position, a snapshot everything that still matters.
    pub(crate) async fn feed(&mut self, after: Option<FeedPosition>) -> Result<(), TestCaseError> {
        let (now, mut facts) = (self.now(), Vec::new());
        let expected = self.ledger.entries_after(after, now, &mut facts);
        self.note(facts);
        let found =
            self.registry.feed(after).await.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert_eq!((expected.complete_to, expected.at), (found.complete_to, found.at));
        prop_assert!(
            expected.kind != BatchKind::Tail || found.kind == BatchKind::Tail,
            "a needless snapshot"
        );
        let wanted = |entry: &&Entry| match found.kind {
            BatchKind::Tail => Some(entry.position) > after,
            BatchKind::Snapshot => entry.until > now,
        };
        let wanted: Vec<Entry> = self.log.iter().filter(wanted).cloned().collect();
        prop_assert_eq!(told(&unordered(&wanted)), told(&unordered(&found.entries)));
        let place = |entry: &Entry| entry.position;
        prop_assert_eq!(
            wanted.iter().map(place).collect::<Vec<_>>(),
            found.entries.iter().map(place).collect::<Vec<_>>()
        );
        Ok(())
    }

    /// Everything that can be seen of the sessions.
    pub(crate) async fn look_around(&mut self) -> Result<(), TestCaseError> {
        let ids: Vec<SessionId> = (0..SESSIONS).map(sid).collect();
        self.both(
            |ledger, now, facts| ledger.get(&ids, now, facts),
            async |registry| registry.get(ids.clone()).await,
            |answer| answer,
        )
        .await?;
        self.both(
            |ledger, now, facts| ledger.counts(&CountOf::Site, now, facts),
            async |registry| registry.counts(CountOf::Site).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }
}

/// Entries without the order of those that idled in one step.
fn unordered(entries: &[Entry]) -> Vec<String> {
    let mut lines: Vec<(FeedPosition, String)> = Vec::new();
    for run in entries.chunk_by(|a, b| idled(a) && idled(b) && a.at == b.at) {
        let first = run[0].position;
        lines.extend(run.iter().map(|entry| {
            let place = if idled(entry) { first } else { entry.position };
            (place, format!("{:?} {:?} {:?}", entry.at, entry.until, entry.news))
        }));
    }
    lines.sort();
    lines.into_iter().map(|(place, line)| format!("{place:?} {line}")).collect()
}

fn idled(entry: &Entry) -> bool {
    matches!(entry.news, News::Ended(_, EndReason::Idle))
}
