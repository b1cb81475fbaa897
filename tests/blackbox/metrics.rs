//! `/metrics`: the names that the documentation promises, and that they move.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_tests::{Client, Stage, eventually, for_each_setup};

const ALL: [&str; 13] = [
    "countersign_unusual_total",
    "countersign_sessions_active",
    "countersign_seats_in_use",
    "countersign_logins_total",
    "countersign_refresh_total",
    "countersign_sessions_ended_total",
    "countersign_refusals_total",
    "countersign_revocation_propagation_seconds",
    "countersign_view_age_seconds",
    "countersign_verify_seconds",
    "countersign_registry_call_seconds",
    "countersign_events_dropped_total",
    "countersign_marks_dropped_total",
];

/// What `/metrics` says, by series.
struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    async fn of(client: &mut Client) -> Self {
        let answer = client.get("/metrics").await;
        answer.expect(200);
        let text = answer.text();
        let series = text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
            let (series, value) = line.rsplit_once(' ')?;
            Some((series.to_owned(), value.parse().unwrap()))
        });
        Self(series.collect())
    }

    fn get(&self, series: &str) -> f64 {
        self.0.get(series).copied().unwrap_or_default()
    }

    /// Counters are whole numbers.
    fn is(&self, series: &str, count: f64) -> bool {
        (self.get(series) - count).abs() < 0.5
    }
}

/// Two logins, one that finds no seat, a refresh, requests, one without a login, and a logout.
pub(crate) async fn live(stage: &Stage) {
    let mut alice = stage.logged_in("alice").await;
    let mut other = stage.logged_in("alice").await;
    stage.client().try_login("alice").await.refused(429, "sessions-limit");
    alice.refresh().await.expect(200);
    for _ in 0..500 {
        alice.get("/api/me").await.expect(200);
    }
    stage.client().get("/api/me").await.refused(401, "not-authenticated");
    other.post_json("/session/logout", serde_json::json!({})).await.expect(204);
}

#[tokio::test]
async fn everything_that_is_promised_is_there_and_moves() {
    for_each_setup(&["--user-limit", "2"], |stage| async move {
        let mut anyone = stage.client();
        let before = Metrics::of(&mut anyone).await;
        live(&stage).await;
        let patience = Duration::from_mins(1);
        eventually("the registry is counted each ten seconds", patience, || {
            let mut client = stage.client();
            async move { Metrics::of(&mut client).await.is("countersign_seats_in_use", 1.0) }
        })
        .await;
        let after = Metrics::of(&mut anyone).await;
        let grown = |series: &str| after.get(series) - before.get(series);
        let check =
            |series: &str, by: f64| assert!((grown(series) - by).abs() < 0.5, "{series}: {}", grown(series));
        check("countersign_sessions_active", 1.0);
        check("countersign_logins_total{outcome=\"admitted\"}", 2.0);
        check("countersign_logins_total{outcome=\"sessions-limit\"}", 1.0);
        check("countersign_refresh_total{outcome=\"kept\"}", 1.0);
        check("countersign_refusals_total{code=\"sessions-limit\"}", 1.0);
        check("countersign_refusals_total{code=\"not-authenticated\"}", 1.0);
        check("countersign_sessions_ended_total{reason=\"logout\"}", 1.0);
        check("countersign_registry_call_seconds_count{operation=\"admit\",outcome=\"answered\"}", 3.0);
        assert!(grown("countersign_verify_seconds_count{path=\"warm\"}") >= 1.0, "one in 64 is timed");
        assert!(after.get("countersign_view_age_seconds") < 60.0);
        for name in ALL {
            assert!(after.0.keys().any(|series| series.starts_with(name)), "{name} is not there");
        }
    })
    .await;
}

#[tokio::test]
async fn a_copied_refresh_token_is_counted() {
    let stage = Stage::simple(&["--race-window", "1s"]).await;
    let mut alice = stage.logged_in("alice").await;
    let mut thief = alice.clone();
    alice.rotate().await;
    alice.rotate().await;
    thief.refresh().await.refused(401, "refresh-reused");
    let after = Metrics::of(&mut stage.client()).await;
    for series in [
        "countersign_refresh_total{outcome=\"refresh-reused\"}",
        "countersign_sessions_ended_total{reason=\"refresh-reused\"}",
        "countersign_unusual_total{finding=\"refresh-reused\"}",
    ] {
        assert_eq!(after.get(series).to_bits(), 1.0_f64.to_bits(), "{series}");
    }
}
