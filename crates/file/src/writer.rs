//! The writer: one thread that owns the ledger and its log, and answers nobody before the disk has.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use countersign_registry::{Clock, Effect, Fact, Ledger, RegistryError};
use countersign_token::{FeedPosition, Timestamp};
use tokio::sync::watch;

use crate::error::Flaw;
use crate::log::Log;

/// An operation and its haste.
pub(crate) struct Job {
    pub(crate) haste: Haste,
    pub(crate) operation: Box<dyn Operation>,
}

/// An operation, and whoever waits for its outcome.
pub(crate) trait Operation: Send {
    /// Carries it out; its caller is answered later.
    fn apply(self: Box<Self>, ledger: &mut Ledger, now: Timestamp, facts: &mut Vec<Fact>) -> Answer;
    /// Answers its caller without carrying it out.
    fn refuse(self: Box<Self>, error: RegistryError);
}

pub(crate) type Answer = Box<dyn FnOnce(Result<(), RegistryError>) + Send>;

/// When what an operation changed must be on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Haste {
    /// Before it is answered.
    Durable,
    /// Within [`LINGER`]: marks of activity, and the questions, which change only what time has changed.
    Whenever,
}

/// How many operations wait at most; one more is refused without effect.
pub(crate) const WAITING: usize = 1 << 14;
/// How many operations share a commit at most.
const BATCH: usize = 1 << 12;
/// How long a change that nobody waits for stays in memory only.
const LINGER: Duration = Duration::from_secs(1);
/// How far the instants that were answered may be ahead of the one on disk.
const CLOCK_AHEAD: Duration = Duration::from_secs(30);

pub(crate) struct Writer {
    pub(crate) ledger: Ledger,
    pub(crate) log: Log,
    pub(crate) clock: Box<dyn Clock>,
    /// What the ledger told and the disk does not know, and since when.
    pub(crate) facts: Vec<Fact>,
    pub(crate) since: Option<Instant>,
    pub(crate) position: watch::Sender<FeedPosition>,
    pub(crate) pace: Pace,
}

/// How many the last commit answered, and how long it took.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    answered: usize,
    took: Duration,
}

impl Writer {
    /// Works until no registry is left to ask, and writes what is left.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        loop {
            let batch = match self.wait(jobs) {
                Ok(job) => self.gather(job, jobs),
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if let Err(flaw) = self.work(batch) {
                drop(self);
                return refuse(jobs, &flaw);
            }
        }
        if let Err(flaw) = self.commit() {
            tracing::error!(?flaw, "the last marks of activity were not written");
        }
    }

    fn wait(&self, jobs: &Receiver<Job>) -> Result<Job, RecvTimeoutError> {
        match self.since {
            None => jobs.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(since) => jobs.recv_timeout(LINGER.saturating_sub(since.elapsed())),
        }
    }

    /// All that wait, and those who are on their way: whoever was answered by the last commit often asks again at
    /// once, and who misses this one waits for two. So it waits for as many, and an eighth of a commit at most.
    fn gather(&self, first: Job, jobs: &Receiver<Job>) -> Vec<Job> {
        let (mut batch, begun) = (vec![first], Instant::now());
        loop {
            batch.extend(jobs.try_iter().take(BATCH - batch.len()));
            let hasty = batch.iter().any(|job| job.haste == Haste::Durable);
            if !hasty || batch.len() >= self.pace.answered {
                return batch;
            }
            match jobs.recv_timeout((self.pace.took / 8).saturating_sub(begun.elapsed())) {
                Ok(job) => batch.push(job),
                Err(_) => return batch,
            }
        }
    }

    /// Applies a batch, commits it where it must be, and only then answers. An empty one is a reason to commit.
    fn work(&mut self, batch: Vec<Job>) -> Result<(), Flaw> {
        let mut haste = if batch.is_empty() { Haste::Durable } else { Haste::Whenever };
        let mut answers = Vec::with_capacity(batch.len());
        for job in batch {
            if job.haste == Haste::Durable {
                haste = Haste::Durable;
            }
            let now = self.clock.now();
            answers.push(job.operation.apply(&mut self.ledger, now, &mut self.facts));
        }
        if !self.facts.is_empty() {
            self.since.get_or_insert_with(Instant::now);
        }
        let committed = if self.must_commit(haste) {
            let begun = Instant::now();
            let committed = self.commit();
            self.pace = Pace { answered: answers.len(), took: begun.elapsed() };
            committed
        } else {
            Ok(())
        };
        for answer in answers {
            answer(match &committed {
                Ok(()) => Ok(()),
                Err(flaw) => Err(RegistryError::new(Effect::Unknown, describe(flaw))),
            });
        }
        committed
    }

    /// Ends and entries of the feed are never shown before they are on disk, whoever asks; nor do the registry's
    /// instants run far ahead of it.
    fn must_commit(&self, haste: Haste) -> bool {
        let shown = |fact: &Fact| !matches!(fact, Fact::Session(_));
        (haste == Haste::Durable && !self.facts.is_empty())
            || self.facts.iter().any(shown)
            || self.since.is_some_and(|since| since.elapsed() >= LINGER)
            || self.facts.len() >= BATCH
            || self.ledger.now() > self.log.clock().after(CLOCK_AHEAD)
    }

    fn commit(&mut self) -> Result<(), Flaw> {
        if self.facts.is_empty() && self.ledger.now() == self.log.clock() {
            return Ok(());
        }
        self.log.commit(&self.facts, &self.ledger)?;
        self.facts.clear();
        self.since = None;
        let position = self.ledger.position();
        self.position.send_if_modified(|known| std::mem::replace(known, position) < position);
        Ok(())
    }
}

/// After a commit that failed nobody knows what the disk holds, and the ledger is ahead of it: until the registry is
/// reopened, it does nothing.
fn refuse(jobs: &Receiver<Job>, flaw: &Flaw) {
    tracing::error!(?flaw, "a commit failed: the registry is closed until it is opened again");
    for job in jobs {
        job.operation.refuse(RegistryError::new(Effect::None, format!("closed: {}", describe(flaw))));
    }
}

fn describe(flaw: &Flaw) -> String {
    match flaw {
        Flaw::Io(error) => format!("the file could not be written: {error}"),
        other => format!("the file could not be written: {other:?}"),
    }
}
