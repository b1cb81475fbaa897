//! The scripts are the ledger: the same operations, at the same instants, get the same answers from both.
//!
//! What may differ: the order in which sessions that idled in one step are told of, and how soon the feed forgets.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod ask;
mod pair;
mod recover;
mod step;
#[path = "../support/mod.rs"]
mod support;

use std::sync::atomic::Ordering;

use countersign_registry::Rules;
use proptest::test_runner::{Config, TestRunner};

use self::pair::{HAPPENED, Pair};
use self::step::{MINUTE, steps};
use self::support::{Engine, Server};

fn agrees(engine: Engine) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let server = Server::start_with(engine, &["--appendonly", "yes", "--appendfsync", "no"]);
    let cases = if std::env::var_os("COUNTERSIGN_LONG").is_some() { 10_000 } else { 250 };
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let times = (1..90_u32, 30..200_u32, 0..3_u32);
    let outcome = runner.run(&(steps(), times), |(steps, (dangling, idle, skew))| {
        let rules = Rules {
            dangling_after: MINUTE * dangling,
            idle_timeout: MINUTE * idle,
            clock_skew: MINUTE * skew,
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
    let happened = HAPPENED.each_ref().map(|times| times.load(Ordering::Relaxed));
    assert!(
        happened.iter().all(|&times| times > 50),
        "steps in which little happened prove little: {happened:?}"
    );
}

#[test]
fn the_scripts_are_the_ledger_on_redis() {
    agrees(Engine::Redis);
}

#[test]
fn the_scripts_are_the_ledger_on_valkey() {
    agrees(Engine::Valkey);
}
