//! A real Prometheus reads the server: each question of the dashboard has an answer, and alarms are raised.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use countersign_tests::{Call, Prometheus, Stage, eventually};
use serde_json::Value;

use crate::metrics::live;

const PATIENCE: Duration = Duration::from_mins(1);

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path).canonicalize().unwrap()
}

/// What the dashboard's panels ask, as Grafana would for all jobs and a short while.
fn questions() -> Vec<(String, String)> {
    let dashboard = std::fs::read_to_string(file("docs/grafana/countersign.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| {
        let title = panel["title"].as_str().unwrap();
        panel["targets"].as_array().unwrap().iter().map(move |target| (title, &target["expr"]))
    });
    let ask =
        |question: &Value| question.as_str().unwrap().replace("$job", ".*").replace("$__rate_interval", "2m");
    targets.map(|(title, question)| (title.to_owned(), ask(question))).collect()
}

#[tokio::test]
async fn the_dashboard_has_answers_and_alarms_are_raised() {
    let stage = Stage::simple(&["--user-limit", "2"]).await;
    let prometheus = &Prometheus::start(stage.server.address(), &file("docs/grafana/alerts.yml")).await;
    let has = async |question: &str| !prometheus.query(question).await.is_empty();
    // A counter's first value is no increase: Prometheus must have seen it at 0.
    eventually("the server is read", PATIENCE, || has("countersign_unusual_total")).await;
    assert_eq!(prometheus.firing().await, Vec::<String>::new(), "of a site that has just begun");

    live(&stage).await;
    guess(&stage).await;
    for (panel, question) in questions() {
        if question.contains("by (operation, outcome)") {
            let failures = prometheus.query(&question).await;
            assert!(failures.is_empty(), "nothing failed, which is what {panel} shows: {failures:?}");
        } else {
            eventually(&format!("{panel} shows {question}"), PATIENCE, || has(&question)).await;
        }
    }
    let firing = async || prometheus.firing().await == ["CountersignForgedTokens"];
    eventually("the forged tokens raise an alarm, and nothing else does", PATIENCE, firing).await;
}

/// Somebody tries tokens that nobody issued.
async fn guess(stage: &Stage) {
    for guess in 0..100 {
        let forged = format!("Bearer eyJhbGciOiJIUzI1NiJ9.e30.{guess:043}");
        let call = Call::get("/api/me").header("authorization", forged);
        stage.client().send(call).await.expect(401);
    }
}

#[test]
fn each_rule_fires_when_it_should_and_only_then() {
    let tests = file("tests/prometheus/alerts.test.yml");
    let judged = Command::new("promtool").args(["test", "rules"]).arg(&tests).output();
    let judged = judged.expect("promtool starts: it comes with Debian's prometheus");
    let said = String::from_utf8_lossy(&judged.stdout) + String::from_utf8_lossy(&judged.stderr);
    assert!(judged.status.success(), "{said}");

    let rules = std::fs::read_to_string(file("docs/grafana/alerts.yml")).unwrap();
    let tests = std::fs::read_to_string(tests).unwrap();
    let names = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    let untested: Vec<_> = names.filter(|name| !tests.contains(&format!("alertname: {name}\n"))).collect();
    assert!(untested.is_empty(), "{untested:?} fire in no test");
}
