//! A node whose view of revocations is too old: what each rule for that makes of a request.

use std::sync::atomic::Ordering;
use std::time::Duration;

use countersign::testing::Harness;
use countersign::{Algorithm, KeyRing, Policy, Readiness, Stale, Timestamp};
use countersign_registry::OpKind;

use crate::shop::*;
use crate::site::{Node, Shared};

/// What a node whose view is too old answers on routes with each of the rules.
async fn when_stale(alice: &Tab) -> [u16; 3] {
    let mut seen = [0; 3];
    for (status, path) in seen.iter_mut().zip(["/cart", "/strict", "/lenient"]) {
        *status = alice.clone().get(path).await.status.as_u16();
    }
    seen
}

#[tokio::test]
async fn past_the_bound_the_rule_of_the_route_decides() {
    for default in [Stale::CheckRegistry, Stale::FailClosed, Stale::ServeUntilExpiry] {
        let t = Harness::with(|b| b.when_stale(default));
        let alice = logged_in(&t, "alice").await;
        assert_eq!(when_stale(&alice).await, [200; 3], "young enough for all");
        assert_eq!(t.sessions().readiness(), Readiness::Ready);
        let cart = |checked| match default {
            Stale::CheckRegistry => checked,
            Stale::FailClosed => 503,
            Stale::ServeUntilExpiry => 200,
        };
        t.registry().fail_always_of(OpKind::Feed);
        t.clock().advance(Duration::from_secs(6));
        assert_eq!(t.sessions().readiness(), Readiness::Stale, "takes no new work");
        assert_eq!(
            when_stale(&alice).await,
            [cart(200), 503, 200],
            "{default:?}, the registry knows the session"
        );
        t.registry().fail_always();
        assert_eq!(when_stale(&alice).await, [cart(503), 503, 200], "{default:?}, the registry is away");
        check(&alice.clone().get("/strict").await, 503, "registry-unavailable");
        t.registry().recover();
        t.sessions().ready().await;
        assert_eq!(when_stale(&alice).await, [200; 3], "{default:?}, news have come");
    }
}

#[tokio::test]
async fn past_the_bound_nobody_is_served_whom_the_registry_has_ended() {
    let keys = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(START));
    let registry = Shared::new();
    let one = Node::new(&registry, &keys, |b| b);
    let other = Node::new(&registry, &keys, |b| b.policy(Policy::default().max_staleness(Duration::ZERO)));
    let alice = log_in(one.browser(), "alice").await;
    assert_eq!(other.sessions.readiness(), Readiness::Starting);
    other.sessions.ready().await;
    registry.no_feed.store(true, Ordering::SeqCst);
    assert_eq!(when_stale(&other.take(&alice)).await, [200, 503, 200]);
    one.take(&alice).post("/session/logout").await;
    assert_eq!(when_stale(&other.take(&alice)).await, [401; 3]);
}
