//! The servers that are compared: bare ones, and the same with sessions. Each runs in a process of its own, on one
//! thread, and answers two bytes.

use std::convert::Infallible;
use std::io::{Read as _, Write as _};

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use clap::ValueEnum;
use countersign::metrics::{VERIFY, VERIFY_BUCKETS};
use countersign::{Refusal, Session, Sessions};
use countersign_registry::{MemoryRegistry, Registry as _};
use countersign_token::KeyRing;
use http_body_util::Full;
use hyper::body::{Body, Incoming};
use hyper::header::{HeaderValue, VARY};
use hyper::service::Service;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio::net::TcpListener;
use tower::Layer as _;

use crate::Outcome;
use crate::token::ISSUER;

/// Which server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// hyper.
    Hyper,
    /// hyper, with the session layer and a handler that takes the session.
    HyperSessions,
    /// The same, and a recorder of Prometheus counts and times what happens.
    HyperMetrics,
    /// axum.
    Axum,
    /// axum, with the session layer and a handler that takes the session.
    AxumSessions,
}

/// Serves until the process is ended. Reads a key ring from standard input, and writes to standard output where it
/// listens and the position at which the next session would be born.
pub(crate) fn run(kind: Kind) -> Outcome<()> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(start(kind))
}

async fn start(kind: Kind) -> Outcome<()> {
    let mut file = Vec::new();
    std::io::stdin().read_to_end(&mut file)?;
    if kind == Kind::HyperMetrics {
        let recorder = PrometheusBuilder::new();
        let buckets = Matcher::Full(VERIFY.to_owned());
        recorder.set_buckets_for_metric(buckets, &VERIFY_BUCKETS)?.install_recorder()?;
    }
    let registry = MemoryRegistry::new();
    let born = registry.feed(None).await?.complete_to;
    let sessions = Sessions::builder(ISSUER, KeyRing::from_json(&file)?, registry).build()?;
    sessions.ready().await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    println!("{} {} {}", listener.local_addr()?.port(), born.epoch, born.seq);
    std::io::stdout().flush()?;
    match kind {
        Kind::Hyper => serve(listener, hyper::service::service_fn(bare)).await,
        Kind::HyperSessions | Kind::HyperMetrics => {
            let service = sessions.layer().layer(tower::service_fn(with_session));
            serve(listener, TowerToHyperService::new(service)).await
        }
        Kind::Axum => {
            let app = Router::new().route("/", get(async || ([(VARY, CARRIED)], "ok")));
            serve(listener, TowerToHyperService::new(app)).await
        }
        Kind::AxumSessions => {
            let app = Router::new().route("/", get(async |_: Session| "ok")).layer(sessions.layer());
            serve(listener, TowerToHyperService::new(app)).await
        }
    }
}

/// What the layer adds to each answer: the bare servers send it too.
const CARRIED: HeaderValue = HeaderValue::from_static("Cookie, Authorization");

async fn bare(_: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let mut response = Response::new(Full::from("ok"));
    response.headers_mut().insert(VARY, CARRIED);
    Ok(response)
}

async fn with_session(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    Ok(match Session::<()>::from_request(&request) {
        Ok(_) => Response::new(Full::from("ok")),
        Err(refusal) => refused(&refusal),
    })
}

fn refused(refusal: &Refusal) -> Response<Full<Bytes>> {
    refusal.to_response(&countersign::ProblemStyle::default()).map(Full::new)
}

async fn serve<S, B>(listener: TcpListener, service: S) -> Outcome<()>
where
    S: Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let service = service.clone();
        // A connection that breaks off shows in the load generator.
        tokio::spawn(async move {
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service)
                .await;
        });
    }
}
