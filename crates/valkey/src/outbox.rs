//! The outbox: what this node's own operations told the feed, in a file of its own, so that it can tell it again after
//! it was killed itself.

use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use countersign_registry::{Effect, Entry, RegistryError};
use countersign_token::FeedPosition;
use redb::{Database, Durability, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use tokio::sync::oneshot;

use crate::entry;

const ENTRIES: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("entries");
const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
/// A file with a larger one is refused.
const FORMAT: u64 = 1;
/// How many operations wait for the disk; one more waits for room.
const WAITING: usize = 1 << 12;
/// How many of the oldest entries one commit looks at, to delete them.
const SWEEP: usize = 64;

type Flaw = Box<dyn std::error::Error + Send + Sync>;

/// A file that holds what [`Heard`](countersign_registry::Heard) keeps of this node's own entries, and a thread that
/// writes it: all that wait share one commit. After a commit that failed it writes nothing more, since the disk may have
/// forgotten anything.
pub(crate) struct Outbox {
    jobs: SyncSender<Job>,
}

struct Job {
    entries: Vec<Entry>,
    written: oneshot::Sender<Result<(), String>>,
}

impl Outbox {
    /// Opens a file, or makes it. Returns the entries that are in it, too. `keeps` tells which are still needed.
    pub(crate) fn open(
        path: &Path,
        keeps: impl Fn(FeedPosition) -> bool + Send + 'static,
    ) -> Result<(Self, Vec<Entry>), Flaw> {
        let database = Database::create(path)?;
        let entries = read(&database)?;
        let (jobs, queue) = sync_channel(WAITING);
        std::thread::Builder::new()
            .name("countersign-outbox".into())
            .spawn(move || write_all(&database, &queue, keeps))?;
        Ok((Self { jobs }, entries))
    }

    /// Returns once these entries survive whatever happens to this machine.
    pub(crate) async fn put(&self, entries: &[Entry]) -> Result<(), RegistryError> {
        let lost = |why: String| RegistryError::new(Effect::Unknown, format!("the outbox: {why}"));
        let (written, done) = oneshot::channel();
        let job = Job { entries: entries.to_vec(), written };
        let jobs = self.jobs.clone();
        let sent = tokio::task::spawn_blocking(move || jobs.send(job)).await;
        if !matches!(sent, Ok(Ok(()))) {
            return Err(lost("it is closed".into()));
        }
        done.await.unwrap_or_else(|_| Err("it is closed".into())).map_err(lost)
    }
}

fn read(database: &Database) -> Result<Vec<Entry>, Flaw> {
    let transaction = database.begin_write()?;
    {
        let mut meta = transaction.open_table(META)?;
        let format = meta.get("format")?.map_or(FORMAT, |format| format.value());
        if format > FORMAT {
            return Err(format!("it has format {format}: use a newer build").into());
        }
        meta.insert("format", FORMAT)?;
        transaction.open_table(ENTRIES)?;
    }
    transaction.commit()?;
    let transaction = database.begin_read()?;
    let table = transaction.open_table(ENTRIES)?;
    table.iter()?.map(|row| Ok(entry::entry(row?.1.value())?)).collect()
}

fn write_all(database: &Database, jobs: &Receiver<Job>, keeps: impl Fn(FeedPosition) -> bool) {
    let mut broken = None;
    while let Ok(first) = jobs.recv() {
        let batch: Vec<Job> = std::iter::once(first).chain(jobs.try_iter().take(WAITING)).collect();
        if broken.is_none() {
            broken = commit(database, &batch, &keeps).err().map(|flaw| flaw.to_string());
        }
        for job in batch {
            // Whoever went away does not need to know.
            let _ = job.written.send(broken.clone().map_or(Ok(()), Err));
        }
    }
}

fn commit(database: &Database, batch: &[Job], keeps: impl Fn(FeedPosition) -> bool) -> Result<(), Flaw> {
    let mut transaction = database.begin_write()?;
    transaction.set_durability(Durability::Immediate)?;
    {
        let mut table = transaction.open_table(ENTRIES)?;
        let mut needless = Vec::new();
        for row in table.iter()?.take(SWEEP) {
            let (epoch, seq) = row?.0.value();
            if !keeps(FeedPosition { epoch, seq }) {
                needless.push((epoch, seq));
            }
        }
        for position in needless {
            table.remove(position)?;
        }
        for entry in batch.iter().flat_map(|job| &job.entries) {
            let position = (entry.position.epoch, entry.position.seq);
            table.insert(position, entry::bytes(entry)?.as_slice())?;
        }
    }
    Ok(transaction.commit()?)
}

#[cfg(test)]
mod tests;
