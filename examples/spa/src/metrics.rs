//! What is counted, as Prometheus reads it: the framework's own metrics, and requests by route.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use countersign::metrics::{
    CALL_BUCKETS, PROPAGATION_BUCKETS, REGISTRY_CALL, REVOCATION_PROPAGATION, VERIFY, VERIFY_BUCKETS,
};
use metrics::{SetRecorderError, Unit, counter, describe_counter, describe_histogram, histogram};
use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

const REQUESTS: &str = "http_requests_total";
const REQUEST_DURATION: &str = "http_request_duration_seconds";

const SECONDS: &[f64] = &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The recorder of the process. Its labels come from fixed lists, so they are bounded.
#[derive(Clone)]
pub(crate) struct Metrics {
    handle: PrometheusHandle,
}

/// Why nothing can be counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MetricsError {
    #[error(transparent)]
    Build(#[from] BuildError),
    #[error("another recorder is installed")]
    Install(#[from] SetRecorderError<PrometheusRecorder>),
}

impl Metrics {
    /// Installs the recorder, before anything is counted; a process has one.
    pub(crate) fn install() -> Result<Self, MetricsError> {
        static INSTALLED: Mutex<Option<Metrics>> = Mutex::new(None);
        let mut installed = INSTALLED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(installed) = &*installed {
            return Ok(installed.clone());
        }
        let recorder = PrometheusBuilder::new()
            .set_buckets(SECONDS)?
            .set_buckets_for_metric(Matcher::Full(VERIFY.to_owned()), &VERIFY_BUCKETS)?
            .set_buckets_for_metric(Matcher::Full(REGISTRY_CALL.to_owned()), &CALL_BUCKETS)?
            .set_buckets_for_metric(Matcher::Full(REVOCATION_PROPAGATION.to_owned()), &PROPAGATION_BUCKETS)?
            .build_recorder();
        let this = Self { handle: recorder.handle() };
        metrics::set_global_recorder(recorder)?;
        describe_counter!(REQUESTS, Unit::Count, "Requests, by route and status.");
        describe_histogram!(REQUEST_DURATION, Unit::Seconds, "Until the answer's headers, by route.");
        Ok(installed.insert(this).clone())
    }

    /// Counts a request and how long its answer took.
    pub(crate) fn request(route: &'static str, status: http::StatusCode, took: Duration) {
        counter!(REQUESTS, "route" => route, "status" => status.as_str().to_owned()).increment(1);
        histogram!(REQUEST_DURATION, "route" => route).record(took);
    }

    /// Empties the histograms' buffers, which grow until someone reads them.
    pub(crate) fn tidy(&self) {
        self.handle.run_upkeep();
    }

    /// The text that Prometheus reads.
    pub(crate) fn render(&self) -> String {
        self.handle.render()
    }
}
