//! The file registry keeps the contract, and its limits hold whoever races for the seats.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_file::{FileRegistry, Options};
use countersign_registry::conformance::{self, checker};
use countersign_registry::{
    Admit, Admitted, End, EndReason, Limits, ManualClock, OnFull, OpId, Owner, Registry, Rules, Target,
};
use countersign_token::{SessionId, Timestamp};

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

#[test]
fn sixty_four_threads_race_for_seats() {
    const SEATS: u32 = 7;
    const ROUNDS: u64 = 25;
    let folder = Folder::new();
    let registry = open(folder.fresh(), ManualClock::at(Timestamp::from_secs(1_800_000_000)));
    let limits = Limits::none().per_site(SEATS, OnFull::Refuse);
    registry.configure(Rules { limits, ..Rules::default() });
    let watch = checker::Stopwatch::default();
    let noted: Vec<Vec<Seen>> = std::thread::scope(|scope| {
        let race = |thread| {
            let (registry, watch) = (&*registry, &watch);
            scope.spawn(move || block_on(race(registry, watch, thread, ROUNDS)))
        };
        (0..64).map(race).collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let mut history = checker::History::new(SEATS as usize);
    let mut refusals = 0;
    for seen in noted.into_iter().flatten() {
        match seen {
            Seen::Admitted(id, span) => history.admitted(id, span),
            Seen::Left(id, span) => history.left(id, span),
            Seen::Refused(span) => {
                refusals += 1;
                history.refused(span);
            }
        }
    }
    assert!(refusals > 100, "{refusals}");
    assert_eq!(history.verdict(), Ok(()));
}

enum Seen {
    Admitted(u128, checker::Span),
    Left(u128, checker::Span),
    Refused(checker::Span),
}

async fn race(registry: &dyn Registry, watch: &checker::Stopwatch, thread: u64, rounds: u64) -> Vec<Seen> {
    let mut seen = Vec::new();
    for round in 0..rounds {
        let n = u128::from(thread * rounds + round + 1);
        let id = SessionId::from_bytes(n.to_be_bytes());
        let login = Admit::new(id, Owner::new(format!("user {thread}")));
        let (answer, span) = watch.time_async(registry.admit(login)).await;
        match answer.unwrap() {
            Admitted::Seated(_) => seen.push(Seen::Admitted(n, span)),
            Admitted::Full(_) => {
                seen.push(Seen::Refused(span));
                continue;
            }
            other => panic!("{other:?}"),
        }
        let end =
            End { id: OpId(n.to_le_bytes()), target: Target::Sessions(vec![id]), reason: EndReason::Logout };
        let (answer, span) = watch.time_async(registry.end(end)).await;
        assert_eq!(answer.unwrap().sessions, 1);
        seen.push(Seen::Left(n, span));
    }
    seen
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
