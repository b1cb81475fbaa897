//! Ends: of one, of many, of a key; once, and for good.

use countersign_token::SessionId;

use super::bench::{Bench, MINUTE, SECOND};
use crate::fact::{EndReason, News};
use crate::list::List;
use crate::op::{End, OpId, Owner, Standing, Target};

fn of_acme(subject: &str) -> Owner {
    Owner::new(subject).of_tenant("acme")
}

/// Two sessions of ada of acme, one of bob of acme, one of ada of nowhere.
async fn people(bench: &Bench) -> [SessionId; 4] {
    let mut ids = [bench.sid(); 4];
    for (id, owner) in ids.iter_mut().zip([of_acme("ada"), of_acme("ada"), of_acme("bob"), Owner::new("ada")])
    {
        *id = bench.seat(bench.login_of(owner)).await.record.id;
    }
    ids
}

/// Each target ends exactly its sessions, in one entry or one for each, and tells so.
pub(super) async fn each_target_ends_its_own(bench: &Bench) {
    let reason = EndReason::EndedByAdmin;
    for case in 0..5 {
        let _ = bench.end(Target::Everyone, reason).await;
        let ids = people(bench).await;
        let unknown = bench.sid();
        let (target, left, news) = match case {
            0 => {
                let each = vec![News::Ended(ids[0], reason), News::Ended(ids[2], reason)];
                (Target::Sessions(vec![ids[0], unknown, ids[2], ids[0]]), vec![ids[1], ids[3]], each)
            }
            1 => {
                let one = vec![News::Ended(ids[1], reason)];
                (Target::Own(of_acme("ada"), ids[1]), vec![ids[0], ids[2], ids[3]], one)
            }
            2 => {
                let all = vec![News::OwnerEnded(of_acme("ada"), None, reason)];
                (Target::Owner(of_acme("ada"), None), vec![ids[2], ids[3]], all)
            }
            3 => {
                (Target::Tenant("acme".into()), vec![ids[3]], vec![News::TenantEnded("acme".into(), reason)])
            }
            _ => (Target::Everyone, vec![], vec![News::EveryoneEnded(reason)]),
        };
        let ended = bench.end(target.clone(), reason).await;
        assert_eq!(ended.sessions as usize, ids.len() - left.len(), "{target:?} tells how many it ended");
        let told: Vec<News> = ended.entries.iter().map(|entry| entry.news.clone()).collect();
        assert_eq!(told, news, "{target:?} tells what the feed says");
        assert_eq!(ended.entries.last().map(|entry| entry.position), Some(ended.position));
        for id in ids {
            let expected = if left.contains(&id) { None } else { Some(reason) };
            let found = match bench.standing(id).await {
                Standing::Live(..) => None,
                Standing::Ended(reason) => reason,
            };
            assert_eq!(found, expected, "after {target:?}");
        }
    }
}

/// A login right after an end of everything, within the same instant, is born after it and lives.
pub(super) async fn a_login_after_an_end_lives(bench: &Bench) {
    for target in [Target::Owner(of_acme("ada"), None), Target::Tenant("acme".into()), Target::Everyone] {
        let before = bench.seat(bench.login_of(of_acme("ada"))).await.record;
        let ended = bench.end(target.clone(), EndReason::Logout).await;
        let after = bench.seat(bench.login_of(of_acme("ada"))).await.record;
        assert!(before.born < ended.position, "{target:?} hits who was born before");
        assert!(after.born >= ended.position, "{target:?} spares who was born after");
        assert!(bench.lives(after.id).await && !bench.lives(before.id).await, "after {target:?}");
    }
}

/// An end that is repeated under its id ends nobody who came in between, and answers the same.
pub(super) async fn an_end_is_idempotent(bench: &Bench) {
    bench.seat(bench.login_of(of_acme("ada"))).await;
    let end =
        End { id: OpId([9; 16]), target: Target::Owner(of_acme("ada"), None), reason: EndReason::Logout };
    let first = bench.registry.end(end.clone()).await.expect("end answers");
    let between = bench.seat(bench.login_of(of_acme("ada"))).await.record;
    bench.clock.advance(MINUTE);
    let again = bench.registry.end(end).await.expect("end answers");
    assert!(bench.lives(between.id).await, "a repeated end ended a session that was admitted in between");
    assert_eq!(
        (again.sessions, again.position, again.entries),
        (first.sessions, first.position, first.entries)
    );
}

/// An end of the others spares the one that asks.
pub(super) async fn others_end_but_one(bench: &Bench) {
    let ids = people(bench).await;
    let ended = bench.end(Target::Owner(of_acme("ada"), Some(ids[0])), EndReason::EndedByUser).await;
    assert_eq!(ended.sessions, 1);
    assert!(bench.lives(ids[0]).await && !bench.lives(ids[1]).await, "the others end, this one stays");
    let news = ended.entries.into_iter().map(|entry| entry.news).next();
    assert_eq!(news, Some(News::OwnerEnded(of_acme("ada"), Some(ids[0]), EndReason::EndedByUser)));
    assert_eq!(bench.ids(List::of(of_acme("ada"))).await, [ids[0]]);
}

/// Nobody ends a session of somebody else by its id.
pub(super) async fn a_foreign_session_is_not_ended(bench: &Bench) {
    let ids = people(bench).await;
    for owner in [Owner::new("ada"), of_acme("bob"), of_acme("nobody")] {
        let ended = bench.end(Target::Own(owner.clone(), ids[0]), EndReason::EndedByUser).await;
        assert_eq!((ended.sessions, ended.entries.len()), (0, 0), "{owner:?} ended ada's session");
        assert!(bench.lives(ids[0]).await, "{owner:?} ended ada's session");
    }
}

/// A removed key is in the feed for ever, once.
pub(super) async fn a_removed_key_is_remembered(bench: &Bench) {
    let removed = bench.end(Target::Key("k1".into()), EndReason::KeyRemoved).await;
    let again = bench.end(Target::Key("k1".into()), EndReason::KeyRemoved).await;
    assert_eq!((removed.sessions, again.sessions), (0, 0));
    assert_eq!(again.entries, removed.entries, "a key is removed once");
    bench.clock.advance(24 * 365 * 60 * MINUTE);
    let batch = bench.feed(None).await;
    let news: Vec<News> = batch.entries.into_iter().map(|entry| entry.news).collect();
    assert_eq!(news, [News::KeyRemoved("k1".into())], "a removed key is remembered for ever");
}

/// The reason of an end is known for 24 h.
pub(super) async fn reasons_are_kept_for_a_day(bench: &Bench) {
    let session = bench.seated("ada").await.id;
    let _ = bench.end(Target::Sessions(vec![session]), EndReason::Logout).await;
    bench.clock.advance(24 * 60 * MINUTE - SECOND);
    assert_eq!(bench.standing(session).await, Standing::Ended(Some(EndReason::Logout)));
    let again = bench.end(Target::Sessions(vec![session]), EndReason::EndedByAdmin).await;
    assert_eq!(again.sessions, 0, "what has ended does not end again");
}
