//! The file registry keeps the contract, and its limits hold whoever races for the seats.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_file::{FileRegistry, Options};
use countersign_registry::conformance::{self, Race};
use countersign_registry::{End, EndReason, ManualClock, OpId, Registry, Target};
use countersign_token::Timestamp;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
}

struct Folder(tempfile::TempDir, AtomicU64);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap(), AtomicU64::new(0))
    }

    fn fresh(&self) -> PathBuf {
        self.0.path().join(format!("{}.redb", self.1.fetch_add(1, Ordering::Relaxed)))
    }
}

fn open(path: PathBuf, clock: ManualClock) -> Arc<dyn Registry> {
    Arc::new(FileRegistry::open_with(path, Options::default().clock(clock)).unwrap())
}

#[test]
fn keeps_the_contract() {
    let folder = Folder::new();
    block_on(conformance::run(async |clock| open(folder.fresh(), clock)));
}

/// However 64 threads race, with logouts, expiry and dangling spells in between, the limit is never exceeded, and
/// nobody is turned away for nobody.
#[test]
fn sixty_four_threads_race_for_seats() {
    let folder = Folder::new();
    let mut happened = [0; 4];
    for seed in 0..4 {
        let clock = ManualClock::at(Timestamp::from_secs(1_800_000_000));
        let registry = open(folder.fresh(), clock.clone());
        let race = Race { threads: 64, turns: 60, seats: 8, step: Duration::from_mins(15), seed };
        let outcome = conformance::race(std::slice::from_ref(&registry), &clock, race);
        let all = [outcome.admitted, outcome.refused, outcome.returned, outcome.lapsed];
        for (sum, times) in happened.iter_mut().zip(all) {
            *sum += times;
        }
    }
    // How much of each happens in one race is the scheduler's choice.
    assert!(
        happened.iter().all(|&times| times > 5),
        "races in which little happened prove little: {happened:?}"
    );
}

#[test]
fn news_come_with_the_commit() {
    let folder = Folder::new();
    let registry = open(folder.fresh(), ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    block_on(async {
        let before = registry.feed(None).await.unwrap().complete_to;
        let news = registry.news(before);
        let waits = tokio::time::timeout(Duration::ZERO, registry.news(before)).await;
        assert!(waits.is_err(), "there are none yet");
        let end = End { id: OpId([1; 16]), target: Target::Everyone, reason: EndReason::EndedByAdmin };
        let ended = registry.end(end).await.unwrap();
        news.await;
        registry.news(before).await;
        assert_eq!(registry.feed(Some(before)).await.unwrap().complete_to, ended.position);
    });
}
