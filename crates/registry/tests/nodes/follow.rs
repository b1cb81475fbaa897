//! A node follows the feed: it reads, does its part of a recovery where the epoch is another, and proves what it read.

use std::time::Duration;

use countersign_registry::{Batch, BatchKind, History, Loaded, Past, Reading};
use countersign_token::FeedPosition;

use crate::bugs::Bug;
use crate::event::Event;
use crate::finish::Finish;
use crate::op::{Answer, Condition, Op};
use crate::serve::{Check, Then};
use crate::server::Reply;
use crate::setting::Proof;
use crate::world::World;

/// How often the feed is read when nothing calls for it sooner.
pub(crate) const PACE: u64 = 1_200;
/// How soon it is read again where something is not done yet.
const SOON: u64 = 100;
/// How far behind those who watch the servers may be, with which one is the primary.
const BEHIND: Duration = Duration::from_secs(3);

/// How far a node has read.
#[derive(Debug, Default)]
pub(crate) struct Reader {
    pub(crate) cursor: Option<FeedPosition>,
    /// Whether a reading is under way.
    pub(crate) busy: bool,
}

/// Proofs: one is under way at a time, and all who come meanwhile share the next.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    under_way: Vec<Waiter>,
    next: Vec<Waiter>,
}

/// Who waits for a proof that its answer came from the primary.
#[derive(Clone, Debug)]
pub(crate) enum Waiter {
    Feed { batch: Batch, asked: Reading, epoch: u64 },
    Operation(Finish),
    Check { check: Check, epoch: u64, live: bool },
}

/// That a server was the primary, at most so long before the question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proven {
    pub(crate) epoch: u64,
    pub(crate) behind: Duration,
}

impl World {
    pub(crate) fn poll(&mut self, node: usize) {
        let life = self.nodes[node].life;
        self.plan(PACE, Event::Poll { node, life });
        self.read_feed(node);
    }

    pub(crate) fn read_feed(&mut self, node: usize) {
        let here = &mut self.nodes[node];
        if std::mem::replace(&mut here.memory.reader.busy, true) {
            return;
        }
        let (after, asked) = (here.memory.cursor(), here.reading(self.now));
        self.ask(node, Op::Feed(after), Then::Read { asked });
    }

    /// The reading is over; `soon`: it is to be repeated.
    fn read_over(&mut self, node: usize, soon: bool) {
        self.nodes[node].memory.reader.busy = false;
        if soon {
            let life = self.nodes[node].life;
            self.plan(SOON, Event::Read { node, life });
        }
    }

    pub(crate) fn read(&mut self, node: usize, asked: Reading, reply: Option<Reply>) {
        let Some(Reply { epoch, answer: Answer::Feed(mut batch, past, condition), .. }) = reply else {
            return self.read_over(node, false);
        };
        self.spoil(node, &mut batch);
        self.nodes[node].learn(&batch.entries, batch.complete_to.epoch);
        if self.bug == Some(Bug::Instants) {
            self.nodes[node].memory.ends.extend(batch.entries.iter().cloned());
        }
        if self.nodes[node].memory.settled != Some(epoch) {
            return self.recover(node, epoch, &past);
        }
        if condition == Condition::Recovering {
            return self.read_over(node, true);
        }
        let asked = match self.bug {
            Some(Bug::AgeFromTheReply) => self.nodes[node].reading(self.now),
            _ => asked,
        };
        if self.bug == Some(Bug::ProofByReading) {
            return self.load(node, &batch, asked);
        }
        self.prove(node, Waiter::Feed { batch, asked, epoch });
    }

    /// A reader that keeps its place in the stream across epochs is given only what comes after it.
    fn spoil(&mut self, node: usize, batch: &mut Batch) {
        let Some(cursor) = self.nodes[node].memory.reader.cursor else { return };
        if self.bug == Some(Bug::CursorKept) && cursor.epoch != batch.complete_to.epoch {
            batch.entries.retain(|entry| entry.position.seq > cursor.seq);
            batch.kind = BatchKind::Snapshot;
        }
    }

    /// Tells the registry what this node heard in another epoch, and what of it was lost.
    fn recover(&mut self, node: usize, epoch: u64, past: &[Past]) {
        let missing = self.nodes[node].memory.heard.missing(History { past, epoch });
        if self.bug.is_some_and(Bug::keeps_silent) || missing.is_empty() {
            return self.restore(node, epoch, past);
        }
        self.tally.republished += missing.len();
        self.tell(|| format!("node {node} tells again in epoch {epoch}: {missing:?}"));
        self.ask(node, Op::Republish(missing), Then::ToldAgain { epoch, past: past.to_vec() });
    }

