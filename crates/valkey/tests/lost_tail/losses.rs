//! What else goes wrong with servers and lines: scripts forgotten, connections cut and slow, a primary that comes back
//! empty.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::conformance::checker::Stopwatch;
use countersign_registry::{Registry as _, Rules, Standing};

use crate::client::{Draw, Login, Repeat, log_in};
use crate::front::Front;
use crate::place::Place;
use crate::service::{Node, answered};
use crate::story::run;
use crate::support::{ENGINES, Engine, Server, patient, until};
use crate::times;

/// One server behind a bad line, which forgets its scripts.
struct Shaken {
    server: Server,
    front: Front,
    turn: u64,
}

impl Shaken {
    fn start(engine: Engine) -> Self {
        let server = Server::start(engine);
        Self { front: Front::before(server.port), server, turn: 0 }
    }
}

impl Place for Shaken {
    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.front.port)
    }

    async fn lose_tail(&mut self) {
        self.turn += 1;
        self.front.slow_down(Duration::from_millis(self.turn % 2 * 40));
        self.server.ask(&["SCRIPT", "FLUSH"]).await;
    }

    async fn fail_over(&mut self) {
        self.front.cut();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn flushed_scripts_and_slow_and_cut_lines_lose_nothing() {
    for engine in ENGINES {
        let mut place = Shaken::start(engine);
        let tally = run(&mut place, &patient(), Repeat::UntilAnswered, times(6, 60)).await;
        tally.assert_busy();
        tally.assert_kept();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_primary_that_comes_back_empty_has_ended_everyone() {
    for engine in ENGINES {
        let mut server = Server::start(engine);
        let nodes = [
            Arc::new(Node::start(&server.url(), patient(), Rules::default()).await),
            Arc::new(Node::start(&server.url(), patient(), Rules::default()).await),
        ];
        let (mut draw, watch) = (Draw::new(5), Stopwatch::default());
        let (_, login, _) = log_in(&nodes, &mut draw, &watch, Repeat::UntilAnswered).await;
        let Login::In(mut before) = login else { panic!("there is no limit") };
        server.kill();
        server.lose_everything();
        server.restart(&["--appendonly", "yes"]);
        let id = before.session.id;
        for node in &nodes {
            until("a node refuses who was there before", async || node.refuses(&before.session)).await;
            let asked = async |_| node.registry.get(vec![id]).await;
            let standing = answered("a session was asked for", asked).await;
            assert!(!matches!(standing[0], Standing::Live(..)), "{engine:?}");
        }
        assert!(before.refresh(&nodes, &mut draw).await.is_err(), "{engine:?}");
        let (_, login, _) = log_in(&nodes, &mut draw, &watch, Repeat::UntilAnswered).await;
        let Login::In(mut after) = login else { panic!("there is no limit") };
        assert_eq!(after.refresh(&nodes, &mut draw).await, Ok(()), "{engine:?}: who logs in now stays");
        assert!(nodes.iter().all(|node| !node.refuses(&after.session)), "{engine:?}");
    }
}
