//! One-time ids.

use super::bench::{Bench, MINUTE, SECOND};
use crate::clock::Clock as _;
use crate::fact::EndReason;
use crate::op::{Claim, Claimed, Once, OnceId, Owner, Target};

async fn claim(bench: &Bench, once: Once) -> Claimed {
    bench.registry.once(once).await.expect("once answers")
}

fn code(bench: &Bench, number: u8) -> Once {
    Once { id: OnceId([number; 32]), until: bench.clock.now().after(MINUTE), of: None, claim: Claim::UseUp }
}

/// An id is claimed once, whatever else is claimed.
pub(super) async fn an_id_is_claimed_once(bench: &Bench) {
    let once = code(bench, 1);
    assert_eq!(claim(bench, once.clone()).await, Claimed::First);
    assert_eq!(claim(bench, code(bench, 2)).await, Claimed::First, "another id is another id");
    bench.clock.advance(MINUTE - SECOND);
    assert_eq!(claim(bench, once).await, Claimed::Spent, "an id was claimed twice");
}

/// Looking at an id tells whether it can be claimed, and claims nothing.
pub(super) async fn a_look_uses_nothing_up(bench: &Bench) {
    let once = code(bench, 1);
    let look = Once { claim: Claim::LookOnly, ..once.clone() };
    for _ in 0..2 {
        assert_eq!(claim(bench, look.clone()).await, Claimed::First, "an id that nobody claimed");
    }
    assert_eq!(claim(bench, once).await, Claimed::First, "a look used an id up");
    assert_eq!(claim(bench, look.clone()).await, Claimed::Spent, "a look did not see that an id is used up");
    bench.clock.advance(MINUTE);
    assert_eq!(claim(bench, look).await, Claimed::Spent, "a look took an expired id for a good one");
}

/// An id that has expired can be claimed by nobody.
pub(super) async fn an_expired_id_is_spent(bench: &Bench) {
    let once = code(bench, 1);
    bench.clock.advance(MINUTE);
    assert_eq!(claim(bench, once).await, Claimed::Spent, "an expired id was claimed");
}

/// An id that belongs to an owner dies with an end that hits the owner, and only with one that came after it.
pub(super) async fn an_id_dies_with_its_owner(bench: &Bench) {
    let ada = Owner::new("ada").of_tenant("acme");
    let mut number = 0;
    let targets = [
        (Target::Owner(ada.clone(), None), Claimed::Spent),
        (Target::Tenant("acme".into()), Claimed::Spent),
        (Target::Everyone, Claimed::Spent),
        (Target::Owner(Owner::new("ada"), None), Claimed::First),
        (Target::Tenant("other".into()), Claimed::First),
    ];
    for (target, expected) in targets {
        number += 2;
        let born = bench.feed(None).await.complete_to;
        let before = Once { of: Some((ada.clone(), born)), ..code(bench, number) };
        let ended = bench.end(target.clone(), EndReason::Logout).await;
        let after = Once { of: Some((ada.clone(), ended.position)), ..code(bench, number + 1) };
        assert_eq!(claim(bench, before).await, expected, "an id made before {target:?}");
        assert_eq!(claim(bench, after).await, Claimed::First, "an id made after {target:?}");
    }
    // Ten minutes later the end may have left the feed, and a code may not have expired.
    let born = bench.feed(None).await.complete_to;
    let until = bench.clock.now().after(15 * MINUTE);
    let _ = bench.end(Target::Owner(ada.clone(), None), EndReason::Logout).await;
    bench.clock.advance(10 * MINUTE);
    let slow = Once { id: OnceId([0; 32]), until, of: Some((ada, born)), claim: Claim::UseUp };
    assert_eq!(claim(bench, slow).await, Claimed::Spent, "a code outlived the end of its subject");
}
