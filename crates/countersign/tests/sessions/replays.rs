//! A proof is good once, for as long as its instant would let it pass.

use std::time::Duration;

use countersign::testing::{Harness, ORIGIN};
use countersign::{Algorithm, Clock as _, KeyRing, Policy, Timestamp, Transport};
use serde_json::{Value, json};

use crate::prover::{Prover, with_token};
use crate::shop::*;
use crate::site::{Node, Shared};

/// Seconds after which a proof comes again, made up to a minute ahead.
const AGAIN: [u64; 5] = [0, 30, 59, 60, 119];

/// The claims of a proof for a request, made so many seconds ahead of now.
fn ahead(prover: &Prover, now: Timestamp, request: (&str, &str), seconds: u64) -> Value {
    let (method, path) = request;
    json!({
        "jti": format!("{path} {seconds}"), "htm": method, "htu": format!("{ORIGIN}{path}"),
        "iat": now.as_secs() + seconds, "nonce": prover.nonce,
    })
}

#[tokio::test]
async fn in_the_memory_of_a_node() {
    for after in AGAIN {
        let t = Harness::with(|b| b.transport(Transport::Bearer));
        let (mut tab, mut prover) = (t.browser(shop()), Prover::es256(t.clock()));
        assert_eq!(prover.log_in(&mut tab, "alice").await.status, 200);
        let mut claims = ahead(&prover, t.clock().now(), ("GET", "/session"), 60);
        claims["ath"] = crate::prover::hash(&prover.access).into();
        let mut seen = with_token(&tab, "DPoP", &prover.access, Some(&prover.sign(&claims)));
        assert_eq!(seen.get("/session").await.status, 200);
        // Others come in between, and must not make it forgotten.
        for step in [after / 2, after / 4, after - after / 2 - after / 4] {
            t.pass(Duration::from_secs(step)).await;
            assert_eq!(prover.get(&mut tab, "/session").await.status, 200);
        }
        check(&seen.get("/session").await, 401, "dpop-invalid");
    }
}

#[tokio::test]
async fn in_the_registry_whichever_node_is_asked() {
    for after in AGAIN {
        let keys = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000));
        let registry = Shared::new();
        let policy = Policy::default().clock_skew(Duration::ZERO);
        let node = || Node::new(&registry, &keys, |b| b.transport(Transport::Body).policy(policy));
        let (here, there) = (node(), node());
        let mut prover = Prover::es256(&here.clock);
        assert_eq!(prover.log_in(&mut here.browser(), "alice").await.status, 200);
        let proof = prover.sign(&ahead(&prover, here.clock.now(), ("POST", "/login/alice"), 60));
        let send = async |node: &Node| node.browser().with_header("dpop", &proof).post("/login/alice").await;
        assert_eq!(send(&here).await.status, 200);
        for clock in [&registry.clock, &here.clock, &there.clock] {
            clock.advance(Duration::from_secs(after));
        }
        check(&send(&there).await, 401, "dpop-invalid");
    }
}
