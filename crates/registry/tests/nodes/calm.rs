//! How a world must end: some time after everything went right again, the registry is open, views are young and say the
//! same, and everybody is served.

use crate::setting::{Acknowledge, CALM, FAULTS};
use crate::world::World;

/// How old a view may be when all is well.
const YOUNG: u64 = 2_500;
/// How long ago everybody must have been served.
const SERVED: u64 = 15_000;

impl World {
    pub(crate) fn judge_the_end(&mut self) {
        if self.oracle.red.is_some() {
            return;
        }
        self.now = FAULTS + CALM;
        if self.setting.keeps_history() || self.setting.acknowledge == Acknowledge::Replicated {
            self.oracle.judge_limit(self.now);
        }
        self.oracle.judge_refusals(self.now);
        self.judge_registry();
        (0..self.nodes.len()).for_each(|node| self.judge_node(node));
        (0..self.clients.len()).for_each(|client| self.judge_client(client));
    }

    fn judge_registry(&mut self) {
        if !self.store.is_open(self.now) {
            self.oracle.broken(self.now, || "the registry has not recovered".into());
        }
    }

    fn judge_node(&mut self, node: usize) {
        let here = &self.nodes[node];
        let (age, epoch) = (here.age(self.now), here.memory.view.epoch());
        if age.is_none_or(|age| age > YOUNG) || epoch != self.store.epoch() {
            let what =
                || format!("node {node} is {age:?} behind, in epoch {epoch:?} of {:?}", self.store.epoch());
            self.oracle.broken(self.now, what);
        }
    }

    fn judge_client(&mut self, client: usize) {
        let me = &self.clients[client];
        let (served, tokens) = (me.served, me.tokens.is_some());
        if served + SERVED < self.now {
            let what = || format!("client {client} (with a session: {tokens}) was not served since {served}");
            self.oracle.broken(self.now, what);
        }
    }
}
