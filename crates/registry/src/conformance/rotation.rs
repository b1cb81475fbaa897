//! Refreshes: the table of rotation, row by row.

use countersign_token::{RotationId, SessionId};

use super::bench::{Bench, DANGLING, MINUTE, SECOND, Token};
use crate::fact::{EndReason, News};
use crate::op::{Admit, Holding, Rotated, SessionRecord, Target};
use crate::rules::{Limits, OnFull};

/// A session that has used up its first token, and the token.
async fn refreshed(bench: &Bench, subject: &str) -> (SessionRecord, Token) {
    let session = bench.seated(subject).await;
    let first = bench.token(RotationId::NIL, 1);
    bench.clock.advance(MINUTE);
    (bench.renewed(session.id, first).await.record, first)
}

async fn is_reused(bench: &Bench, session: SessionId, token: Token) {
    let rotated = bench.rotate(session, token).await;
    let Rotated::Reused(entries) = rotated else { panic!("a copied token was answered {rotated:?}") };
    let told = entries.iter().any(|entry| entry.news == News::Ended(session, EndReason::RefreshReused));
    assert!(told, "the end of a copied session is in the answer");
    assert!(!bench.lives(session).await, "a copied session lives on");
}

/// The token that was used up last may be repeated without any time limit, and stores nothing.
pub(super) async fn a_token_used_up_last_may_be_repeated(bench: &Bench) {
    let (session, first) = refreshed(bench, "ada").await;
    for pause in [SECOND, MINUTE, 20 * MINUTE] {
        bench.clock.advance(pause);
        let renewal = bench.renewed(session.id, first).await;
        assert_eq!(renewal.record.current, first.id, "a repetition changed the rotation");
    }
}

/// A token younger than the race window is not used up by its use.
pub(super) async fn an_early_refresh_keeps_its_token(bench: &Bench) {
    let session = bench.seated("ada").await;
    let first = bench.token(RotationId::NIL, 1);
    bench.clock.advance(MINUTE - SECOND / 1000);
    let rotated = bench.rotate(session.id, first).await;
    let Rotated::Kept(renewal) = rotated else { panic!("an early refresh was answered {rotated:?}") };
    assert_eq!(renewal.record.current, RotationId::NIL, "an early refresh changed the rotation");
}

/// A token as old as the race window is used up, and is a session's activity.
pub(super) async fn a_refresh_goes_on(bench: &Bench) {
    let session = bench.seated("ada").await;
    let mut parent = RotationId::NIL;
    for random in 0..5 {
        let token = bench.token(parent, random);
        bench.clock.advance(MINUTE);
        let renewal = bench.renewed(session.id, token).await;
        assert_eq!(
            (renewal.record.current, renewal.seat),
            (token.id, Holding::Seat),
            "a refresh did not go on"
        );
        assert_eq!(renewal.record.last_activity, renewal.at, "a refresh is activity");
        assert_eq!(renewal.record.expires_at, session.expires_at, "a refresh moved the absolute end");
        parent = token.id;
    }
}

/// A token of a later generation than the registry's is made up for, whether it is young or old.
pub(super) async fn lost_steps_are_made_up(bench: &Bench) {
    let lost = RotationId::follow(RotationId::follow(RotationId::NIL, 1), 2);
    let session = bench.seated("ada").await;
    let token = bench.token(lost, 3);
    let rotated = bench.rotate(session.id, token).await;
    let Rotated::Kept(renewal) = rotated else {
        panic!("a young token of lost steps was answered {rotated:?}")
    };
    assert_eq!(renewal.record.current, lost, "the lost step was not made up for");
    bench.clock.advance(MINUTE);
    assert_eq!(bench.renewed(session.id, token).await.record.current, token.id);

    let session = bench.seated("bob").await;
    let token = bench.token(lost, 3);
    bench.clock.advance(MINUTE);
    assert_eq!(bench.renewed(session.id, token).await.record.current, token.id, "an old token of lost steps");
}

/// A token that was used up before the last one is a copy.
pub(super) async fn a_used_up_token_ends_the_session(bench: &Bench) {
    let (session, first) = refreshed(bench, "ada").await;
    let second = bench.token(first.id, 2);
    bench.clock.advance(MINUTE);
    let _ = bench.renewed(session.id, second).await;
    is_reused(bench, session.id, first).await;
    let rotated = bench.rotate(session.id, second).await;
    assert!(
        matches!(rotated, Rotated::Ended(Some(EndReason::RefreshReused))),
        "both holders are out: {rotated:?}"
    );
}

/// Of two successors of one token, one is a copy once the other is used up, however young it is.
pub(super) async fn the_other_successor_ends_the_session(bench: &Bench) {
    let (session, first) = refreshed(bench, "ada").await;
    let one = bench.token(first.id, 2);
    bench.clock.advance(MINUTE);
    let other = bench.token(first.id, 3);
    let _ = bench.renewed(session.id, one).await;
    is_reused(bench, session.id, other).await;
}

/// A copy is found out in a full site too.
pub(super) async fn reuse_is_judged_before_the_seat(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::Refuse));
    let (session, first) = refreshed(bench, "ada").await;
    let second = bench.token(first.id, 2);
    bench.clock.advance(MINUTE);
    let _ = bench.renewed(session.id, second).await;
    bench.clock.advance(DANGLING);
    bench.seated("bob").await;
    is_reused(bench, session.id, first).await;
}

/// Sessions that were handed off end with the copied one, also where the one in between has ended.
pub(super) async fn reuse_ends_what_was_handed_off(bench: &Bench) {
    let (session, first) = refreshed(bench, "ada").await;
    let handed = |from: SessionId| Admit { handed_off_from: Some(from), ..bench.login("ada") };
    let child = bench.seat(handed(session.id)).await.record;
    let grandchild = bench.seat(handed(child.id)).await.record;
    let between = bench.seat(handed(session.id)).await.record;
    let last = bench.seat(handed(between.id)).await.record;
    let stranger = bench.seated("ada").await;
    let _ = bench.end(Target::Sessions(vec![between.id]), EndReason::Logout).await;

    let second = bench.token(first.id, 2);
    bench.clock.advance(MINUTE);
    let _ = bench.renewed(session.id, second).await;
    is_reused(bench, session.id, first).await;
    for (id, who) in
        [(child.id, "child"), (grandchild.id, "grandchild"), (last.id, "grandchild of an ended child")]
    {
        assert!(!bench.lives(id).await, "a {who} of a copied session lives on");
    }
    assert!(bench.lives(stranger.id).await, "a session of the same owner that was not handed off ended");
}

/// A refresh of a session that is not live says why, as far as that is known.
pub(super) async fn an_ended_session_tells_why(bench: &Bench) {
    let session = bench.seated("ada").await;
    let token = bench.token(RotationId::NIL, 1);
    let _ = bench.end(Target::Sessions(vec![session.id]), EndReason::Logout).await;
    let rotated = bench.rotate(session.id, token).await;
    assert!(
        matches!(rotated, Rotated::Ended(Some(EndReason::Logout))),
        "a refresh after logout: {rotated:?}"
    );
    let rotated = bench.rotate(bench.sid(), token).await;
    assert!(matches!(rotated, Rotated::Ended(None)), "a refresh of nobody's session: {rotated:?}");
}
