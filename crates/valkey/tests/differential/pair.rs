//! The ledger and the registry side by side, and what must be the same of them.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use countersign_registry::{
    BatchKind, Clock as _, CountOf, Effect, EndReason, Entry, Fact, Ledger, ManualClock, News, Registry as _,
    RegistryError, Rules,
};
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use countersign_valkey::ValkeyRegistry;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use crate::step::{SESSIONS, sid};
use crate::support::{START, Server, patient};

static PAIRS: AtomicU64 = AtomicU64::new(0);
/// How often something was refused, told again, restored.
pub(crate) static HAPPENED: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];

/// The ledger and the registry, side by side.
pub(crate) struct Pair {
    pub(crate) ledger: Ledger,
    pub(crate) registry: Arc<ValkeyRegistry>,
    pub(crate) clock: ManualClock,
    rules: Rules,
    /// The server's keys of this registry begin with this.
    domain: String,
    client: redis::aio::MultiplexedConnection,
    /// All entries that there ever were.
    log: Vec<Entry>,
    positions: Vec<FeedPosition>,
    pub(crate) current: HashMap<SessionId, RotationId>,
    /// What was told first at a position that nodes have heard of.
    pub(crate) told: HashMap<FeedPosition, News>,
}

/// What is left of an answer once the permitted differences are gone.
fn told(answer: &impl Debug) -> String {
    format!("{answer:#?}")
}

impl Pair {
    pub(crate) async fn new(server: &Server, rules: Rules) -> Self {
        let clock = ManualClock::at(START);
        let domain = format!("pair {}", PAIRS.fetch_add(1, Ordering::Relaxed));
        let options = patient().domain(domain.clone()).clock(clock.clone());
        let registry = Arc::new(server.registry(options).await);
        let client =
            redis::Client::open(server.url()).unwrap().get_multiplexed_async_connection().await.unwrap();
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
        let (log, positions, current, told) = (Vec::new(), Vec::new(), HashMap::new(), HashMap::new());
        let mut pair = Self { ledger, registry, clock, rules, domain, client, log, positions, current, told };
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
        on_registry: impl AsyncFnOnce(Arc<ValkeyRegistry>) -> Result<T, RegistryError>,
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

    /// Carries out one operation that both refuse while they recover: nothing, or what it came to.
    pub(crate) async fn both_when_open<T, U: Debug>(
        &mut self,
        on_ledger: impl FnOnce(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T,
        on_registry: impl AsyncFnOnce(Arc<ValkeyRegistry>) -> Result<T, RegistryError>,
        plain: impl Fn(T) -> U,
    ) -> Result<Option<U>, TestCaseError> {
        if !self.ledger.is_recovering(self.clock.now()) {
            return self.both(on_ledger, on_registry, plain).await.map(Some);
        }
        let (now, mut facts) = (self.clock.now(), Vec::new());
        self.ledger.settle(now, &mut facts);
        self.note(facts);
        let refused = on_registry(self.registry.clone()).await;
        HAPPENED[0].fetch_add(1, Ordering::Relaxed);
        let did_nothing = matches!(&refused, Err(error) if error.effect == Effect::None);
        prop_assert!(did_nothing, "carried out while it recovers: {:?}", refused.map(plain));
        Ok(None)
    }

    /// The server finds itself in another history.
    pub(crate) async fn fence(&mut self) -> Result<(), TestCaseError> {
        // Readings count as written on one side only.
        self.heartbeat(0).await?;
        let meta = format!("countersign:{{{}}}:meta", self.domain);
        let set = redis::cmd("HSET").arg(meta).arg("rid").arg("x").query_async(&mut self.client).await;
        let () = set.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let (known, now, mut facts) = (self.ledger.position().epoch, self.clock.now(), Vec::new());
        self.ledger.begin_epoch(known, now, &mut facts);
        self.note(facts);
        self.counts_of_all().await
    }

    /// The server has lost everything.
    pub(crate) async fn lose(&mut self) -> Result<(), TestCaseError> {
        let keys = format!("countersign:{{{}}}:*", self.domain);
        let script = "redis.call('DEL', unpack(redis.call('KEYS', ARGV[1])))";
        let lost = redis::cmd("EVAL").arg(script).arg(0).arg(keys).query_async(&mut self.client).await;
        let () = lost.map_err(|error| TestCaseError::fail(error.to_string()))?;
        let (known, now) = (self.ledger.position().epoch, self.clock.now());
        let mut facts = Vec::new();
        self.ledger = Ledger::restore(self.rules, FeedPosition { epoch: 0, seq: 0 }, self.now(), []);
        self.ledger.begin_epoch(known, now, &mut facts);
        self.log.clear();
        self.note(facts);
        self.counts_of_all().await
    }

    async fn counts_of_all(&mut self) -> Result<(), TestCaseError> {
        self.both(
            |ledger, now, facts| ledger.counts(&CountOf::Site, now, facts),
            async |registry| registry.counts(CountOf::Site).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }

    /// A tail is everything that came after its position, a snapshot everything that still matters.
    pub(crate) async fn feed(&mut self, after: Option<FeedPosition>) -> Result<(), TestCaseError> {
        let (now, mut facts) = (self.now(), Vec::new());
        let expected = self.ledger.entries_after(after, now, &mut facts);
        self.note(facts);
        let found = self.registry.recovery().feed(after).await;
        let (found, recovering) = found.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert_eq!(recovering, self.ledger.is_recovering(now));
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
        let ids: Vec<SessionId> = (0..2 * SESSIONS).map(sid).collect();
        self.both_when_open(
            |ledger, now, facts| ledger.get(&ids, now, facts),
            async |registry| registry.get(ids.clone()).await,
            |answer| answer,
        )
        .await?;
        self.counts_of_all().await
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
