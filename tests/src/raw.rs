//! Bytes on a socket: for requests that no well-behaved client would send.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// A connection without any protocol.
pub struct Raw(TcpStream);

impl Raw {
    /// Connects.
    pub async fn connect(to: SocketAddr) -> Self {
        Self(TcpStream::connect(to).await.expect("the server accepts connections"))
    }

    /// Writes what can be written; a server may have closed already.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Reads until the server closes or `limit` is over.
    pub async fn read(&mut self, limit: Duration) -> String {
        let mut all = Vec::new();
        // What arrived until then counts.
        let _ = timeout(limit, self.0.read_to_end(&mut all)).await;
        String::from_utf8_lossy(&all).into_owned()
    }

    /// Reads until that text has come.
    ///
    /// # Panics
    /// If it has not within `limit`.
    pub async fn read_until(&mut self, text: &str, limit: Duration) -> String {
        let mut all = String::new();
        let found = timeout(limit, async {
            let mut buffer = [0; 4096];
            while !all.contains(text) {
                match self.0.read(&mut buffer).await {
                    Ok(n) if n > 0 => all.push_str(&String::from_utf8_lossy(&buffer[..n])),
                    _ => return,
                }
            }
        });
        let in_time = found.await.is_ok();
        assert!(in_time && all.contains(text), "{text:?} did not come within {limit:?}: {all:?}");
        all
    }
}
