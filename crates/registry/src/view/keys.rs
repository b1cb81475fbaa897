//! The keys that were removed.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwap;
use countersign_token::Timestamp;

/// At most 4096 removed keys; when one more comes, every key counts as removed.
#[derive(Debug, Default)]
pub(super) struct RemovedKeys {
    keys: ArcSwap<Keys>,
    /// Whether there ever was one: the quick answer.
    any: AtomicBool,
}

#[derive(Clone, Debug, Default)]
struct Keys {
    removed: Vec<(Arc<str>, Timestamp)>,
    all: bool,
}

const BOUND: usize = 4096;

impl RemovedKeys {
    #[inline]
    pub(super) fn holds(&self, kid: &str) -> bool {
        self.any.load(Ordering::Acquire) && self.search(kid)
    }

    fn search(&self, kid: &str) -> bool {
        let keys = self.keys.load();
        keys.all || keys.removed.binary_search_by(|(known, _)| (**known).cmp(kid)).is_ok()
    }

    pub(super) fn remove(&self, kid: &Arc<str>, until: Timestamp) {
        self.change(|keys| keys.add(kid, until));
        self.any.store(true, Ordering::Release);
    }

    pub(super) fn expire(&self, now: Timestamp) {
        let due = |until: Timestamp| until <= now && until != Timestamp::MAX;
        if self.keys.load().removed.iter().any(|(_, until)| due(*until)) {
            self.change(|keys| keys.removed.retain(|(_, until)| !due(*until)));
        }
    }

    fn change(&self, change: impl Fn(&mut Keys)) {
        self.keys.rcu(|keys| {
            let mut keys = Keys::clone(keys);
            change(&mut keys);
            keys
        });
    }

    pub(super) fn list(&self) -> Vec<Arc<str>> {
        self.keys.load().removed.iter().map(|(kid, _)| Arc::clone(kid)).collect()
    }

    pub(super) fn len(&self) -> usize {
        self.keys.load().removed.len()
    }
}

impl Keys {
    fn add(&mut self, kid: &Arc<str>, until: Timestamp) {
        match self.removed.binary_search_by(|(known, _)| known.cmp(kid)) {
            Ok(at) => self.removed[at].1 = self.removed[at].1.max(until),
            Err(_) if self.removed.len() >= BOUND => self.all = true,
            Err(at) => self.removed.insert(at, (Arc::clone(kid), until)),
        }
    }
}
