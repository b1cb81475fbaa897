//! One server: a log of operations, and, where it is a primary, the ledger that they lead to.

use std::rc::Rc;

use countersign_registry::{Ledger, Rules};
use countersign_token::Timestamp;

use crate::bugs::{Bug, Faked};
use crate::clocks::Clocks;
use crate::op::{Answer, Call, Op};

/// A server. Its log is all that lasts: replicas hold a prefix of their primary's, and a ledger is made again from it.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) up: bool,
    /// Until when it stands still (`SIGSTOP`).
    pub(crate) frozen: u64,
    pub(crate) clocks: Clocks,
    /// The history that it writes: each start and each promotion begins another.
    history: u64,
    pub(crate) log: Vec<Rc<Logged>>,
    primary: Option<Data>,
}

/// What a primary holds.
#[derive(Debug)]
struct Data {
    ledger: Ledger,
    /// The history that it was written in last.
    history: u64,
    faked: Faked,
}

/// One step of a history.
#[derive(Debug)]
pub(crate) struct Logged {
    /// The world's time.
    pub(crate) at: u64,
    instant: Timestamp,
    node: usize,
    step: Step,
}

#[derive(Debug)]
enum Step {
    Fence { known: u64, history: u64 },
    Op(Op),
}

/// What a server says to a call.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The epoch that it was carried out in.
    pub(crate) epoch: u64,
    /// The registry's instant.
    pub(crate) at: Timestamp,
    pub(crate) answer: Answer,
    /// Whether this call began the epoch.
    pub(crate) fenced: bool,
    pub(crate) stamp: Stamp,
}

/// What the oracle knows of when and where an operation was carried out.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stamp {
    /// How often the registry's history had changed.
    pub(crate) histories: usize,
    /// Whether the primary was none any more.
    pub(crate) astray: bool,
}

impl Server {
    pub(crate) fn new(clocks: Clocks) -> Self {
        Self { up: true, frozen: 0, clocks, history: 0, log: Vec::new(), primary: None }
    }

    pub(crate) fn is_primary(&self) -> bool {
        self.primary.is_some()
    }

    /// Becomes a primary, of a new history, with what its log says.
    pub(crate) fn promote(&mut self, history: u64, rules: Rules, bug: Option<Bug>) {
        self.history = history;
        let mut data = Data::empty(rules, bug);
        for logged in &self.log {
            data.step(logged.node, logged.instant, &logged.step);
        }
        self.primary = Some(data);
    }

    pub(crate) fn demote(&mut self) {
        self.primary = None;
    }

    /// Carries an operation out, behind the fence; [`None`] if it is no primary.
    pub(crate) fn carry_out(&mut self, call: &Call, now: u64, bug: Option<Bug>) -> Option<Reply> {
        let data = self.primary.as_mut()?;
        // Instants never go back for the node that asks, whichever server it asks.
        let instant = self.clocks.wall(now).max(call.seen);
        let mut log = |step| self.log.push(Rc::new(Logged { at: now, instant, node: call.node, step }));
        let fenced = data.needs_fence(self.history, call, bug);
        if fenced {
            let fence = Step::Fence { known: call.known, history: self.history };
            data.step(call.node, instant, &fence);
            log(fence);
        }
        let step = Step::Op(call.op.clone());
        let (answer, wrote) = data.step(call.node, instant, &step);
        if wrote {
            log(step);
        }
        let epoch = data.ledger.position().epoch;
        Some(Reply { epoch, at: data.ledger.now(), answer, fenced, stamp: Stamp::default() })
    }

    /// Whether its registry serves again.
    pub(crate) fn is_open(&self, now: u64) -> bool {
        let wall = self.clocks.wall(now);
        self.primary.as_ref().is_some_and(|data| !data.ledger.is_recovering(data.ledger.now().max(wall)))
    }

    pub(crate) fn epoch(&self) -> Option<u64> {
        Some(self.primary.as_ref()?.ledger.position().epoch)
    }
}

impl Data {
    fn empty(rules: Rules, bug: Option<Bug>) -> Self {
        Self { ledger: Ledger::new(rules, 0), history: 0, faked: Faked::new(bug) }
    }

    /// Another history than the one that it was written in, or a node that knows of a later epoch.
    fn needs_fence(&self, history: u64, call: &Call, bug: Option<Bug>) -> bool {
        let first = self.history == 0 && call.known == 0;
        let skipped = match bug {
            Some(Bug::NoFence) => true,
            Some(Bug::FenceInTheClient) => !matches!(call.op, Op::Feed(_) | Op::Beat),
            _ => false,
        };
        let behind = self.history != history || self.ledger.position().epoch < call.known;
        behind && (first || !skipped)
    }

    /// Carries a step out; tells whether it wrote anything.
    fn step(&mut self, node: usize, instant: Timestamp, step: &Step) -> (Answer, bool) {
        let mut facts = Vec::new();
        match step {
            Step::Fence { known, history } => {
                self.ledger.begin_epoch(*known, instant, &mut facts);
                self.history = *history;
                self.faked.after_fence(&mut self.ledger, instant);
                (Answer::Done, true)
            }
            Step::Op(op) => {
                let answer = self.faked.carry_out(op, &mut self.ledger, node, instant, &mut facts);
                (answer, !op.is_reading() || !facts.is_empty())
            }
        }
    }
}
