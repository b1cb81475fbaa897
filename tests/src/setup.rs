//! Every combination of protocol and transport, each with a server of its own.

use std::future::Future;

use futures_util::future::join_all;

use crate::{Client, Launch, Server, Transport, Wire};

/// A server and the way to speak to it.
pub struct Stage {
    /// The server.
    pub server: Server,
    /// The protocol.
    pub wire: Wire,
    /// The transport that the server was told.
    pub transport: Transport,
}

impl Stage {
    /// A server with these flags, spoken to in this way.
    pub async fn new(wire: Wire, transport: Transport, flags: &[&str]) -> Self {
        let server = Launch::new().flags(&["--transport", transport.flag()]).flags(flags).start().await;
        Self { server, wire, transport }
    }

    /// Cookies over HTTP/1.1, where the transport does not matter.
    pub async fn simple(flags: &[&str]) -> Self {
        Self::new(Wire::Http1, Transport::Cookies, flags).await
    }

    /// A new client without any credential.
    pub fn client(&self) -> Client {
        self.server.client(self.wire, self.transport)
    }

    /// A new client that has logged in.
    pub async fn logged_in(&self, user: &str) -> Client {
        let mut client = self.client();
        client.login(user).await;
        client
    }

    /// Whether access tokens travel in a cookie.
    pub fn access_is_cookie(&self) -> bool {
        self.transport == Transport::Cookies
    }

    /// Whether refresh and state tokens travel in cookies.
    pub fn has_cookies(&self) -> bool {
        self.transport != Transport::Body
    }
}

/// Runs a scenario on HTTP/1.1 and HTTP/2, for all three transports, all at once.
///
/// # Panics
/// If it panics on any of them; the message before says where.
pub async fn for_each_setup<F, R>(flags: &[&str], scenario: F)
where
    F: Fn(Stage) -> R,
    R: Future<Output = ()> + Send + 'static,
{
    let mut running = Vec::new();
    for wire in [Wire::Http1, Wire::Http2] {
        for transport in [Transport::Cookies, Transport::Bearer, Transport::Body] {
            let stage = Stage::new(wire, transport, flags).await;
            running.push((wire, transport, tokio::spawn(scenario(stage))));
        }
    }
    let ended = join_all(running.into_iter().map(async |(wire, transport, task)| {
        task.await.map_err(|_| format!("{wire:?} with {}", transport.flag()))
    }));
    let failed: Vec<String> = ended.await.into_iter().filter_map(Result::err).collect();
    assert!(failed.is_empty(), "failed on {failed:?}");
}
