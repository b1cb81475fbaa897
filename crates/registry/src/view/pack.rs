//! What the view keeps of one session: its end in four bytes, or its floor.

use std::time::Duration;

use countersign_token::Timestamp;

use super::table::Mark;
use crate::fact::EndReason;

/// A session's end: a reason in 4 bits, and until when it matters in 28 bits of ticks.
///
/// The larger of two is the later, so merging is taking the larger and the order does not matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ending(u32);

/// 28 bits of ticks since 1970 reach the year 2106; an end is kept up to one tick too long, never too short.
const TICK: u64 = 16_000;
const FOREVER: u64 = (1 << 28) - 1;

impl Ending {
    pub(super) fn new(reason: EndReason, until: Timestamp) -> Self {
        let ticks = until.as_millis().div_ceil(TICK).min(FOREVER) as u32;
        let code = EndReason::ALL.iter().position(|known| *known == reason).unwrap_or_default();
        Self((ticks << 4) | code as u32)
    }

    pub(super) fn reason(self) -> EndReason {
        EndReason::ALL.get((self.0 & 0xf) as usize).copied().unwrap_or(EndReason::EndedByAdmin)
    }
}

impl Mark for Ending {
    fn merge(self, other: Self) -> Self {
        self.max(other)
    }

    fn until(self) -> Timestamp {
        match u64::from(self.0 >> 4) {
            FOREVER => Timestamp::MAX,
            ticks => Timestamp::ZERO.after(Duration::from_millis(ticks * TICK)),
        }
    }
}

/// A session's floor, as of the exclusive update that raised it last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FloorMark {
    pub(super) exclusive: u64,
    pub(super) at: Timestamp,
    pub(super) until: Timestamp,
}

impl Mark for FloorMark {
    fn merge(self, other: Self) -> Self {
        let higher = if (other.exclusive, other.at) > (self.exclusive, self.at) { other } else { self };
        Self { until: self.until.max(other.until), ..higher }
    }

    fn until(self) -> Timestamp {
        self.until
    }
}
