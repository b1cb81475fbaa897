//! A wire between a registry and its server that can go dead without an end.

use std::sync::Arc;

use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes bytes on, until they are held up.
pub struct Proxy {
    pub port: u16,
    held: watch::Sender<u64>,
}

impl Proxy {
    /// A proxy in front of a server.
    pub async fn before(server: u16) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = Arc::new(Self { port, held: watch::Sender::new(0) });
        let held = proxy.held.subscribe();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, server, held.clone()));
            }
        });
        proxy
    }

    /// From now on, the connections that there are stay open, and nothing gets through.
    pub fn hold(&self) {
        self.held.send_modify(|times| *times += 1);
    }
}

async fn pass(mut client: TcpStream, server: u16, mut held: watch::Receiver<u64>) {
    let mut server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
    held.mark_unchanged();
    tokio::select! {
        _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
        _ = held.changed() => std::future::pending().await,
    }
}
