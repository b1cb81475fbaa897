//! The rules of client-held state: which state token counts, and what is told when none does. Pure.

use std::time::Duration;

use countersign_token::{StateVersion, Timestamp};

use crate::refusal::Refusal;

/// What the exclusive version of a presented state means against the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It counts.
    Current(StateVersion),
    /// No state came, and the session never had an exclusive one: it starts from the default.
    Fresh,
    /// It is missing or older than an exclusive update allows, and the newer one may be on its way.
    Superseded,
    /// It cannot be had any more.
    Lost,
}

/// Judges a presented state by its version.
pub(crate) fn judge(presented: Option<StateVersion>, floor: u64, newer: Newer) -> Standing {
    match (presented, newer) {
        (Some(version), _) if version.exclusive >= floor => Standing::Current(version),
        (None, _) if floor == 0 => Standing::Fresh,
        (_, Newer::MayArrive) => Standing::Superseded,
        (_, Newer::Gone) => Standing::Lost,
    }
}

/// Whether the answer of the exclusive update that set the floor may still be on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Newer {
    MayArrive,
    Gone,
}

impl Newer {
    /// An exclusive update's answer arrives within the race window, or not at all. Where the update's own instant
    /// is not known, the access token that tells of it stands in.
    pub(crate) fn of(
        updated: Option<Timestamp>,
        token_issued: Timestamp,
        window: Duration,
        now: Timestamp,
    ) -> Self {
        if now.since(updated.unwrap_or(token_issued)) < window { Self::MayArrive } else { Self::Gone }
    }
}

impl Standing {
    /// The version to go on from.
    pub(crate) fn usable(self) -> Result<StateVersion, Refusal> {
        match self {
            Self::Current(version) => Ok(version),
            Self::Fresh => Ok(StateVersion::INITIAL),
            Self::Superseded => Err(Refusal::StateSuperseded),
            Self::Lost => Err(Refusal::StateLost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn version(exclusive: u64) -> StateVersion {
        StateVersion { exclusive, plain: 3 }
    }

    #[test]
    fn the_floor_decides_which_state_counts() {
        let check = |presented, floor, newer, expect| assert_eq!(judge(presented, floor, newer), expect);
        check(None, 0, Newer::Gone, Standing::Fresh);
        check(None, 1, Newer::MayArrive, Standing::Superseded);
        check(None, 1, Newer::Gone, Standing::Lost);
        check(Some(version(0)), 0, Newer::Gone, Standing::Current(version(0)));
        check(Some(version(1)), 2, Newer::MayArrive, Standing::Superseded);
        check(Some(version(1)), 2, Newer::Gone, Standing::Lost);
        // The answer came before this node heard of the update.
        check(Some(version(3)), 2, Newer::Gone, Standing::Current(version(3)));
    }

    #[test]
    fn an_answer_may_arrive_within_the_race_window() {
        let window = Duration::from_mins(1);
        let at = Timestamp::from_secs(1000);
        let check = |updated, issued, now, expect| {
            assert_eq!(Newer::of(updated, issued, window, Timestamp::from_secs(now)), expect);
        };
        check(Some(at), Timestamp::ZERO, 1059, Newer::MayArrive);
        check(Some(at), Timestamp::ZERO, 1060, Newer::Gone);
        check(None, at, 1059, Newer::MayArrive);
        check(None, at, 1060, Newer::Gone);
    }
}
