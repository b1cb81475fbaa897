//! The scripts are the ledger: the same operations, at the same instants, get the same answers from both.
//!
//! What may differ: the order in which sessions that idled in one step are told of, and how soon the feed forgets.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use countersign_registry::*;
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use support::{Engine, START, Server};

const SESSIONS: u8 = 9;
const MINUTE: Duration = Duration::from_mins(1);

fn sid(number: u8) -> SessionId {
    let mut id = [number.wrapping_mul(57); 16];
    id[15] = number;
    SessionId::from_bytes(id)
}

fn owner(number: u8) -> Owner {
    match number % 5 {
        0 => Owner::new("ada"),
        1 => Owner::new("ada").of_tenant("acme"),
        2 => Owner::new("bob").of_tenant("acme"),
        3 => Owner::new("").of_tenant(""),
        _ => Owner::new("cy"),
    }
}

/// One step; numbers name sessions, owners and earlier positions.
#[derive(Clone, Debug)]
enum Step {
    Wait(u32),
    /// The clock is set back.
    Back(u32),
    Admit { session: u8, owner: u8, life: u16, plain: bool, replaces: Option<u8>, key: Option<u8>, parent: Option<u8>, exempt: bool },
    Redeem { session: u8, owner: u8, end: Option<u8>, parent: Option<u8>, code: u8, minutes: u8, born: usize },
    Rotate { session: u8, token: u8, age: u16, passive: bool },
    Advance { session: u8, base: u8, known: u8, memo: Option<(u8, u8)> },
    Touch(Vec<(u8, u16)>),
    End { id: u8, target: u8, one: u8, owner: u8, reason: u8 },
    Once { id: u8, minutes: u8, of: Option<(u8, usize)> },
    List { whose: u8, holding: u8, inactive: u16, started: bool, limit: u8 },
    Counts(u8),
    Feed(Option<usize>),
    Limits([(u8, u8); 3]),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop_oneof![0..2000_u32, 50_000..70_000_u32, 0..4_000_000_u32].prop_map(Step::Wait),
        1 => (0..400_000_u32).prop_map(Step::Back),
        8 => (0..SESSIONS, 0..5_u8, 1..300_u16, prop::bool::weighted(0.6), any::<(Option<u8>, Option<u8>, Option<u8>)>(), prop::bool::weighted(0.1))
            .prop_map(|(session, owner, life, plain, (replaces, key, parent), exempt)| Step::Admit { session, owner, life, plain, replaces, key, parent, exempt }),
        2 => (0..SESSIONS, 0..5_u8, any::<(Option<u8>, Option<u8>)>(), 0..3_u8, 0..20_u8, any::<usize>())
            .prop_map(|(session, owner, (end, parent), code, minutes, born)| Step::Redeem { session, owner, end, parent, code, minutes, born }),
        8 => (0..SESSIONS, 0..8_u8, 0..120_u16, any::<bool>())
            .prop_map(|(session, token, age, passive)| Step::Rotate { session, token, age, passive }),
        3 => (0..SESSIONS, 0..5_u8, 0..4_u8, any::<Option<(u8, u8)>>())
            .prop_map(|(session, base, known, memo)| Step::Advance { session, base, known, memo }),
        4 => prop::collection::vec((0..SESSIONS, 0..4000_u16), 0..4).prop_map(Step::Touch),
        4 => (0..6_u8, 0..7_u8, 0..SESSIONS, 0..5_u8, 0..3_u8)
            .prop_map(|(id, target, one, owner, reason)| Step::End { id, target, one, owner, reason }),
        2 => (0..4_u8, 0..20_u8, any::<Option<(u8, usize)>>()).prop_map(|(id, minutes, of)| Step::Once { id, minutes, of }),
        2 => (0..5_u8, 0..3_u8, 0..4000_u16, any::<bool>(), 1..6_u8)
            .prop_map(|(whose, holding, inactive, started, limit)| Step::List { whose, holding, inactive, started, limit }),
        1 => (0..7_u8).prop_map(Step::Counts),
        2 => any::<Option<usize>>().prop_map(Step::Feed),
        2 => prop::array::uniform3((0..6_u8, 0..4_u8)).prop_map(Step::Limits),
    ];
    prop::collection::vec(step, 1..60)
}

