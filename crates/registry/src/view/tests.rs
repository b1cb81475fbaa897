//! The view against its rules: a naive model, the bound, real threads.

mod model;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};

use super::{Loaded, Question, Reading, Verdict, View};
use crate::contract::{Batch, BatchKind};
use crate::fact::{EndReason, Entry, News};
use crate::op::Owner;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const LATER: Timestamp = Timestamp::from_secs(1_800_000_300);

fn seconds(n: u64) -> Timestamp {
    NOW.after(Duration::from_secs(n))
}

fn at(epoch: u64, seq: u64) -> FeedPosition {
    FeedPosition { epoch, seq }
}

fn session(n: u64) -> SessionId {
    // Spread as random bits are (the finaliser of splitmix64).
    let spread = |n: u64| {
        let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        n ^ (n >> 31)
    };
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&spread(n.wrapping_mul(0x9e37_79b9_7f4a_7c15)).to_le_bytes());
    bytes[8..].copy_from_slice(&spread(n.wrapping_mul(0xd134_2543_de82_ef95) + 1).to_le_bytes());
    SessionId::from_bytes(bytes)
}

fn entry(seq: u64, news: News) -> Entry {
    Entry { position: at(1, seq), at: NOW, until: LATER, news }
}

fn ended(seq: u64, n: u64) -> Entry {
    entry(seq, News::Ended(session(n), EndReason::Logout))
}

fn judge(view: &View, n: u64, born: u64) -> Verdict {
    let (session, born) = (session(n), at(1, born));
    view.judge(&Question { session: &session, born, subject: "alice", tenant: Some("acme"), kid: "k" })
}

// ---- the bound ---------------------------------------------------------------------------------------------

#[test]
fn when_full_it_ends_everyone_born_before_what_does_not_fit() {
    let check = |one: News, two: News| {
        let view = View::with_bound(1);
        view.apply(&entry(10, one.clone()));
        view.apply(&entry(10, one));
        assert_eq!(judge(&view, 7, 10), Verdict::Clear);
        assert_eq!(judge(&view, 7, 9), Verdict::Clear);
        view.apply(&entry(20, two));
        assert_eq!(judge(&view, 7, 19), Verdict::Ended(EndReason::EndedByAdmin));
        assert_eq!(judge(&view, 7, 20), Verdict::Clear, "who logged in since is not concerned");
        assert!(view.len() <= 2);
    };
    let reason = EndReason::Logout;
    check(News::Ended(session(1), reason), News::Ended(session(2), reason));
    check(News::Floor(session(1), 1), News::Floor(session(2), 1));
    check(News::TenantEnded("a".into(), reason), News::TenantEnded("b".into(), reason));
    check(News::OwnerEnded(Owner::new("a"), None, reason), News::OwnerEnded(Owner::new("b"), None, reason));
}

#[test]
fn one_removed_key_too_many_removes_all() {
    let view = View::new();
    for n in 0..4096_u64 {
        view.apply(&Entry { until: Timestamp::MAX, ..entry(n, News::KeyRemoved(n.to_string().into())) });
    }
    assert_eq!(judge(&view, 7, 0), Verdict::Clear);
    assert_eq!(view.removed_keys().len(), 4096);
    view.apply(&Entry { until: Timestamp::MAX, ..entry(5000, News::KeyRemoved("5000".into())) });
    view.expire(Timestamp::MAX);
    assert_eq!(judge(&view, 7, 9999), Verdict::Ended(EndReason::KeyRemoved));
}

// ---- completeness and age ----------------------------------------------------------------------------------

fn reading(boot: u64, wall: u64) -> Reading {
    Reading { boot: Duration::from_secs(boot), wall: seconds(wall) }
}

fn batch(kind: BatchKind, complete_to: FeedPosition, seqs: &[u64]) -> Batch {
    let entries =
        seqs.iter().map(|seq| Entry { position: at(complete_to.epoch, *seq), ..ended(0, *seq) }).collect();
    Batch { complete_to, kind, entries, at: NOW, behind: Duration::ZERO }
}

