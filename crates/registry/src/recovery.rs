//! Recovery after a fail-over that may have lost writes: what the nodes still know is told to the registry again.
//!
//! Here is what a ledger knows of its own history, and how an epoch begins and recovery ends; what nodes bring is taken in
//! by [`retold`](crate::retold), and what a node keeps for that is [`Heard`](crate::Heard).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use serde::{Deserialize, Serialize};

use crate::fact::{EndReason, Fact, News};
use crate::ledger::{Ledger, due};
use crate::retold::Retold;
use crate::seats::Place;
use crate::store::HOLDS;

/// How long a registry waits for its nodes at most.
pub const RECOVERY: Duration = Duration::from_secs(5);
/// How long a node counts as being there after it said so.
pub const NODE_LIFE: Duration = Duration::from_secs(15);
/// How many epochs that ended are remembered.
const PAST: usize = 64;
/// How many nodes are known.
const NODES: usize = 1024;

/// The id of a node, drawn at random when it starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct NodeId(pub [u8; 16]);

/// An epoch that has ended, as the data that survived it knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Past {
    /// Its last position. What was told there later is lost.
    pub last: FeedPosition,
    /// The last instant at which something was written. What was written later is lost.
    pub written: Timestamp,
    /// When the next epoch began.
    pub until: Timestamp,
}

/// The epochs that a registry went through.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Those that ended, at most the last 64, in order.
    pub past: &'a [Past],
    /// The one that it is in.
    pub epoch: u64,
}

impl History<'_> {
    /// Whether an entry of this position is not part of it: it was told after what survived of its epoch, or in an epoch
    /// of another branch. (What is older than the last 64 epochs counts as part of it.)
    pub fn lacks(&self, position: FeedPosition) -> bool {
        position.epoch < self.epoch
            && self
                .of(position.epoch)
                .map_or_else(|| self.saw_no(position.epoch), |past| past.last < position)
    }

    /// Whether what was written in this epoch at this instant may not be part of it.
    pub fn may_lack(&self, epoch: u64, at: Timestamp) -> bool {
        epoch < self.epoch && self.of(epoch).map_or_else(|| self.saw_no(epoch), |past| past.written <= at)
    }

    fn of(&self, epoch: u64) -> Option<&Past> {
        self.past.iter().find(|past| past.last.epoch == epoch)
    }

    fn saw_no(&self, epoch: u64) -> bool {
        self.past.len() < PAST || self.past.first().is_some_and(|oldest| oldest.last.epoch < epoch)
    }

    /// The fence behind which this epoch was lost, or a part of it. What was lost before this history began has none.
    pub(crate) fn fence(&self, epoch: u64) -> Option<&Past> {
        self.past.iter().rev().find(|past| past.last.epoch <= epoch)
    }
}

/// A registry that recovers: it carries out ends, and waits for what its nodes know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovering {
    /// Until when at most.
    pub until: Timestamp,
    /// For whom.
    pub awaited: Awaited,
}

/// For whom a registry waits while it recovers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Awaited {
    /// For these nodes.
    Nodes(BTreeSet<NodeId>),
    /// For as long as it may: it does not know who was there.
    Anyone,
}

/// What a ledger knows of its history and of its nodes: the last 64 epochs, and 1024 nodes, of which it forgets the one that
/// it did not hear of for longest (it is not waited for then).
#[derive(Debug, Default)]
pub(crate) struct Recovery {
    past: Vec<Past>,
    nodes: BTreeMap<NodeId, Timestamp>,
    recovering: Option<Recovering>,
    /// Restored sessions that had a seat, by when they started: as many as nodes restore while it recovers.
    waiting: BTreeSet<(Timestamp, SessionId)>,
    pub(crate) retold: Retold,
}

impl Recovery {
    fn end(&mut self, past: Past) {
        if self.past.iter().all(|known| known.last.epoch != past.last.epoch) {
            self.past.push(past);
            self.past.sort_unstable_by_key(|past| past.last);
        }
        if self.past.len() > PAST {
            self.past.remove(0);
        }
    }

    fn heard_of(&mut self, node: NodeId, at: Timestamp) {
        self.nodes.retain(|_, seen| at <= seen.after(NODE_LIFE));
        self.nodes.insert(node, at);
        if self.nodes.len() > NODES
            && let Some(oldest) = self.nodes.iter().map(|(&node, &seen)| (seen, node)).min()
        {
            self.nodes.remove(&oldest.1);
        }
    }

    /// Who is waited for at a fence: whoever was there when the data was written last, and who was waited for already.
    fn awaited(&self, written: Timestamp) -> Awaited {
        let there =
            self.nodes.iter().filter(|(_, seen)| written <= seen.after(NODE_LIFE)).map(|(&node, _)| node);
        match self.recovering.as_ref().map(|recovering| &recovering.awaited) {
            Some(Awaited::Anyone) => Awaited::Anyone,
            Some(Awaited::Nodes(before)) => Awaited::Nodes(there.chain(before.iter().copied()).collect()),
            None => Awaited::Nodes(there.collect()),
        }
    }

