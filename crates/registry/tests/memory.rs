//! The registry in memory keeps the contract.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::conformance::{self, Race};
use countersign_registry::{ManualClock, MemoryRegistry, Registry};
use countersign_token::Timestamp;

#[tokio::test]
async fn keeps_the_contract() {
    conformance::run(async |clock| Arc::new(MemoryRegistry::with_clock(clock)) as Arc<dyn Registry>).await;
}

/// However 64 threads race, the limit is never exceeded, and nobody is turned away for nobody.
#[test]
fn sixty_four_threads_share_eight_seats() {
    let mut happened = [0; 4];
    for seed in 0..4 {
        let clock = ManualClock::at(Timestamp::from_secs(1_800_000_000));
        let registry: Arc<dyn Registry> = Arc::new(MemoryRegistry::with_clock(clock.clone()));
        let race = Race { threads: 64, turns: 300, seats: 8, step: Duration::from_mins(15), seed };
        let outcome = conformance::race(std::slice::from_ref(&registry), &clock, race);
        let all = [outcome.admitted, outcome.refused, outcome.returned, outcome.lapsed];
        for (sum, times) in happened.iter_mut().zip(all) {
            *sum += times;
        }
    }
    // How much of each happens in one race is the scheduler's choice.
    assert!(
        happened.iter().all(|&times| times > 20),
        "races in which little happened prove little: {happened:?}"
    );
}
