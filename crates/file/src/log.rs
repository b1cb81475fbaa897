//! The log: the file's tables, and the one transaction at a time that writes facts into them.

use std::time::Duration;

use countersign_registry::{Fact, Ledger};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use redb::{
    Database, Durability, ReadableTable, ReadableTableMetadata as _, TableDefinition, WriteTransaction,
};

use crate::error::Flaw;
use crate::record::{self, Done, Entry, FORMAT, Gone, Record, Used};

// What comes in the order of time has time in front of its key: it is written side by side, and what is past is
// found at the front.
pub(crate) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
pub(crate) const SESSIONS: TableDefinition<&[u8; 16], &[u8]> = TableDefinition::new("sessions");
pub(crate) const GONE: TableDefinition<(u64, &[u8; 16]), &[u8]> = TableDefinition::new("gone");
pub(crate) const ENTRIES: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("entries");
pub(crate) const ONCE: TableDefinition<(u64, &[u8; 32]), &[u8]> = TableDefinition::new("once");
pub(crate) const DONE: TableDefinition<(u64, &[u8; 16]), &[u8]> = TableDefinition::new("done");

/// How long the reason of an ended session is kept.
const REASON_LIFE: Duration = Duration::from_hours(24);
/// How many are kept, as many as the ledger keeps; beyond, the oldest is forgotten.
const REASONS: u64 = 1 << 20;

/// The facts of a ledger in a file.
///
/// Rows that time has made useless are deleted by the commits that follow, a few more than each one writes, so the
/// file holds what is remembered and no more.
#[derive(Debug)]
pub(crate) struct Log {
    database: Database,
    /// The instant that the file knows.
    clock: Timestamp,
}

impl Log {
    pub(crate) fn new(database: Database, clock: Timestamp) -> Self {
        Self { database, clock }
    }

    /// The instant that the file knows: after a restart the registry's time goes on from there.
    pub(crate) fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Writes facts, and where the ledger stands. Once it returns, they survive whatever happens to the machine.
    pub(crate) fn commit(&mut self, facts: &[Fact], ledger: &Ledger) -> Result<(), Flaw> {
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        set_meta(&transaction, ledger.position(), ledger.now())?;
        let mut tables = Tables::open(&transaction)?;
        tables.write(facts)?;
        tables.sweep(2 * facts.len() + 64, ledger)?;
        drop(tables);
        transaction.commit()?;
        self.clock = ledger.now();
        Ok(())
    }
}

fn set_meta(transaction: &WriteTransaction, position: FeedPosition, now: Timestamp) -> Result<(), Flaw> {
    let mut meta = transaction.open_table(META)?;
    let values =
        [("format", FORMAT), ("epoch", position.epoch), ("seq", position.seq), ("clock", now.as_millis())];
    for (name, value) in values {
        // Only what changes: an untouched page is not written.
        if meta.get(name)?.is_none_or(|known| known.value() != value) {
            meta.insert(name, value)?;
        }
    }
    Ok(())
}

struct Tables<'t> {
    sessions: redb::Table<'t, &'static [u8; 16], &'static [u8]>,
    gone: redb::Table<'t, (u64, &'static [u8; 16]), &'static [u8]>,
    entries: redb::Table<'t, (u64, u64), &'static [u8]>,
    once: redb::Table<'t, (u64, &'static [u8; 32]), &'static [u8]>,
    done: redb::Table<'t, (u64, &'static [u8; 16]), &'static [u8]>,
}

impl<'t> Tables<'t> {
    fn open(transaction: &'t WriteTransaction) -> Result<Self, Flaw> {
        Ok(Self {
            sessions: transaction.open_table(SESSIONS)?,
            gone: transaction.open_table(GONE)?,
            entries: transaction.open_table(ENTRIES)?,
            once: transaction.open_table(ONCE)?,
            done: transaction.open_table(DONE)?,
        })
    }

