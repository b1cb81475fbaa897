//! What does not fit into one call of a script goes on in the next: the outcome is the ledger's all the same.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, CountOf, Counts, End, EndReason, Filter, Lifetime, Limits, List, ManualClock, News,
    OnFull, OpId, Order, Owner, Registry, Rules, Standing, Target, Whose,
};
use countersign_token::SessionId;
use support::{ENGINES, START, Server};

/// More than twice what one call carries out.
const MANY: u32 = 700;
/// More than the longest page of the feed.
const SESSIONS: u32 = 4200;
const MINUTE: Duration = Duration::from_mins(1);

fn sid(number: u32) -> SessionId {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&number.wrapping_mul(0x9e37_79b9).to_be_bytes());
    id[12..].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(id)
}

fn owner(number: u32) -> Owner {
    Owner::new(format!("user {}", number % 50)).of_tenant(if number.is_multiple_of(2) {
        "acme"
    } else {
        "other"
    })
}

/// A registry with many sessions, a millisecond apart.
async fn crowd(server: &Server) -> (Arc<dyn Registry>, ManualClock) {
    let clock = ManualClock::at(START);
    let registry = server.fresh(clock.clone()).await;
    registry.configure(Rules::default());
    for number in 0..MANY {
        let admitted = registry.admit(Admit::new(sid(number), owner(number))).await.unwrap();
        assert!(matches!(admitted, Admitted::Seated(_)));
        clock.advance(Duration::from_millis(1));
    }
    (registry, clock)
}

