//! The registry in memory: the ledger behind a lock.
//!
//! One lock and no sharded map: every operation reads and writes what all of them share (the seats of the site, the
//! feed's position), so they must follow one another anyway, and each takes about a microsecond.

use std::sync::{Mutex, MutexGuard};

use countersign_token::{FeedPosition, SessionId, Timestamp};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::clock::{Clock, SystemClock};
use crate::contract::{Batch, Effect, Registry, RegistryError, Sharing};
use crate::fact::Fact;
use crate::ledger::Ledger;
use crate::list::{Filter, List, Page};
use crate::op::{
    Admit, Admitted, Advance, Advanced, Claimed, CountOf, Counts, End, Ended, Once, Rotate, Rotated,
    SetLimits, Standing, Touch,
};
use crate::rules::Rules;
use crate::tally::Tally;

/// A registry in this process's memory, for tests and for sites that accept that everyone logs in again after a
/// restart: each one begins a new epoch with an end for everyone before.
///
/// It holds what its [`Ledger`] holds, within the same bounds.
///
/// ```
/// use countersign_registry::{Activity, Admit, Admitted, MemoryRegistry, Owner, Registry};
/// use countersign_token::SessionId;
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let registry = MemoryRegistry::new();
/// let login = Admit::new(SessionId::from_bytes([7; 16]), Owner::new("ada"));
/// let Ok(Admitted::Seated(seated)) = registry.admit(login).await else { panic!("an empty site has a seat") };
/// assert_eq!(seated.record.owner, Owner::new("ada"));
/// # });
/// ```
#[derive(Debug)]
pub struct MemoryRegistry<C = SystemClock> {
    clock: C,
    ledger: Mutex<Ledger>,
    position: watch::Sender<FeedPosition>,
}

impl MemoryRegistry {
    /// An empty registry on the machine's clock.
    pub fn new() -> Self {
        Self::with_clock(SystemClock)
    }
}

impl Default for MemoryRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl<C: Clock> MemoryRegistry<C> {
    /// An empty registry on a clock of the caller's.
    ///
    /// The clock's milliseconds name the epoch: a restart within the same millisecond, or with a clock that was set
    /// back, would begin an epoch that was there before.
    pub fn with_clock(clock: C) -> Self {
        let now = clock.now();
        let mut ledger = Ledger::new(Rules::default(), now.as_millis() & ((1 << 53) - 1));
        ledger.open_epoch(now, &mut Vec::new());
        let position = watch::Sender::new(ledger.position());
        Self { clock, ledger: Mutex::new(ledger), position }
    }

    /// Carries out one operation, and tells followers of the feed if it has grown.
    fn locked<T>(
        &self,
        operation: impl FnOnce(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T,
    ) -> Result<T, RegistryError> {
        let mut ledger = self.lock()?;
        // The clock is read under the lock: instants have the order of the operations.
        let now = self.clock.now();
        let outcome = operation(&mut ledger, now, &mut Vec::new());
        let position = ledger.position();
        drop(ledger);
        self.position.send_if_modified(|known| std::mem::replace(known, position.max(*known)) < position);
        Ok(outcome)
    }

    fn lock(&self) -> Result<MutexGuard<'_, Ledger>, RegistryError> {
        let poisoned = |_| {
            RegistryError::new(Effect::Unknown, "an operation panicked, and may have left half its effect")
        };
        self.ledger.lock().map_err(poisoned)
    }
}

impl<C: Clock> Registry for MemoryRegistry<C> {
    fn configure(&self, rules: Rules) {
        if let Ok(mut ledger) = self.lock() {
            ledger.set_rules(rules);
        }
    }

    fn admit(&self, admit: Admit) -> BoxFuture<'_, Result<Admitted, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.admit(admit, now, facts)) }.boxed()
    }

    fn rotate(&self, rotate: Rotate) -> BoxFuture<'_, Result<Rotated, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.rotate(rotate, now, facts)) }.boxed()
    }

    fn advance_version(&self, advance: Advance) -> BoxFuture<'_, Result<Advanced, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.advance_version(advance, now, facts)) }.boxed()
    }

    fn touch(&self, marks: Vec<Touch>) -> BoxFuture<'_, Result<(), RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.touch(&marks, now, facts)) }.boxed()
    }

    fn end(&self, end: End) -> BoxFuture<'_, Result<Ended, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.end(end, now, facts)) }.boxed()
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Page, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.list(&list, now, facts)) }.boxed()
    }

    fn tally(&self, filter: Filter) -> BoxFuture<'_, Result<Tally, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.tally(&filter, now, facts)) }.boxed()
    }

    fn counts(&self, of: CountOf) -> BoxFuture<'_, Result<Counts, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.counts(&of, now, facts)) }.boxed()
    }

    fn get(&self, sessions: Vec<SessionId>) -> BoxFuture<'_, Result<Vec<Standing>, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.get(&sessions, now, facts)) }.boxed()
    }

    fn feed(&self, after: Option<FeedPosition>) -> BoxFuture<'_, Result<Batch, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.entries_after(after, now, facts)) }.boxed()
    }

    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()> {
        let mut position = self.position.subscribe();
        // The sender lives as long as this registry, so waiting cannot fail.
        async move { position.wait_for(|position| *position > after).await.map_or((), drop) }.boxed()
    }

    fn once(&self, once: Once) -> BoxFuture<'_, Result<Claimed, RegistryError>> {
        async move { self.locked(|ledger, now, facts| ledger.once(once, now, facts)) }.boxed()
    }

    fn set_limits(&self, limits: SetLimits) -> BoxFuture<'_, Result<(), RegistryError>> {
        async move { self.locked(|ledger, _, _| ledger.set_limits(limits)) }.boxed()
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), RegistryError>> {
        std::future::ready(Ok(())).boxed()
    }

    fn sharing(&self) -> Sharing {
        Sharing::OneNode
    }
}
