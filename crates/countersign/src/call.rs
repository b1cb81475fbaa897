//! One call of the registry: with a deadline, within a span, timed, and told of where it fails.

use std::future::Future;
use std::time::{Duration, Instant};

use countersign_registry::RegistryError;
use tracing::{Instrument as _, debug_span, field};

use crate::event::SessionEvent;
use crate::metrics;
use crate::sessions::Inner;

/// The registry did not do what it was asked, or not in time; the host has been told.
#[derive(Debug)]
pub(crate) struct Missed;

/// Asks the registry once. The span is `registry`, with the fields `operation` and `outcome`.
pub(crate) async fn call<T>(
    inner: &Inner,
    operation: &'static str,
    deadline: Duration,
    call: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, Missed> {
    let span = debug_span!(target: "countersign", "registry", operation, outcome = field::Empty);
    let began = Instant::now();
    let (answer, outcome) = match tokio::time::timeout(deadline, call.instrument(span.clone())).await {
        Ok(Ok(answer)) => (Ok(answer), "answered"),
        Ok(Err(error)) => (Err(SessionEvent::registry_failed(operation, &error)), "failed"),
        Err(_) => {
            let detail = format!("no answer within {deadline:?}");
            (Err(SessionEvent::RegistryFailed { operation, detail }), "timed-out")
        }
    };
    span.record("outcome", outcome);
    metrics::call(operation, outcome, began.elapsed());
    answer.map_err(|event| span.in_scope(|| inner.tell(&event))).map_err(|()| Missed)
}
