//! The replicated store: which server is the primary, what replicas have of its log, what is lost when it fails.

use std::rc::Rc;

use countersign_registry::Rules;

use crate::bugs::Bug;
use crate::clocks::Clocks;
use crate::op::Call;
use crate::random::Random;
use crate::server::{Reply, Server};

/// Servers of one registry. There is one primary that counts; another may go on for a while and not know it.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) servers: Vec<Server>,
    links: Vec<Option<Link>>,
    pub(crate) primary: usize,
    /// The primary before, which each node is still told of until then.
    former: (usize, Vec<u64>),
    histories: u64,
    rules: Rules,
    bug: Option<Bug>,
}

/// How a replica follows its primary.
#[derive(Clone, Copy, Debug)]
struct Link {
    primary: usize,
    /// How long it takes until an operation is there.
    lag: u64,
    /// Since when nothing comes any more.
    cut: Option<u64>,
}

/// How long after a promotion the former primary may still be named by those who are asked.
const HEARSAY: u64 = 2_500;
/// How many nodes ask for it, at most.
const ASKED: usize = 8;

impl Store {
    pub(crate) fn new(servers: usize, rules: Rules, bug: Option<Bug>, random: &mut Random) -> Self {
        let clocks = |random: &mut Random| Clocks::ahead(random.below(2_000) as i64 - 1_000);
        let mut store = Self {
            servers: (0..servers).map(|_| Server::new(clocks(random))).collect(),
            links: vec![None; servers],
            primary: 0,
            former: (0, Vec::new()),
            histories: 0,
            rules,
            bug,
        };
        store.begin(0);
        for replica in 1..servers {
            store.follow(replica, random.below(20));
        }
        store
    }

    /// A server starts to write a history of its own, from what its log says.
    fn begin(&mut self, server: usize) {
        self.histories += 1;
        self.links[server] = None;
        self.servers[server].promote(self.histories, self.rules, self.bug);
    }

    /// How many replicas there should be.
    pub(crate) fn replicas(&self) -> usize {
        self.servers.len() - 1
    }

    /// A server becomes a replica of the primary, with a copy of all it has.
    pub(crate) fn follow(&mut self, replica: usize, lag: u64) {
        if replica == self.primary || !self.servers[replica].up {
            return;
        }
        let log = self.servers[self.primary].log.clone();
        let server = &mut self.servers[replica];
        server.demote();
        server.log = log;
        self.links[replica] = Some(Link { primary: self.primary, lag, cut: None });
    }

    pub(crate) fn carry_out(&mut self, server: usize, call: &Call, now: u64) -> Option<Reply> {
        self.servers[server].carry_out(call, now, self.bug)
    }

    /// How many replicas have all of a primary's log, up to its so-manieth step.
    pub(crate) fn acks(&mut self, primary: usize, steps: usize, now: u64) -> usize {
        for replica in 0..self.servers.len() {
            self.catch_up(replica, now);
        }
        let follows = |replica: &usize| self.links[*replica].is_some_and(|link| link.primary == primary);
        let has = |replica: &usize| self.servers[*replica].up && self.servers[*replica].log.len() >= steps;
        (0..self.servers.len()).filter(follows).filter(has).count()
    }

    /// Brings a replica to where it is by now.
    fn catch_up(&mut self, replica: usize, now: u64) {
        let Some(link) = self.links[replica].filter(|_| self.servers[replica].up) else { return };
        let until = link.cut.map_or(now, |cut| cut.min(now));
        let known = self.servers[replica].log.len();
        let news = self.servers[link.primary].log.get(known..).unwrap_or_default();
        let news: Vec<_> =
            news.iter().take_while(|step| step.at + link.lag <= until).map(Rc::clone).collect();
        self.servers[replica].log.extend(news);
    }

    /// Nothing comes from the primary any more.
    pub(crate) fn cut_replicas(&mut self, now: u64) {
        for link in self.links.iter_mut().flatten().filter(|link| link.cut.is_none()) {
            link.cut = Some(now);
        }
    }

    /// Replicas come back to the primary.
    pub(crate) fn mend_replicas(&mut self, random: &mut Random) {
        for server in 0..self.servers.len() {
            if self.links[server].is_none_or(|link| link.cut.is_some() || link.primary != self.primary) {
                self.follow(server, random.below(30));
            }
        }
    }

    /// The primary fails, and with it whatever is under way from it.
    pub(crate) fn kill(&mut self, now: u64) {
        for replica in 0..self.servers.len() {
            self.catch_up(replica, now);
        }
        self.cut_replicas(now);
        self.servers[self.primary].up = false;
    }

    /// How long it takes until all replicas have what the primary has now.
    pub(crate) fn lag(&self) -> u64 {
        self.links.iter().flatten().map(|link| link.lag).max().unwrap_or(0)
    }

    /// A replica that was stopped and goes on: all that was sent to it was waiting for it.
    pub(crate) fn drain(&mut self, now: u64) {
        for link in self.links.iter_mut().flatten() {
            link.lag = 0;
            link.cut = Some(now);
        }
    }

    /// A replica takes the primary's place; tells how many steps are lost with that. The others follow it when they are
    /// brought back, the former primary when it is found out.
    pub(crate) fn fail_over(&mut self, random: &mut Random, now: u64) -> Option<usize> {
        let followers: Vec<usize> = (0..self.servers.len())
            .filter(|&server| self.links[server].is_some_and(|link| link.primary == self.primary))
            .collect();
        let &chosen = random.one_of(&followers)?;
        self.catch_up(chosen, now);
        let lost = self.servers[self.primary].log.len() - self.servers[chosen].log.len();
        let until = |_| now + random.below(HEARSAY);
        self.former = (self.primary, (0..ASKED).map(until).collect());
        self.primary = chosen;
        self.begin(chosen);
        Some(lost)
    }

    /// The primary starts again, from what it had written down by then; tells how many steps are lost with that.
    pub(crate) fn restart(&mut self, written: u64) -> usize {
        let server = &mut self.servers[self.primary];
        let before = server.log.len();
        server.log.retain(|step| step.at <= written);
        server.up = true;
        let lost = before - server.log.len();
        self.begin(self.primary);
        lost
    }

    /// All that there was is lost.
    pub(crate) fn lose_everything(&mut self) {
        let server = &mut self.servers[self.primary];
        server.log.clear();
        server.up = true;
        self.begin(self.primary);
    }

    /// Which server is the primary, as a node is told by those who watch.
    pub(crate) fn named(&self, node: usize, now: u64) -> usize {
        if self.former.1.get(node).is_some_and(|&until| now < until) { self.former.0 } else { self.primary }
    }

    pub(crate) fn is_true_primary(&self, server: usize) -> bool {
        server == self.primary
    }

    /// Whether the registry serves.
    pub(crate) fn is_open(&self, now: u64) -> bool {
        let server = &self.servers[self.primary];
        server.up && server.is_open(now)
    }

    pub(crate) fn epoch(&self) -> Option<u64> {
        self.servers[self.primary].epoch()
    }
}
