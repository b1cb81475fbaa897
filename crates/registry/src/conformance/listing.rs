//! Lists and counts.

use std::cmp::Reverse;
use std::sync::Arc;
use std::time::Duration;

use countersign_token::{RotationId, SessionId};

use super::bench::{Bench, DANGLING, MINUTE, SECOND};
use crate::list::{Filter, List, Order, Whose};
use crate::op::{CountOf, Counts, Holding, Owner, Standing};
use crate::tally::{Tally, page_by_page};

const ALL: List = List {
    filter: Filter { whose: Whose::Anyone, holding: None, inactive_for: None },
    order: Order::LastActivity,
    after: None,
    limit: 1000,
};

/// Four sessions, a second apart: ada and bob of acme, ada and cy of nowhere.
async fn people(bench: &Bench) -> [SessionId; 4] {
    let mut ids = [bench.sid(); 4];
    let owners = [("ada", true), ("bob", true), ("ada", false), ("cy", false)];
    for (id, (subject, of_acme)) in ids.iter_mut().zip(owners) {
        let owner = Owner::new(subject);
        let owner = if of_acme { owner.of_tenant("acme") } else { owner };
        *id = bench.seat(bench.login_of(owner)).await.record.id;
        bench.clock.advance(SECOND);
    }
    ids
}

/// By activity the last active comes first, by start the newest.
pub(super) async fn sessions_are_listed_in_order(bench: &Bench) {
    let [a, b, c, d] = people(bench).await;
    bench.touch(b, Duration::ZERO).await;
    assert_eq!(bench.ids(ALL).await, [b, d, c, a], "the last active first");
    assert_eq!(bench.ids(List { order: Order::Started, ..ALL }).await, [d, c, b, a], "the newest first");
    assert_eq!(bench.ids(List { order: Order::LeastRecent, ..ALL }).await, [a, c, d, b], "the idlest first");
    assert_eq!(bench.ids(List { order: Order::Oldest, ..ALL }).await, [a, b, c, d], "the oldest first");
    let page = bench.registry.list(List { limit: 2, ..ALL }).await.expect("list answers");
    assert_eq!(page.sessions.len(), 2, "a page is as long as was asked");
    assert!(page.next.is_some(), "there are more");
    let Standing::Live(record, holding) = bench.standing(b).await else { panic!("it lives") };
    assert_eq!(page.sessions[0], (*record, holding), "a list tells what `get` tells");
}

/// Filters leave out whose, what and who was active too recently.
pub(super) async fn filters_leave_out(bench: &Bench) {
    let [a, b, c, d] = people(bench).await;
    let ids = async |filter: Filter| bench.ids(List { filter, ..ALL }).await;
    let of = |whose: Whose| Filter { whose, ..Filter::default() };
    assert_eq!(ids(of(Whose::Tenant("acme".into()))).await, [b, a]);
    assert_eq!(ids(of(Whose::Owner(Owner::new("ada")))).await, [c]);
    assert_eq!(ids(of(Whose::Owner(Owner::new("nobody")))).await, []);
    assert_eq!(ids(of(Whose::Subject("ada".into()))).await, [c, a], "of that name, in whatever tenant");
    assert_eq!(ids(of(Whose::Subject("nobody".into()))).await, []);
    assert_eq!(ids(of(Whose::Tenant("nowhere".into()))).await, []);
    bench.clock.advance(DANGLING - 3 * SECOND);
    let holding = |holding| Filter { holding: Some(holding), ..Filter::default() };
    assert_eq!(ids(holding(Holding::Seat)).await, [d, c]);
    assert_eq!(ids(holding(Holding::Nothing)).await, [b, a]);
    let inactive_for = |time| Filter { inactive_for: Some(time), ..Filter::default() };
    assert_eq!(ids(inactive_for(DANGLING - SECOND)).await, [c, b, a], "inactive for at least so long");
}

