//! Nodes that are killed: between the effect of an end and its acknowledgement, and right after it. A node here is a
//! process of its own: this test program again, told by its environment what to do.

use std::io::{BufRead as _, BufReader, Lines, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::Arc;

use countersign_registry::conformance::checker::Stopwatch;
use countersign_registry::{End, EndReason, OpId, Registry as _, Rules, Standing, Target};
use countersign_token::SessionId;

use crate::client::{Draw, Held, Login, Repeat, log_in};
use crate::front::Front;
use crate::service::{Node, answered};
use crate::support::replicated::Replicated;
use crate::support::{ENGINES, Engine, Server, patient, until};
use crate::times;

const URL: &str = "COUNTERSIGN_TEST_URL";
const OUTBOX: &str = "COUNTERSIGN_TEST_OUTBOX";
const SESSION: &str = "COUNTERSIGN_TEST_SESSION";

/// A node in a process of its own; it is killed when this is dropped.
struct Process {
    child: Child,
    says: Lines<BufReader<ChildStdout>>,
}

impl Process {
    /// Starts one, and waits until it follows the feed.
    fn start(url: &str, outbox: &Path, may_end: Option<&Held>) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "kills::a_node", "--nocapture"]).env(URL, url).env(OUTBOX, outbox);
        if let Some(held) = may_end {
            command.env(SESSION, held.session.id.to_string());
        }
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let says = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut started = Self { child, says };
        started.says("follows");
        started
    }

    /// Waits until it has said something.
    fn says(&mut self, word: &str) {
        assert!(self.says.any(|line| line.unwrap().contains(word)), "the node did not say {word:?}");
    }

    /// Tells it to end the session.
    fn end(&mut self) {
        self.child.stdin.as_mut().unwrap().write_all(b"end\n").unwrap();
    }

    fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// The process, where the environment says so; else nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node() {
    let (Ok(url), Some(outbox)) = (std::env::var(URL), std::env::var_os(OUTBOX)) else { return };
    let node = Node::start(&url, patient().outbox(outbox), Rules::default()).await;
    let end = async |session: SessionId| {
        let target = Target::Sessions(vec![session]);
        let end = End { id: OpId(*session.as_bytes()), target, reason: EndReason::Logout };
        answered("an end was tried", async |_| node.registry.end(end.clone()).await).await
    };
    // Of nobody: so that the server knows the script, and one command is one end.
    let _ended = end(SessionId::from_bytes([0; 16])).await;
    println!("\nfollows");
    if let Ok(session) = std::env::var(SESSION) {
        let told = tokio::task::spawn_blocking(|| std::io::stdin().lines().next());
        told.await.unwrap().unwrap().unwrap();
        let _ended = end(session.parse().unwrap()).await;
        println!("\nacknowledged");
    }
    std::future::pending::<()>().await;
}

async fn logged_in(node: &Arc<Node>) -> Held {
    let nodes = [node.clone()];
    let (_, login, _) = log_in(&nodes, &mut Draw::new(9), &Stopwatch::default(), Repeat::UntilAnswered).await;
    let Login::In(held) = login else { panic!("there is no limit") };
    *held
}

async fn lives(node: &Node, held: &Held) -> bool {
    let id = held.session.id;
    let standing = answered("a session was asked for", async |_| node.registry.get(vec![id]).await).await;
    matches!(standing[0], Standing::Live(..))
}

/// Nobody was told that the session has ended, but it has: for every node, and though the answer is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kill_between_effect_and_acknowledgement_leaves_no_half_an_end() {
    for engine in ENGINES {
        for _ in 0..times(2, 50) {
            let server = Server::start(engine);
            let other = Arc::new(Node::start(&server.url(), patient(), Rules::default()).await);
            let held = logged_in(&other).await;
            let (front, folder) = (Front::before(server.port), tempfile::tempdir().unwrap());
            let url = format!("redis://127.0.0.1:{}", front.port);
            let outbox = folder.path().join("outbox.redb");
            let mut process = Process::start(&url, &outbox, Some(&held));
            front.hold_answers();
            process.end();
            until("the end has its effect", async || !lives(&other, &held).await).await;
            process.kill9();
            until("the other node has heard", async || other.refuses(&held.session)).await;
            assert!(!held.works(&other).await, "{engine:?}");
        }
    }
}

/// The end was acknowledged, nobody else heard of it, its server lost it, and its node died. As the node comes back, so does
/// the end.
async fn outlives_its_node_and_its_server(engine: Engine) {
    for _ in 0..times(2, 50) {
        let mut servers = Replicated::start(engine, 1).await;
        let first = Arc::new(Node::start(&servers.primary.url(), patient(), Rules::default()).await);
        let held = logged_in(&first).await;
        drop(first);
        servers.caught_up().await;
        servers.lose_tail();
        let folder = tempfile::tempdir().unwrap();
        let outbox = folder.path().join("outbox.redb");
        let mut process = Process::start(&servers.primary.url(), &outbox, Some(&held));
        process.end();
        process.says("acknowledged");
        process.kill9();
        servers.fail_over().await;
        let other = Node::start(&servers.primary.url(), patient(), Rules::default()).await;
        assert!(lives(&other, &held).await, "{engine:?}: the tail was not lost, so this shows nothing");
        let _process = Process::start(&servers.primary.url(), &outbox, None);
        until("the end is told again", async || other.refuses(&held.session)).await;
        assert!(!lives(&other, &held).await && !held.works(&other).await, "{engine:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_outlives_its_node_and_its_server_on_redis() {
    outlives_its_node_and_its_server(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_outlives_its_node_and_its_server_on_valkey() {
    outlives_its_node_and_its_server(Engine::Valkey).await;
}
