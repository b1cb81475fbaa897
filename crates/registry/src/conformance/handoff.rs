//! Handoffs: a session goes on as another one, by a code that is claimed with the admission.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId};

use super::bench::{Bench, MINUTE, SECOND};
use crate::clock::Clock as _;
use crate::fact::{EndReason, News};
use crate::op::{Admit, Admitted, Code, OnceId, Owner, SessionRecord, Standing, Target};
use crate::rules::{Limits, OnFull};

/// A redemption of the code of this number, which was made at this position.
fn redemption(bench: &Bench, giver: &SessionRecord, number: u8, born: FeedPosition) -> Admit {
    let until = bench.clock.now().after(MINUTE);
    Admit {
        code: Some(Code { id: OnceId([number; 32]), until, born, end: None }),
        device: Some(Arc::from("Safari on iPhone")),
        handed_off_from: Some(giver.id),
        ..bench.login_of(giver.owner.clone())
    }
}

async fn position(bench: &Bench) -> FeedPosition {
    bench.feed(None).await.complete_to
}

/// A code is claimed with the admission that it leads to: once, and ending nobody.
pub(super) async fn a_code_is_used_once_and_ends_nobody(bench: &Bench) {
    let giver = bench.seated("ada").await;
    let born = position(bench).await;
    let first = redemption(bench, &giver, 1, born);
    let taken = bench.seat(first.clone()).await;
    assert_eq!(taken.record.handed_off_from, Some(giver.id));
    assert!(bench.lives(giver.id).await, "a handoff ended its giver");
    let second = bench.admit(redemption(bench, &giver, 1, born)).await;
    assert!(matches!(second, Admitted::CodeSpent), "a code was used twice: {second:?}");
    let again = bench.seat(first).await;
    assert_eq!(again.record, taken.record, "a redemption whose answer was lost is repeated by its id");
    assert_eq!(bench.counts(crate::CountOf::Site).await.sessions, 2);
}

/// A refused redemption leaves its code usable.
pub(super) async fn a_refusal_leaves_the_code_usable(bench: &Bench) {
    bench.limit(Limits::none().per_user(1, OnFull::Refuse));
    let giver = bench.seated("ada").await;
    let born = position(bench).await;
    bench.refused(redemption(bench, &giver, 1, born)).await;
    bench.limit(Limits::none());
    bench.seat(redemption(bench, &giver, 1, born)).await;
}

/// A code dies with the session that it was made in, with an end of its subject, and with time.
pub(super) async fn a_code_dies_with_its_giver(bench: &Bench) {
    let giver = bench.seated("ada").await;
    let born = position(bench).await;
    let _ = bench.end(Target::Sessions(vec![giver.id]), EndReason::Logout).await;
    let answer = bench.admit(redemption(bench, &giver, 1, born)).await;
    assert!(matches!(answer, Admitted::Ended(Some(EndReason::Logout))), "its giver has ended: {answer:?}");

    let giver = bench.seated("ada").await;
    let born = position(bench).await;
    let others = Target::Owner(Owner::new("ada"), Some(giver.id));
    let _ = bench.end(others, EndReason::EndedByUser).await;
    let answer = bench.admit(redemption(bench, &giver, 2, born)).await;
    assert!(matches!(answer, Admitted::CodeSpent), "all others of its subject ended: {answer:?}");
    let born = position(bench).await;
    bench.seat(redemption(bench, &giver, 3, born)).await;

    let late = redemption(bench, &giver, 4, born);
    bench.clock.advance(MINUTE);
    let late = bench.admit(late).await;
    assert!(matches!(late, Admitted::CodeSpent), "an expired code was answered {late:?}");
}

/// The feed tells the giver of a handoff, and of nothing else.
pub(super) async fn the_giver_is_told(bench: &Bench) {
    let giver = bench.seated("ada").await;
    let born = position(bench).await;
    let taken = bench.seat(redemption(bench, &giver, 1, born)).await;
    let told = [News::HandedOver(giver.id, Some(Arc::from("Safari on iPhone")))];
    let answered: Vec<News> = taken.entries.into_iter().map(|entry| entry.news).collect();
    assert_eq!(answered, told, "the admission tells what the feed says");
    let tail: Vec<News> = bench.feed(Some(born)).await.entries.into_iter().map(|entry| entry.news).collect();
    assert_eq!(tail, told, "the feed tells of a handoff once");
    bench.clock.advance(SECOND);
    assert!(
        bench.lives(giver.id).await && bench.lives(taken.record.id).await,
        "news of a handoff end nobody"
    );
}

/// A giver that ends in the same step, to make room or in the same browser, leaves a session without a parent.
pub(super) async fn a_giver_may_make_room_for_its_own_handoff(bench: &Bench) {
    let check = async |number: u8, replaces: Option<SessionId>, giver: SessionRecord, reason: EndReason| {
        let born = position(bench).await;
        let admit = Admit { replaces, ..redemption(bench, &giver, number, born) };
        let taken = bench.seat(admit).await;
        assert_eq!(bench.standing(giver.id).await, Standing::Ended(Some(reason)));
        assert_eq!(taken.record.handed_off_from, None, "its giver has ended");
        let news: Vec<News> = taken.entries.into_iter().map(|entry| entry.news).collect();
        assert_eq!(news, [News::Ended(giver.id, reason)], "nobody is there to be told of the handoff");
        let known = bench.standing(taken.record.id).await;
        assert!(matches!(known, Standing::Live(record, _) if *record == taken.record));
    };
    let giver = bench.seated("bob").await;
    check(1, Some(giver.id), giver, EndReason::Replaced).await;
    bench.limit(Limits::none().per_user(1, OnFull::EndLeastRecent));
    bench.clock.advance(Duration::from_secs(1));
    let giver = bench.seated("ada").await;
    check(2, None, giver, EndReason::Limit).await;
}
