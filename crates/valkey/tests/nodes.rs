//! Many nodes on one server: they share sessions, limits and news, and none of them gives a seat away twice.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::conformance::{self, Race};
use countersign_registry::{
    Admit, Admitted, BatchKind, CountOf, End, EndReason, Limits, ManualClock, OnFull, OpId, Owner, Registry,
    RegistryError, Rules, SetLimits, Standing, Target,
};
use countersign_token::SessionId;
use countersign_valkey::ValkeyRegistry;
use futures_util::future::join_all;
use support::{ENGINES, Engine, START, Server, patient};

fn sid(number: u32) -> SessionId {
    let mut id = [7; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    SessionId::from_bytes(id)
}

async fn registry(server: &Server) -> ValkeyRegistry {
    let registry = server.registry(patient()).await;
    registry.configure(Rules::default());
    registry
}

async fn login(registry: &ValkeyRegistry, number: u32) -> Result<Admitted, RegistryError> {
    registry.admit(Admit::new(sid(number), Owner::new(format!("user {number}")))).await
}

fn logout(number: u32) -> End {
    let mut id = [9; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    End { id: OpId(id), target: Target::Sessions(vec![sid(number)]), reason: EndReason::Logout }
}

async fn lives(registry: &ValkeyRegistry, number: u32) -> bool {
    matches!(registry.get(vec![sid(number)]).await.unwrap()[0], Standing::Live(..))
}

/// How many of these logins got a seat, each asked for twice, on two nodes at once.
async fn seated(nodes: &[ValkeyRegistry], numbers: std::ops::Range<u32>) -> usize {
    let node = |number: u32| &nodes[number as usize % nodes.len()];
    let both = numbers.map(async |number| {
        let (one, other) = tokio::join!(login(node(number), number), login(node(number + 3), number));
        let seated = |answer| match answer {
            Ok(Admitted::Seated(_)) => true,
            Ok(Admitted::Full(full)) => {
                assert_eq!((full.limit, full.in_use), (500, 500), "a refusal while a seat was free");
                false
            }
            other => panic!("a login was answered {other:?}"),
        };
        seated(one) | seated(other)
    });
    join_all(both).await.into_iter().filter(|&seated| seated).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twelve_hundred_logins_race_for_five_hundred_seats_on_eight_nodes() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let nodes = join_all((0..8).map(|_| registry(&server))).await;
        for node in &nodes {
            node.configure(Rules {
                limits: Limits::none().per_site(500, OnFull::Refuse),
                ..Rules::default()
            });
        }
        assert_eq!(seated(&nodes, 0..1200).await, 500, "{engine:?}");
        let mut leaving = Vec::new();
        for number in 0..1200 {
            if leaving.len() < 100 && lives(&nodes[0], number).await {
                leaving.push(number);
            }
        }
        join_all(leaving.iter().map(|&number| nodes[number as usize % 8].end(logout(number)))).await;
        assert_eq!(seated(&nodes, 1200..1500).await, 100, "{engine:?}: as many seats as fell free");
        let counts = nodes[3].counts(CountOf::Site).await.unwrap();
        assert_eq!((counts.sessions, counts.seats), (500, 500));
    }
}

/// The same with logouts, expiry, and sessions that dangle and come back, judged from what the callers saw: the limit was
/// kept at every instant, and each refusal was just.
async fn many_nodes_race(engine: Engine) {
    let server = Server::start(engine);
    let mut all = [0; 4];
    for seed in 1..10 {
        let clock = ManualClock::at(START);
        let nodes = join_all(
            (0..8).map(|_| server.registry(patient().domain(format!("race {seed}")).clock(clock.clone()))),
        );
        let nodes: Vec<Arc<dyn Registry>> =
            nodes.await.into_iter().map(|node| Arc::new(node) as Arc<dyn Registry>).collect();
        let race = Race { threads: 64, turns: 90, seats: 500, step: Duration::from_secs(20), seed };
        let raced = move || conformance::race(&nodes, &clock, race);
        let outcome = tokio::task::spawn_blocking(raced).await.unwrap();
        let happened = [outcome.admitted, outcome.refused, outcome.returned, outcome.lapsed];
        all = std::array::from_fn(|thing| all[thing] + happened[thing]);
        // Who dangles for long enough to come back is few.
        if all.iter().zip([1200, 100, 2, 100]).all(|(times, enough)| times > &enough) {
            return;
        }
    }
    panic!("races in which little happened prove little: {all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_race_while_sessions_come_and_go_on_redis() {
    many_nodes_race(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_race_while_sessions_come_and_go_on_valkey() {
    many_nodes_race(Engine::Valkey).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_share_sessions_limits_and_news() {
    for engine in ENGINES {
        let server = Server::start(engine);
        let (one, other) = (registry(&server).await, registry(&server).await);
        let _ = login(&one, 1).await.unwrap();
        assert!(lives(&other, 1).await);

        let limits = Limits::none().per_site(1, OnFull::Refuse);
        one.set_limits(SetLimits { limits }).await.unwrap();
        assert!(
            matches!(login(&other, 2).await.unwrap(), Admitted::Full(_)),
            "new limits hold on every node"
        );
        other.configure(Rules { limits: Limits::none().per_site(2, OnFull::Refuse), ..Rules::default() });
        assert!(
            matches!(login(&other, 2).await.unwrap(), Admitted::Seated(_)),
            "until the configuration changes"
        );

        let position = other.feed(None).await.unwrap().complete_to;
        let news = other.news(position);
        let ended = one.end(logout(1)).await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), news).await.expect("the other node is told");
        let batch = other.feed(Some(position)).await.unwrap();
        assert_eq!((batch.kind, batch.entries), (BatchKind::Tail, ended.entries), "{engine:?}");
    }
}
