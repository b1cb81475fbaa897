//! What the conformance suite cannot see from outside: restoration, and time at its ends.

use std::time::Duration;

use countersign_token::{SessionId, Timestamp};

use super::Ledger;
use crate::fact::{EndReason, Fact};
use crate::op::{
    Admit, Admitted, Claim, Claimed, Code, CountOf, Counts, End, Lifetime, Once, OnceId, OpId, Owner,
    Standing, Target, Touch,
};
use crate::rules::{Limits, OnFull, Rules};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const HOUR: Duration = Duration::from_hours(1);

fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

fn login(ledger: &mut Ledger, number: u8, now: Timestamp) -> Vec<Fact> {
    let mut facts = Vec::new();
    let admitted = ledger.admit(Admit::new(id(number), Owner::new("ada")), now, &mut facts);
    assert!(matches!(admitted, Admitted::Seated(_)), "{admitted:?}");
    facts
}

fn counts(ledger: &mut Ledger, now: Timestamp) -> Counts {
    ledger.counts(&CountOf::Site, now, &mut Vec::new())
}

#[test]
fn a_restored_ledger_goes_by_the_rules_that_it_is_given_next() {
    let patient = Rules { dangling_after: 50 * HOUR, idle_timeout: 100 * HOUR, ..Rules::default() };
    let mut ledger = Ledger::new(patient, 1);
    let facts = login(&mut ledger, 1, START);
    let later = START.after(48 * HOUR);
    for (rules, expected) in [
        (patient, Counts { sessions: 1, seats: 1 }),
        (Rules { dangling_after: HOUR, ..patient }, Counts { sessions: 1, seats: 0 }),
        (Rules::default(), Counts::default()),
    ] {
        let mut restored = Ledger::restore(Rules::default(), ledger.position(), START, facts.clone());
        restored.set_rules(rules);
        assert_eq!(counts(&mut restored, later), expected, "by {rules:?}");
    }
}

#[test]
fn longer_patience_gives_no_seat_back_while_it_runs() {
    let limits = Limits::none().per_site(1, OnFull::Refuse);
    let rules = Rules { limits, ..Rules::default() };
    let mut ledger = Ledger::new(rules, 1);
    login(&mut ledger, 1, START);
    login(&mut ledger, 2, START.after(HOUR));
    ledger.set_rules(Rules { dangling_after: 10 * HOUR, ..rules });
    assert_eq!(counts(&mut ledger, START.after(HOUR)), Counts { sessions: 2, seats: 1 });
    ledger.set_rules(Rules { dangling_after: Duration::from_mins(1), ..rules });
    assert_eq!(counts(&mut ledger, START.after(2 * HOUR)), Counts { sessions: 2, seats: 0 });
}

#[test]
fn a_clock_that_steps_back_takes_nothing_back() {
    let mut ledger = Ledger::new(Rules::default(), 1);
    login(&mut ledger, 1, START);
    assert_eq!(counts(&mut ledger, START.after(HOUR)).seats, 0);
    assert_eq!(counts(&mut ledger, START).seats, 0, "a clock that was set back gave a seat back");
    login(&mut ledger, 2, START);
    assert_eq!(ledger.now(), START.after(HOUR));
    let Standing::Live(record, _) = ledger.get(&[id(2)], START, &mut Vec::new()).remove(0) else {
        panic!("it lives")
    };
    assert_eq!(record.started_at, START.after(HOUR));

    let facts: Vec<Fact> = ledger.facts().collect();
    let mut restored = Ledger::restore(Rules::default(), ledger.position(), Timestamp::ZERO, facts);
    assert_eq!(counts(&mut restored, START), Counts { sessions: 2, seats: 1 }, "a restart gave a seat back");
}

