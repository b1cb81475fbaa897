//! The registry keeps the contract on real servers, and its limits hold whoever races for the seats.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::time::Duration;

use countersign_registry::ManualClock;
use countersign_registry::conformance::{self, Race};
use support::{Engine, START, Server};

async fn keeps_the_contract(engine: Engine) {
    let server = Server::start(engine);
    conformance::run(async |clock| server.fresh(clock).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_on_redis() {
    keeps_the_contract(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keeps_the_contract_on_valkey() {
    keeps_the_contract(Engine::Valkey).await;
}

/// The rights that docs/VALKEY.md asks for are enough, and as few as it says.
async fn few_rights_are_enough(engine: Engine) {
    let server = Server::start(engine);
    server.allow_user().await;
    conformance::run(async |clock| server.fresh_as_user(clock).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_rights_are_enough_on_redis() {
    few_rights_are_enough(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn few_rights_are_enough_on_valkey() {
    few_rights_are_enough(Engine::Valkey).await;
}

/// However 64 threads race, with logouts, expiry and dangling spells in between, the limit is never exceeded, and
/// nobody is turned away for nobody.
async fn sixty_four_threads_race(engine: Engine) {
    let server = Server::start(engine);
    let mut all = [0; 4];
    // Which thread comes first is the machine's affair: races are run until each thing has happened in them.
    for seed in 1..30 {
        let clock = ManualClock::at(START);
        let registry = server.fresh(clock.clone()).await;
        let race = Race { threads: 64, turns: 60, seats: 8, step: Duration::from_mins(15), seed };
        let outcome =
            tokio::task::spawn_blocking(move || conformance::race(&[registry], &clock, race)).await.unwrap();
        let happened = [outcome.admitted, outcome.refused, outcome.returned, outcome.lapsed];
        all = std::array::from_fn(|thing| all[thing] + happened[thing]);
        if all.iter().all(|&times| times > 5) {
            return;
        }
    }
    panic!("races in which little happened prove little: {all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_threads_race_on_redis() {
    sixty_four_threads_race(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_threads_race_on_valkey() {
    sixty_four_threads_race(Engine::Valkey).await;
}
