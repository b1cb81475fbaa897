//! Connections: accepted, served as HTTP/1.1 or HTTP/2 (clear text, prior knowledge), and brought to an orderly end.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tower::{Service, ServiceExt as _};

/// The address that a request came from, among its extensions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// What hyper reads of a header section before it answers a bare 431. (The session layer refuses more than half of
/// it with a problem document.)
const HEADERS: u32 = 64 * 1024;
/// How long a request's headers may take, and how long a connection may keep silent between two requests.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// At most so many connections; more wait in the kernel's queue.
const CONNECTIONS: usize = 10_000;
/// How long open requests may take once the server is told to stop.
const FINISH_WITHIN: Duration = Duration::from_secs(30);

/// Serves until `stop`; then finishes what is open, and returns.
pub(crate) async fn serve<S, B>(listener: TcpListener, service: S, stop: impl Future<Output = ()>)
where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    let http = Arc::new(http());
    let open = GracefulShutdown::new();
    let seats = Arc::new(Semaphore::new(CONNECTIONS));
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = accept(&listener, &seats) => accepted,
            () = &mut stop => break,
        };
        let Some((socket, peer, seat)) = accepted else { continue };
        let (http, watcher, service) = (http.clone(), open.watcher(), service.clone());
        tokio::spawn(async move {
            converse(&http, watcher, socket, peer, service).await;
            drop(seat);
        });
    }
    drop(listener);
    if timeout(FINISH_WITHIN, open.shutdown()).await.is_err() {
        tracing::warn!("some requests did not finish within {FINISH_WITHIN:?}");
    }
}

fn http() -> Builder<TokioExecutor> {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEADERS_WITHIN).max_buf_size(HEADERS as usize);
    http.http2().timer(TokioTimer::new()).keep_alive_interval(HEADERS_WITHIN).max_header_list_size(HEADERS);
    http
}

/// The next connection. [`None`]: there was none to be had, such as for want of file descriptors.
async fn accept(
    listener: &TcpListener,
    seats: &Arc<Semaphore>,
) -> Option<(TcpStream, Peer, OwnedSemaphorePermit)> {
    let seat = seats.clone().acquire_owned().await.ok()?;
    match listener.accept().await {
        Ok((socket, address)) => Some((socket, Peer(address.ip()), seat)),
        Err(error) => {
            tracing::warn!(%error, "no connection could be accepted");
            sleep(Duration::from_millis(50)).await;
            None
        }
    }
}

/// Serves one connection to its end.
async fn converse<S, B>(
    http: &Builder<TokioExecutor>,
    watcher: Watcher,
    socket: TcpStream,
    peer: Peer,
    service: S,
) where
    S: Service<Request<Incoming>, Response = Response<B>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
    B: Body<Data = Bytes, Error = Infallible> + Send + 'static,
{
    // Small answers must not wait for more to send with them.
    let _ = socket.set_nodelay(true);
    let spoke = Arc::new(AtomicBool::new(false));
    let heard = spoke.clone();
    let service = service.map_request(move |mut request: Request<Incoming>| {
        heard.store(true, Ordering::Relaxed);
        request.extensions_mut().insert(peer);
        request
    });
    let connection = http.serve_connection(TokioIo::new(socket), TowerToHyperService::new(service));
    tokio::select! {
        ended = watcher.watch(connection) => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection broke off");
            }
        }
        () = silence(&spoke) => {}
    }
}

/// Resolves when a connection has brought no request in time: hyper's own deadline begins only once it knows which
/// HTTP is spoken.
async fn silence(spoke: &AtomicBool) {
    sleep(HEADERS_WITHIN).await;
    if spoke.load(Ordering::Relaxed) {
        pending::<()>().await;
    }
}
