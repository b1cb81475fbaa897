//! Waiting for what a clock must bring: asked again until it is there, never longer than a deadline.

use std::future::Future;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_millis(20);

/// Asks until the answer is [`Some`].
///
/// # Panics
/// If it is not within `limit`: `what` says what did not happen.
pub async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    limit: Duration,
    mut ask: impl FnMut() -> F,
) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = ask().await {
            return found;
        }
        assert!(Instant::now() < deadline, "not within {limit:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks until the answer is `true`.
///
/// # Panics
/// If it is not within `limit`.
pub async fn eventually<F: Future<Output = bool>>(what: &str, limit: Duration, mut ask: impl FnMut() -> F) {
    until(what, limit, || {
        let asked = ask();
        async move { asked.await.then_some(()) }
    })
    .await;
}
