//! The clock: the one thing that rules are told and edges read.

use std::sync::Arc;

use countersign_token::Timestamp;

/// Tells the time. Tests bring one that they move by hand.
///
/// It may step back (an administrator sets it): whoever depends on order keeps the largest instant seen.
pub trait Clock: Send + Sync + 'static {
    /// The wall clock's instant.
    fn now(&self) -> Timestamp;
}

/// The machine's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the edge at which the world's time comes in")]
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_millis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> Timestamp {
        (**self).now()
    }
}
