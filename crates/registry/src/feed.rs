//! The feed: the entries that nodes must still hear of, in order.

use std::collections::VecDeque;
use std::time::Duration;

use countersign_token::{FeedPosition, Timestamp};

use crate::contract::{Batch, BatchKind};
use crate::fact::{Entry, News};

/// Holds the entries that could still matter: those of one [entry life](crate::Rules::entry_life), and a removed key
/// for ever (a person removes it).
#[derive(Debug)]
pub(crate) struct Feed {
    position: FeedPosition,
    entries: VecDeque<Entry>,
    /// Entries that never expire and whose time to be dropped has come.
    lasting: Vec<Entry>,
    /// Up to here, entries may have been dropped.
    dropped: FeedPosition,
}

impl Feed {
    pub(crate) fn new(position: FeedPosition) -> Self {
        Self {
            position,
            entries: VecDeque::new(),
            lasting: Vec::new(),
            dropped: FeedPosition { seq: 0, ..position },
        }
    }

    pub(crate) fn position(&self) -> FeedPosition {
        self.position
    }

    /// Begins another epoch: positions of the one before have no tail in it.
    pub(crate) fn begin(&mut self, epoch: u64) {
        self.position = self.position.max(FeedPosition { epoch, seq: 0 });
        self.dropped = self.position;
    }

    /// The next entry.
    pub(crate) fn append(&mut self, at: Timestamp, until: Timestamp, news: News) -> Entry {
        self.position.seq += 1;
        let entry = Entry { position: self.position, at, until, news };
        self.entries.push_back(entry.clone());
        entry
    }

    /// An entry that a log remembers, in any order and any number of times.
    pub(crate) fn recall(&mut self, entry: Entry) {
        self.position = self.position.max(entry.position);
        match self.entries.binary_search_by_key(&entry.position, |other| other.position) {
            Ok(_) => {}
            Err(place) => self.entries.insert(place, entry),
        }
    }

    /// All entries that a log remembers have been recalled.
    pub(crate) fn recalled(&mut self) {
        let mut whole_from = self.position;
        for entry in self.entries.iter().rev() {
            if entry.position != whole_from {
                break;
            }
            whole_from.seq = whole_from.seq.saturating_sub(1);
        }
        self.dropped = whole_from;
    }

    /// Forgets what cannot matter any more.
    pub(crate) fn settle(&mut self, now: Timestamp) {
        while let Some(first) = self.entries.front()
            && (first.until <= now || first.until == Timestamp::MAX)
        {
            self.dropped = first.position;
            self.lasting.extend(self.entries.pop_front().filter(|entry| entry.until == Timestamp::MAX));
        }
    }

    pub(crate) fn keeps(&self, position: FeedPosition) -> bool {
        self.entry(position).is_some()
    }

    pub(crate) fn entry(&self, position: FeedPosition) -> Option<&Entry> {
        let place = self.entries.binary_search_by_key(&position, |entry| entry.position);
        place.map_or_else(
            |_| self.lasting.iter().find(|entry| entry.position == position),
            |place| self.entries.get(place),
        )
    }

    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.lasting.iter().chain(&self.entries)
    }

    /// The entries of this epoch from this one on, in order.
    pub(crate) fn since(&self, first: FeedPosition) -> impl Iterator<Item = &Entry> {
        let start = self.entries.partition_point(|entry| entry.position < first);
        self.entries.range(start..)
    }

    /// The entry at which this key was removed.
    pub(crate) fn removal_of(&self, kid: &str) -> Option<&Entry> {
        self.entries()
            .find(|entry| matches!(entry.news.told(), News::KeyRemoved(removed) if &**removed == kid))
    }

    pub(crate) fn batch(&self, after: Option<FeedPosition>, now: Timestamp) -> Batch {
        let tail = after.filter(|&after| {
            after.epoch == self.position.epoch && after >= self.dropped && after <= self.position
        });
        let (kind, entries) = match tail {
            Some(after) => {
                (BatchKind::Tail, self.since(FeedPosition { seq: after.seq + 1, ..after }).cloned().collect())
            }
            None => {
                (BatchKind::Snapshot, self.entries().filter(|entry| entry.until > now).cloned().collect())
            }
        };
        Batch { complete_to: self.position, kind, entries, at: now, behind: Duration::ZERO }
    }
}
