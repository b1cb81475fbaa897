//! What one world is like: its rules, how many take part, what may go wrong in it. All of it comes from the seed.

use std::time::Duration;

use countersign_registry::{Limits, OnFull, Rules};

use crate::random::Random;

/// How old a view may be, in milliseconds.
pub(crate) const BOUND: u64 = 5_000;
/// How long things go wrong, and how long they go right afterwards.
pub(crate) const FAULTS: u64 = 70_000;
pub(crate) const CALM: u64 = 22_000;

pub(crate) const LIFETIME: u64 = 20_000;
pub(crate) const WINDOW: u64 = 9_000;
pub(crate) const DANGLING: u64 = 30_000;
/// How far any clock is off, at most.
pub(crate) const SKEW: u64 = 2_000;

#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) kind: Kind,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) policy: Policy,
    pub(crate) proof: Proof,
    pub(crate) rules: Rules,
    /// Seats, and of whom.
    pub(crate) seats: u32,
    pub(crate) nodes: usize,
    pub(crate) servers: usize,
    pub(crate) clients: usize,
    /// How often of a hundred times a client that pauses does so for long.
    pub(crate) sleepy: u64,
}

/// What may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The network alone.
    Weather,
    /// Nodes crash, freeze and are cut off; the registry keeps its history.
    Nodes,
    /// The registry loses its last steps, while no node fails.
    FailOvers,
    /// One server without replicas: it restarts, from an older copy or from nothing too.
    Alone,
    /// Two servers believe to be the primary for a while.
    SplitBrain,
    /// The primary stands still, and goes on after another one took its place.
    Frozen,
    /// A node crashes as soon as it has acknowledged an end, and the primary fails, with replicas that lack it.
    Ambush,
    /// All of that at once.
    Everything,
}

/// When an operation is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Acknowledge {
    Written,
    /// Once all replicas have it.
    Replicated,
}

/// What a node does with a request while its view is too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Policy {
    CheckRegistry,
    FailClosed,
    ServeUntilExpiry,
}

/// What proves that an answer comes from the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Proof {
    /// All replicas have what was written after the question.
    Replicas,
    /// That, or else that most of those who watch still name it.
    Hearsay,
}

impl Setting {
    pub(crate) fn draw(random: &mut Random) -> Self {
        const KINDS: [Kind; 10] = [
            Kind::Weather,
            Kind::Nodes,
            Kind::FailOvers,
            Kind::FailOvers,
            Kind::Alone,
            Kind::SplitBrain,
            Kind::Frozen,
            Kind::Ambush,
            Kind::Everything,
            Kind::Everything,
        ];
        let kind = KINDS[random.below(10) as usize];
        let clients = 5 + random.below(3) as usize;
        let (limits, seats) = limits(random, clients);
        let mut setting = Self {
            kind,
            acknowledge: if random.chance(40) { Acknowledge::Replicated } else { Acknowledge::Written },
            policy: [Policy::CheckRegistry, Policy::FailClosed, Policy::ServeUntilExpiry]
                [random.below(3) as usize],
            proof: if random.chance(30) { Proof::Hearsay } else { Proof::Replicas },
            rules: rules(limits),
            seats,
            nodes: 2 + random.below(2) as usize,
            servers: 2 + random.below(2) as usize,
            clients,
            sleepy: 2,
        };
        if kind == Kind::Alone {
            // Without replicas, what is acknowledged is written on the one server there is.
            setting =
                Self { servers: 1, acknowledge: Acknowledge::Written, proof: Proof::Replicas, ..setting };
        }
        setting
    }

    /// Whether the registry goes on from where it was, whatever else fails.
    pub(crate) fn keeps_history(&self) -> bool {
        matches!(self.kind, Kind::Weather | Kind::Nodes)
    }

    /// Whether one thing fails at a time: then nothing acknowledged may be late, and nobody is logged out.
    pub(crate) fn single_faults(&self) -> bool {
        matches!(self.kind, Kind::Weather | Kind::Nodes | Kind::FailOvers)
    }
}

/// A limit that is full now and then; of the whole site, so that it can be told who holds a seat.
fn limits(random: &mut Random, clients: usize) -> (Limits, u32) {
    let seats = clients as u32 - 1 - random.below(2) as u32;
    match random.below(4) {
        0 => (Limits::none(), u32::MAX),
        1 => (Limits::none().per_site(seats, OnFull::EndLeastRecent), seats),
        _ => (Limits::none().per_site(seats, OnFull::Refuse), seats),
    }
}

fn rules(limits: Limits) -> Rules {
    Rules {
        race_window: Duration::from_millis(WINDOW),
        dangling_after: Duration::from_millis(DANGLING),
        idle_timeout: Duration::from_mins(10),
        access_lifetime: Duration::from_millis(LIFETIME),
        clock_skew: Duration::from_millis(SKEW),
        limits,
    }
}
