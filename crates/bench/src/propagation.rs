//! How soon an end is known: from its acknowledgement on one node to its refusal on eight.
//!
//! Each node is a whole [`Sessions`] on a connection of its own to one server, following the feed. A session's end is
//! asked for on one node after the other; every node waits for it as a stream does ([`Session::ended`]), and is then
//! asked by a request, which it must refuse. What has not heard within [`PATIENCE`] has missed it.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use countersign::{Refusal, Session, Sessions};
use countersign_registry::{Admitted, Clock as _, Registry as _, SystemClock};
use countersign_token::{Algorithm, KeyRing};
use countersign_valkey::ValkeyRegistry;
use futures_util::future::{join_all, try_join_all};
use http_body_util::{Empty, Full};
use hyper::{Request, Response};
use tokio::time::timeout;
use tower::{Layer as _, ServiceExt as _};

use crate::Outcome;
use crate::measure::{Effort, Series};
use crate::registry::People;
use crate::report::{Goal, Row};
use crate::store::Store;
use crate::token::{self, ISSUER};

const NODES: usize = 8;
const PATIENCE: Duration = Duration::from_secs(10);
/// How many sessions there are at a time.
const WAVE: usize = 500;

/// `propagation_…`, with scratch files in `folder`.
pub(crate) fn rows(effort: Effort, folder: &Path) -> Outcome<Vec<Row>> {
    let store = Store::start(folder, "always")?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let times = runtime.block_on(measure(&store, effort.pick(2000, 10_000)))?;
    let row = |name: &str, share| Row::new(format!("propagation_{name}"), times.heard.quantile(share), "ms");
    let missed = Row::new("propagation_missed", f64::from(times.missed), "nodes");
    Ok(vec![
        row("p50", 0.5).goal(Goal::Value(2.0)),
        row("p99", 0.99).goal(Goal::Value(20.0)),
        row("max", 1.0),
        missed.goal(Goal::Value(0.0)),
    ])
}

#[derive(Default)]
struct Times {
    /// Milliseconds until the last node refused, for each end.
    heard: Series,
    missed: u32,
}

async fn measure(store: &Store, ends: usize) -> Outcome<Times> {
    let ring = KeyRing::generate(Algorithm::Hs256, SystemClock.now());
    let registry = ValkeyRegistry::connect(&store.url()).await?;
    let nodes = try_join_all((0..NODES).map(|_| Node::start(store, &ring))).await?;
    let (mut people, mut times) = (People::new(8), Times::default());
    for wave in 0..ends / WAVE {
        let logins = (0..WAVE).map(|_| registry.admit(people.newcomer())).collect::<Vec<_>>();
        for (number, admitted) in try_join_all(logins).await?.into_iter().enumerate() {
            let Admitted::Seated(seated) = admitted else { return Err("a login was refused".into()) };
            let claims = token::claims(seated.record.id, SystemClock.now(), seated.record.born);
            let token = ring.mint_access(&claims)?;
            let (last, missed) = end(&nodes, (wave + number) % NODES, &token).await?;
            times.heard.push(last.as_secs_f64() * 1e3);
            times.missed += missed;
        }
    }
    Ok(times)
}

/// Ends a session on one node: how long after the acknowledgement the last node refused it, and how many did not.
async fn end(nodes: &[Node], on: usize, token: &str) -> Outcome<(Duration, u32)> {
    let mut waiting = Vec::with_capacity(nodes.len());
    for node in nodes {
        let ended = node.session(token).await?.ended();
        let (node, token) = (node.clone(), token.to_owned());
        waiting.push(tokio::spawn(timeout(PATIENCE, async move {
            let _why = ended.await;
            let refused = node.session(&token).await.is_err();
            refused.then(Instant::now)
        })));
    }
    let _farewell = nodes[on].session(token).await?.end().await.map_err(|_| "an end failed")?;
    let acknowledged = Instant::now();
    let (mut last, mut missed) = (Duration::ZERO, 0);
    for heard in join_all(waiting).await {
        match heard? {
            Ok(Some(refused)) => last = last.max(refused.saturating_duration_since(acknowledged)),
            _ => missed += 1,
        }
    }
    Ok((last, missed))
}

/// A node of the service.
#[derive(Clone)]
struct Node(Sessions);

impl Node {
    async fn start(store: &Store, ring: &KeyRing) -> Outcome<Self> {
        let registry = ValkeyRegistry::connect(&store.url()).await?;
        let sessions = Sessions::builder(ISSUER, ring.clone(), registry).build()?;
        sessions.ready().await;
        Ok(Self(sessions))
    }

    /// The session of a request that carries this token.
    async fn session(&self, token: &str) -> Outcome<Session> {
        let found: Arc<Mutex<Option<Result<Session, Refusal>>>> = Arc::default();
        let into = found.clone();
        let handler = tower::service_fn(move |request: Request<Empty<Bytes>>| {
            *into.lock().unwrap_or_else(PoisonError::into_inner) = Some(Session::from_request(&request));
            async { Ok::<_, std::convert::Infallible>(Response::new(Full::new(Bytes::new()))) }
        });
        let request = Request::get("/").header("cookie", format!("__Host-session={token}"));
        let request = request.header("sec-fetch-site", "same-origin").body(Empty::new())?;
        let _answer = self.0.layer().layer(handler).oneshot(request).await?;
        let found = found.lock().unwrap_or_else(PoisonError::into_inner).take();
        found.ok_or("the layer answered itself")?.map_err(|refusal| format!("{refusal:?}").into())
    }
}