#[test]
fn a_tail_counts_only_without_a_gap() {
    let view = View::new();
    let load = |kind, to, seqs: &[u64]| view.load(&batch(kind, to, seqs), reading(0, 0), NOW);
    assert_eq!(load(BatchKind::Tail, at(1, 0), &[]), Loaded::Gap, "a view begins with a snapshot");
    assert_eq!((view.position(), view.age(reading(0, 0))), (None, None));
    assert_eq!(load(BatchKind::Snapshot, at(1, 3), &[2]), Loaded::Complete);
    assert_eq!(load(BatchKind::Tail, at(1, 5), &[4, 5]), Loaded::Complete);
    assert_eq!(load(BatchKind::Tail, at(1, 7), &[5, 6, 7]), Loaded::Complete, "an overlap is no gap");
    assert_eq!(load(BatchKind::Tail, at(1, 7), &[]), Loaded::Complete);
    assert_eq!(load(BatchKind::Tail, at(1, 9), &[9]), Loaded::Gap);
    assert_eq!(load(BatchKind::Tail, at(1, 9), &[8]), Loaded::Gap);
    assert_eq!(load(BatchKind::Tail, at(2, 8), &[8]), Loaded::Gap, "a new epoch begins with a snapshot");
    assert_eq!(view.position(), Some(at(1, 7)));
    assert_eq!(judge(&view, 9, 0), Verdict::Ended(EndReason::Logout), "what came was true all the same");
}

#[test]
fn an_earlier_epoch_never_replaces_a_later_one() {
    let view = View::new();
    let load = |kind, to| view.load(&batch(kind, to, &[]), reading(0, 0), NOW);
    assert_eq!(load(BatchKind::Snapshot, at(7, 1)), Loaded::Complete);
    assert_eq!(load(BatchKind::Snapshot, at(3, 900)), Loaded::Older);
    assert_eq!(load(BatchKind::Snapshot, at(7, 0)), Loaded::Older);
    assert_eq!(load(BatchKind::Tail, at(3, 900)), Loaded::Older);
    assert_eq!(view.epoch(), Some(7));
    assert_eq!(load(BatchKind::Snapshot, at(8, 0)), Loaded::Complete);
    assert_eq!(view.position(), Some(at(8, 0)));
}

#[test]
fn the_age_counts_from_asking_by_the_clock_that_went_further() {
    let view = View::new();
    let ask = |boot, wall| {
        let snapshot = batch(BatchKind::Snapshot, at(1, 1), &[]);
        assert_eq!(view.load(&snapshot, reading(boot, wall), seconds(9999)), Loaded::Complete);
    };
    let age = |boot, wall| view.age(reading(boot, wall)).map(|age| age.as_secs());
    assert_eq!(age(0, 0), None);
    ask(10, 110);
    assert_eq!(age(12, 112), Some(2));
    assert_eq!(age(12, 150), Some(40), "frozen: only the wall clock saw it");
    assert_eq!(age(40, 90), Some(30), "the wall clock was set back");
    ask(20, 120);
    ask(15, 115);
    assert_eq!(age(20, 120), Some(0), "an answer that overtook another changes nothing");
}

#[test]
fn a_reading_that_does_not_prove_itself_is_older_than_its_asking() {
    let view = View::new();
    let mut snapshot = batch(BatchKind::Snapshot, at(1, 1), &[]);
    let mut ask = |boot, wall, behind| {
        snapshot.behind = Duration::from_secs(behind);
        assert_eq!(view.load(&snapshot, reading(boot, wall), NOW), Loaded::Complete);
        view.age(reading(boot, wall)).map(|age| age.as_secs())
    };
    assert_eq!(ask(10, 110, 3), Some(3));
    assert_eq!(ask(12, 112, 9), Some(5), "it proves less than the one before");
    assert_eq!(ask(13, 113, 0), Some(0));
    assert_eq!(ask(2, 300, 4), Some(187), "by the wall clock, where the machine has just started");
}

