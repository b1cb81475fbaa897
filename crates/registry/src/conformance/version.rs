//! Exclusive updates: one winner per version, and repetitions.

use countersign_token::SessionId;

use super::bench::Bench;
use crate::fact::{EndReason, News};
use crate::op::{Advance, AdvanceMemo, Advanced, Base, Digest, Target};

async fn advance(
    bench: &Bench,
    session: SessionId,
    base: Base,
    known: u64,
    memo: Option<AdvanceMemo>,
) -> Advanced {
    let advance = Advance { session, base, known, memo };
    bench.registry.advance_version(advance).await.expect("advance_version answers")
}

async fn set(bench: &Bench, session: SessionId, base: Base, known: u64, memo: Option<AdvanceMemo>) -> u64 {
    match advance(bench, session, base, known, memo).await {
        Advanced::Set { exclusive, entries, .. } => {
            let news: Vec<News> = entries.into_iter().map(|entry| entry.news).collect();
            assert_eq!(news, [News::Floor(session, exclusive)], "an update raises the floor");
            exclusive
        }
        other => panic!("an update that must win was answered {other:?}"),
    }
}

fn memo(key: u8, old: u8, new: u8) -> AdvanceMemo {
    AdvanceMemo { key: Digest([key; 16]), old_state: Digest([old; 16]), new_data: Digest([new; 16]) }
}

/// Of two updates of one version one wins, the other hears which version counts.
pub(super) async fn one_of_two_updates_wins(bench: &Bench) {
    let session = bench.seated("ada").await.id;
    assert_eq!(set(bench, session, Base::Version(0), 0, None).await, 1);
    let loser = advance(bench, session, Base::Version(0), 0, None).await;
    assert!(
        matches!(loser, Advanced::Conflict { exclusive: 1 }),
        "a second update of one version: {loser:?}"
    );
    assert_eq!(set(bench, session, Base::Version(1), 1, None).await, 2);
    let _ = bench.end(Target::Sessions(vec![session]), EndReason::Logout).await;
    let ended = advance(bench, session, Base::Version(2), 2, None).await;
    assert!(
        matches!(ended, Advanced::Ended(Some(EndReason::Logout))),
        "an update of an ended session: {ended:?}"
    );
}

/// The exact repetition of the last update that had a key is told so; another result under its key is a conflict.
pub(super) async fn a_repetition_is_recognised(bench: &Bench) {
    let session = bench.seated("ada").await.id;
    assert_eq!(set(bench, session, Base::Version(0), 0, Some(memo(1, 1, 1))).await, 1);
    for known in [0, 1] {
        let again = advance(bench, session, Base::Version(0), known, Some(memo(1, 1, 1))).await;
        assert!(
            matches!(again, Advanced::Repeated { exclusive: 1, .. }),
            "a repetition was answered {again:?}"
        );
    }
    for other in [Some(memo(1, 1, 2)), Some(memo(1, 2, 1)), Some(memo(2, 1, 1)), None] {
        let conflict = advance(bench, session, Base::Version(0), 1, other).await;
        assert!(
            matches!(conflict, Advanced::Conflict { exclusive: 1 }),
            "{other:?} was answered {conflict:?}"
        );
    }
    assert_eq!(
        set(bench, session, Base::Version(1), 1, Some(memo(2, 2, 2))).await,
        2,
        "another key is another update"
    );
    let forgotten = advance(bench, session, Base::Version(0), 2, Some(memo(1, 1, 1))).await;
    assert!(matches!(forgotten, Advanced::Conflict { exclusive: 2 }), "only the last is kept: {forgotten:?}");
}

/// A registry that lost steps never issues a version twice: what the token and the node know counts.
pub(super) async fn what_the_node_knows_counts(bench: &Bench) {
    let session = bench.seated("ada").await.id;
    let stale = advance(bench, session, Base::Version(3), 7, None).await;
    assert!(matches!(stale, Advanced::Conflict { exclusive: 7 }), "a state below the known floor: {stale:?}");
    assert_eq!(set(bench, session, Base::Version(7), 7, None).await, 8, "the presented version counts");
    assert_eq!(
        set(bench, session, Base::Version(1 << 40), 0, None).await,
        (1 << 40) + 1,
        "versions are large numbers"
    );
}

/// A reset goes from whatever version counts.
pub(super) async fn a_reset_always_wins(bench: &Bench) {
    let session = bench.seated("ada").await.id;
    assert_eq!(set(bench, session, Base::Reset, 0, None).await, 1);
    assert_eq!(
        set(bench, session, Base::Reset, 9, None).await,
        10,
        "a reset goes beyond what the node knows"
    );
    assert_eq!(set(bench, session, Base::Reset, 0, Some(memo(1, 1, 1))).await, 11);
    let again = advance(bench, session, Base::Reset, 11, Some(memo(1, 1, 1))).await;
    assert!(
        matches!(again, Advanced::Repeated { exclusive: 11, .. }),
        "a repeated reset was answered {again:?}"
    );
}
