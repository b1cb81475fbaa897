//! A node's calls: sent, repeated under the same id until a deadline, answered or given up.

use countersign_registry::Entry;

use crate::event::Event;
use crate::node::Pending;
use crate::op::{Answer, Call, Op};
use crate::serve::Then;
use crate::server::{Reply, Stamp};
use crate::world::World;

/// How long one attempt may take, and all of them.
const ATTEMPT: u64 = 400;
const DEADLINE: u64 = 1_200;
/// How long replicas are waited for.
const WAIT: u64 = 100;

impl World {
    /// A node asks its server; whatever comes of it goes on with `then`.
    pub(crate) fn ask(&mut self, node: usize, op: Op, then: Then) {
        let id = self.number();
        let pending = Pending { op, then, since: self.now, attempt: 0 };
        self.nodes[node].memory.calls.insert(id, pending);
        self.transmit(node, id);
    }

    fn transmit(&mut self, node: usize, id: u64) {
        let here = &mut self.nodes[node];
        let memory = &mut here.memory;
        let Some(pending) = memory.calls.get_mut(&id) else { return };
        pending.attempt += 1;
        let (attempt, life, server) = (pending.attempt, here.life, memory.server);
        let op = pending.op.clone();
        let call = Call { id, node, life, known: memory.known, seen: memory.seen, op };
        self.plan(ATTEMPT, Event::Timeout { node, life, id, attempt });
        if !self.network.reaches(node, server) {
            return;
        }
        for delay in self.network.delays(&mut self.random) {
            self.plan(delay, Event::Call { server, call: call.clone() });
        }
    }

    pub(crate) fn timeout(&mut self, node: usize, id: u64, attempt: u32) {
        let Some(pending) = self.nodes[node].memory.calls.get(&id) else { return };
        if pending.attempt != attempt {
            return;
        }
        let over = self.now - pending.since >= DEADLINE;
        self.find_primary(node);
        if over {
            self.give_up(node, id);
        } else {
            self.transmit(node, id);
        }
    }

    fn give_up(&mut self, node: usize, id: u64) {
        if let Some(pending) = self.nodes[node].memory.calls.remove(&id) {
            self.tally.unknown += 1;
            self.go_on(node, pending.then, None);
        }
    }

    /// Asks those who watch the servers which one is the primary.
    fn find_primary(&mut self, node: usize) {
        if self.network.is_guided(node) {
            self.nodes[node].memory.server = self.store.named(node, self.now);
        }
    }

    /// A call arrives at a server.
    pub(crate) fn called(&mut self, server: usize, call: Call) {
        let there = &self.store.servers[server];
        if there.frozen > self.now {
            return self.queue.plan(there.frozen, Event::Call { server, call });
        }
        let reply = if there.up { self.store.carry_out(server, &call, self.now) } else { None };
        let Some(mut reply) = reply else { return self.reply(server, &call, None) };
        let (histories, astray) = (self.oracle.histories(), !self.store.is_true_primary(server));
        reply.stamp = Stamp { histories, astray };
        self.happened(&call, &reply);
        if matches!(reply.answer, Answer::Beat { .. }) {
            let steps = self.store.servers[server].log.len();
            let wait = self.store.lag().saturating_add(1).min(WAIT);
            return self.plan(wait, Event::Waited { server, call, reply, steps });
        }
        self.reply(server, &call, Some(reply));
    }

    /// A server tells how many replicas have followed, as far as it knows.
    pub(crate) fn waited(&mut self, server: usize, call: &Call, mut reply: Reply, steps: usize) {
        let there = &self.store.servers[server];
        if !there.up || !there.is_primary() || there.frozen > self.now {
            return;
        }
        let acks = self.store.acks(server, steps, self.now);
        reply.answer = Answer::Beat { acks };
        self.reply(server, call, Some(reply));
    }

    fn reply(&mut self, server: usize, call: &Call, reply: Option<Reply>) {
        let Call { id, node, life, .. } = *call;
        if !self.network.reaches(node, server) {
            return;
        }
        for delay in self.network.delays(&mut self.random) {
            self.plan(delay, Event::Reply { node, life, id, server, reply: reply.clone() });
        }
    }

    /// An answer arrives at a node.
    pub(crate) fn replied(&mut self, node: usize, id: u64, server: usize, reply: Option<Reply>) {
        let Some(reply) = reply else { return self.turned_away(node, id) };
        let Some(pending) = self.nodes[node].memory.calls.remove(&id) else { return };
        let memory = &mut self.nodes[node].memory;
        memory.seen = memory.seen.max(reply.at);
        self.nodes[node].learn(&entries(&reply.answer), reply.epoch);
        let memory = &mut self.nodes[node].memory;
        if reply.epoch < memory.known {
            // Others have gone on from an earlier point: nobody has heard of it, and nobody will unless it is told again.
            memory.settled = None;
            return self.go_on(node, pending.then, None);
        }
        memory.known = reply.epoch;
        self.go_on(node, pending.then, Some((server, reply)));
    }

    /// The server is no primary: the next attempt goes to whoever is, a little later.
    fn turned_away(&mut self, node: usize, id: u64) {
        let life = self.nodes[node].life;
        self.find_primary(node);
        if let Some(pending) = self.nodes[node].memory.calls.get_mut(&id) {
            pending.attempt += 1;
            let attempt = pending.attempt;
            self.plan(50, Event::Timeout { node, life, id, attempt });
        }
    }
}

/// What an answer to an operation of the node's own adds to the feed.
fn entries(answer: &Answer) -> Vec<Entry> {
    use countersign_registry::{Admitted, Advanced, Rotated};
    match answer {
        Answer::Admitted(Admitted::Seated(seated)) => seated.entries.clone(),
        Answer::Rotated(Rotated::Reused(entries)) | Answer::Told(entries) => entries.clone(),
        Answer::Advanced(Advanced::Set { entries, .. }) => entries.clone(),
        Answer::Ended(ended) => ended.entries.clone(),
        _ => Vec::new(),
    }
}
