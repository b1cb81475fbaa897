//! Many nodes, simulated: the real ledger behind a replicated store that loses its tail, real views on nodes that crash,
//! freeze and are cut off, clients and thieves, and an oracle that knows what truly happened.
//!
//! A world is a seed: `COUNTERSIGN_SEED=17 cargo test -p countersign-registry --test nodes -- one_world --nocapture` prints
//! its story. `COUNTERSIGN_LONG=1` runs a hundred thousand worlds.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]
#![allow(
    clippy::similar_names,
    clippy::needless_pass_by_value,
    clippy::match_same_arms,
    clippy::large_enum_variant,
    clippy::inconsistent_struct_constructor,
    reason = "a caller is called; one line for each bug and each answer; events are few and short-lived"
)]
#![allow(clippy::cast_possible_wrap, reason = "milliseconds of a world that lasts ninety seconds")]

mod bugs;
mod calls;
mod calm;
mod client;
mod clocks;
mod event;
mod faults;
mod finish;
mod follow;
mod network;
mod node;
mod op;
mod oracle;
mod outbox;
mod planted;
#[path = "../ledger/random.rs"]
#[expect(dead_code, reason = "the tests of the ledger draw more")]
mod random;
mod request;
mod serve;
mod server;
mod setting;
mod store;
mod tally;
mod world;

use bugs::Bug;
use tally::Tally;
use world::{Planted, Story, World};

const WORLDS: u64 = 2_000;
const MANY_WORLDS: u64 = 100_000;

#[test]
fn worlds_keep_their_promises() {
    let long = std::env::var_os("COUNTERSIGN_LONG").is_some();
    let worlds = random::cases(if long { MANY_WORLDS } else { WORLDS });
    let (sum, broken) = live(worlds);
    println!("{worlds} worlds:\n{sum}");
    assert!(broken.is_empty(), "{} worlds broke a promise:\n{}", broken.len(), broken.join("\n"));
    let too_few = |&(what, times): &(&str, usize)| times < 5 && !what.ends_with("(rare)");
    let rare: Vec<_> = sum.all().into_iter().filter(too_few).collect();
    assert!(
        rare.is_empty() || worlds < WORLDS,
        "worlds in which this hardly happens prove nothing: {rare:?}"
    );
}

/// Lives so many worlds, on two threads; tells what happened in them, and what must not have.
fn live(worlds: u64) -> (Tally, Vec<String>) {
    let half = |first: u64| {
        let (mut sum, mut broken) = (Tally::default(), Vec::new());
        for seed in (first..worlds).step_by(2) {
            let (tally, verdict) = World::new(seed, Story::Untold).run();
            broken.extend(verdict.err().map(|what| format!("COUNTERSIGN_SEED={seed}: {what}")));
            sum += tally;
        }
        (sum, broken)
    };
    let (mut sum, mut broken) = (Tally::default(), Vec::new());
    std::thread::scope(|scope| {
        for half in [0, 1].map(|first| scope.spawn(move || half(first))) {
            let (more, worse) = half.join().expect("no world panics");
            sum += more;
            broken.extend(worse);
        }
    });
    (sum, broken)
}

/// Lives one world again, and tells what happens in it.
#[test]
fn one_world() {
    let Ok(seed) = std::env::var("COUNTERSIGN_SEED") else { return };
    let seed = seed.parse().expect("COUNTERSIGN_SEED is a number");
    let world = match std::env::var("COUNTERSIGN_BUG") {
        Err(_) => World::new(seed, Story::Told),
        Ok(name) => {
            let (name, planted) =
                name.strip_prefix("no:").map_or((&*name, Planted::Yes), |name| (name, Planted::No));
            let bug = Bug::ALL.into_iter().find(|bug| format!("{bug:?}") == name).expect("a bug's name");
            World::with(seed, bug, planted, Story::Told)
        }
    };
    let (tally, verdict) = world.run();
    println!("{tally}");
    verdict.unwrap();
}
