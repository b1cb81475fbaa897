//! What happens in a world, in order.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use crate::faults::Fault;
use crate::op::Call;
use crate::request::{Request, Told};
use crate::server::Reply;

#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A call arrives at a server.
    Call {
        server: usize,
        call: Call,
    },
    /// A server has waited for its replicas.
    Waited {
        server: usize,
        call: Call,
        reply: Reply,
        steps: usize,
    },
    /// An answer arrives at a node; [`None`]: the server is down, or is no primary.
    Reply {
        node: usize,
        life: u32,
        id: u64,
        server: usize,
        reply: Option<Reply>,
    },
    /// A node waits no longer for this attempt.
    Timeout {
        node: usize,
        life: u32,
        id: u64,
        attempt: u32,
    },
    /// A node reads the feed, as it does at its pace.
    Poll {
        node: usize,
        life: u32,
    },
    /// A node reads the feed once more.
    Read {
        node: usize,
        life: u32,
    },
    /// A node brings its marks of activity.
    Flush {
        node: usize,
        life: u32,
    },
    /// A disk has written down what was given to it.
    Synced {
        node: usize,
        life: u32,
        batch: u64,
    },
    /// A request arrives at a node.
    Request {
        node: usize,
        request: Request,
    },
    /// An answer arrives at a client.
    Told {
        ticket: u64,
        client: usize,
        told: Told,
    },
    /// A client does something.
    Client(usize),
    /// A thief does something with what it took from this client.
    Thief(usize),
    Fault(Fault),
    /// The oracle looks at everything.
    Look,
}

/// Events in the order of their time, and of their making where that is the same.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    heap: BinaryHeap<Planned>,
    planned: u64,
}

#[derive(Debug)]
struct Planned {
    at: u64,
    number: u64,
    event: Event,
}

impl Queue {
    pub(crate) fn plan(&mut self, at: u64, event: Event) {
        self.planned += 1;
        self.heap.push(Planned { at, number: self.planned, event });
    }

    pub(crate) fn next(&mut self) -> Option<(u64, Event)> {
        self.heap.pop().map(|planned| (planned.at, planned.event))
    }
}

impl Ord for Planned {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Planned {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Planned {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Planned {}

impl Event {
    /// The node that it happens to.
    pub(crate) fn node(&self) -> Option<usize> {
        match self {
            Self::Request { node, .. } => Some(*node),
            _ => self.life().map(|(node, _)| node),
        }
    }

    /// The node and the life of it that it belongs to.
    pub(crate) fn life(&self) -> Option<(usize, u32)> {
        match *self {
            Self::Reply { node, life, .. }
            | Self::Timeout { node, life, .. }
            | Self::Poll { node, life }
            | Self::Read { node, life }
            | Self::Flush { node, life }
            | Self::Synced { node, life, .. } => Some((node, life)),
            _ => None,
        }
    }
}
