//! The names of metrics: in the code, as they are counted, in the documentation, the dashboard and the alert rules.

use std::collections::BTreeSet;

use countersign::testing::Harness;
use countersign::{EndReason, Finding, Owner, Refusal, metrics};

use crate::shop::*;

const DASHBOARD: &str = include_str!("../../../../docs/grafana/countersign.json");
const ALERTS: &str = include_str!("../../../../docs/grafana/alerts.yml");
const PAGE: &str = include_str!("../../../../docs/OBSERVABILITY.md");

/// The names in a text, without what Prometheus adds to a histogram's.
fn names(text: &str) -> BTreeSet<&str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .filter(|word| word.starts_with("countersign_"))
        .map(|word| {
            ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end)).unwrap_or(word)
        })
        .collect()
}

#[test]
fn each_name_that_is_used_is_one_and_each_is_used() {
    let all: BTreeSet<&str> = metrics::ALL.into_iter().collect();
    for (place, text) in [("dashboard", DASHBOARD), ("alert rules", ALERTS), ("documentation", PAGE)] {
        let unknown: Vec<_> = names(text).difference(&all).copied().collect();
        assert!(unknown.is_empty(), "the {place} names {unknown:?}");
    }
    assert_eq!(names(PAGE), all);
    assert_eq!(names(DASHBOARD), all);
}

#[test]
fn each_value_of_a_label_that_is_used_is_one() {
    let values = |label: &'static str| {
        [DASHBOARD, ALERTS].into_iter().flat_map(move |text| {
            let text = text.replace("\\\"", "\"");
            let after = text.split(label).skip(1).map(|rest| rest.split('"').next().unwrap().to_owned());
            after.collect::<Vec<_>>()
        })
    };
    let outcomes =
        [&metrics::LOGIN_OUTCOMES[..], &metrics::REFRESH_OUTCOMES, &metrics::CALL_OUTCOMES, &Refusal::CODES]
            .concat();
    let findings: Vec<_> = values("finding=\"").collect();
    assert!(
        !findings.is_empty() && findings.iter().all(|name| Finding::NAMES.contains(&&**name)),
        "{findings:?}"
    );
    let used: Vec<_> = values("outcome=\"").chain(values("outcome!=\"")).collect();
    assert!(used.len() > 5 && used.iter().all(|value| outcomes.contains(&&**value)), "{used:?}");
}

#[test]
fn the_dashboard_is_one() {
    let dashboard: serde_json::Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    assert!(panels.iter().all(|panel| panel["targets"][0]["expr"].is_string()));
}

#[tokio::test(start_paused = true)]
async fn what_happens_is_counted_under_these_names() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let _local = ::metrics::set_default_local_recorder(&recorder);
    let t = Harness::new();
    let text = recorder.handle().render();
    for series in EndReason::ALL.map(EndReason::as_str) {
        let series = format!("countersign_sessions_ended_total{{reason=\"{series}\"}} 0");
        assert!(
            text.contains(&series) || series.contains("idle") || series.contains("expired"),
            "{series}: {text}"
        );
    }
    let mut alice = logged_in(&t, "alice").await;
    let _bob = logged_in(&t, "bob").await;
    for _ in 0..1000 {
        assert_eq!(alice.get("/lenient").await.status, 200);
    }
    t.pass(2 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    let mut forger = t.browser(shop());
    forger.cookies_mut().insert("__Host-session".into(), "a.b.c".into());
    check(&forger.get("/lenient").await, 401, "token-invalid");
    t.registry().fail_next_of(countersign_registry::OpKind::Admit, 1);
    assert_eq!(forger.post("/login/carol").await.status, 503);
    assert_eq!(t.sessions().end_all(Owner::new("bob")).await.unwrap(), 1);
    tokio::time::sleep(11 * std::time::Duration::from_secs(1)).await;
    let text = recorder.handle().render();
    for line in [
        "countersign_sessions_active 1",
        "countersign_seats_in_use 1",
        "countersign_logins_total{outcome=\"admitted\"} 2",
        "countersign_logins_total{outcome=\"registry-unavailable\"} 1",
        "countersign_refresh_total{outcome=\"renewed\"} 1",
        "countersign_refresh_total{outcome=\"kept\"} 1",
        "countersign_sessions_ended_total{reason=\"ended-by-admin\"} 1",
        "countersign_refusals_total{code=\"token-invalid\"} 1",
        "countersign_refusals_total{code=\"cross-site\"} 0",
        "countersign_registry_call_seconds_count{operation=\"admit\",outcome=\"answered\"} 2",
        "countersign_registry_call_seconds_count{operation=\"admit\",outcome=\"failed\"} 1",
        "countersign_revocation_propagation_seconds_count 1",
        "countersign_events_dropped_total 0",
        "countersign_marks_dropped_total 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
    for name in metrics::ALL {
        assert!(text.contains(&format!("# HELP {name} ")), "{name} is not described in\n{text}");
    }
    assert!(text.contains("countersign_verify_seconds{path=\"warm\""), "{text}");
}
