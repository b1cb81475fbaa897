//! Gauges: how old the view is, once a second, and how many sessions and seats there are, every ten seconds.

use std::sync::Weak;
use std::time::{Duration, Instant};

use countersign_registry::CountOf;

use super::follow;
use crate::flow;
use crate::metrics;
use crate::sessions::Inner;

/// How often the view's age is noted.
const PACE: Duration = Duration::from_secs(1);

/// The registry is asked for its counts as often as this many times the pace: a few microseconds on any registry.
const COUNTS: u32 = 10;

pub(super) async fn run(inner: Weak<Inner>) {
    let began = Instant::now();
    for turn in (0..COUNTS).cycle() {
        let Some(inner) = inner.upgrade() else { return };
        metrics::view_age(inner.view.age(follow::reading(&inner)).unwrap_or_else(|| began.elapsed()));
        if turn == 0
            && let Ok(counts) = flow::ask(&inner, "counts", inner.registry.counts(CountOf::Site)).await
        {
            metrics::counts(counts);
        }
        drop(inner);
        tokio::time::sleep(PACE).await;
    }
}
