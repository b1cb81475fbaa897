//! What a node has heard of its registry, so that it can tell again what a fail-over has lost.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use countersign_token::{FeedPosition, Timestamp};

use crate::ends::Ends;
use crate::fact::{Entry, News};
use crate::op::{OnceId, SessionRecord};
use crate::recovery::History;
use crate::retold::Lost;

/// What a node has heard of the feed, and what it has done there itself: at most 2^20 entries, 2^16 admissions of the last
/// minute, 2^16 used one-time ids. Full, it forgets the oldest: if that is lost, and no other node knows it, an ended
/// session is alive again, a person must log in again, a used code is good once more.
///
/// A node tells it again once in each epoch: entries first ([`missing`](Heard::missing)), then the rest
/// ([`lost`](Heard::lost)); then it has [settled](Heard::settle) that epoch. Until it has settled the latest epoch that it has
/// heard of, it forgets nothing for its age.
#[derive(Debug, Default)]
pub struct Heard {
    entries: BTreeMap<FeedPosition, Entry>,
    /// Those that matter for ever.
    lasting: Vec<Entry>,
    /// The epochs before whose beginning an end by scope was told and not lost: their sessions were born after it.
    carried: BTreeMap<FeedPosition, BTreeSet<u64>>,
    admissions: VecDeque<SessionRecord>,
    spent: VecDeque<Spent>,
    epoch: u64,
    settled: u64,
}

#[derive(Clone, Copy, Debug)]
struct Spent {
    id: OnceId,
    until: Timestamp,
    epoch: u64,
    at: Timestamp,
}

const ENTRIES: usize = 1 << 20;
const ADMISSIONS: usize = 1 << 16;
const SPENT: usize = 1 << 16;
/// How long a node restores its admissions after they happened.
const RECENT: Duration = Duration::from_mins(1);
/// How long entries are kept at least, as long as they are few: data that is brought back may be older than they matter.
const KEPT: Duration = Duration::from_hours(1);
const FEW: usize = 1 << 16;

impl Heard {
    /// Knows nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes entries of the feed, in any order, that a registry in this epoch told: what the node's own operations answered,
    /// and what it read.
    pub fn note(&mut self, entries: &[Entry], epoch: u64) {
        self.hear_from(epoch);
        for entry in entries {
            self.carry(entry, epoch);
            if entry.until == Timestamp::MAX {
                if self.lasting.iter().all(|known| known.position != entry.position) {
                    self.lasting.push(entry.clone());
                }
            } else if !matches!(entry.news.told(), News::HandedOver(..)) {
                self.entries.entry(entry.position).or_insert_with(|| entry.clone());
            }
        }
        while self.entries.len() > ENTRIES {
            self.forget_first();
        }
    }

    /// The sessions of this epoch were born after an end that was told in an earlier one.
    fn carry(&mut self, entry: &Entry, epoch: u64) {
        if entry.position.epoch < epoch && Ends::told(entry).is_some() {
            self.carried.entry(entry.position).or_default().insert(epoch);
        }
    }

    /// An answer of an epoch that was over when it came was not among what the next epoch was told.
    fn hear_from(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
        if epoch < self.settled {
            self.settled = 0;
        }
    }

    fn forget_first(&mut self) {
        if let Some((position, _)) = self.entries.pop_first() {
            self.carried.remove(&position);
        }
    }

    /// Notes a session that was admitted through this node.
    pub fn note_admission(&mut self, session: &SessionRecord) {
        self.epoch = self.epoch.max(session.born.epoch);
        self.admissions.push_back(session.clone());
        if self.admissions.len() > ADMISSIONS {
            self.admissions.pop_front();
        }
    }

    /// Notes a one-time id that was used up through this node, in an epoch, at an instant of the registry.
    pub fn note_once(&mut self, id: OnceId, until: Timestamp, epoch: u64, at: Timestamp) {
        self.hear_from(epoch);
        self.spent.push_back(Spent { id, until, epoch, at });
        if self.spent.len() > SPENT {
            self.spent.pop_front();
        }
    }

    /// The entries that a registry of this history lacks, in order. Of what was told several times it is the latest, and
    /// none if the registry has one of them.
    pub fn missing(&self, history: History<'_>) -> Vec<Entry> {
        let mut latest: BTreeMap<FeedPosition, Option<&Entry>> = BTreeMap::new();
        for entry in self.lasting.iter().chain(self.entries.values()) {
            let earlier = entry.news.earlier();
            let first = earlier.first().copied().unwrap_or(entry.position);
            let lost = earlier.iter().chain([&entry.position]).all(|&position| history.lacks(position));
            let known = latest.entry(first).or_insert(Some(entry));
            *known = known
                .filter(|_| lost)
                .map(|known| if known.position < entry.position { entry } else { known });
        }
        let mut missing: Vec<&Entry> = latest.into_values().flatten().collect();
        missing.sort_by_key(|entry| entry.position);
        missing.into_iter().map(|entry| self.as_carried(entry)).collect()
    }

    /// The entry as if it had been told again at the beginning of each epoch that knew it already.
    fn as_carried(&self, entry: &Entry) -> Entry {
        let epochs = self.carried.get(&entry.position).into_iter().flatten();
        epochs.fold(entry.clone(), |entry, &epoch| Entry {
            position: FeedPosition { epoch, seq: 0 },
            news: News::Again(entry.position, Box::new(entry.news)),
            ..entry
        })
    }

    /// The admissions and used one-time ids that a registry of this history may lack.
    pub fn lost(&self, history: History<'_>) -> Vec<Lost> {
        let admissions =
            self.admissions.iter().filter(|session| history.may_lack(session.born.epoch, session.started_at));
        let spent = self.spent.iter().filter(|spent| history.may_lack(spent.epoch, spent.at));
        let sessions = admissions.map(|session| Lost::Session(Box::new(session.clone())));
        sessions.chain(spent.map(|spent| Lost::Once(spent.id, spent.until))).collect()
    }

    /// The registry of this history has been told all.
    pub fn settle(&mut self, history: History<'_>) {
        let known: Vec<Entry> = self
            .entries
            .values()
            .filter(|entry| {
                entry.position.epoch < history.epoch
                    && Ends::told(entry).is_some()
                    && !history.lacks(entry.position)
            })
            .cloned()
            .collect();
        for entry in known {
            for epoch in history.past.iter().map(|past| past.last.epoch).chain([history.epoch]) {
                self.carry(&entry, epoch);
            }
        }
        self.epoch = self.epoch.max(history.epoch);
        self.settled = self.settled.max(history.epoch);
    }

    /// The latest epoch that was settled; 0 before the first, and where an answer of an earlier epoch came later.
    pub fn settled(&self) -> u64 {
        self.settled
    }

    /// Forgets what nobody will ask for, at an instant of the registry.
    pub fn expire(&mut self, now: Timestamp) {
        while self.spent.front().is_some_and(|spent| spent.until <= now) {
            self.spent.pop_front();
        }
        if self.settled < self.epoch {
            return;
        }
        while self.admissions.front().is_some_and(|session| session.started_at.after(RECENT) <= now) {
            self.admissions.pop_front();
        }
        let due = |entry: &Entry, len| entry.until <= now && (len > FEW || entry.at.after(KEPT) <= now);
        while self.entries.first_key_value().is_some_and(|(_, entry)| due(entry, self.entries.len())) {
            self.forget_first();
        }
    }

    /// Whether the entry of this position is still kept.
    pub fn keeps(&self, position: FeedPosition) -> bool {
        self.entries.contains_key(&position) || self.lasting.iter().any(|entry| entry.position == position)
    }
}

#[cfg(test)]
mod tests;