#[test]
fn a_snapshot_drops_what_is_due_and_nothing_else() {
    let view = View::new();
    view.apply_all(&[ended(5, 1), Entry { until: NOW, ..ended(6, 2) }]);
    let load = |now| view.load(&batch(BatchKind::Snapshot, at(1, 9), &[]), reading(0, 0), now);
    assert_eq!(load(NOW.after(Duration::from_secs(16))), Loaded::Complete);
    assert_eq!(
        judge(&view, 1, 0),
        Verdict::Ended(EndReason::Logout),
        "applied here, not in the snapshot yet"
    );
    assert_eq!(judge(&view, 2, 0), Verdict::Clear);
    assert_eq!(view.len(), 1);
}

// ---- threads -----------------------------------------------------------------------------------------------

/// Three kinds of end, told by the number of the session: of itself, of its owner, by its floor.
fn end_of(n: u64) -> Entry {
    let news = match n % 8 {
        0 => News::OwnerEnded(Owner::new(n.to_string()), None, EndReason::Logout),
        1 => News::Floor(session(n), n),
        _ => News::Ended(session(n), EndReason::Logout),
    };
    entry(n + 1, news)
}

fn knows(view: &View, n: u64) -> bool {
    let (id, subject) = (session(n), n.to_string());
    let question = Question { session: &id, born: at(1, 0), subject: &subject, tenant: None, kid: "k" };
    match n % 8 {
        1 => view.floor(&id).is_some_and(|floor| floor.exclusive == n),
        _ => view.judge(&question) == Verdict::Ended(EndReason::Logout),
    }
}

#[test]
fn an_applied_end_is_never_missed_again() {
    const EACH: u64 = 40_000;
    let view = View::new();
    let applied = [const { AtomicU64::new(0) }; 2];
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers: Vec<_> = (0..2_u64)
            .map(|writer| {
                let (view, applied) = (&view, &applied[writer as usize]);
                scope.spawn(move || {
                    for n in 0..EACH {
                        view.apply(&end_of(n * 2 + writer));
                        // Both writers apply this one, and each relies on it once its own call has returned.
                        let shared = 1_000_000 + (n / 2) * 8 + 2;
                        view.apply(&end_of(shared));
                        assert!(knows(view, shared));
                        applied.store(n + 1, Ordering::Release);
                    }
                })
            })
            .collect();
        for reader in 0..2_u64 {
            let (view, applied, done) = (&view, &applied, &done);
            scope.spawn(move || {
                let mut draw = reader + 1;
                while !done.load(Ordering::Relaxed) {
                    draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    let writer = (draw >> 40) % 2;
                    let known = applied[writer as usize].load(Ordering::Acquire);
                    if known > 0 {
                        let n = ((draw >> 20) % known) * 2 + writer;
                        assert!(knows(view, n), "session {n} was seen live");
                    }
                }
            });
        }
        // Entries that are due come and go, so that the filters are rebuilt all the time.
        let (view, done) = (&view, &done);
        scope.spawn(move || {
            for n in 10_000_000.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                view.apply(&Entry { until: NOW, ..ended(1, n) });
                if n % 5_000 == 0 {
                    let _ = view.load(&batch(BatchKind::Snapshot, at(1, n), &[]), reading(n, n), NOW);
                    view.expire(NOW.after(Duration::from_secs(16)));
                }
            }
        });
        let fell: Vec<_> = writers.into_iter().map(|writer| writer.join().is_err()).collect();
        done.store(true, Ordering::Relaxed);
        assert_eq!(fell, [false, false]);
    });
    view.expire(NOW.after(Duration::from_secs(16)));
    assert!((0..EACH * 2).all(|n| knows(&view, n)));
    view.expire(Timestamp::MAX);
    assert_eq!(view.len(), 0);
}

#[test]
fn it_can_be_shared() {
    fn shared<T: Send + Sync + 'static>(_: &Arc<T>) {}
    shared(&Arc::new(View::new()));
}
