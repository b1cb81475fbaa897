//! The feed: what a node that follows it gets to hear.

use countersign_token::{FeedPosition, RotationId};
use futures_util::FutureExt as _;

use super::bench::{Bench, MINUTE, SECOND};
use crate::contract::BatchKind;
use crate::fact::{EndReason, News};
use crate::op::{Activity, Standing, Target};
use crate::rules::Rules;

/// Who asks from a position hears what came after it, in order, without a gap.
pub(super) async fn a_tail_follows_its_position(bench: &Bench) {
    let start = bench.feed(None).await.complete_to;
    let mut told = Vec::new();
    for subject in ["ada", "bob", "cy"] {
        let session = bench.seated(subject).await.id;
        told.extend(bench.end(Target::Sessions(vec![session]), EndReason::Logout).await.entries);
    }
    for (skip, entry) in told.iter().enumerate() {
        assert_eq!(
            entry.position,
            FeedPosition { seq: start.seq + 1 + skip as u64, ..start },
            "entries are numbered"
        );
        let batch = bench.feed(Some(entry.position)).await;
        assert_eq!(batch.kind, BatchKind::Tail, "a position of this epoch has a tail");
        assert_eq!(batch.entries, told[skip + 1..], "a tail is what came after");
        assert_eq!(batch.complete_to, told[2].position);
    }
    assert_eq!(bench.feed(Some(start)).await.entries, told);
}

/// Who asks from nowhere, from another epoch, or from a position that was never reached gets all that matters.
pub(super) async fn a_stranger_gets_a_snapshot(bench: &Bench) {
    let session = bench.seated("ada").await.id;
    let ended = bench.end(Target::Sessions(vec![session]), EndReason::Logout).await;
    let FeedPosition { epoch, seq } = ended.position;
    let strange = [(epoch + 1, seq), (epoch - 1, seq), (epoch, seq + 1)]
        .map(|(epoch, seq)| FeedPosition { epoch, seq });
    for after in [None, Some(strange[0]), Some(strange[1]), Some(strange[2])] {
        let batch = bench.feed(after).await;
        assert_eq!((batch.kind, batch.complete_to), (BatchKind::Snapshot, ended.position), "after {after:?}");
        assert!(batch.entries.contains(&ended.entries[0]), "a snapshot after {after:?} leaves out an end");
    }
}

/// An entry is kept for the largest access lifetime in use and two clock skews; then a tail may not begin before it.
pub(super) async fn entries_are_forgotten_in_time(bench: &Bench) {
    let rules = Rules { clock_skew: MINUTE, ..Rules::default() };
    bench.registry.configure(rules);
    bench.clock.advance(rules.entry_life());
    let start = bench.feed(None).await.complete_to;
    let session = bench.seated("ada").await.id;
    let ended = bench.end(Target::Sessions(vec![session]), EndReason::Logout).await;
    assert_eq!(ended.entries[0].until, ended.entries[0].at.after(7 * MINUTE));
    bench.clock.advance(7 * MINUTE - SECOND);
    assert_eq!(bench.feed(None).await.entries, ended.entries, "an entry that could matter is kept");
    bench.clock.advance(SECOND);
    assert!(bench.feed(None).await.entries.is_empty(), "an entry that cannot matter is forgotten");
    let behind = bench.feed(Some(start)).await;
    let told = behind.kind == BatchKind::Snapshot || behind.entries == ended.entries;
    assert!(told, "a tail with a gap: {behind:?}");
    assert_eq!(
        bench.feed(Some(ended.position)).await.kind,
        BatchKind::Tail,
        "nothing is missing at the position"
    );
}

/// Where pages poll, an access token outlives the idle timeout: so the feed tells of that end.
pub(super) async fn an_idle_session_that_was_polled_is_told(bench: &Bench) {
    bench.registry.configure(Rules { idle_timeout: 60 * MINUTE, ..Rules::default() });
    let session = bench.seated("ada").await.id;
    let token = bench.token(RotationId::NIL, 1);
    bench.clock.advance(59 * MINUTE);
    let _ = bench.rotate_as(session, token, Activity::Passive).await;
    bench.clock.advance(MINUTE);
    assert_eq!(
        bench.standing(session).await,
        Standing::Ended(Some(EndReason::Idle)),
        "polling is no activity"
    );
    let entries = bench.feed(None).await.entries;
    let told = entries.iter().any(|entry| entry.news == News::Ended(session, EndReason::Idle));
    assert!(told, "an access token outlives its session, and the feed does not tell");
}

/// News resolve at once where there are some, and once there are.
pub(super) async fn news_resolve(bench: &Bench) {
    let start = bench.feed(None).await.complete_to;
    let waiting = bench.registry.news(start);
    let session = bench.seated("ada").await.id;
    let ended = bench.end(Target::Sessions(vec![session]), EndReason::Logout).await;
    waiting.await;
    bench.registry.news(start).await;
    let early = bench.registry.news(ended.position).now_or_never();
    if early.is_some() {
        // A registry that cannot tell may resolve early; the feed then says that there is nothing.
        assert!(bench.feed(Some(ended.position)).await.entries.is_empty());
    }
}
