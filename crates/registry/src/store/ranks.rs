//! Who makes room first where a limit's rule ends sessions.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use countersign_token::{SessionId, Timestamp};

/// The sessions of a scope by the instant that decides who goes first, each at least once: at most twice as many
/// entries as seats in use, and a few.
///
/// Instants only grow, so an entry may lag behind its session: it is put right when its turn comes. Activity costs
/// nothing here.
#[derive(Debug, Default)]
pub(crate) struct Ranks(BinaryHeap<Reverse<(Timestamp, SessionId)>>);

impl Ranks {
    pub(crate) fn push(&mut self, at: Timestamp, session: SessionId) {
        self.0.push(Reverse((at, session)));
    }

    /// Forgets sessions that hold no seat any more, once they are more than those that do.
    pub(crate) fn tidy(&mut self, seats: u32, holds: impl Fn(SessionId) -> bool) {
        if self.0.len() > 2 * seats as usize + 64 {
            let mut seen = HashSet::new();
            self.0.retain(|Reverse((_, session))| holds(*session) && seen.insert(*session));
        }
    }

    /// The first `need` sessions by the instants that `rank` tells, which leaves out who must not go (but stays in the
    /// scope: [`Rank::Spared`]) or is gone.
    pub(crate) fn first(&mut self, need: usize, rank: impl Fn(SessionId) -> Rank) -> Vec<SessionId> {
        let (mut first, mut again, mut seen) = (Vec::new(), Vec::new(), HashSet::new());
        while first.len() < need
            && let Some(Reverse((at, session))) = self.0.pop()
        {
            match rank(session) {
                Rank::At(now) if now > at => self.push(now, session),
                Rank::At(_) if !seen.insert(session) => {}
                Rank::At(_) => {
                    first.push(session);
                    again.push((at, session));
                }
                Rank::Spared => again.push((at, session)),
                Rank::Gone => {}
            }
        }
        self.0.extend(again.into_iter().map(Reverse));
        first
    }
}

/// Where a session stands.
pub(crate) enum Rank {
    /// Its instant, now.
    At(Timestamp),
    /// It is leaving anyway.
    Spared,
    /// It holds no seat.
    Gone,
}
