//! A guest of a running registry: what it looks at stays as it was, whatever its nodes' rules are.

#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

mod support;

use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, CountOf, Effect, End, EndReason, Filter, List, ManualClock, OpId, Order, Owner,
    Registry, Rules, Standing, Target, Touch,
};
use countersign_token::{SessionId, Timestamp};
use countersign_valkey::{OpenError, Part, ValkeyRegistry};
use support::{ENGINES, START, Server, patient};

const DAY: Duration = Duration::from_hours(24);

/// A site whose sessions may be idle for a month, and hold their seats for a week.
fn patient_site() -> Rules {
    let (dangling_after, idle_timeout) = (7 * DAY, 30 * DAY);
    Rules { dangling_after, idle_timeout, access_lifetime: DAY, ..Rules::default() }
}

async fn admit(registry: &ValkeyRegistry, n: u8) -> SessionId {
    let id = SessionId::from_bytes([n; 16]);
    let admitted = registry.admit(Admit::new(id, Owner::new(format!("user {n}")))).await.unwrap();
    assert!(matches!(admitted, Admitted::Seated(_)), "{admitted:?}");
    id
}

/// Everything on the server, key by key.
async fn contents(server: &Server) -> Vec<String> {
    let redis::Value::Array(keys) = server.ask(&["KEYS", "*"]).await else { panic!("no list of keys") };
    let mut found = Vec::new();
    for key in keys {
        let redis::Value::BulkString(key) = key else { panic!("no key: {key:?}") };
        let key = String::from_utf8(key).unwrap();
        found.push(format!("{key}: {:?}", server.ask(&["DUMP", &key]).await));
    }
    found.sort();
    found
}

fn all() -> List {
    List { filter: Filter::default(), order: Order::default(), after: None, limit: 1000 }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guest_looks_at_stays_as_it_is() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let clock = ManualClock::at(START);
        let node = server.registry(patient().clock(clock.clone())).await;
        node.configure(patient_site());
        let (long, short) = (admit(&node, 1).await, admit(&node, 2).await);

        // By the figures that a registry has before it is told any, these have ended, and hold no seat.
        clock.advance(3 * DAY);
        node.touch(vec![Touch { session: short, age: 2 * DAY }]).await.unwrap();
        let before = contents(&server).await;
        let guest = server.registry(patient().part(Part::Guest).clock(clock.clone())).await;
        let page = guest.list(all()).await.unwrap();
        assert_eq!(page.sessions.len(), 2);
        assert_eq!(guest.counts(CountOf::Site).await.unwrap().seats, 2);
        assert!(matches!(&guest.get(vec![long]).await.unwrap()[..], [Standing::Live(..)]));
        guest.feed(None).await.unwrap();
        assert_eq!(contents(&server).await, before, "{engine:?}");

        // Time that has come is left to the nodes, and not put off: a guest knows no later instant for it.
        clock.advance(5 * DAY);
        let before = contents(&server).await;
        assert_eq!(guest.counts(CountOf::Site).await.unwrap().seats, 2);
        assert_eq!(contents(&server).await, before, "{engine:?}");
        assert_eq!(node.counts(CountOf::Site).await.unwrap().seats, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_by_a_guest_is_told_for_as_long_as_tokens_live() {
    let server = Server::start(ENGINES[0]);
    let clock = ManualClock::at(START);
    let node = server.registry(patient().clock(clock.clone())).await;
    node.configure(patient_site());
    let id = admit(&node, 1).await;
    let guest = server.registry(patient().part(Part::Guest).clock(clock.clone())).await;
    let end = End { id: OpId([1; 16]), target: Target::Sessions(vec![id]), reason: EndReason::EndedByAdmin };
    let ended = guest.end(end).await.unwrap();
    assert_eq!((ended.sessions, ended.entries.len()), (1, 1));
    assert_eq!(ended.entries[0].until, Timestamp::from_millis(START.as_millis()).after(DAY));
    assert_eq!(node.get(vec![id]).await.unwrap(), [Standing::Ended(Some(EndReason::EndedByAdmin))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_begins_nothing_and_admits_nobody() {
    let server = Server::start(ENGINES[0]);
    let options = || patient().part(Part::Guest).domain("shop");
    let refused = ValkeyRegistry::connect_with(&server.url(), options()).await.unwrap_err();
    assert!(matches!(&refused, OpenError::Empty { domain, .. } if domain == "shop"), "{refused:?}");
    assert!(contents(&server).await.is_empty());

    let node = server.registry(patient().domain("shop")).await;
    node.configure(patient_site());
    let id = admit(&node, 1).await;
    let guest = server.registry(options()).await;
    let touched = guest.touch(vec![Touch { session: id, age: Duration::ZERO }]).await.unwrap_err();
    assert_eq!(touched.effect, Effect::None);
    let admitted = guest.admit(Admit::new(SessionId::from_bytes([2; 16]), Owner::new("b"))).await;
    assert_eq!(admitted.unwrap_err().effect, Effect::None);
}
