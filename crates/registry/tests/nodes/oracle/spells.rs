//! When each node could do its part: it was up, awake, and reached the primary and those who name it.

/// How long a node needs at most to find the primary, to tell it what it knows, and to read what others told.
const ENOUGH: u64 = 10_000;

#[derive(Debug)]
pub(crate) struct Spells {
    since: Vec<Option<u64>>,
    past: Vec<Vec<(u64, u64)>>,
}

impl Spells {
    pub(crate) fn new(nodes: usize) -> Self {
        Self { since: vec![None; nodes], past: vec![Vec::new(); nodes] }
    }

    pub(crate) fn note(&mut self, node: usize, healthy: bool, now: u64) {
        match (self.since[node], healthy) {
            (None, true) => self.since[node] = Some(now),
            (Some(since), false) => {
                self.past[node].push((since, now));
                self.since[node] = None;
            }
            _ => {}
        }
    }

    /// Whether a node was well for long enough, at any time between these.
    pub(crate) fn had_one(&self, node: usize, after: u64, before: u64) -> bool {
        let now = self.since[node].map(|since| (since, before));
        let mut spells = self.past[node].iter().copied().chain(now);
        spells.any(|(from, to)| to.min(before).saturating_sub(from.max(after)) >= ENOUGH)
    }

    /// Whether a node was well all the time.
    pub(crate) fn was_well(&self, node: usize, from: u64, to: u64) -> bool {
        let now = self.since[node].map(|since| (since, to));
        let mut spells = self.past[node].iter().copied().chain(now);
        spells.any(|(since, until)| since <= from && until >= to)
    }
}
