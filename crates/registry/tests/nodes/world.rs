//! One world: a seed, a queue of events, and everyone who takes part.

use std::collections::BTreeMap;

use countersign_token::Timestamp;

use crate::bugs::Bug;
use crate::client::Client;
use crate::clocks::Clocks;
use crate::event::{Event, Queue};
use crate::faults;
use crate::finish::Finish;
use crate::network::Network;
use crate::node::Node;
use crate::oracle::Oracle;
use crate::random::Random;
use crate::setting::{CALM, FAULTS, SKEW, Setting};
use crate::store::Store;
use crate::tally::Tally;

#[derive(Debug)]
pub(crate) struct World {
    pub(crate) setting: Setting,
    pub(crate) bug: Option<Bug>,
    pub(crate) random: Random,
    /// The true time, in milliseconds.
    pub(crate) now: u64,
    pub(crate) queue: Queue,
    pub(crate) network: Network,
    pub(crate) store: Store,
    pub(crate) nodes: Vec<Node>,
    pub(crate) clients: Vec<Client>,
    /// Operations whose entries are on their way to a disk.
    pub(crate) syncing: BTreeMap<(usize, u64), Finish>,
    pub(crate) oracle: Oracle,
    pub(crate) tally: Tally,
    /// The primary of the smaller side of a split.
    pub(crate) split_off: usize,
    /// Whether the next acknowledged end is followed by a crash.
    pub(crate) ambushed: bool,
    story: Story,
    numbers: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Planted {
    Yes,
    No,
}

/// Whether a world's story is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Story {
    Told,
    Untold,
}

impl World {
    pub(crate) fn new(seed: u64, story: Story) -> Self {
        let (random, setting) = Self::draw(seed);
        Self::of(seed, random, setting, None, story)
    }

    /// A world in which a bug can show, with the bug or, for comparison, without.
    pub(crate) fn with(seed: u64, bug: Bug, planted: Planted, story: Story) -> Self {
        let (random, setting) = Self::draw(seed);
        Self::of(seed, random, bug.suits(setting), (planted == Planted::Yes).then_some(bug), story)
    }

    fn draw(seed: u64) -> (Random, Setting) {
        let mut random = Random::new(seed.wrapping_mul(0x9e37_79b9));
        let setting = Setting::draw(&mut random);
        (random, setting)
    }

    fn of(seed: u64, mut random: Random, setting: Setting, bug: Option<Bug>, story: Story) -> Self {
        let mut world = Self {
            bug,
            now: 0,
            queue: Queue::default(),
            network: Network::new(setting.nodes, setting.servers),
            store: Store::new(setting.servers, setting.rules, bug, &mut random),
            nodes: Vec::new(),
            clients: (0..setting.clients).map(Client::new).collect(),
            syncing: BTreeMap::new(),
            oracle: Oracle::new(setting.nodes, setting.seats),
            split_off: 0,
            ambushed: false,
            tally: Tally::default(),
            story,
            numbers: 0,
            setting,
            random,
        };
        world.tell(|| format!("seed {seed}"));
        world.begin();
        world
    }

    fn begin(&mut self) {
        let setting = self.setting.clone();
        self.tell(|| format!("{setting:?}"));
        for node in 0..setting.nodes {
            let ahead = self.random.below(SKEW) as i64 - (SKEW / 2) as i64;
            self.nodes.push(Node::new(Clocks::ahead(ahead), 0));
            self.wake(node);
        }
        for client in 0..setting.clients {
            let at = 500 + self.random.below(3_000);
            self.plan(at, Event::Client(client));
        }
        faults::plan(self);
        self.plan(500, Event::Look);
        self.note_health();
    }

    /// A node has started: it follows the feed and flushes its marks from now on.
    pub(crate) fn wake(&mut self, node: usize) {
        let life = self.nodes[node].life;
        let (poll, flush) = (self.random.below(300), 3_000 + self.random.below(4_000));
        self.plan(poll, Event::Poll { node, life });
        self.plan(flush, Event::Flush { node, life });
    }

    /// Runs the world to its end, or to the first thing that must not happen.
    pub(crate) fn run(mut self) -> (Tally, Result<(), String>) {
        while let Some((at, event)) = self.queue.next()
            && at <= FAULTS + CALM
            && self.oracle.red.is_none()
        {
            self.now = at;
            self.tally.events += 1;
            self.happen(event);
        }
        self.judge_the_end();
        let verdict = self.oracle.red.map_or(Ok(()), Err);
        (self.tally, verdict)
    }

    fn happen(&mut self, event: Event) {
        if let Some(later) = self.frozen_until(&event) {
            return self.queue.plan(later, event);
        }
        if self.is_of_an_earlier_life(&event) {
            return;
        }
        match event {
            Event::Call { server, call } => self.called(server, call),
            Event::Waited { server, call, reply, steps } => self.waited(server, &call, reply, steps),
            Event::Reply { node, id, server, reply, .. } => self.replied(node, id, server, reply),
            Event::Timeout { node, id, attempt, .. } => self.timeout(node, id, attempt),
            Event::Poll { node, .. } => self.poll(node),
            Event::Read { node, .. } => self.read_feed(node),
            Event::Flush { node, .. } => self.flush(node),
            Event::Synced { node, batch, .. } => self.synced(node, batch),
            Event::Request { node, request } => self.requested(node, request),
            Event::Told { ticket, client, told } => self.heard_back(client, ticket, told),
            Event::Client(client) => self.client(client),
            Event::Thief(client) => self.thief(client),
            Event::Fault(fault) => self.strike(fault),
            Event::Look => self.look(),
        }
    }

    /// What is meant for a node that stands still waits until it goes on.
    fn frozen_until(&self, event: &Event) -> Option<u64> {
        let node = event.node()?;
        Some(self.nodes[node].frozen).filter(|&until| until > self.now)
    }

    fn is_of_an_earlier_life(&self, event: &Event) -> bool {
        event.life().is_some_and(|(node, life)| self.nodes[node].life != life || !self.nodes[node].up)
    }

    pub(crate) fn plan(&mut self, after: u64, event: Event) {
        self.queue.plan(self.now + after, event);
    }

    /// A number that nothing else has.
    pub(crate) fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// A clock that is right.
    pub(crate) fn clock(&self) -> Timestamp {
        Clocks::default().wall(self.now)
    }

    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        if self.story == Story::Told {
            println!("{:>7} {}", self.now, line());
        }
    }
}
