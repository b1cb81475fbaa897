//! The load balancer: each request goes to the next node that is ready, on a connection of its own. Sessions need no
//! more: any node serves any request, so there is no affinity, and nothing to move when a node goes.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{Request, Response, StatusCode};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

/// How often each node is asked whether it is ready, and how long it may take to say so.
const PACE: Duration = Duration::from_millis(250);
const PATIENCE: Duration = Duration::from_secs(1);
/// How long open requests may take once it is told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// A running load balancer.
#[derive(Debug)]
pub(crate) struct Balancer {
    serving: JoinHandle<()>,
    watching: JoinHandle<()>,
    stop: oneshot::Sender<()>,
}

type Answer = Response<BoxBody<Bytes, hyper::Error>>;

impl Balancer {
    /// Serves on a listener.
    pub(crate) fn start(listener: TcpListener, nodes: Vec<SocketAddr>) -> Self {
        let nodes = Arc::new(Nodes::new(nodes));
        let (stop, stopped) = oneshot::channel();
        let watching = tokio::spawn(watch(nodes.clone()));
        Self { serving: tokio::spawn(serve(listener, nodes, stopped)), watching, stop }
    }

    /// Finishes open requests, and ends.
    pub(crate) async fn stop(self) {
        self.watching.abort();
        let _ = self.stop.send(());
        let _ = self.serving.await;
    }
}

#[derive(Debug)]
struct Nodes {
    nodes: Vec<Node>,
    turn: AtomicUsize,
}

#[derive(Debug)]
struct Node {
    address: SocketAddr,
    ready: AtomicBool,
}

impl Nodes {
    fn new(addresses: Vec<SocketAddr>) -> Self {
        let node = |address| Node { address, ready: AtomicBool::new(true) };
        Self { nodes: addresses.into_iter().map(node).collect(), turn: AtomicUsize::new(0) }
    }

    /// The ready ones, beginning with the one whose turn it is.
    fn in_turn(&self) -> impl Iterator<Item = &Node> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed) % self.nodes.len().max(1);
        let (later, sooner) = self.nodes.split_at(first);
        sooner.iter().chain(later).filter(|node| node.ready.load(Ordering::Relaxed))
    }

    /// A request that no node has seen yet may go to another. One that was sent may have had its effect: whether it is
    /// repeated is its sender's decision.
    async fn forward(&self, mut request: Request<Incoming>) -> Answer {
        for name in [CONNECTION, TRANSFER_ENCODING] {
            request.headers_mut().remove(name);
        }
        for node in self.in_turn() {
            match TcpStream::connect(node.address).await {
                Ok(socket) => {
                    let answer = exchange(socket, request).await;
                    return answer.map_or_else(
                        |_| plain(StatusCode::BAD_GATEWAY, "the node went away before it answered\n"),
                        |answer| answer.map(BodyExt::boxed),
                    );
                }
                Err(_) => node.ready.store(false, Ordering::Relaxed),
            }
        }
        plain(StatusCode::SERVICE_UNAVAILABLE, "no node is ready\n")
    }
}

fn plain(status: StatusCode, text: &'static str) -> Answer {
    let mut answer = Response::new(Full::from(text).map_err(|never| match never {}).boxed());
    *answer.status_mut() = status;
    answer
}

async fn exchange<B>(socket: TcpStream, request: Request<B>) -> hyper::Result<Response<Incoming>>
where
    B: Body<Data = Bytes, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + 'static,
{
    // Small requests must not wait for more to send with them.
    let _ = socket.set_nodelay(true);
    let (mut node, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
    tokio::spawn(connection);
    node.send_request(request).await
}

/// Asks the nodes whether they are ready, again and again.
async fn watch(nodes: Arc<Nodes>) {
    loop {
        for node in &nodes.nodes {
            let asked = timeout(PATIENCE, is_ready(node.address)).await;
            node.ready.store(asked.unwrap_or(false), Ordering::Relaxed);
        }
        sleep(PACE).await;
    }
}

async fn is_ready(address: SocketAddr) -> bool {
    let Ok(socket) = TcpStream::connect(address).await else { return false };
    let request = Request::get("/readyz").header("host", address.to_string()).body(Empty::<Bytes>::new());
    match request {
        Ok(request) => exchange(socket, request).await.is_ok_and(|answer| answer.status() == StatusCode::OK),
        Err(_) => false,
    }
}

async fn serve(listener: TcpListener, nodes: Arc<Nodes>, mut stopped: oneshot::Receiver<()>) {
    let open = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = &mut stopped => break,
        };
        let Ok((socket, _)) = accepted else {
            sleep(PACE).await;
            continue;
        };
        let _ = socket.set_nodelay(true);
        let nodes = nodes.clone();
        let service = service_fn(move |request| {
            let nodes = nodes.clone();
            async move { Ok::<_, Infallible>(nodes.forward(request).await) }
        });
        let connection =
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
        // A connection that breaks off is its client's affair.
        tokio::spawn(open.watch(connection));
    }
    drop(listener);
    let _ = timeout(FINISH_WITHIN, open.shutdown()).await;
}
