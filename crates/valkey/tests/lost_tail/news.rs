//! Ends reach every node: whichever node carries them out, however many there are, and though lines break in between.

use std::sync::Arc;

use countersign_registry::Rules;
use countersign_registry::conformance::checker::Stopwatch;
use futures_util::future::join_all;

use crate::client::{Draw, Login, Repeat, log_in};
use crate::front::Front;
use crate::service::Node;
use crate::support::{ENGINES, Server, patient, until};
use crate::times;

const NODES: usize = 8;
/// A line breaks after so many ends.
const BREAKS: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_nodes_miss_no_end() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let fronts: Vec<_> = (0..NODES).map(|_| Front::before(server.port)).collect();
        let urls: Vec<_> = fronts.iter().map(|front| format!("redis://127.0.0.1:{}", front.port)).collect();
        let nodes = join_all(urls.iter().map(|url| Node::start(url, patient(), Rules::default()))).await;
        let nodes: Vec<_> = nodes.into_iter().map(Arc::new).collect();
        let (mut draw, watch) = (Draw::new(11), Stopwatch::default());
        let mut ended = Vec::new();
        for number in 0..times(300, 10_000) {
            let (_, login, _) = log_in(&nodes, &mut draw, &watch, Repeat::UntilAnswered).await;
            let Login::In(held) = login else { panic!("there is no limit") };
            held.log_out(&nodes, &mut draw, &watch).await;
            ended.push(held.session);
            if number % BREAKS == 0 {
                fronts[number / BREAKS % NODES].cut();
            }
        }
        for node in &nodes {
            until("a node refuses all", async || ended.iter().all(|session| node.refuses(session))).await;
        }
    }
}
