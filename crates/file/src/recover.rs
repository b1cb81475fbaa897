//! Recovery: from a file to the ledger that it remembers, or to a clear word about what is wrong with it.

use std::path::Path;

use countersign_registry::{Fact, Ledger, OnceId, OpId, Rules, SessionRecord};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use redb::{Database, ReadTransaction, ReadableDatabase as _, StorageBackend};
use tokio::sync::watch;

use crate::error::{Flaw, OpenError};
use crate::log::{DONE, ENTRIES, GONE, Log, META, ONCE, SESSIONS};
use crate::place::{self, Place};
use crate::record::{Done, Entry, FORMAT, Gone, Used, decode};
use crate::registry::Options;
use crate::writer::{Pace, Writer};

/// Opens or makes the registry at a path.
pub(crate) fn open(path: &Path, options: &Options) -> Result<Writer, OpenError> {
    // Twice: another process may make the file between our look and our making.
    for _ in 0..2 {
        match place::find(path)? {
            Place::Existing(backend) => {
                return existing(backend, options).map_err(|flaw| OpenError::of(path, flaw));
            }
            Place::New(file) => {
                let writer = new(file.backend()?, options).map_err(|flaw| OpenError::of(path, flaw))?;
                if file.settle()? {
                    return Ok(writer);
                }
            }
        }
    }
    Err(OpenError::Locked { path: path.to_owned() })
}

/// A registry in an empty file: a new history, in which every session of an earlier one has ended.
pub(crate) fn new(backend: impl StorageBackend, options: &Options) -> Result<Writer, Flaw> {
    let database = Database::builder().set_cache_size(options.cache_bytes).create_with_backend(backend)?;
    let now = options.clock.now();
    // Milliseconds name epochs, so that a file that was lost and its successor have different ones.
    let mut ledger = Ledger::new(Rules::default(), now.as_millis() & ((1 << 53) - 1));
    let (mut log, mut facts) = (Log::new(database, Timestamp::ZERO), Vec::new());
    ledger.open_epoch(now, &mut facts);
    log.commit(&facts, &ledger)?;
    Ok(writer(ledger, log, options))
}

/// The registry that a file remembers. Every page is checked before the first is believed.
pub(crate) fn existing(backend: impl StorageBackend, options: &Options) -> Result<Writer, Flaw> {
    let length = backend.len().map_err(Flaw::Io)?;
    if length == 0 {
        return Err(Flaw::corrupt("the file is empty"));
    }
    let mut database =
        Database::builder().set_cache_size(options.cache_bytes).create_with_backend(backend)?;
    if !database.check_integrity()? {
        return Err(Flaw::corrupt("its pages contradict each other"));
    }
    let transaction = database.begin_read()?;
    let (position, clock) = meta(&transaction)?;
    let log = Log::new(database, clock);
    let mut flaw = None;
    let facts = Facts::read(&transaction)?.map_while(|fact| match fact {
        Ok(fact) => Some(fact),
        Err(found) => {
            flaw = Some(found);
            None
        }
    });
    let ledger = Ledger::restore(Rules::default(), position, clock, facts);
    match flaw {
        Some(flaw) => Err(flaw),
        None => Ok(writer(ledger, log, options)),
    }
}

fn writer(ledger: Ledger, log: Log, options: &Options) -> Writer {
    let position = watch::Sender::new(ledger.position());
    Writer {
        ledger,
        log,
        clock: Box::new(options.clock.clone()),
        facts: Vec::new(),
        since: None,
        position,
        pace: Pace::default(),
    }
}

/// Where the ledger stood, and when.
fn meta(transaction: &ReadTransaction) -> Result<(FeedPosition, Timestamp), Flaw> {
    let table = transaction.open_table(META)?;
    let get = |name| match table.get(name) {
        Ok(Some(value)) => Ok(value.value()),
        Ok(None) => Err(Flaw::corrupt("it does not say where its history stands")),
        Err(error) => Err(error.into()),
    };
    match get("format")? {
        FORMAT => {}
        newer if newer > FORMAT => return Err(Flaw::Newer(newer)),
        _ => return Err(Flaw::corrupt("no format that ever was")),
    }
    let position = FeedPosition { epoch: get("epoch")?, seq: get("seq")? };
    Ok((position, Timestamp::from_millis(get("clock")?)))
}

/// All facts of a file, table by table.
struct Facts;

type Row<'t> = Box<dyn Iterator<Item = Result<Fact, Flaw>> + 't>;

impl Facts {
    fn read(transaction: &ReadTransaction) -> Result<Row<'static>, Flaw> {
        let sessions = transaction.open_table(SESSIONS)?.range::<&[u8; 16]>(..)?.map(|row| {
            let (key, value) = row?;
            session(key.value(), decode(value.value())?)
        });
        let gone = transaction.open_table(GONE)?.range::<(u64, &[u8; 16])>(..)?.map(|row| {
            let (key, value) = row?;
            let ((at, session), Gone { reason }) = (key.value(), decode(value.value())?);
            Ok(Fact::Gone {
                session: SessionId::from_bytes(*session),
                reason,
                at: Timestamp::from_millis(at),
            })
        });
        let entries = transaction.open_table(ENTRIES)?.range::<(u64, u64)>(..)?.map(|row| {
            let (key, value) = row?;
            let ((epoch, seq), Entry { at, until, news }) = (key.value(), decode(value.value())?);
            Ok(Fact::Entry(countersign_registry::Entry {
                position: FeedPosition { epoch, seq },
                at,
                until,
                news,
            }))
        });
        let once = transaction.open_table(ONCE)?.range::<(u64, &[u8; 32])>(..)?.map(|row| {
            let (key, value) = row?;
            let ((until, id), Used) = (key.value(), decode(value.value())?);
            Ok(Fact::Once { id: OnceId(*id), until: Timestamp::from_millis(until) })
        });
        let done = transaction.open_table(DONE)?.range::<(u64, &[u8; 16])>(..)?.map(|row| {
            let (key, value) = row?;
            let ((until, id), done): (_, Done) = (key.value(), decode(value.value())?);
            let (Done { position, entries, sessions }, until) = (done, Timestamp::from_millis(until));
            Ok(Fact::Done { id: OpId(*id), position, entries, sessions, until })
        });
        Ok(Box::new(sessions.chain(gone).chain(entries).chain(once).chain(done)))
    }
}

fn session(key: &[u8; 16], record: SessionRecord) -> Result<Fact, Flaw> {
    if record.id.as_bytes() == key {
        Ok(Fact::Session(Box::new(record)))
    } else {
        Err(Flaw::corrupt("a session lies under another's id"))
    }
}
