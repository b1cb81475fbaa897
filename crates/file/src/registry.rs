//! The registry: hands each operation to the writer, and waits for its answer.

use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::thread::JoinHandle;

use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Batch, Claimed, Clock, CountOf, Counts, Effect, End, Ended, Fact,
    Filter, Ledger, List, Once, Page, Registry, RegistryError, Rotate, Rotated, Rules, SetLimits, Sharing,
    Standing, SystemClock, Tally, Touch,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::{oneshot, watch};

use crate::error::OpenError;
use crate::recover;
use crate::writer::{Answer, Haste, Job, Operation};

/// The registry in one file, for one process: the embedded default.
///
/// **Acknowledged is on disk.** Every operation is answered after an fsync of what it changed; what waits meanwhile
/// shares the next one, so many callers cost as much as one. Marks of activity alone are answered at once and written
/// within a second. Nothing is shown before it is on disk: a question that meets an end, or the feed, waits for it.
///
/// **A commit that fails closes the registry** until it is opened again: its callers hear
/// [`Effect::Unknown`], all later ones [`Effect::None`]. So nothing is acknowledged that a restart would forget.
///
/// **A restart continues the history**: the same epoch, the same positions, every session and every end. Its instants
/// never go back; where the clock was set back, they stand still until it has caught up. (Instants of refreshes that
/// changed nothing may be lost with a crash, at most 30 seconds.)
///
/// The file is made with mode 0600, in a directory made with 0700. One process has it open at a time. A limit that was
/// changed by [`set_limits`](Registry::set_limits) holds until the restart: limits are configuration.
///
/// **Figures**, of two busy cores: 64 clients log in, refresh and log out 38 to 60 times as fast as one fsync a time.
/// A file of a million sessions has 257 MB, and is read and checked in 1.7 seconds of one core, after a `kill -9` too;
/// the registry then takes 190 MB of memory. There is no snapshot to write: the file is one at any time.
///
/// At most 16384 operations wait; one more is refused without effect. Dropping the registry writes what is left, and
/// gives the file free.
///
/// ```
/// use countersign_file::FileRegistry;
/// use countersign_registry::{Admit, Admitted, Owner, Registry, Standing};
/// use countersign_token::SessionId;
///
/// # let dir = tempfile::tempdir().unwrap();
/// # let path = dir.path().join("sessions.redb");
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let id = SessionId::from_bytes([7; 16]);
/// let registry = FileRegistry::open(&path)?;
/// assert!(matches!(registry.admit(Admit::new(id, Owner::new("ada"))).await, Ok(Admitted::Seated(_))));
/// drop(registry);
///
/// let registry = FileRegistry::open(&path)?;
/// assert!(matches!(registry.get(vec![id]).await.as_deref(), Ok([Standing::Live(..)])));
/// # Ok::<(), countersign_file::OpenError>(()) }).unwrap();
/// ```
pub struct FileRegistry {
    /// [`None`] only while it is dropped.
    jobs: Option<SyncSender<Job>>,
    writer: Option<JoinHandle<()>>,
    position: watch::Receiver<FeedPosition>,
}

/// How a registry file is opened.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The clock; the machine's by default.
    pub clock: Arc<dyn Clock>,
    /// How much of the file is kept in memory, in bytes; 64 MiB by default.
    pub cache_bytes: usize,
}

impl Options {
    /// The same with another clock.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Arc::new(clock), ..self }
    }

    /// The same with another cache, in bytes.
    pub fn cache_bytes(self, cache_bytes: usize) -> Self {
        Self { cache_bytes, ..self }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { clock: Arc::new(SystemClock), cache_bytes: 64 << 20 }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options").field("cache_bytes", &self.cache_bytes).finish_non_exhaustive()
    }
}

impl FileRegistry {
    /// Opens the registry in this file, and makes it where there is none.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says what is wrong with the file and what to do. A damaged one is never replaced by an empty one.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::open_with(path, Options::default())
    }

    /// Opens the registry in this file with options.
    ///
    /// # Errors
    ///
    /// As [`FileRegistry::open`].
    pub fn open_with(path: impl AsRef<Path>, options: Options) -> Result<Self, OpenError> {
        let at = path.as_ref().to_owned();
        Self::start(path.as_ref(), move || recover::open(&at, &options))
    }

    /// Starts the writer, which opens the file itself: whatever a damaged one does to it, the caller gets an error.
    pub(crate) fn start(
        path: &Path,
        open: impl FnOnce() -> Result<crate::writer::Writer, OpenError> + Send + 'static,
    ) -> Result<Self, OpenError> {
        let (jobs, waiting) = std::sync::mpsc::sync_channel(crate::writer::WAITING);
        let (opened, outcome) = std::sync::mpsc::sync_channel(1);
        let work = move || match open() {
            Ok(writer) => {
                if opened.send(Ok(writer.position.subscribe())).is_ok() {
                    writer.run(&waiting);
                }
            }
            Err(error) => drop(opened.send(Err(error))),
        };
        let name = "countersign-file".to_owned();
        let writer =
            std::thread::Builder::new().name(name).spawn(work).map_err(|e| OpenError::io(path, e))?;
        let position = outcome.recv().map_err(|_| OpenError::corrupt(path, "reading it failed"))??;
        Ok(Self { jobs: Some(jobs), writer: Some(writer), position })
    }

    /// Has the writer carry out an operation.
    async fn ask<T: Send + 'static>(
        &self,
        haste: Haste,
        operation: impl FnOnce(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T + Send + 'static,
    ) -> Result<T, RegistryError> {
        let (tell, told) = oneshot::channel();
        self.send(Job { haste, operation: Box::new(Asked { operation, tell }) })?;
        told.await.map_err(|_| RegistryError::new(Effect::Unknown, "the registry's writer has stopped"))?
    }

    fn send(&self, job: Job) -> Result<(), RegistryError> {
        let jobs = self.jobs.as_ref().ok_or_else(|| RegistryError::new(Effect::None, "closed"))?;
        jobs.try_send(job).map_err(|error| {
            let why = match error {
                TrySendError::Full(_) => "too many operations wait for the disk",
                TrySendError::Disconnected(_) => "the registry's writer has stopped",
            };
            RegistryError::new(Effect::None, why)
        })
    }
}

