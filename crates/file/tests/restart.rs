//! A registry that is opened anew between any two operations answers like a ledger that never rested.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::time::Duration;

use countersign_file::{FileRegistry, Options};
use countersign_registry::{
    Activity, Admit, Advance, AdvanceMemo, Base, Claim, CountOf, Digest, End, EndReason, Ledger, Lifetime,
    Limits, List, ManualClock, OnFull, Once, OnceId, OpId, Owner, Registry, Rotate, Rules, Target, Touch,
};
use countersign_registry::{Clock as _, Fact};
use countersign_token::{RotationId, SessionId, Timestamp};
use proptest::prelude::*;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

#[derive(Clone, Debug)]
enum Op {
    Admit { session: u8, owner: u8, minutes: u64, key: Option<u8> },
    Rotate { session: u8, generation: u8, fork: bool, passive: bool },
    Advance { session: u8, base: Option<u64>, memo: Option<u8> },
    Touch { session: u8, age: u64 },
    EndSessions { sessions: Vec<u8>, op: u8 },
    EndOwner { owner: u8, except: Option<u8>, op: u8 },
    EndTenant { op: u8 },
    EndEveryone { op: u8 },
    RemoveKey { key: u8, op: u8 },
    Once { id: u8, minutes: u64 },
    Wait { seconds: u64 },
    Restart,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let (session, owner, op) = (0..6_u8, 0..3_u8, 0..20_u8);
    let key = prop::option::weighted(0.3, 0..3_u8);
    let op = prop_oneof![
        6 => (session.clone(), owner.clone(), 1..90_u64, key.clone())
            .prop_map(|(session, owner, minutes, key)| Op::Admit { session, owner, minutes, key }),
        6 => (session.clone(), 1..4_u8, prop::bool::weighted(0.1), any::<bool>())
            .prop_map(|(session, generation, fork, passive)| Op::Rotate { session, generation, fork, passive }),
        3 => (session.clone(), prop::option::of(0..3_u64), key)
            .prop_map(|(session, base, memo)| Op::Advance { session, base, memo }),
        3 => (session.clone(), 0..100_u64).prop_map(|(session, age)| Op::Touch { session, age }),
        2 => (prop::collection::vec(session.clone(), 1..3), op.clone())
            .prop_map(|(sessions, op)| Op::EndSessions { sessions, op }),
        1 => (owner, prop::option::of(session), op.clone())
            .prop_map(|(owner, except, op)| Op::EndOwner { owner, except, op }),
        1 => op.clone().prop_map(|op| Op::EndTenant { op }),
        1 => op.clone().prop_map(|op| Op::EndEveryone { op }),
        1 => (0..2_u8, op).prop_map(|(key, op)| Op::RemoveKey { key, op }),
        1 => (0..4_u8, 0..30_u64).prop_map(|(id, minutes)| Op::Once { id, minutes }),
        4 => (0..1500_u64).prop_map(|seconds| Op::Wait { seconds }),
        4 => Just(Op::Restart),
    ];
    prop::collection::vec(op, 1..40)
}

fn id(session: u8) -> SessionId {
    SessionId::from_bytes([session; 16])
}

fn owner(n: u8) -> Owner {
    let owner = Owner::new(format!("user {n}"));
    if n == 0 { owner } else { owner.of_tenant("acme") }
}

fn login(session: u8, of: u8, minutes: u64, key: Option<u8>) -> Admit {
    Admit {
        lifetime: Lifetime::For(Duration::from_mins(minutes)),
        login_key: key.map(|key| Digest([key; 16])),
        device: Some("Firefox on Linux".into()),
        ..Admit::new(id(session), owner(of))
    }
}

/// The n-th token of a session's rotation, or another of the same parent.
fn token(generation: u8, fork: bool) -> RotationId {
    (0..generation)
        .fold(RotationId::NIL, |parent, n| RotationId::follow(parent, u32::from(fork && n + 1 == generation)))
}

fn refresh(session: u8, generation: u8, fork: bool, passive: bool) -> Rotate {
    Rotate {
        session: id(session),
        id: token(generation, fork),
        parent: token(generation - 1, false),
        issued: START,
        activity: if passive { Activity::Passive } else { Activity::Active },
    }
}

fn end(op: u8, target: Target) -> End {
    End { id: OpId([op; 16]), target, reason: EndReason::EndedByAdmin }
}

fn target(op: &Op) -> Option<End> {
    Some(match op {
        Op::EndSessions { sessions, op } => {
            end(*op, Target::Sessions(sessions.iter().copied().map(id).collect()))
        }
        Op::EndOwner { owner: of, except, op } => end(*op, Target::Owner(owner(*of), except.map(id))),
        Op::EndTenant { op } => end(*op, Target::Tenant("acme".into())),
        Op::EndEveryone { op } => end(*op, Target::Everyone),
        Op::RemoveKey { key, op } => end(*op, Target::Key(format!("key {key}").into())),
        _ => return None,
    })
}

fn advance(session: u8, base: Option<u64>, memo: Option<u8>) -> Advance {
    let digest = |n| Digest([n; 16]);
    Advance {
        session: id(session),
        base: base.map_or(Base::Reset, Base::Version),
        known: base.unwrap_or(0),
        memo: memo.map(|n| AdvanceMemo { key: digest(n), old_state: digest(1), new_data: digest(2) }),
    }
}

