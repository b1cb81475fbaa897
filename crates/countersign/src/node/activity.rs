//! Marks of activity: noted in memory by requests, brought to the registry in batches.

use std::sync::Weak;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_registry::Touch;
use countersign_token::{SessionId, Timestamp};
use dashmap::DashMap;

use crate::event::SessionEvent;
use crate::flow;
use crate::sessions::Inner;

/// How often marks are flushed.
const PACE: Duration = Duration::from_secs(10);

/// How many sessions go into one batch.
const BATCH: usize = 10_000;

/// At most a million sessions' last activity since the last flush. When full, further sessions are not marked: the
/// registry believes them less active than they are, until the next flush makes room and tells how many.
#[derive(Debug, Default)]
pub(super) struct Marks {
    marks: DashMap<SessionId, Timestamp, ahash::RandomState>,
    dropped: AtomicU64,
}

const CAPACITY: usize = 1_000_000;

impl Marks {
    pub(super) fn note(&self, session: SessionId, now: Timestamp) {
        if let Some(mut mark) = self.marks.get_mut(&session) {
            *mark = (*mark).max(now);
        } else if self.marks.len() < CAPACITY {
            self.marks.insert(session, now);
        } else {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn of(&self, session: &SessionId) -> Option<Timestamp> {
        self.marks.get(session).map(|mark| *mark)
    }

    /// Sends all marks. Those of a failed batch are kept for the next time: they are ages, so it does no harm if
    /// the registry had taken them.
    pub(super) async fn flush(&self, inner: &Inner) {
        let dropped = self.dropped.swap(0, Ordering::Relaxed);
        if dropped > 0 {
            inner.tell(&SessionEvent::MarksDropped { marks: dropped });
        }
        let sessions: Vec<SessionId> = self.marks.iter().map(|mark| *mark.key()).collect();
        for batch in sessions.chunks(BATCH) {
            let mut taken = Taken {
                from: self,
                marks: batch.iter().filter_map(|session| self.marks.remove(session)).collect(),
            };
            let now = inner.now();
            let touches =
                taken.marks.iter().map(|&(session, at)| Touch { session, age: now.since(at) }).collect();
            if flow::ask(inner, "touch", inner.registry.touch(touches)).await.is_err() {
                return;
            }
            taken.marks.clear();
        }
    }
}

/// Marks on their way to the registry. They go back if it fails, and if whoever flushes them is given up.
struct Taken<'a> {
    from: &'a Marks,
    marks: Vec<(SessionId, Timestamp)>,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        for (session, at) in self.marks.drain(..) {
            self.from.note(session, at);
        }
    }
}

pub(super) async fn run(inner: Weak<Inner>) {
    loop {
        tokio::time::sleep(PACE).await;
        let Some(inner) = inner.upgrade() else { return };
        inner.node.marks.flush(&inner).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_house_counts_whom_it_turns_away() {
        let marks = Marks::default();
        let session = |n: usize| SessionId::from_bytes((n as u128).to_be_bytes());
        for n in 0..CAPACITY + 3 {
            marks.note(session(n), Timestamp::from_secs(1));
        }
        marks.note(session(0), Timestamp::from_secs(2));
        assert_eq!((marks.marks.len(), marks.dropped.into_inner()), (CAPACITY, 3));
        assert_eq!(marks.marks.get(&session(0)).map(|mark| *mark), Some(Timestamp::from_secs(2)));
    }
}
