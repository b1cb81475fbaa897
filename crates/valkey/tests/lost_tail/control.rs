//! What a test of fail-over must not be: a replica that is stopped loses nothing, since what it was sent waits in its
//! socket. Only a tail that is thrown away is lost, and without the nodes it takes ended sessions back.

use std::sync::Arc;

use countersign_registry::conformance::checker::Stopwatch;
use countersign_registry::{Registry as _, Rules, Standing};
use countersign_valkey::Options;

use crate::client::{Draw, Held, Login, Repeat, log_in};
use crate::service::{Node, answered};
use crate::support::replicated::Replicated;
use crate::support::{Engine, patient, until};

/// A session that was ended on the primary alone, and the servers after the replica was promoted.
struct Case {
    held: Held,
    servers: Replicated,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tail {
    ThrownAway,
    Held,
}

async fn case(engine: Engine, tail: Tail) -> Case {
    let mut servers = Replicated::start(engine, 1).await;
    let nodes = [Arc::new(Node::start(&servers.primary.url(), patient(), Rules::default()).await)];
    let (mut draw, watch) = (Draw::new(3), Stopwatch::default());
    let (_, login, _) = log_in(&nodes, &mut draw, &watch, Repeat::UntilAnswered).await;
    let Login::In(held) = login else { panic!("there is no limit") };
    servers.caught_up().await;
    match tail {
        Tail::ThrownAway => servers.lose_tail(),
        Tail::Held => servers.replicas[0].server.signal("STOP"),
    }
    held.log_out(&nodes, &mut draw, &watch).await;
    drop(nodes);
    servers.primary.server.kill();
    if tail == Tail::Held {
        servers.replicas[0].server.signal("CONT");
        until("the replica has read what waited for it", async || {
            servers.replicas[0].server.info("replication").await.contains("master_link_status:down")
        })
        .await;
    }
    servers.fail_over().await;
    Case { held: *held, servers }
}

/// As a node that was not there before finds it.
async fn lives(case: &Case, options: Options) -> bool {
    let node = Node::start(&case.servers.primary.url(), options, Rules::default()).await;
    let id = case.held.session.id;
    let standing = answered("a session was asked for", async |_| node.registry.get(vec![id]).await).await;
    matches!(standing[0], Standing::Live(..))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_replica_loses_nothing_and_proves_nothing() {
    for engine in crate::support::ENGINES {
        let case = case(engine, Tail::Held).await;
        assert!(!lives(&case, patient()).await, "{engine:?}: the end was on its way");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_nodes_that_heard_of_it_an_end_in_a_lost_tail_is_lost() {
    for engine in crate::support::ENGINES {
        let case = case(engine, Tail::ThrownAway).await;
        assert!(
            lives(&case, patient()).await,
            "{engine:?}: the tail was not lost, so no test here shows anything"
        );
    }
}