fn limits(of: [(u8, u8); 3]) -> Limits {
    let [user, tenant, site] = of.map(|(rule, seats)| {
        let on_full = match rule {
            0 => return None,
            1 => OnFull::Refuse,
            2 => OnFull::EndLeastRecent,
            3 => OnFull::EndOldest,
            _ => OnFull::Ask,
        };
        Some(Limit { seats: seats.into(), on_full })
    });
    Limits { user, tenant, site }
}

/// The ledger and the registry, side by side.
struct Pair {
    ledger: Ledger,
    registry: Arc<dyn Registry>,
    clock: ManualClock,
    /// All entries that there ever were.
    log: Vec<Entry>,
    positions: Vec<FeedPosition>,
    current: HashMap<SessionId, RotationId>,
}

/// What is left of an answer once the permitted differences are gone.
fn told(answer: &impl Debug) -> String {
    format!("{answer:#?}")
}

impl Pair {
    async fn new(server: &Server, rules: Rules) -> Self {
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

    fn now(&self) -> Timestamp {
        self.clock.now().max(self.ledger.now())
    }

    fn note(&mut self, facts: Vec<Fact>) {
        self.log.extend(facts.into_iter().filter_map(|fact| match fact {
            Fact::Entry(entry) => Some(entry),
            _ => None,
        }));
        self.positions.push(self.ledger.position());
    }

    fn position(&self, number: usize) -> FeedPosition {
        self.positions[number % self.positions.len()]
    }

    /// Carries out one operation on both.
    async fn both<T, U: Debug>(
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

    async fn step(&mut self, step: Step) -> Result<(), TestCaseError> {
        match step {
            Step::Wait(millis) => self.clock.advance(Duration::from_millis(millis.into())),
            Step::Back(millis) => self.clock.set(self.clock.now().before(Duration::from_millis(millis.into()))),
            Step::Admit { session, owner: of, life, plain, replaces, key, parent, exempt } => {
                let mut admit = Admit::new(sid(session), owner(of));
                admit.lifetime = Lifetime::For(MINUTE * u32::from(life));
                if !plain {
                    admit.replaces = replaces.map(|number| sid(number % SESSIONS));
                    admit.login_key = key.map(|key| Digest([key % 3; 16]));
                    admit.handed_off_from = parent.map(|number| sid(number % SESSIONS));
                    admit.auth_time = key.map(|key| START.before(MINUTE * u32::from(key)));
                    admit.device = parent.map(|_| "Firefox on Linux".into());
                    if life % 5 == 0 {
                        admit.lifetime = Lifetime::Until(START.after(MINUTE * u32::from(life)));
                    }
                }
                if exempt {
                    admit.admission = Admission::Exempt;
                }
                self.admit(admit).await?;
            }
            Step::Redeem { session, owner: of, end, parent, code, minutes, born } => {
                let mut admit = Admit::new(sid(session), owner(of));
                let until = self.now().after(MINUTE * u32::from(minutes));
                let (born, end) = (self.position(born), end.map(|number| sid(number % SESSIONS)));
                admit.code = Some(Code { id: OnceId([code; 32]), until, born, end });
                admit.handed_off_from = parent.map(|number| sid(number % SESSIONS));
                self.admit(admit).await?;
            }
            Step::Rotate { session, token, age, passive } => self.rotate(session, token, age, passive).await?,
            Step::Advance { session, base, known, memo } => {
                let digest = |byte| Digest([byte; 16]);
                let memo = memo.map(|(key, data)| AdvanceMemo { key: digest(key % 2), old_state: digest(7), new_data: digest(data % 2) });
                let base = if base == 4 { Base::Reset } else { Base::Version(base.into()) };
                let advance = Advance { session: sid(session), base, known: known.into(), memo };
                self.both(
                    |ledger, now, facts| ledger.advance_version(advance, now, facts),
                    async |registry| registry.advance_version(advance).await,
                    |answer| answer,
                )
                .await
                .map(drop)?;
            }
            Step::Touch(marks) => {
                let mark = |(session, age): (u8, u16)| Touch { session: sid(session), age: Duration::from_secs(age.into()) };
                let marks: Vec<Touch> = marks.into_iter().map(mark).collect();
                self.both(
                    |ledger, now, facts| ledger.touch(&marks, now, facts),
                    async |registry| registry.touch(marks.clone()).await,
                    |answer| answer,
                )
                .await?;
            }
            Step::End { id, target, one, owner: of, reason } => self.end(id, target, one, of, reason).await?,
            Step::Once { id, minutes, of } => {
                let until = self.now().after(MINUTE * u32::from(minutes));
                let of = of.map(|(number, born)| (owner(number), self.position(born)));
                let once = Once { id: OnceId([id; 32]), until, of };
                self.both(
                    |ledger, now, facts| ledger.once(once.clone(), now, facts),
                    async |registry| registry.once(once.clone()).await,
                    |answer| answer,
                )
                .await
                .map(drop)?;
            }
            Step::List { whose, holding, inactive, started, limit } => self.list(whose, holding, inactive, started, limit).await?,
            Step::Counts(of) => {
                let of = match of {
                    5 => CountOf::Tenant("acme".into()),
                    6 => CountOf::Tenant("".into()),
                    number => CountOf::Owner(owner(number)),
                };
                self.both(
                    |ledger, now, facts| ledger.counts(&of, now, facts),
                    async |registry| registry.counts(of.clone()).await,
                    |answer| answer,
                )
                .await?;
            }
            Step::Feed(after) => self.feed(after.map(|number| self.position(number))).await?,
            Step::Limits(of) => {
                let limits = SetLimits { limits: limits(of) };
                self.both(
                    |ledger, now, facts| {
                        ledger.settle(now, facts);
                        ledger.set_limits(limits);
                    },
                    async |registry| registry.set_limits(limits).await,
                    |answer| answer,
                )
                .await?;
            }
        }
        self.look_around().await
    }

    async fn admit(&mut self, admit: Admit) -> Result<(), TestCaseError> {
        let admitted = self
            .both(
                |ledger, now, facts| ledger.admit(admit.clone(), now, facts),
                async |registry| registry.admit(admit.clone()).await,
                |answer| answer,
            )
            .await?;
        if let Admitted::Seated(seated) = admitted {
            self.current.insert(seated.record.id, seated.record.current);
        }
        Ok(())
    }

    async fn rotate(&mut self, session: u8, token: u8, age: u16, passive: bool) -> Result<(), TestCaseError> {
        let session = sid(session);
        let current = self.current.get(&session).copied().unwrap_or(RotationId::NIL);
        let next = RotationId::follow(current, u32::from(token) + 1);
        let (id, parent) = match token {
            0 => (current, RotationId::NIL),
            1..5 => (next, current),
            5 => (RotationId::follow(next, 1), next),
            6 => (RotationId::follow(RotationId::NIL, 9), RotationId::NIL),
            _ => (RotationId::from_bits(u64::MAX - 3), RotationId::from_bits(1 << 63)),
        };
        let issued = self.now().before(Duration::from_secs(age.into()));
        let activity = if passive { Activity::Passive } else { Activity::Active };
        let rotate = Rotate { session, id, parent, issued, activity };
        let rotated = self
            .both(
                |ledger, now, facts| ledger.rotate(rotate, now, facts),
                async |registry| registry.rotate(rotate).await,
                |answer| answer,
            )
            .await?;
        if let Rotated::Kept(renewal) | Rotated::Renewed(renewal) = rotated {
            self.current.insert(session, renewal.record.current);
        }
        Ok(())
    }

    async fn end(&mut self, id: u8, target: u8, one: u8, of: u8, reason: u8) -> Result<(), TestCaseError> {
        let target = match target {
            0 => Target::Sessions(vec![sid(one), sid(of)]),
            1 => Target::Own(owner(of), sid(one)),
            2 => Target::Owner(owner(of), None),
            3 => Target::Owner(owner(of), Some(sid(one))),
            4 => Target::Tenant("acme".into()),
            5 => Target::Everyone,
            _ => Target::Key(format!("key {}", one % 2).into()),
        };
        let reason = [EndReason::Logout, EndReason::EndedByUser, EndReason::EndedByAdmin][usize::from(reason)];
        let end = End { id: OpId([id; 16]), target, reason };
        let now = self.now();
        // A repetition tells of those entries that still matter; how soon the others are forgotten is free.
        let plain = |mut ended: Ended| {
            ended.entries.retain(|entry| entry.until > now && entry.until != Timestamp::MAX);
            ended
        };
        self.both(
            |ledger, now, facts| ledger.end(end.clone(), now, facts),
            async |registry| registry.end(end.clone()).await,
            plain,
        )
        .await
        .map(drop)
    }

    async fn list(&mut self, whose: u8, holding: u8, inactive: u16, started: bool, limit: u8) -> Result<(), TestCaseError> {
        let filter = Filter {
            whose: match whose {
                0 | 1 => Whose::Anyone,
                2 => Whose::Tenant("acme".into()),
                number => Whose::Owner(owner(number)),
            },
            holding: [None, Some(Holding::Seat), Some(Holding::Nothing)][usize::from(holding)],
            inactive_for: (inactive % 2 == 0).then(|| Duration::from_secs(inactive.into())),
        };
        let order = if started { Order::Started } else { Order::LastActivity };
        let mut list = List { filter, order, after: None, limit: limit.into() };
        loop {
            let page = self
                .both(
                    |ledger, now, facts| ledger.list(&list, now, facts),
                    async |registry| registry.list(list.clone()).await,
                    |answer| answer,
                )
                .await?;
            list.after = page.next;
            if list.after.is_none() {
                return Ok(());
            }
        }
    }

    /// A tail is everything that came after its position, a snapshot everything that still matters.
    async fn feed(&mut self, after: Option<FeedPosition>) -> Result<(), TestCaseError> {
        let (now, mut facts) = (self.now(), Vec::new());
        let expected = self.ledger.entries_after(after, now, &mut facts);
        self.note(facts);
        let found = self.registry.feed(after).await.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
        prop_assert_eq!((expected.complete_to, expected.at), (found.complete_to, found.at));
        prop_assert!(expected.kind != BatchKind::Tail || found.kind == BatchKind::Tail, "a needless snapshot");
        let wanted = |entry: &&Entry| match found.kind {
            BatchKind::Tail => Some(entry.position) > after,
            BatchKind::Snapshot => entry.until > now,
        };
        let wanted: Vec<Entry> = self.log.iter().filter(wanted).cloned().collect();
        prop_assert_eq!(told(&unordered(&wanted)), told(&unordered(&found.entries)));
        let place = |entry: &Entry| entry.position;
        prop_assert_eq!(wanted.iter().map(place).collect::<Vec<_>>(), found.entries.iter().map(place).collect::<Vec<_>>());
        Ok(())
    }

    /// Everything that can be seen of the sessions.
    async fn look_around(&mut self) -> Result<(), TestCaseError> {
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

fn agrees(engine: Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = Server::start_with(engine, &["--appendonly", "yes", "--appendfsync", "no"]);
    let cases = if std::env::var_os("COUNTERSIGN_LONG").is_some() { 10_000 } else { 250 };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let times = (1..90_u64, 30..200_u64, 0..3_u64);
    let outcome = runner.run(&(steps(), times), |(steps, (dangling, idle, skew))| {
        let rules = Rules {
            dangling_after: MINUTE * dangling as u32,
            idle_timeout: MINUTE * idle as u32,
            clock_skew: MINUTE * skew as u32,
            ..Rules::default()
        };
        runtime.block_on(async {
            let mut pair = Pair::new(&server, rules).await;
            for step in steps {
                pair.step(step).await?;
            }
            pair.feed(None).await
        })
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

#[test]
fn the_scripts_are_the_ledger_on_redis() {
    agrees(Engine::Redis);
}

#[test]
fn the_scripts_are_the_ledger_on_valkey() {
    agrees(Engine::Valkey);
}
