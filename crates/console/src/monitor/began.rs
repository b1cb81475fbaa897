//! When sessions began, until they end: for how long they lasted.

use std::collections::{HashMap, VecDeque};

use countersign::{SessionId, Timestamp};

/// When each of the last 2^16 sessions began that began here. Full, it forgets the oldest: how long that one lasted is not
/// counted, nor that time ended it.
#[derive(Debug, Default)]
pub(super) struct Began {
    instants: HashMap<SessionId, Timestamp>,
    /// Each of them at least once, in the order in which they are asked about.
    turn: VecDeque<SessionId>,
}

const KEPT: usize = 1 << 16;

impl Began {
    /// Notes a beginning. Answers whether that was news.
    pub(super) fn note(&mut self, session: SessionId, at: Timestamp) -> bool {
        if self.instants.contains_key(&session) {
            return false;
        }
        while self.instants.len() >= KEPT
            && let Some(oldest) = self.turn.pop_front()
        {
            self.instants.remove(&oldest);
        }
        self.instants.insert(session, at);
        self.turn.push_back(session);
        true
    }

    /// Takes a session out that has ended.
    pub(super) fn forget(&mut self, session: &SessionId) -> Option<Timestamp> {
        let began = self.instants.remove(session);
        // What is gone stays in the queue until its turn comes, but never more than there may be altogether.
        while self.turn.len() > KEPT {
            self.turn.pop_front();
        }
        began
    }

    /// The next sessions to ask about; they go to the end of the queue.
    pub(super) fn next(&mut self, count: usize) -> Vec<SessionId> {
        let mut next = Vec::new();
        for _ in 0..self.turn.len() {
            if next.len() == count {
                break;
            }
            let Some(session) = self.turn.pop_front() else { break };
            if self.instants.contains_key(&session) {
                self.turn.push_back(session);
                next.push(session);
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(n: usize) -> SessionId {
        SessionId::from_bytes((n as u128).to_be_bytes())
    }

    #[test]
    fn everyone_has_their_turn() {
        let mut began = Began::default();
        for n in 0..5 {
            assert!(began.note(session(n), Timestamp::from_secs(1)));
        }
        assert!(!began.note(session(0), Timestamp::from_secs(2)), "a repetition is no news");
        assert_eq!(began.forget(&session(1)), Some(Timestamp::from_secs(1)));
        assert_eq!(began.forget(&session(1)), None);
        assert_eq!(began.next(3), [session(0), session(2), session(3)]);
        assert_eq!(began.next(3), [session(4), session(0), session(2)]);
        assert_eq!(Began::default().next(3), []);
    }

    #[test]
    fn the_oldest_is_forgotten() {
        let mut began = Began::default();
        for n in 0..KEPT + 3 {
            began.note(session(n), Timestamp::from_secs(1));
        }
        assert_eq!((began.instants.len(), began.forget(&session(2))), (KEPT, None));
        for n in 0..3 * KEPT {
            began.note(session(n + KEPT), Timestamp::from_secs(1));
            began.forget(&session(n + KEPT));
        }
        assert!(began.turn.len() <= KEPT + 1, "{}", began.turn.len());
    }
}
