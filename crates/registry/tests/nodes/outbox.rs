//! A node's disk: the entries that its own operations brought, written down before anyone is told of them.

use countersign_registry::Entry;

/// A disk, which keeps after a crash what was synced before.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    synced: Vec<Entry>,
    /// What was written and not synced yet, by batch.
    written: Vec<(u64, Vec<Entry>)>,
    batches: u64,
    /// Whether its syncs fail.
    pub(crate) broken: bool,
}

/// A sync failed: what it was for may be gone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SyncFailed;

impl Disk {
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.synced
    }

    /// Writes entries; they last once their batch is synced.
    pub(crate) fn write(&mut self, entries: &[Entry]) -> u64 {
        self.batches += 1;
        self.written.push((self.batches, entries.to_vec()));
        self.batches
    }

    /// Syncs a batch. After a failure the system drops what was written: to sync again would succeed, and be a lie.
    pub(crate) fn sync(&mut self, batch: u64) -> Result<(), SyncFailed> {
        let place = self.written.iter().position(|(number, _)| *number == batch);
        let entries = place.map(|place| self.written.remove(place).1).unwrap_or_default();
        if self.broken {
            return Err(SyncFailed);
        }
        self.synced.extend(entries);
        Ok(())
    }

    pub(crate) fn crash(&mut self) {
        self.written.clear();
        self.broken = false;
    }
}
