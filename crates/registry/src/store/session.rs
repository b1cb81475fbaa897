//! A live session in as few bytes as its indexes allow.

use countersign_token::{SessionId, Timestamp};

use super::slab::NONE;
use crate::op::{Digest, UpdateMemo};

/// A live session: 88 bytes, among them the links of two lists.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: SessionId,
    pub(crate) started: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) activity: Timestamp,
    pub(crate) current: u64,
    pub(crate) born_seq: u64,
    pub(crate) owner: u32,
    pub(crate) face: u32,
    /// The lower half; the upper one is an [`Extra`].
    pub(crate) exclusive: u32,
    /// Neighbours in the wheel.
    pub(crate) wake_before: u32,
    pub(crate) wake_after: u32,
    /// Neighbours among the owner's sessions.
    pub(crate) own_before: u32,
    pub(crate) own_after: u32,
    /// The place of `born`'s epoch.
    pub(crate) epoch: u16,
    pub(crate) flags: u8,
}

const _: () = assert!(size_of::<Slot>() == 88);

impl Default for Slot {
    fn default() -> Self {
        Self {
            id: SessionId::from_bytes([0; 16]),
            started: Timestamp::ZERO,
            expires: Timestamp::ZERO,
            activity: Timestamp::ZERO,
            current: 0,
            born_seq: 0,
            owner: NONE,
            face: NONE,
            exclusive: 0,
            wake_before: NONE,
            wake_after: NONE,
            own_before: NONE,
            own_after: NONE,
            epoch: 0,
            flags: 0,
        }
    }
}

/// It occupies a seat, and is counted.
pub(crate) const HOLDS: u8 = 1;
/// Its record says [`SeatState::GivenUp`](crate::SeatState::GivenUp).
pub(crate) const GIVEN_UP: u8 = 1 << 1;
/// It has an [`Extra`].
pub(crate) const EXTRA: u8 = 1 << 2;
/// Its login had a key.
pub(crate) const KEYED: u8 = 1 << 3;

impl Slot {
    pub(crate) fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    pub(crate) fn set(&mut self, flag: u8) {
        self.flags |= flag;
    }

    pub(crate) fn clear(&mut self, flag: u8) {
        self.flags &= !flag;
    }

    /// What a refresh can change in its record.
    pub(crate) fn step(&self) -> (u64, Timestamp, bool) {
        (self.current, self.activity, self.is(GIVEN_UP))
    }

    /// Whether a session lives here (a free place has no owner).
    pub(crate) fn lives(&self) -> bool {
        self.owner != NONE
    }
}

/// What few sessions have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Extra {
    pub(crate) auth_time: Option<Timestamp>,
    pub(crate) last_update: Option<Box<UpdateMemo>>,
    pub(crate) handed_off_from: Option<SessionId>,
    pub(crate) exclusive_high: u32,
    pub(crate) epoch: Option<u64>,
}

pub(crate) type LoginKeys = hashbrown::HashMap<u32, Digest, foldhash::fast::FixedState>;
