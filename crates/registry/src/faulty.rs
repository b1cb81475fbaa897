//! A registry that fails when told to: for tests of whatever stands on a registry.

use std::sync::{Mutex, MutexGuard, PoisonError};

use countersign_token::{FeedPosition, SessionId};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::watch;

use crate::contract::{Batch, Effect, Registry, RegistryError, Sharing};
use crate::list::{Filter, List, Page};
use crate::op::{
    Admit, Admitted, Advance, Advanced, Claimed, CountOf, Counts, End, Ended, Once, Rotate, Rotated,
    SetLimits, Standing, Touch,
};
use crate::rules::Rules;
use crate::tally::Tally;

/// A registry around another one that fails, delays, or loses the answer after the effect, as its test says.
///
/// A fault concerns all operations, or one [kind](OpKind) of them; of several faults the one that was set first
/// comes first. Following the feed's [news](Registry::news) never fails.
#[derive(Debug)]
pub struct Faulty<R> {
    inner: R,
    faults: Mutex<Vec<(Option<OpKind>, Fault)>>,
    gate: watch::Sender<Gate>,
}

/// The operations of a registry, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the operation of that name")]
pub enum OpKind {
    Admit,
    Rotate,
    AdvanceVersion,
    Touch,
    End,
    List,
    Counts,
    Get,
    Feed,
    Once,
    SetLimits,
    Flush,
}

impl OpKind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Admit,
        Self::Rotate,
        Self::AdvanceVersion,
        Self::Touch,
        Self::End,
        Self::List,
        Self::Counts,
        Self::Get,
        Self::Feed,
        Self::Once,
        Self::SetLimits,
        Self::Flush,
    ];
}

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// Nothing happens, so many times, and the caller is told that nothing did.
    Fail(u32),
    /// It happens, so many times, and the caller is told that nobody knows.
    LoseAnswer(u32),
    /// Nothing happens until recovery.
    Down,
}

/// Which operations wait, and how many do.
#[derive(Clone, Debug, Default)]
struct Gate {
    held: Vec<OpKind>,
    waiting: usize,
}

impl<R: Registry> Faulty<R> {
    /// Wraps a registry. No fault is set.
    pub fn new(inner: R) -> Self {
        Self { inner, faults: Mutex::default(), gate: watch::Sender::default() }
    }

    /// The registry inside, without faults.
    pub fn inner(&self) -> &R {
        &self.inner
    }

    /// The next operations, so many, fail without an effect.
    pub fn fail_next(&self, times: u32) {
        self.set(None, Fault::Fail(times));
    }

    /// The next operations of a kind, so many, fail without an effect.
    pub fn fail_next_of(&self, kind: OpKind, times: u32) {
        self.set(Some(kind), Fault::Fail(times));
    }

    /// The next operation has its effect, but its answer is lost.
    pub fn lose_next_answer(&self) {
        self.set(None, Fault::LoseAnswer(1));
    }

    /// The next operation of a kind has its effect, but its answer is lost.
    pub fn lose_next_answer_of(&self, kind: OpKind) {
        self.set(Some(kind), Fault::LoseAnswer(1));
    }

    /// Operations fail without an effect until [`Faulty::recover`].
    pub fn fail_always(&self) {
        self.set(None, Fault::Down);
    }

    /// Operations of a kind fail without an effect until [`Faulty::recover`].
    pub fn fail_always_of(&self, kind: OpKind) {
        self.set(Some(kind), Fault::Down);
    }

    /// Forgets all faults and lets go what waits.
    pub fn recover(&self) {
        self.faults().clear();
        self.release();
    }

    /// Operations wait, before their effect, until [`Faulty::release`].
    pub fn hold(&self) {
        self.gate.send_modify(|gate| gate.held.extend(OpKind::ALL));
    }

    /// Operations of a kind wait, before their effect, until [`Faulty::release`].
    pub fn hold_of(&self, kind: OpKind) {
        self.gate.send_modify(|gate| gate.held.push(kind));
    }

    /// Lets go what waits.
    pub fn release(&self) {
        self.gate.send_modify(|gate| gate.held.clear());
    }

    /// Resolves once at least so many operations wait.
    pub async fn held(&self, operations: usize) {
        // The sender is `self`, so waiting cannot fail.
        let _ = self.gate.subscribe().wait_for(|gate| gate.waiting >= operations).await;
    }

    fn set(&self, kind: Option<OpKind>, fault: Fault) {
        self.faults().push((kind, fault));
    }