    fn write(&mut self, facts: &[Fact]) -> Result<(), Flaw> {
        for fact in facts {
            self.write_one(fact)?;
        }
        Ok(())
    }

    fn write_one(&mut self, fact: &Fact) -> Result<(), Flaw> {
        match fact {
            Fact::Session(record) => {
                self.sessions.insert(record.id.as_bytes(), &*bytes(&**record)?)?;
            }
            Fact::Gone { session, reason, at } => self.bury(session, *at, Gone { reason: *reason })?,
            Fact::Entry(entry) => {
                let key = (entry.position.epoch, entry.position.seq);
                let entry = Entry { at: entry.at, until: entry.until, news: entry.news.clone() };
                self.entries.insert(key, &*bytes(&entry)?)?;
            }
            Fact::Once { id, until } => {
                self.once.insert((until.as_millis(), &id.0), &*bytes(&Used)?)?;
            }
            Fact::Done { id, position, entries, sessions, until } => {
                let done = Done { position: *position, entries: *entries, sessions: *sessions };
                self.done.insert((until.as_millis(), &id.0), &*bytes(&done)?)?;
            }
            // A file loses nothing, so it has one epoch and never recovers from another.
            Fact::Epoch { .. }
            | Fact::Node { .. }
            | Fact::Recovering(_)
            | Fact::Waiting(_)
            | Fact::ToldAgain { .. } => {}
        }
        Ok(())
    }

    fn bury(&mut self, session: &SessionId, at: Timestamp, gone: Gone) -> Result<(), Flaw> {
        self.sessions.remove(session.as_bytes())?;
        self.gone.insert((at.as_millis(), session.as_bytes()), &*bytes(&gone)?)?;
        Ok(())
    }

    /// Deletes what nobody needs any more, of each kind at most so many rows.
    fn sweep(&mut self, at_most: usize, ledger: &Ledger) -> Result<(), Flaw> {
        let now = ledger.now();
        for _ in 0..at_most {
            let too_many = self.gone.len()? > REASONS;
            let past = |at| too_many || Timestamp::from_millis(at).after(REASON_LIFE) <= now;
            if !delete_first(&mut self.gone, past)? {
                break;
            }
        }
        for _ in 0..at_most {
            if !delete_first(&mut self.once, |until| until <= now.as_millis())? {
                break;
            }
        }
        for _ in 0..at_most {
            if !delete_first(&mut self.done, |until| until <= now.as_millis())? {
                break;
            }
        }
        self.sweep_entries(at_most, ledger)
    }

    /// Entries that last for ever lie in front; the first that is young or needed is followed by younger ones.
    fn sweep_entries(&mut self, at_most: usize, ledger: &Ledger) -> Result<(), Flaw> {
        let mut useless = Vec::new();
        for row in self.entries.range::<(u64, u64)>(..)? {
            let (key, value) = row?;
            let (epoch, seq) = key.value();
            let entry: Entry = record::decode(value.value())?;
            let needed = ledger.keeps(FeedPosition { epoch, seq });
            if useless.len() >= at_most || (entry.until > ledger.now() && entry.until != Timestamp::MAX) {
                break;
            }
            if !needed {
                useless.push((epoch, seq));
            } else if entry.until != Timestamp::MAX {
                break;
            }
        }
        for key in useless {
            self.entries.remove(key)?;
        }
        Ok(())
    }
}

/// Deletes the first row if its time has come.
fn delete_first<const N: usize>(
    table: &mut redb::Table<'_, (u64, &'static [u8; N]), &'static [u8]>,
    past: impl Fn(u64) -> bool,
) -> Result<bool, Flaw> {
    let Some((time, id)) = table.first()?.map(|(key, _)| (key.value().0, *key.value().1)) else {
        return Ok(false);
    };
    let past = past(time);
    if past {
        table.remove((time, &id))?;
    }
    Ok(past)
}

fn bytes<R: Record>(record: &R) -> Result<Vec<u8>, Flaw> {
    record::encode(record).map_err(|error| Flaw::Corrupt(error.into()))
}
