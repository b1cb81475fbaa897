//! A disk in memory that forgets what was not synced, or fails, at a moment of the test's choice.

use std::io;
use std::sync::{Arc, Mutex};

use redb::StorageBackend;

/// When a disk fails, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Never.
    None,
    /// The machine loses power in this sync, counted from 1: nothing more reaches the disk.
    PowerCut(u64),
    /// This sync, counted from 1, fails.
    SyncFails(u64),
    /// There is room for so many writes.
    FullAfter(u64),
}

#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// What survives a power cut for certain.
    synced: Vec<u8>,
    /// What a reader sees.
    seen: Vec<u8>,
    /// What was done since the last sync.
    unsynced: Vec<Change>,
    syncs: u64,
    writes: u64,
    fault: Fault,
    dead: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Write(usize, Vec<u8>),
    SetLen(usize),
}

const SECTOR: usize = 512;

impl Disk {
    pub(super) fn new(fault: Fault) -> Self {
        Self::holding(Vec::new(), fault)
    }

    pub(super) fn holding(bytes: Vec<u8>, fault: Fault) -> Self {
        let (synced, seen) = (bytes.clone(), bytes);
        let state = State { synced, seen, unsynced: Vec::new(), syncs: 0, writes: 0, fault, dead: false };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn syncs(&self) -> u64 {
        self.0.lock().unwrap().syncs
    }

    pub(super) fn writes(&self) -> u64 {
        self.0.lock().unwrap().writes
    }

    /// What the process that used it would find.
    pub(super) fn seen(&self) -> Vec<u8> {
        self.0.lock().unwrap().seen.clone()
    }

    /// What is left after the power cut: what was synced, and of the rest whichever sectors chance wrote.
    pub(super) fn left(&self, mut chance: impl FnMut() -> bool) -> Vec<u8> {
        let state = self.0.lock().unwrap();
        let mut bytes = state.synced.clone();
        for change in &state.unsynced {
            match change {
                Change::SetLen(len) if chance() => bytes.resize(*len, 0),
                Change::SetLen(_) => {}
                Change::Write(offset, data) => {
                    for (n, sector) in data.chunks(SECTOR).enumerate().filter(|_| chance()) {
                        put(&mut bytes, offset + n * SECTOR, sector);
                    }
                }
            }
        }
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, offset: usize, data: &[u8]) {
    bytes.resize(bytes.len().max(offset + data.len()), 0);
    bytes[offset..offset + data.len()].copy_from_slice(data);
}

impl State {
    fn alive(&self) -> io::Result<()> {
        if self.dead { Err(io::Error::other("the power is off")) } else { Ok(()) }
    }

    fn change(&mut self, change: Change) -> io::Result<()> {
        self.alive()?;
        self.writes += 1;
        if let Fault::FullAfter(writes) = self.fault
            && self.writes > writes
        {
            return Err(io::ErrorKind::StorageFull.into());
        }
        match &change {
            Change::Write(offset, data) => put(&mut self.seen, *offset, data),
            Change::SetLen(len) => self.seen.resize(*len, 0),
        }
        self.unsynced.push(change);
        Ok(())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap().seen.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.0.lock().unwrap();
        state.alive()?;
        let offset = offset as usize;
        let bytes = state.seen.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(bytes);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.0.lock().unwrap().change(Change::SetLen(len as usize))
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.lock().unwrap().change(Change::Write(offset as usize, data.to_vec()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.0.lock().unwrap();
        state.alive()?;
        state.syncs += 1;
        match state.fault {
            Fault::PowerCut(at) if state.syncs == at => {
                state.dead = true;
                Err(io::Error::other("the power went off"))
            }
            Fault::SyncFails(at) if state.syncs == at => Err(io::Error::other("the disk failed")),
            _ => {
                state.synced = state.seen.clone();
                state.unsynced.clear();
                Ok(())
            }
        }
    }
}