async fn counts(registry: &Arc<dyn Registry>) -> Counts {
    registry.counts(CountOf::Site).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn time_ends_many_sessions_before_anything_else_happens() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (registry, clock) = crowd(&server).await;
        let limits = Limits::none().per_site(1, OnFull::Refuse);
        registry.configure(Rules { limits, ..Rules::default() });
        clock.advance(30 * MINUTE);
        // Nobody is turned away while sessions that dangle are still to be looked at.
        let admitted = registry.admit(Admit::new(sid(MANY), owner(0))).await.unwrap();
        assert!(matches!(admitted, Admitted::Seated(_)), "{engine:?}: {admitted:?}");
        assert_eq!(counts(&registry).await, Counts { sessions: u64::from(MANY) + 1, seats: 1 });
        clock.advance(24 * 60 * MINUTE);
        assert_eq!(counts(&registry).await, Counts::default());
        let standing = registry.get(vec![sid(3)]).await.unwrap();
        assert_eq!(standing, [Standing::Ended(Some(EndReason::Idle))]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_of_many_is_one_end() {
    for engine in ENGINES {
        let server = Server::start(engine);
        for (target, ends) in [(Target::Tenant("acme".into()), MANY / 2), (Target::Everyone, MANY)] {
            let (registry, _clock) = crowd(&server).await;
            let end = End { id: OpId([1; 16]), target: target.clone(), reason: EndReason::EndedByAdmin };
            let other = registry.clone();
            // Whoever comes meanwhile helps, and sees all of it or nothing.
            let (ended, seen) = tokio::join!(registry.end(end.clone()), other.counts(CountOf::Site));
            let ended = ended.unwrap();
            assert_eq!(ended.sessions, u64::from(ends), "{engine:?}: {target:?}");
            let news: Vec<&News> = ended.entries.iter().map(|entry| &entry.news).collect();
            assert_eq!(news.len(), 1, "one entry says it: {news:?}");
            let left = u64::from(MANY - ends);
            assert!([left, u64::from(MANY)].contains(&seen.unwrap().sessions), "half an end was seen");
            assert_eq!(counts(&registry).await, Counts { sessions: left, seats: left });
            let again = registry.end(end).await.unwrap();
            assert_eq!(
                (again.sessions, again.position, again.entries),
                (ended.sessions, ended.position, ended.entries)
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_order_in_which_many_make_room_is_built_when_a_rule_asks_for_it() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (registry, _clock) = crowd(&server).await;
        let end_first = |on_full| Limits::none().per_tenant(MANY / 2, on_full);
        for (number, on_full) in [OnFull::EndOldest, OnFull::EndLeastRecent].into_iter().enumerate() {
            registry.configure(Rules { limits: end_first(on_full), ..Rules::default() });
            let admitted = registry.admit(Admit::new(sid(MANY + number as u32), owner(0))).await.unwrap();
            let Admitted::Seated(seated) = admitted else { panic!("{engine:?}: {admitted:?}") };
            let news: Vec<News> = seated.entries.into_iter().map(|entry| entry.news).collect();
            assert_eq!(
                news,
                [News::Ended(sid(number as u32 * 2), EndReason::Limit)],
                "{engine:?}: {on_full:?}"
            );
        }
    }
}

/// All pages of a list.
async fn listed(registry: &Arc<dyn Registry>, filter: &Filter, order: Order) -> Vec<SessionId> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let list = List { filter: filter.clone(), order, after, limit: 1000 };
        let page = registry.list(list).await.unwrap();
        found.extend(page.sessions.into_iter().map(|(record, _)| record.id));
        after = page.next;
        if after.is_none() {
            return found;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_of_one_instant_and_of_one_name_are_listed_in_parts() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let registry = server.fresh(ManualClock::at(START)).await;
        registry.configure(Rules::default());
        let mut of_ada: Vec<SessionId> = Vec::new();
        // More than a call looks at, of one user; and more tenants than it looks into.
        for number in 0..2 * MANY + 300 {
            let tenant = if number < 2 * MANY { "acme".into() } else { format!("tenant {number}") };
            let owner = Owner::new("ada").of_tenant(tenant.clone());
            let _ = registry.admit(Admit::new(sid(number), owner)).await.unwrap();
            of_ada.push(sid(number));
            if number.is_multiple_of(10) {
                let bob = Owner::new("bob").of_tenant(tenant);
                let _ = registry.admit(Admit::new(sid(10_000 + number), bob)).await.unwrap();
            }
        }
        of_ada.sort_unstable();
        let filter = Filter { whose: Whose::Subject("ada".into()), ..Filter::default() };
        for order in [Order::LeastRecent, Order::Oldest] {
            assert_eq!(listed(&registry, &filter, order).await, of_ada, "{engine:?}");
        }
        let all = listed(&registry, &Filter::default(), Order::LeastRecent).await;
        let mut back = listed(&registry, &Filter::default(), Order::LastActivity).await;
        assert!(all.is_sorted() && all.len() == of_ada.len() + 170, "{engine:?}: {}", all.len());
        back.reverse();
        assert_eq!(back, all, "{engine:?}");

        let tally = registry.tally(filter).await.unwrap();
        assert_eq!(
            (tally.sessions, tally.seats, tally.people.count()),
            (1700, 1700, 301),
            "{engine:?}: of ada"
        );
        let tally = registry.tally(Filter::default()).await.unwrap();
        let people = &tally.people;
        assert_eq!(
            (tally.sessions, people.count(), people.most()),
            (1870, 332, 1400),
            "{engine:?}: {tally:?}"
        );
        assert_eq!((tally.tenants.count(), tally.tenants.with(2)), (301, 31), "{engine:?}: {tally:?}");
        assert_eq!(tally.fullest[0], ("acme".into(), 1540), "{engine:?}: counted over several calls");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_lists_and_feeds_are_read_in_parts() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let clock = ManualClock::at(START);
        let registry = server.fresh(clock.clone()).await;
        registry.configure(Rules::default());
        let start = registry.feed(None).await.unwrap().complete_to;
        for number in 0..SESSIONS {
            let short =
                Admit { lifetime: Lifetime::For(60 * MINUTE), ..Admit::new(sid(number), owner(number)) };
            let _ = registry.admit(short).await.unwrap();
            clock.advance(Duration::from_millis(1));
        }
        let everyone = Filter::default();
        let found = listed(&registry, &everyone, Order::Started).await;
        let newest_first: Vec<SessionId> = (0..SESSIONS).rev().map(sid).collect();
        assert_eq!(found, newest_first, "{engine:?}");
        assert_eq!(listed(&registry, &everyone, Order::LastActivity).await, newest_first, "{engine:?}");

        let ids: Vec<SessionId> = (0..SESSIONS).map(sid).collect();
        for (number, some) in ids.chunks(200).enumerate() {
            let target = Target::Sessions(some.to_vec());
            let _ = registry
                .end(End { id: OpId([number as u8; 16]), target, reason: EndReason::Logout })
                .await
                .unwrap();
        }
        let tail = registry.feed(Some(start)).await.unwrap();
        let told: Vec<News> = tail.entries.iter().map(|entry| entry.news.clone()).collect();
        let expected: Vec<News> = ids.iter().map(|&id| News::Ended(id, EndReason::Logout)).collect();
        assert!(told == expected, "{engine:?}: a tail of {} entries", told.len());
        let snapshot = registry.feed(None).await.unwrap();
        assert_eq!((snapshot.entries.len(), snapshot.complete_to), (SESSIONS as usize + 1, tail.complete_to));
    }
}
