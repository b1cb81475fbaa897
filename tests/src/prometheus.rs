//! A real Prometheus (Debian `prometheus`) that reads a server's `/metrics`.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use url::form_urlencoded::Serializer;

use crate::log::Log;
use crate::{Call, Client, Transport, Wire, eventually};

/// A running Prometheus. When dropped it is killed.
pub struct Prometheus {
    child: Child,
    client: Client,
    log: Log,
    _folder: TempDir,
}

const START: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(10);

impl Prometheus {
    /// One that reads `target` each second, as the job `shop`, and judges it by `rules`.
    ///
    /// # Panics
    /// If it does not start.
    pub async fn start(target: SocketAddr, rules: &Path) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let log = Log::new(folder.path());
        let settings = serde_json::json!({
            "global": { "scrape_interval": "1s", "evaluation_interval": "1s" },
            "rule_files": [rules],
            "scrape_configs": [{ "job_name": "shop", "static_configs": [{ "targets": [target.to_string()] }] }],
        });
        // YAML is a superset of JSON.
        std::fs::write(folder.path().join("prometheus.yml"), settings.to_string()).expect("its settings");
        let mut command = Command::new("prometheus");
        command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"]);
        command.args(["--web.listen-address=127.0.0.1:0", "--log.format=json"]);
        command.current_dir(folder.path()).stdin(Stdio::null());
        command.stdout(log.create("out")).stderr(log.create("err"));
        let child =
            command.spawn().expect("prometheus starts: Debian has it, and `cargo xtask test` installs it");
        let nowhere = ([127, 0, 0, 1], 0).into();
        let client = Client::new(nowhere, String::new(), Wire::Http1, Transport::Cookies);
        let mut prometheus = Self { child, client, log, _folder: folder };
        prometheus.client.address = prometheus.listening().await;
        let client = &prometheus.client;
        let ready = async || client.clone().get("/-/ready").await.status == 200;
        eventually("Prometheus is ready", START, ready).await;
        prometheus
    }

    /// What a question in PromQL is answered with: an object for each series.
    ///
    /// # Panics
    /// If the question is not understood.
    pub async fn query(&self, question: &str) -> Vec<Value> {
        let form = Serializer::new(String::new()).append_pair("query", question).finish();
        let call = Call::post("/api/v1/query").body("application/x-www-form-urlencoded", form);
        let answer = self.client.clone().send(call).await;
        assert_eq!(answer.status, 200, "{question}: {}", answer.text());
        answer.value()["data"]["result"].as_array().cloned().expect("a vector")
    }

    /// The names of the alerts that fire.
    pub async fn firing(&self) -> Vec<String> {
        let answer = self.client.clone().get("/api/v1/alerts").await.expect(200);
        let alerts = answer["data"]["alerts"].as_array().cloned().expect("a list of alerts");
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        firing.map(|alert| alert["labels"]["alertname"].as_str().expect("a name").to_owned()).collect()
    }

    async fn listening(&mut self) -> SocketAddr {
        let deadline = Instant::now() + START;
        loop {
            let output = self.log.read();
            let lines = output.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            let mut lines = lines.filter(|line| line["msg"] == "Listening on");
            if let Some(address) = lines.find_map(|line| line["address"].as_str()?.parse().ok()) {
                return address;
            }
            let ended = self.child.try_wait().expect("a child can be asked");
            assert!(ended.is_none() && Instant::now() < deadline, "Prometheus does not listen: {output}");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- Prometheus said:\n{}---", self.log.read());
        }
    }
}