/// A cursor goes on where a page ended, through ties too, while sessions come and go.
pub(super) async fn a_cursor_goes_on(bench: &Bench) {
    let mut ids = Vec::new();
    for _ in 0..7 {
        ids.push(bench.seated("ada").await.id);
    }
    ids.sort_unstable();
    let of = |whose| Filter { whose, ..Filter::default() };
    let filters = [Whose::Anyone, Whose::Owner(Owner::new("ada")), Whose::Subject("ada".into())].map(of);
    let orders = [Order::LastActivity, Order::Started, Order::LeastRecent, Order::Oldest];
    for (filter, order) in filters.iter().flat_map(|filter| orders.map(|order| (filter, order))) {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let list = List { filter: filter.clone(), order, after, limit: 3 };
            let page = bench.registry.list(list).await.expect("list answers");
            seen.extend(page.sessions.into_iter().map(|(record, _)| record.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        let in_order = seen.clone();
        seen.sort_unstable();
        assert_eq!(seen, ids, "pages by {order:?} leave nothing out and repeat nothing");
        let at_once = bench.ids(List { filter: filter.clone(), order, after: None, limit: 1000 }).await;
        assert_eq!(in_order, at_once, "pages by {order:?} put together are the list");
    }
    let first = bench.registry.list(List { limit: 3, ..ALL }).await.expect("list answers");
    bench.clock.advance(SECOND);
    let newcomer = bench.seated("bob").await.id;
    let rest = bench.ids(List { after: first.next, ..ALL }).await;
    assert_eq!(rest.len(), 4, "the rest of the list is what it was");
    assert!(!rest.contains(&newcomer), "a newcomer belongs before the cursor");
}

/// What the registry counts, which is what its list tells.
async fn tally(bench: &Bench, filter: Filter) -> Tally {
    let tally = bench.registry.tally(filter.clone()).await.expect("a tally");
    assert_eq!(tally, page_by_page(&*bench.registry, filter).await.expect("a list"));
    tally
}

/// What passes a filter is counted, with whose it is and how many seats they hold.
pub(super) async fn a_tally_agrees_with_the_list(bench: &Bench) {
    people(bench).await;
    bench.seated("cy").await;
    let tally = async |filter: Filter| tally(bench, filter).await;
    let all = tally(Filter::default()).await;
    assert_eq!((all.sessions, all.seats, all.people.count(), all.people.most()), (5, 5, 4, 2));
    assert_eq!([0, 1, 2, 3].map(|seats| all.people.with(seats)), [4, 4, 1, 0]);
    assert_eq!(
        (all.tenants.count(), all.tenants.with(2), all.tenants.with(3)),
        (1, 1, 0),
        "none is no tenant"
    );
    assert_eq!(all.fullest, [("acme".into(), 2)]);
    let of_ada = tally(Filter { whose: Whose::Subject("ada".into()), ..Filter::default() }).await;
    assert_eq!((of_ada.sessions, of_ada.people.count()), (2, 2), "two people of one name");
    assert_eq!(of_ada.fullest, [("acme".into(), 1)], "by the sessions that pass");
    bench.clock.advance(DANGLING - 2 * SECOND);
    let dangling = tally(Filter { holding: Some(Holding::Nothing), ..Filter::default() }).await;
    assert_eq!((dangling.sessions, dangling.seats), (3, 0));
    assert_eq!((dangling.people.count(), dangling.people.most()), (3, 0));
    assert_eq!((dangling.tenants.count(), dangling.fullest.len()), (1, 0), "nobody is full of no seats");
}

/// The fullest tenants are named, however many there are.
pub(super) async fn the_fullest_tenants_are_named(bench: &Bench) {
    let mut expected: Vec<(Arc<str>, u64)> = Vec::new();
    for (number, seats) in [1, 3, 2, 1, 1, 4, 1, 1, 3, 1].into_iter().enumerate() {
        let tenant: Arc<str> = format!("tenant-{number}").into();
        for seat in 0..seats {
            let subject = if seat == 0 { "ada" } else { "bob" };
            bench.seat(bench.login_of(Owner::new(subject).of_tenant(&*tenant))).await;
        }
        expected.push((tenant, seats));
    }
    expected.sort_by_key(|(tenant, seats)| (Reverse(*seats), tenant.clone()));
    let all = tally(bench, Filter::default()).await;
    assert_eq!(all.fullest, expected[..Tally::FULLEST]);
    assert_eq!([0, 1, 2, 3, 4, 5].map(|seats| all.tenants.with(seats)), [10, 10, 4, 3, 1, 0]);
    assert_eq!((all.people.count(), all.people.most()), (14, 3), "people of one name in two tenants are two");
}

/// Sessions and seats are counted by owner, tenant and site.
pub(super) async fn counts_agree(bench: &Bench) {
    people(bench).await;
    let all = [
        (CountOf::Site, 4),
        (CountOf::Tenant("acme".into()), 2),
        (CountOf::Owner(Owner::new("ada")), 1),
        (CountOf::Owner(Owner::new("nobody")), 0),
        (CountOf::Tenant("nowhere".into()), 0),
    ];
    for (of, sessions) in all.clone() {
        assert_eq!(bench.counts(of.clone()).await, Counts { sessions, seats: sessions }, "of {of:?}");
    }
    bench.clock.advance(DANGLING);
    for (of, sessions) in all {
        assert_eq!(bench.counts(of.clone()).await, Counts { sessions, seats: 0 }, "of {of:?}, dangling");
    }
    bench.clock.advance(48 * 60 * MINUTE);
    assert_eq!(bench.counts(CountOf::Site).await, Counts::default(), "all have idled");
}

/// Marks move activity forwards only, and a mark of nobody's session is dropped.
pub(super) async fn activity_moves_forward_only(bench: &Bench) {
    let session = bench.seated("ada").await;
    bench.clock.advance(MINUTE);
    bench.touch(bench.sid(), Duration::ZERO).await;
    for (age, expected) in [(2 * MINUTE, 0), (40 * SECOND, 20), (50 * SECOND, 20), (SECOND, 59)] {
        bench.touch(session.id, age).await;
        let Standing::Live(record, _) = bench.standing(session.id).await else { panic!("it lives") };
        let moved = record.last_activity.since(session.started_at);
        assert_eq!(moved, expected * SECOND, "after a mark of {age:?} ago");
        assert_eq!(record.current, RotationId::NIL);
    }
}
