//! Three Sentinels that watch over a primary with replicas.

use super::replicated::Replicated;
use super::{Engine, Server, until};

pub const SERVICE: &str = "sessions";

/// A primary with replicas, and three Sentinels that promote one within seconds.
pub struct Sentinels {
    pub data: Replicated,
    pub sentinels: Vec<Server>,
}

impl Sentinels {
    /// Starts everything, and waits until the Sentinels know each other and the replicas.
    pub async fn start(engine: Engine, replicas: usize) -> Self {
        let data = Replicated::start(engine, replicas).await;
        let sentinels: Vec<_> = (0..3).map(|_| Server::start_sentinel(engine)).collect();
        let port = data.primary.face.port.to_string();
        for sentinel in &sentinels {
            // The pace of a test, not of an operator.
            sentinel
                .ask(&["SENTINEL", "DEBUG", "info-period", "300", "ping-period", "100", "ask-period", "100"])
                .await;
            sentinel.ask(&["SENTINEL", "DEBUG", "publish-period", "200", "tilt-trigger", "30000"]).await;
            sentinel.ask(&["SENTINEL", "MONITOR", SERVICE, "127.0.0.1", &port, "2"]).await;
            let pace = ["down-after-milliseconds", "1500", "failover-timeout", "4000"];
            sentinel.ask(&[&["SENTINEL", "SET", SERVICE][..], &pace].concat()).await;
        }
        let started = Self { data, sentinels };
        until("the Sentinels know everyone", async || started.all_known(replicas).await).await;
        started
    }

    async fn all_known(&self, replicas: usize) -> bool {
        for sentinel in &self.sentinels {
            let told = sentinel.ask(&["SENTINEL", "MASTER", SERVICE]).await;
            let figure = |name: &str| super::field(&told, name).and_then(|told| told.parse::<usize>().ok());
            if figure("num-other-sentinels") != Some(2) || figure("num-slaves") != Some(replicas) {
                return false;
            }
        }
        true
    }

    /// The registry's address.
    pub fn url(&self) -> String {
        let sentinels: Vec<_> =
            self.sentinels.iter().map(|sentinel| format!("127.0.0.1:{}", sentinel.port)).collect();
        format!("redis+sentinel://{}/{SERVICE}", sentinels.join(","))
    }

    /// Which port a majority of the Sentinels names.
    pub async fn named(&self) -> u16 {
        let mut ports = Vec::new();
        for sentinel in &self.sentinels {
            let told = sentinel.ask(&["SENTINEL", "MASTER", SERVICE]).await;
            ports.push(super::field(&told, "port").and_then(|port| port.parse().ok()).unwrap_or(0));
        }
        ports.sort_unstable();
        ports[1]
    }

    /// Kills the primary, and waits until a majority of the Sentinels names another one, which is made the fixture's.
    pub async fn fail_over(&mut self) {
        let old = self.data.primary.face.port;
        self.data.primary.server.kill();
        self.data.primary.face.cut();
        until("another primary is named", async || self.named().await != old).await;
        let named = self.named().await;
        let place = self.data.replicas.iter().position(|node| node.face.port == named).unwrap();
        self.data.primary = self.data.replicas.remove(place);
    }

    /// Has the Sentinels replace the primary, which stays alive, and does not hear of it: as it would in a part of the
    /// network of its own, with clients. The port of the new one.
    pub async fn replace_unnoticed(&mut self) -> u16 {
        let old = self.data.primary.face.port;
        self.data.primary.face.hide_from_sentinels();
        until("another primary is named", async || self.named().await != old).await;
        self.named().await
    }

    /// Has the Sentinels exchange the primary for its replica, while both are alive.
    pub async fn change_places(&self) {
        let old = self.data.primary.face.port;
        self.sentinels[0].ask(&["SENTINEL", "FAILOVER", SERVICE]).await;
        until("another primary is named", async || self.named().await != old).await;
        let demoted = async || self.data.primary.server.info("replication").await.contains("role:slave");
        until("the old primary is a replica", demoted).await;
    }
}
