//! Clocks: the world's time is true; nodes and servers have their own idea of it.

use std::time::Duration;

use countersign_registry::Reading;
use countersign_token::Timestamp;

/// The wall clock's instant at the beginning of a world, in milliseconds.
const START: u64 = 1_800_000_000_000;
/// How long nodes had been running by then.
const BOOTED: u64 = 3_600_000;

/// A machine's two clocks, as what they are off by, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clocks {
    /// How far the wall clock is ahead.
    pub(crate) ahead: i64,
    /// How much the boot-time clock missed.
    missed: u64,
}

impl Clocks {
    pub(crate) fn ahead(ahead: i64) -> Self {
        Self { ahead, missed: 0 }
    }

    pub(crate) fn wall(&self, now: u64) -> Timestamp {
        Timestamp::from_millis((START + now).saturating_add_signed(self.ahead))
    }

    pub(crate) fn reading(&self, now: u64) -> Reading {
        Reading { boot: Duration::from_millis(BOOTED + now - self.missed), wall: self.wall(now) }
    }

    /// The machine was frozen by its host: its boot-time clock stood still, its wall clock was set right afterwards.
    pub(crate) fn freeze(&mut self, time: u64) {
        self.missed += time;
    }
}
