//! What may happen: steps drawn at random, in which small numbers name sessions, owners and earlier positions.

use std::time::Duration;

use countersign_registry::{Claim, Limit, Limits, OnFull, Owner};
use countersign_token::SessionId;
use proptest::prelude::*;

pub(crate) const SESSIONS: u8 = 12;
pub(crate) const MINUTE: Duration = Duration::from_mins(1);

pub(crate) fn sid(number: u8) -> SessionId {
    let mut id = [number.wrapping_mul(57); 16];
    id[15] = number;
    SessionId::from_bytes(id)
}

pub(crate) fn owner(number: u8) -> Owner {
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
pub(crate) enum Step {
    Wait(u32),
    /// A session is handed off, and that one again, and the one in between ends.
    Family(u8),
    /// The clock is set back.
    Back(u32),
    Admit {
        session: u8,
        owner: u8,
        life: u16,
        plain: bool,
        replaces: Option<u8>,
        key: Option<u8>,
        parent: Option<u8>,
        exempt: bool,
    },
    Redeem {
        session: u8,
        owner: u8,
        end: Option<u8>,
        parent: Option<u8>,
        code: u8,
        minutes: u8,
        born: usize,
    },
    Rotate {
        session: u8,
        token: u8,
        age: u16,
        passive: bool,
    },
    Advance {
        session: u8,
        base: u8,
        known: u8,
        memo: Option<(u8, u8)>,
    },
    Touch(Vec<(u8, u16)>),
    End {
        id: u8,
        target: u8,
        one: u8,
        owner: u8,
        reason: u8,
    },
    Once {
        id: u8,
        minutes: u8,
        of: Option<(u8, usize)>,
        claim: Claim,
    },
    List {
        whose: u8,
        holding: u8,
        inactive: u16,
        started: bool,
        limit: u8,
    },
    Counts(u8),
    Feed(Option<usize>),
    Limits([(u8, u8); 3]),
    /// Another history: the server was restarted, or a replica took its place.
    Fence,
    /// The data is gone.
    Lose,
    Heartbeat(u8),
    Republish(Vec<Told>),
    Restore(Vec<Lost>),
    Recovered(u8),
}

/// An entry that a node heard: told at an earlier position or some entries behind it, and perhaps before that.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) kind: u8,
    pub(crate) session: u8,
    pub(crate) owner: u8,
    pub(crate) at: (usize, u8),
    pub(crate) before: Option<(usize, u8)>,
}

/// A session that was admitted some entries behind an earlier position, or a one-time id.
#[derive(Clone, Debug)]
pub(crate) struct Lost {
    pub(crate) session: u8,
    pub(crate) owner: u8,
    pub(crate) born: (usize, u8),
    pub(crate) age: u16,
    pub(crate) seat: bool,
    pub(crate) parent: Option<u8>,
    pub(crate) once: bool,
}

pub(crate) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => prop_oneof![0..2000_u32, 50_000..70_000_u32, 0..4_000_000_u32].prop_map(Step::Wait),
        1 => (0..400_000_u32).prop_map(Step::Back),
        1 => Just(Step::Wait(90_000_000)),
        1 => (0..SESSIONS).prop_map(Step::Family),
        8 => (0..SESSIONS, 0..5_u8, 1..300_u16, prop::bool::weighted(0.4), any::<(Option<u8>, Option<u8>, Option<u8>)>(), prop::bool::weighted(0.1))
            .prop_map(|(session, owner, life, plain, (replaces, key, parent), exempt)| Step::Admit { session, owner, life, plain, replaces, key, parent, exempt }),
        2 => (0..SESSIONS, 0..5_u8, any::<(Option<u8>, Option<u8>)>(), 0..3_u8, 0..20_u8, any::<usize>())
            .prop_map(|(session, owner, (end, parent), code, minutes, born)| Step::Redeem { session, owner, end, parent, code, minutes, born }),
        8 => (0..SESSIONS, 0..8_u8, 0..120_u16, any::<bool>())
            .prop_map(|(session, token, age, passive)| Step::Rotate { session, token, age, passive }),
        3 => (0..SESSIONS, 0..5_u8, 0..4_u8, any::<Option<(u8, u8)>>())
            .prop_map(|(session, base, known, memo)| Step::Advance { session, base, known, memo }),
        4 => prop::collection::vec((0..SESSIONS, 0..4000_u16), 1..4).prop_map(Step::Touch),
        4 => (0..6_u8, prop_oneof![4 => 0..2_u8, 3 => 2..4_u8, 2 => 4..7_u8], 0..SESSIONS, 0..5_u8, 0..3_u8)
            .prop_map(|(id, target, one, owner, reason)| Step::End { id, target, one, owner, reason }),
        2 => once(),
        2 => (0..8_u8, 0..3_u8, 0..4000_u16, any::<bool>(), 1..6_u8)
            .prop_map(|(whose, holding, inactive, started, limit)| Step::List { whose, holding, inactive, started, limit }),
        1 => (0..7_u8).prop_map(Step::Counts),
        2 => any::<Option<usize>>().prop_map(Step::Feed),
        1 => Just(Step::Fence),
        1 => prop::bool::weighted(0.2).prop_map(|all| if all { Step::Lose } else { Step::Fence }),
        2 => (0..3_u8).prop_map(Step::Heartbeat),
        3 => prop::collection::vec(told(), 0..4).prop_map(Step::Republish),
        6 => prop::collection::vec(lost(), 1..4).prop_map(Step::Restore),
        4 => (0..3_u8).prop_map(Step::Recovered),
        2 => prop::array::uniform3((prop_oneof![2 => Just(0), 3 => 1..6_u8], 0..5_u8)).prop_map(Step::Limits),
    ];
    prop::collection::vec(step, 1..80)
}

fn place() -> impl Strategy<Value = (usize, u8)> {
    (any::<usize>(), 0..4_u8)
}

fn told() -> impl Strategy<Value = Told> {
    let before = prop::option::weighted(0.3, place());
    (0..9_u8, 0..SESSIONS, 0..5_u8, place(), before).prop_map(|(kind, session, owner, at, before)| Told {
        kind,
        session,
        owner,
        at,
        before,
    })
}

fn lost() -> impl Strategy<Value = Lost> {
    let parent = prop::option::weighted(0.3, 0..SESSIONS);
    let kinds = (any::<bool>(), parent, prop::bool::weighted(0.2));
    let age = prop_oneof![3 => 0..2_u16, 1 => 0..2000_u16];
    (0..2 * SESSIONS, 0..5_u8, place(), age, kinds).prop_map(
        |(session, owner, born, age, (seat, parent, once))| Lost {
            session,
            owner,
            born,
            age,
            seat,
            parent,
            once,
        },
    )
}

fn once() -> impl Strategy<Value = Step> {
    let claim = prop_oneof![2 => Just(Claim::UseUp), 1 => Just(Claim::LookOnly)];
    (0..4_u8, 0..20_u8, any::<Option<(u8, usize)>>(), claim).prop_map(|(id, minutes, of, claim)| Step::Once {
        id,
        minutes,
        of,
        claim,
    })
}

pub(crate) fn limits(of: [(u8, u8); 3]) -> Limits {
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