    pub(crate) fn told_again(&mut self, node: usize, epoch: u64, past: &[Past], reply: Option<Reply>) {
        match reply {
            Some(reply) if reply.epoch == epoch => self.restore(node, epoch, past),
            _ => self.read_over(node, true),
        }
    }

    fn restore(&mut self, node: usize, epoch: u64, past: &[Past]) {
        let lost = self.nodes[node].memory.heard.lost(History { past, epoch });
        if lost.is_empty() {
            return self.ask(node, Op::Recovered, Then::Recovered { epoch, past: past.to_vec() });
        }
        self.tally.restored += lost.len();
        self.tell(|| format!("node {node} restores in epoch {epoch}: {lost:?}"));
        self.ask(node, Op::Restore(lost), Then::Restored { epoch, past: past.to_vec() });
    }

    pub(crate) fn restored(&mut self, node: usize, epoch: u64, past: &[Past], reply: Option<Reply>) {
        match reply {
            Some(reply) if reply.epoch == epoch => {
                self.ask(node, Op::Recovered, Then::Recovered { epoch, past: past.to_vec() });
            }
            _ => self.read_over(node, true),
        }
    }

    pub(crate) fn recovered(&mut self, node: usize, epoch: u64, past: &[Past], reply: Option<Reply>) {
        if reply.is_some_and(|reply| reply.epoch == epoch) {
            self.nodes[node].memory.settled = Some(epoch);
            self.nodes[node].memory.heard.settle(History { past, epoch });
            self.tally.settled += 1;
            self.tell(|| format!("node {node} has settled epoch {epoch}"));
        }
        self.read_over(node, true);
    }

    fn load(&mut self, node: usize, batch: &Batch, asked: Reading) {
        let here = &mut self.nodes[node];
        let loaded = here.memory.view.load(batch, asked, batch.at);
        here.memory.view.expire(batch.at);
        here.memory.heard.expire(batch.at);
        here.memory.reader.cursor = match loaded {
            Loaded::Complete => Some(batch.complete_to),
            Loaded::Gap | Loaded::Older => None,
        };
        self.tally.readings += 1;
        self.read_over(node, loaded != Loaded::Complete);
    }

    pub(crate) fn prove(&mut self, node: usize, waiter: Waiter) {
        let proofs = &mut self.nodes[node].memory.proofs;
        if proofs.under_way.is_empty() {
            proofs.under_way.push(waiter);
            self.ask(node, Op::Beat, Then::Proof);
        } else {
            proofs.next.push(waiter);
        }
    }

    pub(crate) fn proof(&mut self, node: usize, reply: Option<(usize, Reply)>) {
        let proven = reply.and_then(|(server, reply)| self.proven(node, server, &reply));
        let waiting = std::mem::take(&mut self.nodes[node].memory.proofs.under_way);
        for waiter in waiting {
            self.go_on_with(node, waiter, proven);
        }
        let proofs = &mut self.nodes[node].memory.proofs;
        let next = std::mem::take(&mut proofs.next);
        if !next.is_empty() && proofs.under_way.is_empty() {
            proofs.under_way = next;
            self.ask(node, Op::Beat, Then::Proof);
        } else {
            proofs.under_way.extend(next);
        }
    }

    fn proven(&self, node: usize, server: usize, reply: &Reply) -> Option<Proven> {
        let Answer::Beat { acks } = reply.answer else { return None };
        let epoch = reply.epoch;
        if acks >= self.store.replicas() || self.bug == Some(Bug::WaitIgnored) {
            return Some(Proven { epoch, behind: Duration::ZERO });
        }
        let named = self.network.is_guided(node) && self.store.named(node, self.now) == server;
        let behind = if self.bug == Some(Bug::HearsayTrusted) { Duration::ZERO } else { BEHIND };
        (self.setting.proof == Proof::Hearsay && named).then_some(Proven { epoch, behind })
    }

    fn go_on_with(&mut self, node: usize, waiter: Waiter, proven: Option<Proven>) {
        match waiter {
            Waiter::Feed { mut batch, asked, epoch } => {
                let Some(proven) = proven.filter(|proven| proven.epoch == epoch) else {
                    self.tally.unproven += 1;
                    return self.read_over(node, false);
                };
                batch.behind = proven.behind;
                self.load(node, &batch, asked);
            }
            Waiter::Operation(finish) => {
                let epoch = finish.epoch;
                let kept = proven.is_some_and(|proven| proven.epoch == epoch && proven.behind.is_zero());
                self.replicated(node, finish, kept);
            }
            Waiter::Check { check, epoch, live } => {
                let sure = proven.is_some_and(|proven| proven.epoch == epoch);
                self.checked(node, check, sure && live);
            }
        }
    }
}