    pub(crate) fn recall(&mut self, fact: Fact) {
        match fact {
            Fact::Epoch { ended: Some(past), .. } => self.end(past),
            Fact::Node { node, at } => self.heard_of(node, at),
            Fact::Recovering(recovering) => {
                if recovering.is_none() {
                    self.waiting.clear();
                }
                self.recovering = recovering;
            }
            Fact::ToldAgain { first, position, until } => self.retold.note(first, position, until),
            _ => {}
        }
    }

    pub(crate) fn wait_for_seat(&mut self, started: Timestamp, session: SessionId) {
        self.waiting.insert((started, session));
    }

    pub(crate) fn facts(&self, now: FeedPosition) -> impl Iterator<Item = Fact> {
        let next = self.past.iter().skip(1).map(|past| past.last.epoch).chain([now.epoch]);
        let epochs =
            self.past.iter().zip(next).map(|(&past, epoch)| Fact::Epoch { epoch, ended: Some(past) });
        let nodes = self.nodes.iter().map(|(&node, &at)| Fact::Node { node, at });
        let recovering = self.recovering.iter().map(|recovering| Fact::Recovering(Some(recovering.clone())));
        let waiting = self.waiting.iter().map(|&(_, session)| Fact::Waiting(session));
        epochs.chain(nodes).chain(recovering).chain(waiting).chain(self.retold.facts())
    }
}

impl Ledger {
    /// Begins another epoch: the data may be older than what was acknowledged. `known` is the latest epoch that whoever
    /// asks knows of, 0 if none. Where anything may have been lost, the registry is [recovering](Ledger::is_recovering).
    ///
    /// A ledger of epoch 0 has no data: then everyone of earlier epochs has ended.
    pub fn begin_epoch(&mut self, known: u64, now: Timestamp, facts: &mut Vec<Fact>) {
        let (last, written) = (self.position(), self.now());
        let epoch = now.as_millis().max(last.epoch + 1).max(known + 1) & ((1 << 53) - 1);
        let until = written.max(now);
        let ended = (last.epoch > 0).then_some(Past { last, written, until });
        let awaited = if last.epoch < known { Awaited::Anyone } else { self.recovery.awaited(written) };
        self.feed.begin(epoch);
        if let Some(past) = ended {
            self.recovery.end(past);
        }
        facts.push(Fact::Epoch { epoch, ended });
        let recovering = Some(Recovering { until: until.after(RECOVERY), awaited });
        self.recovery.recovering.clone_from(&recovering);
        facts.push(Fact::Recovering(recovering));
        self.settle(now, facts);
        if ended.is_none() {
            self.announce(News::EveryoneEnded(EndReason::EndedByAdmin), facts);
        }
        self.open_if_complete(facts);
    }

    /// The epochs that it went through.
    pub fn history(&self) -> History<'_> {
        History { past: &self.recovery.past, epoch: self.position().epoch }
    }

    /// Whether it waits for its nodes. Meanwhile whoever asks for more than an end, a reading, or recovery itself is to be
    /// told that nothing was done.
    pub fn is_recovering(&self, now: Timestamp) -> bool {
        let now = self.now().max(now);
        self.recovery.recovering.as_ref().is_some_and(|recovering| now < recovering.until)
    }

    /// A node is there. It tells so every few seconds: less than [`NODE_LIFE`].
    pub fn heartbeat(&mut self, node: NodeId, now: Timestamp, facts: &mut Vec<Fact>) {
        let at = self.now().max(now);
        self.now = at;
        self.recovery.heard_of(node, at);
        facts.push(Fact::Node { node, at });
    }

    /// A node has told all that it knew. Returns whether the registry has recovered.
    pub fn recovered(&mut self, node: NodeId, now: Timestamp, facts: &mut Vec<Fact>) -> bool {
        self.settle(now, facts);
        if let Some(Recovering { awaited: Awaited::Nodes(nodes), .. }) = &mut self.recovery.recovering
            && nodes.remove(&node)
        {
            facts.push(Fact::Recovering(self.recovery.recovering.clone()));
        }
        self.open_if_complete(facts);
        self.recovery.recovering.is_none()
    }

    /// Recovery ends when its time is over.
    pub(crate) fn open_in_time(&mut self, facts: &mut Vec<Fact>) {
        if self.recovery.recovering.as_ref().is_some_and(|recovering| recovering.until <= self.now()) {
            self.open(facts);
        }
    }

    fn open_if_complete(&mut self, facts: &mut Vec<Fact>) {
        let awaited = self.recovery.recovering.as_ref().map(|recovering| &recovering.awaited);
        if matches!(awaited, Some(Awaited::Nodes(nodes)) if nodes.is_empty()) {
            self.open(facts);
        }
    }

    /// From here on everything is carried out. Restored sessions take their seats as long as there are any: those that
    /// started first come first.
    fn open(&mut self, facts: &mut Vec<Fact>) {
        for (_, session) in std::mem::take(&mut self.recovery.waiting) {
            let Some(place) = self.store.find(session) else { continue };
            let slot = self.store.get(place);
            let dangles = slot.activity.after(self.rules.dangling_after) <= self.now();
            if slot.is(HOLDS) || dangles || self.free_seat(Place::of(&self.store, place)).is_err() {
                continue;
            }
            self.store.hold(place);
            let due = due(self.store.get(place), &self.rules);
            self.store.wake_at(place, due);
            self.tell(place, facts);
        }
        self.recovery.recovering = None;
        facts.push(Fact::Recovering(None));
    }
}
