//! The schedule on a clock of numbers: what is told, once, and never on a guess.

use std::time::Duration;

use countersign_token::Timestamp;
use proptest::prelude::*;

use super::{AHEAD, Figures, KEEPALIVE, Kind, Schedule, Step};

fn at(secs: u64) -> Timestamp {
    Timestamp::from_secs(1_800_000_000 + secs)
}

const HOUR: u64 = 3600;

fn figures(lifetime: u64, idle: u64) -> Figures {
    Figures { expires_at: at(lifetime), idle: Duration::from_secs(idle), ask_every: Duration::from_mins(5) }
}

/// Runs a schedule from an instant on, and tells what it did but for keepalives. The registry knows `used`, or does
/// not answer.
fn run(schedule: &mut Schedule, from: u64, to: u64, used: Option<u64>) -> Vec<(u64, Step)> {
    let (mut now, mut done) = (at(from), Vec::new());
    while now < at(to) {
        match schedule.step(now) {
            Step::Wait(until) => {
                assert!(now < until && until <= now.after(KEEPALIVE), "{now:?} {until:?}");
                now = until;
            }
            Step::Keepalive => {}
            step => {
                done.push((now.as_secs() - at(0).as_secs(), step));
                match (step, used) {
                    (Step::Expired, _) => return done,
                    (Step::Ask, Some(used)) => schedule.heard(at(used), now),
                    _ => {}
                }
            }
        }
    }
    done
}

#[test]
fn it_speaks_at_once_and_every_15_s() {
    let mut schedule = Schedule::new(figures(HOUR, HOUR), at(0), at(0));
    for now in [0, 15, 30] {
        assert_eq!(schedule.step(at(now)), Step::Keepalive);
        assert_eq!(schedule.step(at(now)), Step::Wait(at(now + 15)));
    }
    assert_eq!(schedule.step(at(1000)), Step::Keepalive, "what a sleeping machine missed is told once");
    assert_eq!(schedule.step(at(1000)), Step::Wait(at(1015)));
}

#[test]
fn the_absolute_end_is_told_a_minute_ahead_and_passes() {
    let mut schedule = Schedule::new(figures(HOUR, HOUR), at(0), at(0));
    let told = run(&mut schedule, 0, 2 * HOUR, None);
    assert_eq!(told, [(HOUR - 60, Step::Expiring(Kind::Absolute, at(HOUR))), (HOUR, Step::Expired)]);
    let mut short = Schedule::new(figures(10, 10), at(0), at(0));
    let told = run(&mut short, 0, HOUR, None);
    assert_eq!(told, [(0, Step::Expiring(Kind::Absolute, at(10))), (10, Step::Expired)]);
}

#[test]
fn the_idle_end_is_told_once_the_registry_has_confirmed_it() {
    let mut schedule = Schedule::new(figures(9 * HOUR, HOUR), at(0), at(0));
    let told = run(&mut schedule, 0, HOUR + 60, Some(0));
    assert_eq!(told, [(HOUR - 60, Step::Ask), (HOUR - 60, Step::Expiring(Kind::Idle, at(HOUR)))]);
}

#[test]
fn use_on_another_node_moves_the_warning() {
    let mut schedule = Schedule::new(figures(9 * HOUR, HOUR), at(0), at(0));
    let told = run(&mut schedule, 0, 2 * HOUR, Some(1800));
    let warned = HOUR + 1800 - 60;
    let end = at(HOUR + 1800);
    assert_eq!(
        told,
        [(HOUR - 60, Step::Ask), (warned, Step::Ask), (warned, Step::Expiring(Kind::Idle, end))]
    );
}

#[test]
fn a_moved_end_is_told_again() {
    let mut schedule = Schedule::new(figures(9 * HOUR, HOUR), at(0), at(0));
    assert_eq!(run(&mut schedule, 0, HOUR - 30, Some(0)).len(), 2);
    schedule.saw_use(at(HOUR - 30));
    let told = run(&mut schedule, HOUR - 30, 2 * HOUR, Some(HOUR - 30));
    assert_eq!(told.last(), Some(&(2 * HOUR - 90, Step::Expiring(Kind::Idle, at(2 * HOUR - 30)))));
    assert_eq!(told.len(), 2, "{told:?}");
}

#[test]
fn nobody_is_warned_while_the_registry_is_away() {
    let mut schedule = Schedule::new(figures(9 * HOUR, HOUR), at(0), at(0));
    let told = run(&mut schedule, 0, HOUR + 600, None);
    let asked: Vec<u64> = told
        .iter()
        .map(|(now, step)| (*now, *step))
        .map(|(now, step)| {
            assert_eq!(step, Step::Ask);
            now
        })
        .collect();
    assert_eq!(asked, [3540, 3840, 4140], "and it is asked once in an access token's life");
}

#[test]
fn the_absolute_end_needs_no_registry() {
    let mut schedule = Schedule::new(figures(2 * HOUR, HOUR), at(0), at(HOUR + 1800));
    let told = run(&mut schedule, HOUR + 1800, 3 * HOUR, None);
    let absolute: Vec<_> = told.into_iter().filter(|(_, step)| *step != Step::Ask).collect();
    let end = 2 * HOUR;
    assert_eq!(absolute, [(end - 60, Step::Expiring(Kind::Absolute, at(end))), (end, Step::Expired)]);
}

proptest! {
    /// Whoever uses the session whenever: each warning is of an end that is near and really the session's, none is
    /// told twice, and the registry is asked once in an access token's life at most.
    #[test]
    fn warnings_are_true_and_told_once(
        lifetime in 1..4000_u64,
        idle in 1..4000_u64,
        uses in prop::collection::vec((0..4000_u64, any::<bool>()), 0..12),
    ) {
        let figures = figures(lifetime, idle.min(lifetime));
        let mut schedule = Schedule::new(figures, at(0), at(0));
        let (mut now, mut told, mut asked) = (at(0), Vec::new(), Vec::<Timestamp>::new());
        let last_use = |now| uses.iter().map(|(used, _)| at(*used)).filter(|used| *used <= now).max();
        loop {
            for (used, here) in &uses {
                if *here && at(*used) <= now {
                    schedule.saw_use(at(*used));
                }
            }
            match schedule.step(now) {
                Step::Expired => break,
                Step::Keepalive => {}
                Step::Ask => {
                    prop_assert!(asked.last().is_none_or(|last| now >= last.after(figures.ask_every)));
                    asked.push(now);
                    schedule.heard(last_use(now).unwrap_or(at(0)), now);
                }
                Step::Expiring(kind, end) => {
                    prop_assert!(now < end && end.since(now) <= AHEAD);
                    prop_assert!(!told.contains(&(kind as u8, end)), "{:?} was told twice", end);
                    told.push((kind as u8, end));
                    match kind {
                        Kind::Absolute => prop_assert_eq!(end, figures.expires_at),
                        // What another node saw since the last question, this one cannot know.
                        Kind::Idle => {
                            let heard = *asked.last().unwrap();
                            let used = last_use(heard).unwrap_or(at(0));
                            prop_assert!(end >= used.after(figures.idle) && end < figures.expires_at);
                        }
                    }
                }
                Step::Wait(until) => {
                    prop_assert!(now < until && until <= now.after(KEEPALIVE));
                    now = until;
                }
            }
        }
        prop_assert!(now >= figures.expires_at);
        prop_assert!(told.contains(&(Kind::Absolute as u8, figures.expires_at)));
    }
}