/// An operation with the way back to its caller, who may have gone away: the operation stands.
struct Asked<T, F> {
    operation: F,
    tell: oneshot::Sender<Result<T, RegistryError>>,
}

impl<T, F> Operation for Asked<T, F>
where
    T: Send + 'static,
    F: FnOnce(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T + Send,
{
    fn apply(self: Box<Self>, ledger: &mut Ledger, now: Timestamp, facts: &mut Vec<Fact>) -> Answer {
        let Self { operation, tell } = *self;
        let outcome = operation(ledger, now, facts);
        Box::new(move |committed| drop(tell.send(committed.map(|()| outcome))))
    }

    fn refuse(self: Box<Self>, error: RegistryError) {
        drop(self.tell.send(Err(error)));
    }
}

impl Registry for FileRegistry {
    fn configure(&self, rules: Rules) {
        let (tell, _) = oneshot::channel();
        let operation = move |ledger: &mut Ledger, _, _: &mut _| ledger.set_rules(rules);
        // A registry that is closed says so at the first operation.
        let _ = self.send(Job { haste: Haste::Whenever, operation: Box::new(Asked { operation, tell }) });
    }

    fn admit(&self, admit: Admit) -> BoxFuture<'_, Result<Admitted, RegistryError>> {
        self.ask(Haste::Durable, |ledger, now, facts| ledger.admit(admit, now, facts)).boxed()
    }

    fn rotate(&self, rotate: Rotate) -> BoxFuture<'_, Result<Rotated, RegistryError>> {
        self.ask(Haste::Durable, move |ledger, now, facts| ledger.rotate(rotate, now, facts)).boxed()
    }

    fn advance_version(&self, advance: Advance) -> BoxFuture<'_, Result<Advanced, RegistryError>> {
        self.ask(Haste::Durable, move |ledger, now, facts| ledger.advance_version(advance, now, facts))
            .boxed()
    }

    fn touch(&self, marks: Vec<Touch>) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.ask(Haste::Whenever, move |ledger, now, facts| ledger.touch(&marks, now, facts)).boxed()
    }

    fn end(&self, end: End) -> BoxFuture<'_, Result<Ended, RegistryError>> {
        self.ask(Haste::Durable, |ledger, now, facts| ledger.end(end, now, facts)).boxed()
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Page, RegistryError>> {
        self.ask(Haste::Whenever, move |ledger, now, facts| ledger.list(&list, now, facts)).boxed()
    }

    fn tally(&self, filter: Filter) -> BoxFuture<'_, Result<Tally, RegistryError>> {
        self.ask(Haste::Whenever, move |ledger, now, facts| ledger.tally(&filter, now, facts)).boxed()
    }

    fn counts(&self, of: CountOf) -> BoxFuture<'_, Result<Counts, RegistryError>> {
        self.ask(Haste::Whenever, move |ledger, now, facts| ledger.counts(&of, now, facts)).boxed()
    }

    fn get(&self, sessions: Vec<SessionId>) -> BoxFuture<'_, Result<Vec<Standing>, RegistryError>> {
        self.ask(Haste::Whenever, move |ledger, now, facts| ledger.get(&sessions, now, facts)).boxed()
    }

    fn feed(&self, after: Option<FeedPosition>) -> BoxFuture<'_, Result<Batch, RegistryError>> {
        self.ask(Haste::Whenever, move |ledger, now, facts| ledger.entries_after(after, now, facts)).boxed()
    }

    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()> {
        let mut position = self.position.clone();
        async move {
            if position.wait_for(|position| *position > after).await.is_err() {
                // The registry is closed: there will be no news.
                std::future::pending::<()>().await;
            }
        }
        .boxed()
    }

    fn once(&self, once: Once) -> BoxFuture<'_, Result<Claimed, RegistryError>> {
        self.ask(Haste::Durable, |ledger, now, facts| ledger.once(once, now, facts)).boxed()
    }

    fn set_limits(&self, limits: SetLimits) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.ask(Haste::Whenever, move |ledger, _, _| ledger.set_limits(limits)).boxed()
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.ask(Haste::Durable, |_, _, _| ()).boxed()
    }

    fn sharing(&self) -> Sharing {
        Sharing::OneNode
    }
}

impl Drop for FileRegistry {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for FileRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileRegistry").field("position", &*self.position.borrow()).finish_non_exhaustive()
    }
}
