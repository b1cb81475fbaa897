//! Real connections: HTTP/1.1 and HTTP/2 with prior knowledge, one connection for each request.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::Answer;

/// The protocol of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// HTTP/1.1.
    Http1,
    /// HTTP/2 in clear text, with prior knowledge.
    Http2,
}

/// Where the server puts its tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// All in cookies.
    Cookies,
    /// The access token in the body, the others in cookies.
    Bearer,
    /// None in cookies.
    Body,
}

impl Transport {
    /// As the flag spells it.
    pub const fn flag(self) -> &'static str {
        match self {
            Self::Cookies => "cookies",
            Self::Bearer => "bearer",
            Self::Body => "body",
        }
    }
}

/// A request whose answer never came: whether it had its effect is unknown.
#[derive(Debug)]
pub struct Lost(pub String);

const PATIENCE: Duration = Duration::from_secs(30);

impl Wire {
    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// If the connection broke off, or there is no answer within 30 s.
    pub async fn exchange(self, to: SocketAddr, request: Request<Full<Bytes>>) -> Result<Answer, Lost> {
        let whole = async {
            let (parts, body) = self.open(to, request).await?.into_parts();
            let body = body.collect().await.map_err(lost)?.to_bytes();
            Ok(Answer::new(parts, body))
        };
        timeout(PATIENCE, whole).await.map_err(lost)?
    }

    /// Sends a request and hands out the answer as soon as its head is there.
    ///
    /// # Errors
    /// If the connection broke off.
    pub async fn open(
        self,
        to: SocketAddr,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, Lost> {
        let io = TokioIo::new(TcpStream::connect(to).await.map_err(lost)?);
        match self {
            Self::Http1 => {
                let (mut sender, connection) =
                    hyper::client::conn::http1::handshake(io).await.map_err(lost)?;
                tokio::spawn(connection);
                sender.send_request(request).await.map_err(lost)
            }
            Self::Http2 => {
                let (mut sender, connection) =
                    hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.map_err(lost)?;
                tokio::spawn(connection);
                sender.send_request(request).await.map_err(lost)
            }
        }
    }
}

fn lost(cause: impl std::fmt::Debug) -> Lost {
    Lost(format!("{cause:?}"))
}
