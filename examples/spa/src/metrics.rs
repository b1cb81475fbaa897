//! What is counted, as Prometheus reads it.

use std::time::Duration;

use countersign::{Counts, SessionEvent};
use metrics::{counter, gauge, histogram, with_local_recorder};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusRecorder};

/// The server's counters. Their labels come from fixed lists, so they are bounded.
pub(crate) struct Metrics {
    recorder: PrometheusRecorder,
}

const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

impl Metrics {
    pub(crate) fn new() -> Result<Self, BuildError> {
        let recorder = PrometheusBuilder::new().set_buckets(SECONDS)?.build_recorder();
        let metrics = Self { recorder };
        metrics.describe();
        Ok(metrics)
    }

    /// Counts something that happened to a session.
    pub(crate) fn note(&self, event: &SessionEvent) {
        let (name, detail) = words(event);
        with_local_recorder(&self.recorder, || {
            counter!("countersign_events_total", "event" => name, "detail" => detail).increment(1);
        });
    }

    /// Counts a request and how long its answer took.
    pub(crate) fn request(&self, route: &'static str, status: http::StatusCode, took: Duration) {
        with_local_recorder(&self.recorder, || {
            counter!("http_requests_total", "route" => route, "status" => status.as_str().to_owned())
                .increment(1);
            histogram!("http_request_duration_seconds", "route" => route).record(took);
        });
    }

    /// Notes how many sessions there are.
    pub(crate) fn sessions(&self, counts: Counts) {
        // Beyond 2^53 a gauge may round; that many sessions there are not.
        #[expect(clippy::cast_precision_loss)]
        with_local_recorder(&self.recorder, || {
            gauge!("countersign_sessions").set(counts.sessions as f64);
            gauge!("countersign_seats").set(counts.seats as f64);
        });
    }

    /// Empties the histograms' buffers, which grow until someone reads them.
    pub(crate) fn tidy(&self) {
        self.recorder.handle().run_upkeep();
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> String {
        self.recorder.handle().render()
    }

    fn describe(&self) {
        use metrics::{describe_counter, describe_gauge, describe_histogram};
        with_local_recorder(&self.recorder, || {
            describe_counter!("countersign_events_total", "What happened to sessions.");
            describe_gauge!("countersign_sessions", "Live sessions, dangling ones included.");
            describe_gauge!("countersign_seats", "Seats in use.");
            describe_counter!("http_requests_total", "Requests, by route and status.");
            describe_histogram!("http_request_duration_seconds", "Until the answer's headers, by route.");
        });
    }
}

/// An event's name, and the detail that tells its kinds apart.
fn words(event: &SessionEvent) -> (&'static str, &'static str) {
    match event {
        SessionEvent::Started { .. } => ("started", ""),
        SessionEvent::LimitReached { scope, .. } => ("limit-reached", scope.as_str()),
        SessionEvent::Refreshed { .. } => ("refreshed", ""),
        SessionEvent::SeatRefused { scope, .. } => ("seat-refused", scope.as_str()),
        SessionEvent::RefreshReused { .. } => ("refresh-reused", ""),
        SessionEvent::Ended { reason, .. } => ("ended", reason.as_str()),
        SessionEvent::EndedMany { reason, .. } => ("ended-many", reason.as_str()),
        SessionEvent::DataUnreadable { .. } => ("data-unreadable", ""),
        SessionEvent::Refused { code, .. } => ("refused", code),
        SessionEvent::ProofRefused { check } => ("proof-refused", check),
        SessionEvent::RegistryFailed { operation, .. } => ("registry-failed", operation),
        SessionEvent::KeysChanged => ("keys-changed", ""),
        SessionEvent::KeysFailed { .. } => ("keys-failed", ""),
        SessionEvent::MarksDropped { .. } => ("marks-dropped", ""),
        _ => ("other", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_is_counted() {
        let metrics = Metrics::new().unwrap();
        metrics.note(&SessionEvent::Refused { code: "token-expired", session: None });
        metrics.note(&SessionEvent::Refused { code: "token-expired", session: None });
        metrics.request("/api/cart", http::StatusCode::OK, Duration::from_millis(3));
        metrics.sessions(Counts { sessions: 3, seats: 2 });
        let text = metrics.render();
        for line in [
            r#"countersign_events_total{event="refused",detail="token-expired"} 2"#,
            r#"http_requests_total{route="/api/cart",status="200"} 1"#,
            r#"http_request_duration_seconds_bucket{route="/api/cart",le="0.005"} 1"#,
            "countersign_sessions 3",
            "countersign_seats 2",
        ] {
            assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
        }
    }
}