#[test]
fn the_end_of_time_is_survived() {
    let mut ledger = Ledger::new(Rules::default(), 1);
    let forever = Admit { lifetime: Lifetime::Until(Timestamp::MAX), ..Admit::new(id(1), Owner::new("ada")) };
    let _ = ledger.admit(forever, START, &mut Vec::new());
    let mut now = START;
    for _ in 0..1000 {
        now = now.after(23 * HOUR);
        ledger.touch(&[Touch { session: id(1), age: Duration::ZERO }], now, &mut Vec::new());
    }
    assert_eq!(
        counts(&mut ledger, now),
        Counts { sessions: 1, seats: 0 },
        "marks keep a session alive, not its seat"
    );
    let endless = Rules { idle_timeout: Duration::MAX, dangling_after: Duration::MAX, ..Rules::default() };
    ledger.set_rules(endless);
    for millis in [1 << 47, (1 << 48) - 2, 1 << 48, u64::MAX] {
        assert_eq!(counts(&mut ledger, Timestamp::from_millis(millis)).sessions, 1, "at {millis} ms");
    }
    login(&mut ledger, 2, Timestamp::MAX);
    assert_eq!(counts(&mut ledger, Timestamp::MAX).seats, 1);
}

#[test]
fn facts_restore_what_they_came_from() {
    let mut ledger = Ledger::new(Rules::default(), 7);
    let mut facts = Vec::new();
    ledger.open_epoch(START, &mut facts);
    for number in 1..5 {
        facts.extend(login(&mut ledger, number, START.after(HOUR)));
    }
    for (number, target) in [
        Target::Sessions(vec![id(1)]),
        Target::Owner(Owner::new("ada"), Some(id(2))),
        Target::Key("k1".into()),
        Target::Tenant("acme".into()),
    ]
    .into_iter()
    .enumerate()
    {
        let end = End { id: OpId([number as u8; 16]), target, reason: EndReason::Logout };
        let _ = ledger.end(end, START.after(HOUR), &mut facts);
    }
    let sorted = |facts: &mut dyn Iterator<Item = Fact>| {
        let mut lines: Vec<String> = facts.map(|fact| format!("{fact:?}")).collect();
        lines.sort();
        lines
    };
    let known = sorted(&mut ledger.facts());
    let twice: Vec<Fact> = facts.iter().chain(&facts).cloned().collect();
    for log in [facts.clone(), ledger.facts().collect(), twice] {
        let mut restored = Ledger::restore(Rules::default(), ledger.position(), ledger.now(), log);
        restored.settle(ledger.now(), &mut Vec::new());
        assert_eq!(sorted(&mut restored.facts()), known);
        assert_eq!(restored.position(), ledger.position());
    }
}

#[test]
fn an_id_that_was_claimed_again_after_it_had_expired_stays_spent() {
    let (mut ledger, mut facts) = (Ledger::new(Rules::default(), 1), Vec::new());
    let once = |until| Once { id: OnceId([1; 32]), until, of: None, claim: Claim::UseUp };
    assert_eq!(ledger.once(once(START.after(HOUR)), START, &mut facts), Claimed::First);
    assert_eq!(ledger.once(once(START.after(4 * HOUR)), START.after(2 * HOUR), &mut facts), Claimed::First);
    let mut restored = Ledger::restore(Rules::default(), ledger.position(), START, facts);
    for ledger in [&mut ledger, &mut restored] {
        let again = ledger.once(once(START.after(4 * HOUR)), START.after(3 * HOUR), &mut Vec::new());
        assert_eq!(again, Claimed::Spent);
    }
}

#[test]
fn a_restored_ledger_knows_a_handoff_and_its_used_code() {
    let mut ledger = Ledger::new(Rules::default(), 1);
    let mut facts = login(&mut ledger, 1, START);
    let until = START.after(Duration::from_mins(1));
    let code = Code { id: OnceId([7; 32]), until, born: ledger.position(), end: None };
    let redeem = |number| Admit {
        code: Some(code),
        handed_off_from: Some(id(1)),
        ..Admit::new(id(number), Owner::new("ada"))
    };
    assert!(matches!(ledger.admit(redeem(2), START, &mut facts), Admitted::Seated(_)));

    let mut restored = Ledger::restore(Rules::default(), ledger.position(), START, facts);
    assert_eq!(restored.position(), ledger.position());
    let told = restored.entries_after(Some(code.born), START, &mut Vec::new());
    assert_eq!(told, ledger.entries_after(Some(code.born), START, &mut Vec::new()));
    assert_eq!(told.entries.len(), 1, "{told:?}");
    let again = restored.admit(redeem(3), START, &mut Vec::new());
    assert!(matches!(again, Admitted::CodeSpent), "{again:?}");
}
