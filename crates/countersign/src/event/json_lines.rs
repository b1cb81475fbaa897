//! Events and records as JSON lines: one object in each line, written by a thread of its own.

use std::fmt;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TryRecvError};

use countersign_registry::{Clock, SystemClock};
use countersign_token::Timestamp;
use serde::Serialize;

use super::{EventSink, SessionEvent};
use crate::metrics;

/// Writes what happens as JSON lines to any [`Write`], from a thread of its own. At most so many lines wait for it
/// (8192 by default); when full, or while the writer fails, further lines are dropped, and how many is a line of its own
/// once there is room.
///
/// Give a clone to [`Builder::on_event`](crate::Builder::on_event), and keep one for [`record`](Self::record)s of the
/// host's own and for [`flush`](Self::flush) at the end.
///
/// ```
/// # use countersign::{Algorithm, JsonLines, KeyRing, MemoryRegistry, Sessions, Timestamp};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = std::env::temp_dir();
/// # let keys = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_800_000_000));
/// let file = std::fs::File::options().append(true).create(true).open(folder.join("audit.jsonl"))?;
/// let lines = JsonLines::to(file)?;
/// let sessions = Sessions::builder("https://shop.example", keys, MemoryRegistry::new())
///     .on_event(lines.clone())
///     .build()?;
/// // … and when the server has stopped:
/// lines.flush();
/// # drop(sessions);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct JsonLines {
    queue: SyncSender<Waiting>,
    dropped: Arc<Dropped>,
    clock: Arc<dyn Clock>,
}

/// How many lines wait, where the host says nothing else.
const ROOM: usize = 8192;

/// So many bytes are written together.
const BATCH: usize = 64 * 1024;

enum Waiting {
    Event(Timestamp, SessionEvent),
    Line(Vec<u8>),
    /// Tells its sender once everything before it is written.
    Flush(SyncSender<()>),
}

impl JsonLines {
    /// Begins to write.
    ///
    /// # Errors
    ///
    /// The thread cannot be started.
    pub fn to(writer: impl Write + Send + 'static) -> io::Result<Self> {
        Self::with(writer, ROOM, SystemClock)
    }

    /// Begins to write, where at most so many lines wait, each with the time of this clock.
    ///
    /// # Errors
    ///
    /// As [`JsonLines::to`].
    pub fn with(writer: impl Write + Send + 'static, room: usize, clock: impl Clock) -> io::Result<Self> {
        let (queue, waiting) = mpsc::sync_channel(room);
        let (dropped, clock) = (Arc::new(Dropped::default()), Arc::new(clock));
        let lines =
            Writing { out: writer, batch: Batch::default(), dropped: dropped.clone(), clock: clock.clone() };
        std::thread::Builder::new().name("json-lines".to_owned()).spawn(move || lines.run(&waiting))?;
        Ok(Self { queue, dropped, clock })
    }

    /// Writes a record of the host's own, such as of what an administrator did: a struct or map, to which `at_ms` is
    /// added. It does not wait; a record that finds no room is dropped and counted.
    ///
    /// # Errors
    ///
    /// It cannot be written as a JSON object.
    pub fn record(&self, record: &impl Serialize) -> io::Result<()> {
        let mut line = Vec::new();
        write_line(&mut line, self.clock.now(), record)?;
        self.put(Waiting::Line(line));
        Ok(())
    }

    /// Waits until everything that was taken before is with the writer. It blocks: for the end of the process.
    pub fn flush(&self) {
        let (written, done) = mpsc::sync_channel(1);
        if self.queue.send(Waiting::Flush(written)).is_ok() {
            let _ = done.recv();
        }
    }

    /// How many lines were dropped since it began.
    pub fn dropped(&self) -> u64 {
        self.dropped.in_all.load(Ordering::Relaxed)
    }

    fn put(&self, waiting: Waiting) {
        if self.queue.try_send(waiting).is_err() {
            self.dropped.note(1);
        }
    }
}

