//! How long sessions lasted, as a distribution.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The upper bounds of the classes, in seconds; one more class is for what lasted longer.
pub const UP_TO: [u64; 12] =
    [60, 300, 900, 1800, 3600, 2 * 3600, 4 * 3600, 8 * 3600, 24 * 3600, 3 * 86_400, 7 * 86_400, 14 * 86_400];

/// How many sessions lasted how long: a counter for each class of [`UP_TO`], and one for the rest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lasted(Vec<u64>);

impl Default for Lasted {
    fn default() -> Self {
        Self(vec![0; UP_TO.len() + 1])
    }
}

impl Lasted {
    pub(super) fn add(&mut self, time: Duration) {
        let class = UP_TO.iter().position(|&up_to| time <= Duration::from_secs(up_to)).unwrap_or(UP_TO.len());
        self.0[class] = self.0[class].saturating_add(1);
    }

    /// The classes: the upper bound in seconds, none for the last, and how many sessions.
    pub fn classes(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        UP_TO.iter().copied().map(Some).chain([None]).zip(self.0.iter().copied())
    }

    pub(super) fn is_sound(&self) -> bool {
        self.0.len() == UP_TO.len() + 1
    }
}