/// The ledger that never rests.
struct Model {
    ledger: Ledger,
    facts: Vec<Fact>,
}

impl Model {
    fn answer(&mut self, op: &Op, now: Timestamp) -> String {
        let (ledger, facts) = (&mut self.ledger, &mut self.facts);
        match *op {
            Op::Admit { session, owner, minutes, key } => {
                format!("{:?}", ledger.admit(login(session, owner, minutes, key), now, facts))
            }
            Op::Rotate { session, generation, fork, passive } => {
                format!("{:?}", ledger.rotate(refresh(session, generation, fork, passive), now, facts))
            }
            Op::Advance { session, base, memo } => {
                format!("{:?}", ledger.advance_version(advance(session, base, memo), now, facts))
            }
            Op::Touch { session, age } => {
                let mark = Touch { session: id(session), age: Duration::from_secs(age) };
                format!("{:?}", ledger.touch(&[mark], now, facts))
            }
            Op::Once { id, minutes } => format!("{:?}", ledger.once(claim(id, minutes, now), now, facts)),
            Op::Wait { .. } | Op::Restart => String::new(),
            _ => format!("{:?}", target(op).map(|end| ledger.end(end, now, facts))),
        }
    }

    fn everything(&mut self, now: Timestamp) -> String {
        let (ledger, facts) = (&mut self.ledger, &mut self.facts);
        let got = ledger.get(&ids(), now, facts);
        let counts = scopes().map(|of| ledger.counts(&of, now, facts));
        let list = ledger.list(&List::of(owner(1)), now, facts);
        let feed = ledger.entries_after(None, now, facts);
        format!("{got:#?} {counts:?} {list:#?} {feed:#?}")
    }
}

fn claim(id: u8, minutes: u64, now: Timestamp) -> Once {
    Once {
        id: OnceId([id; 32]),
        until: now.after(Duration::from_mins(minutes)),
        of: None,
        claim: Claim::UseUp,
    }
}

fn ids() -> Vec<SessionId> {
    (0..6).map(id).collect()
}

fn scopes() -> [CountOf; 3] {
    [CountOf::Site, CountOf::Tenant("acme".into()), CountOf::Owner(owner(2))]
}

async fn answer(registry: &FileRegistry, op: &Op, now: Timestamp) -> String {
    match *op {
        Op::Admit { session, owner, minutes, key } => {
            format!("{:?}", registry.admit(login(session, owner, minutes, key)).await.unwrap())
        }
        Op::Rotate { session, generation, fork, passive } => {
            format!("{:?}", registry.rotate(refresh(session, generation, fork, passive)).await.unwrap())
        }
        Op::Advance { session, base, memo } => {
            format!("{:?}", registry.advance_version(advance(session, base, memo)).await.unwrap())
        }
        Op::Touch { session, age } => {
            let mark = Touch { session: id(session), age: Duration::from_secs(age) };
            format!("{:?}", registry.touch(vec![mark]).await.unwrap())
        }
        Op::Once { id, minutes } => format!("{:?}", registry.once(claim(id, minutes, now)).await.unwrap()),
        Op::Wait { .. } | Op::Restart => String::new(),
        _ => match target(op) {
            Some(end) => format!("{:?}", Some(registry.end(end).await.unwrap())),
            None => String::new(),
        },
    }
}

async fn everything(registry: &FileRegistry) -> String {
    let got = registry.get(ids()).await.unwrap();
    let [site, tenant, of] = scopes();
    let counts = [
        registry.counts(site).await.unwrap(),
        registry.counts(tenant).await.unwrap(),
        registry.counts(of).await.unwrap(),
    ];
    let list = registry.list(List::of(owner(1))).await.unwrap();
    let feed = registry.feed(None).await.unwrap();
    format!("{got:#?} {counts:?} {list:#?} {feed:#?}")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_restart_changes_no_answer(ops in ops()) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(compare(&ops));
    }
}

async fn compare(ops: &[Op]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let clock = ManualClock::at(START);
    // Limits below the number of sessions, idle times beyond the test's, and figures that differ from the defaults,
    // which a registry has before it is configured.
    let limits = Limits::none().per_user(2, OnFull::EndLeastRecent).per_site(4, OnFull::Refuse);
    let (idle_timeout, dangling_after) = (Duration::from_hours(7 * 24), Duration::from_mins(50));
    let rules = Rules { limits, idle_timeout, dangling_after, ..Rules::default() };
    let open = || {
        let registry = FileRegistry::open_with(&path, Options::default().clock(clock.clone())).unwrap();
        registry.configure(rules);
        registry
    };
    let mut registry = open();
    let mut model = Model { ledger: Ledger::new(rules, START.as_millis()), facts: Vec::new() };
    model.ledger.open_epoch(START, &mut model.facts);
    for op in ops {
        match op {
            Op::Wait { seconds } => clock.advance(Duration::from_secs(*seconds)),
            Op::Restart => {
                drop(registry);
                registry = open();
            }
            _ => {}
        }
        let now = clock.now();
        assert_eq!(answer(&registry, op, now).await, model.answer(op, now), "{op:?}");
        assert_eq!(everything(&registry).await, model.everything(now), "after {op:?}");
    }
}
