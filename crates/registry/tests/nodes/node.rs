//! One node: what it keeps in memory, which a crash takes, and what it keeps on its disk.

use std::collections::BTreeMap;

use countersign_registry::{Entry, Heard, Reading, View};
use countersign_token::{FeedPosition, SessionId, Timestamp};

use crate::clocks::Clocks;
use crate::follow::{Proofs, Reader};
use crate::op::Op;
use crate::outbox::Disk;
use crate::serve::Then;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) up: bool,
    /// Which life it lives: what was meant for an earlier one is nobody's.
    pub(crate) life: u32,
    /// Until when it stands still.
    pub(crate) frozen: u64,
    pub(crate) clocks: Clocks,
    pub(crate) disk: Disk,
    pub(crate) memory: Memory,
}

/// What a crash takes.
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) view: View,
    pub(crate) heard: Heard,
    /// The epoch to which it has brought what it had heard.
    pub(crate) settled: Option<u64>,
    /// The latest epoch that it knows of.
    pub(crate) known: u64,
    /// The latest instant of the registry that it saw.
    pub(crate) seen: Timestamp,
    /// The server that it takes for the primary.
    pub(crate) server: usize,
    pub(crate) calls: BTreeMap<u64, Pending>,
    pub(crate) reader: Reader,
    pub(crate) proofs: Proofs,
    /// Sessions that were active, and when.
    pub(crate) marks: BTreeMap<SessionId, u64>,
    /// Ends by owner, for a bug that goes by their instants.
    pub(crate) ends: Vec<Entry>,
}

/// A call that has no answer yet.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) op: Op,
    pub(crate) then: Then,
    pub(crate) since: u64,
    pub(crate) attempt: u32,
}

impl Node {
    pub(crate) fn new(clocks: Clocks, server: usize) -> Self {
        let disk = Disk::default();
        Self { up: true, life: 0, frozen: 0, clocks, memory: Memory::new(server, &disk), disk }
    }

    /// It is gone, and so is what it remembered but for its disk.
    pub(crate) fn crash(&mut self) {
        self.up = false;
        self.life += 1;
        self.disk.crash();
    }

    pub(crate) fn start(&mut self, server: usize) {
        self.up = true;
        self.life += 1;
        self.memory = Memory::new(server, &self.disk);
    }

    pub(crate) fn reading(&self, now: u64) -> Reading {
        self.clocks.reading(now)
    }

    /// A node's clock never runs behind the last instant of the registry that it saw.
    pub(crate) fn time(&self, now: u64) -> Timestamp {
        self.clocks.wall(now).max(self.memory.seen)
    }

    /// Takes in what the feed or an operation of its own says, in an epoch.
    pub(crate) fn learn(&mut self, entries: &[Entry], epoch: u64) {
        self.memory.view.apply_all(entries);
        self.memory.heard.note(entries, epoch);
    }

    /// How old its view is, in milliseconds, as it knows.
    pub(crate) fn age(&self, now: u64) -> Option<u64> {
        let age = self.memory.view.age(self.reading(now))?;
        Some(age.as_millis() as u64)
    }
}

impl Memory {
    fn new(server: usize, disk: &Disk) -> Self {
        let mut heard = Heard::new();
        for entry in disk.entries() {
            heard.note(std::slice::from_ref(entry), entry.position.epoch);
        }
        let view = View::new();
        // What this node ended itself stays ended for it, whatever it reads first.
        view.apply_all(disk.entries());
        Self {
            view,
            heard,
            settled: None,
            known: 0,
            seen: Timestamp::ZERO,
            server,
            calls: BTreeMap::new(),
            reader: Reader::default(),
            proofs: Proofs::default(),
            marks: BTreeMap::new(),
            ends: Vec::new(),
        }
    }

    /// The position from which the feed is read on; [`None`]: all of it.
    pub(crate) fn cursor(&self) -> Option<FeedPosition> {
        self.reader.cursor
    }
}
