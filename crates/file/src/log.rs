//! The log: the file's tables, and the one transaction at a time that writes facts into them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use countersign_registry::{Fact, Ledger};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use redb::{Database, Durability, ReadableTable, TableDefinition, WriteTransaction};

use crate::error::Flaw;
use crate::record::{self, Done, Entry, FORMAT, Gone, Record};

pub(crate) const META: TableDefinition<&str, u64> = TableDefinition::new("meta");
pub(crate) const SESSIONS: TableDefinition<&[u8; 16], &[u8]> = TableDefinition::new("sessions");
pub(crate) const GONE: TableDefinition<&[u8; 16], &[u8]> = TableDefinition::new("gone");
pub(crate) const ENTRIES: TableDefinition<(u64, u64), &[u8]> = TableDefinition::new("entries");
pub(crate) const ONCE: TableDefinition<&[u8; 32], &[u8]> = TableDefinition::new("once");
pub(crate) const DONE: TableDefinition<&[u8; 16], &[u8]> = TableDefinition::new("done");

/// How long the reason of an ended session is kept.
const REASON_LIFE: Duration = Duration::from_secs(24 * 3600);
/// How many are kept, as many as the ledger keeps.
const REASONS: usize = 1 << 20;
/// When to look again at an entry that the ledger still needs.
const LOOK_AGAIN: Duration = Duration::from_secs(15 * 60);

/// The facts of a ledger in a file.
///
/// Rows that time has made useless are deleted by the commits that follow, a few more than each one writes, so the
/// file stays as large as what is remembered. What is due when is kept in memory, 48 bytes a row.
#[derive(Debug)]
pub(crate) struct Log {
    database: Database,
    due: BinaryHeap<Reverse<(Timestamp, Row)>>,
    /// The ended sessions whose reason is kept, at most [`REASONS`]: beyond, the oldest is forgotten.
    graves: BinaryHeap<Reverse<(Timestamp, [u8; 16])>>,
    /// The instant that the file knows.
    clock: Timestamp,
}

/// A row that will be useless one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Row {
    Gone([u8; 16]),
    Entry(u64, u64),
    Once([u8; 32]),
    Done([u8; 16]),
}

impl Log {
    pub(crate) fn new(database: Database, clock: Timestamp) -> Self {
        Self { database, due: BinaryHeap::new(), graves: BinaryHeap::new(), clock }
    }

    /// The instant that the file knows: after a restart the registry's time goes on from there.
    pub(crate) fn clock(&self) -> Timestamp {
        self.clock
    }

    /// Writes facts, and where the ledger stands. Once it returns, they survive whatever happens to the machine.
    pub(crate) fn commit(&mut self, facts: &[Fact], ledger: &Ledger) -> Result<(), Flaw> {
        let (position, now) = (ledger.position(), ledger.now());
        let mut transaction = self.database.begin_write()?;
        transaction.set_durability(Durability::Immediate)?;
        set_meta(&transaction, position, now)?;
        Tables::open(&transaction)?.write(facts)?;
        let useless = self.useless(2 * facts.len() + 64, ledger);
        Tables::open(&transaction)?.delete(&useless)?;
        transaction.commit()?;
        self.clock = now;
        for fact in facts {
            self.expect(fact);
        }
        Ok(())
    }

    /// Notes when the row of a fact will be useless.
    pub(crate) fn expect(&mut self, fact: &Fact) {
        let due = match fact {
            Fact::Session(_) => return,
            Fact::Gone { session, at, .. } => {
                return self.graves.push(Reverse((*at, *session.as_bytes())));
            }
            Fact::Entry(entry) => (entry.until, Row::Entry(entry.position.epoch, entry.position.seq)),
            Fact::Once { id, until } => (*until, Row::Once(id.0)),
            Fact::Done { id, until, .. } => (*until, Row::Done(id.0)),
        };
        if due.0 != Timestamp::MAX {
            self.due.push(Reverse(due));
        }
    }

    /// At most so many rows whose time has come and that the ledger does not need.
    fn useless(&mut self, at_most: usize, ledger: &Ledger) -> Vec<Row> {
        let now = ledger.now();
        let mut rows = Vec::new();
        while rows.len() < at_most
            && let Some(session) = self.next_grave(now)
        {
            rows.push(Row::Gone(session));
        }
        while rows.len() < at_most
            && let Some(row) = self.next_due(now)
        {
            match row {
                Row::Entry(epoch, seq) if ledger.keeps(FeedPosition { epoch, seq }) => {
                    self.due.push(Reverse((now.after(LOOK_AGAIN), row)));
                }
                _ => rows.push(row),
            }
        }
        rows
    }

    fn next_grave(&mut self, now: Timestamp) -> Option<[u8; 16]> {
        let Reverse((at, _)) = *self.graves.peek()?;
        let useless = at.after(REASON_LIFE) <= now || self.graves.len() > REASONS;
        if useless { self.graves.pop().map(|Reverse((_, session))| session) } else { None }
    }

    fn next_due(&mut self, now: Timestamp) -> Option<Row> {
        let Reverse((due, _)) = *self.due.peek()?;
        if due <= now { self.due.pop().map(|Reverse((_, row))| row) } else { None }
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
    gone: redb::Table<'t, &'static [u8; 16], &'static [u8]>,
    entries: redb::Table<'t, (u64, u64), &'static [u8]>,
    once: redb::Table<'t, &'static [u8; 32], &'static [u8]>,
    done: redb::Table<'t, &'static [u8; 16], &'static [u8]>,
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
            Fact::Gone { session, reason, at } => self.bury(session, Gone { reason: *reason, at: *at })?,
            Fact::Entry(entry) => {
                let key = (entry.position.epoch, entry.position.seq);
                let entry = Entry { at: entry.at, until: entry.until, news: entry.news.clone() };
                self.entries.insert(key, &*bytes(&entry)?)?;
            }
            Fact::Once { id, until } => {
                self.once.insert(&id.0, &*bytes(until)?)?;
            }
            Fact::Done { id, position, entries, sessions, until } => {
                let done =
                    Done { position: *position, entries: *entries, sessions: *sessions, until: *until };
                self.done.insert(&id.0, &*bytes(&done)?)?;
            }
        }
        Ok(())
    }

    fn bury(&mut self, session: &SessionId, gone: Gone) -> Result<(), Flaw> {
        self.sessions.remove(session.as_bytes())?;
        self.gone.insert(session.as_bytes(), &*bytes(&gone)?)?;
        Ok(())
    }

    fn delete(&mut self, rows: &[Row]) -> Result<(), Flaw> {
        for row in rows {
            match row {
                Row::Gone(session) => drop(self.gone.remove(session)?),
                Row::Entry(epoch, seq) => drop(self.entries.remove((*epoch, *seq))?),
                Row::Once(id) => drop(self.once.remove(id)?),
                Row::Done(id) => drop(self.done.remove(id)?),
            }
        }
        Ok(())
    }
}

fn bytes<R: Record>(record: &R) -> Result<Vec<u8>, Flaw> {
    record::encode(record).map_err(|error| Flaw::Corrupt(error.into()))
}
