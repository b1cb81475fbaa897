//! The audit in a file: a line of JSON for each record, on the disk before the act goes on.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::{AuditError, AuditLog, Entry, Record};

/// Records in a file of JSON lines, each on the disk (fsync) before it is acknowledged. Several processes of one machine
/// may share it. It grows with every record, and is the host's to rotate, while none of them runs. It is made with mode
/// 0600 where there is none.
#[derive(Debug)]
pub struct AuditFile {
    log: Arc<Mutex<Log>>,
}

/// How a record begins.
const BEGINNING: &[u8] = b"{\"seq\":";

#[derive(Debug)]
struct Log {
    file: File,
    /// How much of it is whole records that are known here.
    length: u64,
    first: u64,
    next: u64,
}

impl AuditFile {
    /// Opens a file, and makes it where there is none. What a crash left of a last record, which nobody was told of, is
    /// cut off.
    ///
    /// # Errors
    ///
    /// The file cannot be read or written, or holds something else than audit records.
    pub fn open(path: impl AsRef<Path>) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut log = Log { file: options.open(path)?, length: 0, first: 0, next: 0 };
        log.alone(|_| Ok(()))?;
        Ok(Self { log: Arc::new(Mutex::new(log)) })
    }
}

impl Log {
    /// Works on the file while no other process does, knowing all that others have written.
    fn alone<T>(&mut self, work: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        self.file.lock()?;
        let worked = self.catch_up().and_then(|()| work(self));
        self.file.unlock()?;
        worked
    }

    /// Reads what was added, and cuts off what is no whole record: whoever wrote it was told that it failed, or crashed.
    fn catch_up(&mut self) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.length))?;
        let (mut lines, mut line) = (BufReader::new(&self.file), Vec::new());
        let (mut length, mut first, mut next) = (self.length, self.first, self.next);
        while lines.read_until(b'\n', &mut line)? > 0 && line.ends_with(b"\n") {
            let record: Record = serde_json::from_slice(&line)?;
            first = if length == 0 { record.seq } else { first };
            next = record.seq + 1;
            length += line.len() as u64;
            line.clear();
        }
        if !line.is_empty() {
            // Another program's file, named by mistake, must not be emptied.
            let start = line.len().min(BEGINNING.len());
            if line[..start] != BEGINNING[..start] {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "it holds something else than an audit",
                ));
            }
            self.file.set_len(length)?;
            self.file.sync_all()?;
        }
        (self.length, self.first, self.next) = (length, first, next);
        Ok(())
    }

    fn append(&mut self, entry: Entry) -> io::Result<u64> {
        let record = Record { seq: self.next, entry };
        let mut line = serde_json::to_vec(&record)?;
        line.push(b'\n');
        let written = self.file.write_all(&line).and_then(|()| self.file.sync_data());
        if let Err(error) = written {
            // Nobody is told of it, so it must not stay: a whole line would be a record.
            self.file.set_len(self.length)?;
            return Err(error);
        }
        self.length += line.len() as u64;
        self.next += 1;
        Ok(record.seq)
    }

    fn read(&mut self, from: u64, limit: usize) -> io::Result<Vec<Record>> {
        self.file.seek(SeekFrom::Start(0))?;
        let lines = BufReader::new((&self.file).take(self.length)).lines();
        let skip = usize::try_from(from.saturating_sub(self.first)).unwrap_or(usize::MAX);
        lines.skip(skip).take(limit).map(|line| Ok(serde_json::from_str(&line?)?)).collect()
    }
}

impl AuditFile {
    /// Works on the log where blocking is allowed.
    fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Log) -> io::Result<T> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, AuditError>> {
        let log = self.log.clone();
        // A panic leaves the file as long as was noted, or longer by what is read again.
        let lock = move || log.lock().unwrap_or_else(PoisonError::into_inner).alone(work);
        let worked = tokio::task::spawn_blocking(lock);
        async { worked.await.map_err(AuditError::new)?.map_err(AuditError::new) }.boxed()
    }
}

impl AuditLog for AuditFile {
    fn append(&self, entry: Entry) -> BoxFuture<'_, Result<u64, AuditError>> {
        self.work(move |log| log.append(entry))
    }

    fn read(&self, from: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Record>, AuditError>> {
        self.work(move |log| log.read(from, limit))
    }

    fn numbers(&self) -> BoxFuture<'_, Result<Range<u64>, AuditError>> {
        self.work(|log| Ok(log.first..log.next))
    }
}

#[cfg(test)]
mod tests;