    fn faults(&self) -> MutexGuard<'_, Vec<(Option<OpKind>, Fault)>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Carries out one operation with the faults that are set for it.
    async fn through<'a, T>(
        &'a self,
        kind: OpKind,
        operation: impl FnOnce(&'a R) -> BoxFuture<'a, Result<T, RegistryError>>,
    ) -> Result<T, RegistryError> {
        self.wait(kind).await;
        match self.take(kind) {
            None => operation(&self.inner).await,
            Some(Effect::None) => Err(RegistryError::new(Effect::None, "told to fail")),
            Some(Effect::Unknown) => {
                let _lost = operation(&self.inner).await?;
                Err(RegistryError::new(Effect::Unknown, "told to lose the answer"))
            }
        }
    }

    async fn wait(&self, kind: OpKind) {
        if !self.gate.borrow().held.contains(&kind) {
            return;
        }
        let mut gate = self.gate.subscribe();
        self.gate.send_modify(|gate| gate.waiting += 1);
        let _leaves = Leave(&self.gate);
        let _ = gate.wait_for(|gate| !gate.held.contains(&kind)).await;
    }

    /// The first fault that concerns an operation of this kind, counted down.
    fn take(&self, kind: OpKind) -> Option<Effect> {
        let mut faults = self.faults();
        faults.retain(|(_, fault)| !matches!(fault, Fault::Fail(0) | Fault::LoseAnswer(0)));
        let (_, fault) = faults.iter_mut().find(|(of, _)| of.is_none_or(|of| of == kind))?;
        match fault {
            Fault::Down => Some(Effect::None),
            Fault::Fail(times) => {
                *times -= 1;
                Some(Effect::None)
            }
            Fault::LoseAnswer(times) => {
                *times -= 1;
                Some(Effect::Unknown)
            }
        }
    }
}

/// Counts a waiting operation out, also when its caller gives up.
struct Leave<'a>(&'a watch::Sender<Gate>);

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|gate| gate.waiting -= 1);
    }
}

impl<R: Registry> Registry for Faulty<R> {
    fn configure(&self, rules: Rules) {
        self.inner.configure(rules);
    }

    fn admit(&self, admit: Admit) -> BoxFuture<'_, Result<Admitted, RegistryError>> {
        self.through(OpKind::Admit, |inner| inner.admit(admit)).boxed()
    }

    fn rotate(&self, rotate: Rotate) -> BoxFuture<'_, Result<Rotated, RegistryError>> {
        self.through(OpKind::Rotate, move |inner| inner.rotate(rotate)).boxed()
    }

    fn advance_version(&self, advance: Advance) -> BoxFuture<'_, Result<Advanced, RegistryError>> {
        self.through(OpKind::AdvanceVersion, move |inner| inner.advance_version(advance)).boxed()
    }

    fn touch(&self, marks: Vec<Touch>) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.through(OpKind::Touch, |inner| inner.touch(marks)).boxed()
    }

    fn end(&self, end: End) -> BoxFuture<'_, Result<Ended, RegistryError>> {
        self.through(OpKind::End, |inner| inner.end(end)).boxed()
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Page, RegistryError>> {
        self.through(OpKind::List, |inner| inner.list(list)).boxed()
    }

    fn tally(&self, filter: Filter) -> BoxFuture<'_, Result<Tally, RegistryError>> {
        self.through(OpKind::List, |inner| inner.tally(filter)).boxed()
    }

    fn counts(&self, of: CountOf) -> BoxFuture<'_, Result<Counts, RegistryError>> {
        self.through(OpKind::Counts, |inner| inner.counts(of)).boxed()
    }

    fn get(&self, sessions: Vec<SessionId>) -> BoxFuture<'_, Result<Vec<Standing>, RegistryError>> {
        self.through(OpKind::Get, |inner| inner.get(sessions)).boxed()
    }

    fn feed(&self, after: Option<FeedPosition>) -> BoxFuture<'_, Result<Batch, RegistryError>> {
        self.through(OpKind::Feed, move |inner| inner.feed(after)).boxed()
    }

    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()> {
        self.inner.news(after)
    }

    fn once(&self, once: Once) -> BoxFuture<'_, Result<Claimed, RegistryError>> {
        self.through(OpKind::Once, move |inner| inner.once(once)).boxed()
    }

    fn set_limits(&self, limits: SetLimits) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.through(OpKind::SetLimits, move |inner| inner.set_limits(limits)).boxed()
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.through(OpKind::Flush, Registry::flush).boxed()
    }

    fn sharing(&self) -> Sharing {
        self.inner.sharing()
    }
}
