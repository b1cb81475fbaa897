//! Somebody's browser, as far as the story needs it: cookies, and a connection to each node that is kept open.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::Outcome;

/// A connection to a node.
pub(crate) struct Line {
    host: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Line {
    pub(crate) async fn to(node: SocketAddr) -> Outcome<Self> {
        let socket = TcpStream::connect(node).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = handshake(TokioIo::new(socket)).await?;
        tokio::spawn(connection);
        Ok(Self { host: node.to_string(), sender })
    }
}

/// What a node answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Value,
}

impl Answer {
    /// A member of the body.
    pub(crate) fn word(&self, member: &str) -> &str {
        self.body[member].as_str().unwrap_or_default()
    }

    /// Nothing, if the status is this.
    pub(crate) fn expect(&self, status: u16) -> Outcome<()> {
        if self.status == status {
            Ok(())
        } else {
            Err(format!("a node answered {} {}, and {status} was expected", self.status, self.body).into())
        }
    }
}

/// Cookies. A clone has copies of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Visitor {
    cookies: BTreeMap<String, String>,
}

impl Visitor {
    pub(crate) async fn log_in(&mut self, node: &mut Line, user: &str) -> Outcome<()> {
        let form = json!({ "user": user, "password": "correct horse" });
        self.send(node, Method::POST, "/login", form.to_string()).await?.expect(200)
    }

    /// What the node says of this session.
    pub(crate) async fn session(&mut self, node: &mut Line) -> Outcome<Answer> {
        self.send(node, Method::GET, "/session", String::new()).await
    }

    pub(crate) async fn log_out(&mut self, node: &mut Line) -> Outcome<()> {
        self.send(node, Method::POST, "/session/logout", String::new()).await?.expect(204)
    }

    async fn send(&mut self, node: &mut Line, method: Method, path: &str, body: String) -> Outcome<Answer> {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut request = Request::builder().method(method).uri(path).header(HOST, &node.host);
        request = request.header("sec-fetch-site", "same-origin").header(COOKIE, cookies.join("; "));
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        node.sender.ready().await?;
        let response = node.sender.send_request(request.body(Full::from(body))?).await?;
        self.keep(&response);
        let status = response.status().as_u16();
        let body = response.into_body().collect().await?.to_bytes();
        Ok(Answer { status, body: serde_json::from_slice(&body).unwrap_or_default() })
    }

    fn keep<B>(&mut self, response: &Response<B>) {
        let lines = response.headers().get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
        for line in lines {
            let Some((name, value)) = line.split(';').next().and_then(|pair| pair.split_once('=')) else {
                continue;
            };
            if line.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
