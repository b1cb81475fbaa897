//! Rotation by schedule, pure: what a ring becomes as time passes.

use std::time::Duration;

use super::{Entry, KeyRing, KeyState, retire};
use crate::id::Timestamp;

/// When keys come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How long a key is published before it signs: longer than verifiers cache the JWKS.
    pub publish_ahead: Duration,
    /// How long a key signs.
    pub sign_for: Duration,
    /// How long a key verifies after it last signed: as long as the longest-lived token lives, and longer by as much
    /// as clocks differ, and by the time that a node may take to notice that another key signs.
    pub longest_token: Duration,
}

impl KeyRing {
    /// What the ring becomes at this instant, or [`None`] if nothing is due.
    ///
    /// No token that has not expired ever loses its key by this, and no key signs that was not published for
    /// [`Schedule::publish_ahead`].
    pub fn advance(&self, now: Timestamp, schedule: &Schedule) -> Option<Self> {
        let mut entries = self.inner.entries.clone();
        let due = [forget(&mut entries, now, schedule), succeed(&mut entries, now, schedule), {
            self.publish(&mut entries, now, schedule)
        }];
        due.contains(&Due::Yes).then(|| Self::with(self.inner.algorithm, entries, self.inner.removed.clone()))
    }

    /// Publishes a successor in time.
    fn publish(&self, entries: &mut Vec<Entry>, now: Timestamp, schedule: &Schedule) -> Due {
        let ahead = schedule.sign_for.saturating_sub(schedule.publish_ahead);
        let needed = entries.iter().any(|e| e.state == KeyState::Signing && now.since(e.since) >= ahead);
        if !needed || entries.iter().any(|entry| entry.state == KeyState::Published) {
            return Due::No;
        }
        entries.push(Entry::fresh(self.inner.algorithm, KeyState::Published, now));
        Due::Yes
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Due {
    Yes,
    No,
}

/// Forgets keys whose last token has expired.
fn forget(entries: &mut Vec<Entry>, now: Timestamp, schedule: &Schedule) -> Due {
    let before = entries.len();
    entries.retain(|e| e.state != KeyState::Retiring || now.since(e.since) < schedule.longest_token);
    if entries.len() == before { Due::No } else { Due::Yes }
}

/// Lets the published key take over from one that has signed for long enough.
fn succeed(entries: &mut [Entry], now: Timestamp, schedule: &Schedule) -> Due {
    let over =
        entries.iter().any(|e| e.state == KeyState::Signing && now.since(e.since) >= schedule.sign_for);
    let known = |e: &Entry| e.state == KeyState::Published && now.since(e.since) >= schedule.publish_ahead;
    let Some(next) = entries.iter().position(known).filter(|_| over) else { return Due::No };
    retire(entries, now);
    (entries[next].state, entries[next].since) = (KeyState::Signing, now);
    Due::Yes
}