impl EventSink for JsonLines {
    fn note(&self, event: &SessionEvent) {
        self.put(Waiting::Event(self.clock.now(), event.clone()));
    }
}

impl fmt::Debug for JsonLines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonLines").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}

/// Lines that were not written.
struct Dropped {
    in_all: AtomicU64,
    untold: AtomicU64,
    metric: metrics::Counter,
}

impl Default for Dropped {
    fn default() -> Self {
        Self { in_all: AtomicU64::new(0), untold: AtomicU64::new(0), metric: metrics::events_dropped() }
    }
}

impl Dropped {
    fn note(&self, lines: u64) {
        self.in_all.fetch_add(lines, Ordering::Relaxed);
        self.untold.fetch_add(lines, Ordering::Relaxed);
        self.metric.increment(lines);
    }
}

/// The thread that writes.
struct Writing<W> {
    out: W,
    batch: Batch,
    dropped: Arc<Dropped>,
    clock: Arc<dyn Clock>,
}

/// What is to be written together.
#[derive(Default)]
struct Batch {
    bytes: Vec<u8>,
    lines: u64,
    /// Dropped lines that this batch tells of.
    tells: u64,
    /// Whether the last batch may have ended within a line.
    torn: bool,
}

impl<W: Write> Writing<W> {
    /// Until the last handle is gone.
    fn run(mut self, waiting: &Receiver<Waiting>) {
        loop {
            let next = match waiting.try_recv() {
                Ok(next) => Ok(next),
                Err(TryRecvError::Empty) => {
                    self.write();
                    waiting.recv()
                }
                Err(TryRecvError::Disconnected) => break,
            };
            match next {
                Ok(next) => self.take(next),
                Err(_) => break,
            }
            if self.batch.bytes.len() >= BATCH {
                self.write();
            }
        }
        self.write();
    }

    fn take(&mut self, waiting: Waiting) {
        match waiting {
            Waiting::Event(at, event) => match write_line(&mut self.batch.bytes, at, &event) {
                Ok(()) => self.batch.lines += 1,
                Err(_) => self.dropped.note(1),
            },
            Waiting::Line(line) => {
                self.batch.bytes.extend(line);
                self.batch.lines += 1;
            }
            Waiting::Flush(written) => {
                self.write();
                let _ = written.send(());
            }
        }
    }

    /// Writes the batch, and what was dropped before it. If that fails, the batch is dropped too, and told of later.
    fn write(&mut self) {
        self.tell_dropped();
        if self.batch.bytes.is_empty() {
            return;
        }
        let batch = std::mem::take(&mut self.batch);
        let torn: &[u8] = if batch.torn { b"\n" } else { b"" };
        let written = self.out.write_all(torn).and_then(|()| self.out.write_all(&batch.bytes));
        if written.and_then(|()| self.out.flush()).is_err() {
            self.batch.torn = true;
            self.dropped.note(batch.lines);
            self.dropped.untold.fetch_add(batch.tells, Ordering::Relaxed);
        }
    }

    fn tell_dropped(&mut self) {
        let events = self.dropped.untold.swap(0, Ordering::Relaxed);
        if events > 0 {
            let count = EventsDropped { event: "events-dropped", events };
            if write_line(&mut self.batch.bytes, self.clock.now(), &count).is_ok() {
                self.batch.tells += events;
            }
        }
    }
}

/// The line that tells how many were dropped.
#[derive(Serialize)]
struct EventsDropped {
    event: &'static str,
    events: u64,
}

#[derive(Serialize)]
struct Stamped<'a, T> {
    at_ms: u64,
    #[serde(flatten)]
    record: &'a T,
}

/// Appends a line, or nothing.
fn write_line(bytes: &mut Vec<u8>, at: Timestamp, record: &impl Serialize) -> io::Result<()> {
    let before = bytes.len();
    let written = serde_json::to_writer(&mut *bytes, &Stamped { at_ms: at.as_millis(), record });
    if let Err(error) = written {
        bytes.truncate(before);
        return Err(error.into());
    }
    bytes.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests;
