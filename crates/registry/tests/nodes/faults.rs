//! What goes wrong, and when: planned at the beginning, by what kind of world it is.

use crate::bugs::Bug;
use crate::event::Event;
use crate::oracle::Loss;
use crate::setting::{FAULTS, Kind};
use crate::world::World;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    Crash(usize),
    Start(usize),
    /// A node stands still for so long.
    Freeze {
        node: usize,
        time: u64,
        clock: Clock,
    },
    /// A node cannot reach any server.
    Cut(usize),
    Mend(usize),
    BreakDisk(usize),
    MendDisk(usize),
    /// So many messages of a hundred are lost.
    Loss(u64),
    StepClock {
        by: i64,
    },
    /// Nothing reaches the replicas any more.
    CutReplicas,
    /// Replicas are stopped and go on later: nothing is lost by that.
    StopReplicas,
    MendReplicas,
    Kill,
    FreezePrimary(u64),
    Promote,
    /// The primary and some nodes are on one side, everybody else on the other.
    Split {
        side: u64,
    },
    Heal {
        side: u64,
    },
    /// The primary starts again, with what it had written by then.
    Restart {
        written: u64,
    },
    LoseEverything,
    /// From now on, an acknowledgement is followed by a crash.
    Ambush,
    /// Somebody has come back.
    Thaw,
    Calm,
}

/// What a node's boot-time clock does while it stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Clock {
    Runs,
    Stops,
}

/// Plans everything that goes wrong in a world.
pub(crate) fn plan(world: &mut World) {
    let kind = world.setting.kind;
    world.plan(FAULTS, Event::Fault(Fault::Calm));
    let mut at = 5_000 + world.random.below(10_000);
    while at < FAULTS - 28_000 {
        at += match kind {
            Kind::Weather => weather(world, at),
            Kind::Nodes => node_fault(world, at),
            Kind::FailOvers | Kind::Frozen => fail_over(world, at),
            Kind::Ambush => ambush(world, at),
            Kind::Alone => alone(world, at),
            Kind::SplitBrain => split(world, at),
            Kind::Everything => anything(world, at),
        };
    }
}

fn anything(world: &mut World, at: u64) -> u64 {
    let time = match world.random.below(10) {
        0 => weather(world, at),
        1 => split(world, at),
        2..5 => fail_over(world, at),
        _ => node_fault(world, at),
    };
    // Faults overlap, but no two changes of the history do.
    if time > 15_000 { time } else { world.random.below(6_000) }
}

fn weather(world: &mut World, at: u64) -> u64 {
    let (loss, time) = (5 + world.random.below(20), 2_000 + world.random.below(8_000));
    world.fault(at, Fault::Loss(loss));
    world.fault(at + time, Fault::Loss(1));
    if world.random.chance(50) {
        let by = world.random.below(2_000) as i64 - 1_000;
        world.fault(at + 1, Fault::StepClock { by });
    }
    time + world.random.below(5_000)
}

fn node_fault(world: &mut World, at: u64) -> u64 {
    let node = world.random.below(world.nodes.len() as u64) as usize;
    let time = 500 + world.random.below(14_000);
    match world.random.below(5) {
        0 | 1 => {
            world.fault(at, Fault::Crash(node));
            world.fault(at + time, Fault::Start(node));
        }
        2 => {
            let clock = if world.random.chance(50) { Clock::Runs } else { Clock::Stops };
            world.fault(at, Fault::Freeze { node, time, clock });
            world.fault(at + time, Fault::Thaw);
        }
        3 => {
            world.fault(at, Fault::Cut(node));
            world.fault(at + time, Fault::Mend(node));
        }
        _ => {
            world.fault(at, Fault::BreakDisk(node));
            world.fault(at + time, Fault::MendDisk(node));
            // It is a wretched machine.
            world.fault(at + time / 2, Fault::Crash(node));
            world.fault(at + time / 2 + 2_000, Fault::Start(node));
        }
    }
    time + world.random.below(5_000)
}

/// The primary fails, or stands still, and a replica takes its place; often without the last steps.
fn fail_over(world: &mut World, at: u64) -> u64 {
    let tail = if world.random.chance(70) { world.random.below(6_000) } else { 0 };
    let down = at + tail;
    if world.bug == Some(Bug::StoppedReplicas) {
        world.fault(at, Fault::StopReplicas);
        world.fault(down, Fault::StopReplicas);
    } else if tail > 0 {
        world.fault(at, Fault::CutReplicas);
    }
    let promoted = down + 1_000 + world.random.below(3_000);
    let found_out = promoted + 1_500 + world.random.below(4_000);
    // One that only stands still goes on later, as if nothing had happened: that splits the registry.
    let kind = world.setting.kind;
    if kind != Kind::Frozen && (kind == Kind::FailOvers || world.random.chance(70)) {
        world.fault(down, Fault::Kill);
    } else {
        let time = promoted - down + world.random.below(1_500);
        world.fault(down, Fault::FreezePrimary(time));
    }
    world.fault(promoted, Fault::Promote);
    world.fault(found_out, Fault::MendReplicas);
    found_out - at + 15_000 + world.random.below(8_000)
}

/// Two primaries at once, each with its own clients.
fn split(world: &mut World, at: u64) -> u64 {
    let side = 1 + world.random.below((1 << world.nodes.len()) - 2);
    let promoted = at + 1_500 + world.random.below(2_000);
    let healed = promoted + 500 + world.random.below(15_000);
    world.fault(at, Fault::Split { side });
    world.fault(promoted, Fault::Promote);
    let found_out = healed + world.random.below(2_000);
    world.fault(healed, Fault::Heal { side });
    world.fault(found_out, Fault::MendReplicas);
    found_out - at + 12_000 + world.random.below(8_000)
}

/// The next end that is acknowledged is the issuer's last deed, and the primary's.
fn ambush(world: &mut World, at: u64) -> u64 {
    let broken = if world.random.chance(50) { 4_000 } else { 0 };
    for node in 0..world.nodes.len() {
        world.fault(at, Fault::BreakDisk(node));
        world.fault(at + broken, Fault::MendDisk(node));
    }
    world.fault(at, Fault::CutReplicas);
    world.fault(at + 1, Fault::Ambush);
    world.fault(at + 12_000, Fault::MendReplicas);
    40_000
}

/// The only server restarts: with everything, without its last second, from an older copy, or with nothing.
fn alone(world: &mut World, at: u64) -> u64 {
    let back = at + 5 + world.random.below(3_000);
    world.fault(at, Fault::Kill);
    let age = match world.random.below(8) {
        0 => {
            world.fault(back, Fault::LoseEverything);
            return 20_000 + world.random.below(8_000);
        }
        1 | 2 => 0,
        3..6 => world.random.below(1_000),
        _ => world.random.below(12_000),
    };
    world.fault(back, Fault::Restart { written: at.saturating_sub(age).max(2_000) });
    14_000 + world.random.below(10_000)
}

impl World {
    fn fault(&mut self, at: u64, fault: Fault) {
        self.queue.plan(at, Event::Fault(fault));
    }

    pub(crate) fn strike(&mut self, fault: Fault) {
        self.tell(|| format!("*** {fault:?}"));
        match fault {
            Fault::Crash(node) => self.crash(node),
            Fault::Start(node) => self.start(node),
            Fault::Freeze { node, time, clock } => {
                self.tally.freezes += 1;
                let here = &mut self.nodes[node];
                here.frozen = here.frozen.max(self.now + time);
                if clock == Clock::Stops {
                    here.clocks.freeze(time);
                }
            }
            Fault::Cut(node) => {
                self.tally.cuts += 1;
                (0..self.store.servers.len()).for_each(|server| self.network.cut(node, server));
            }
            Fault::Mend(node) => {
                (0..self.store.servers.len()).for_each(|server| self.network.mend(node, server));
            }
            Fault::BreakDisk(node) => self.nodes[node].disk.broken = true,
            Fault::MendDisk(node) => self.nodes[node].disk.broken = false,
            Fault::Loss(loss) => self.network.loss = loss,
            Fault::Thaw => {}
            Fault::Ambush => self.ambushed = true,
            Fault::Calm => self.calm_down(),
            _ => self.strike_store(fault),
        }
        self.note_health();
    }

    fn strike_store(&mut self, fault: Fault) {
        let primary = self.store.primary;
        match fault {
            Fault::StepClock { by } => {
                self.tally.clock_steps += 1;
                self.store.servers[primary].clocks.ahead = by;
            }
            Fault::CutReplicas => self.store.cut_replicas(self.now),
            Fault::StopReplicas => self.store.drain(self.now),
            Fault::MendReplicas => {
                self.store.servers.iter_mut().for_each(|server| server.up = true);
                self.store.mend_replicas(&mut self.random);
            }
            Fault::Kill => self.store.kill(self.now),
            Fault::FreezePrimary(time) => self.store.servers[primary].frozen = self.now + time,
            Fault::Promote => self.promote(),
            Fault::Split { side } => self.split(side),
            Fault::Heal { side } => self.heal(side),
            Fault::Restart { written } => {
                self.tally.restarts += 1;
                self.change(Loss::Tail);
                let lost = self.store.restart(written);
                self.tally.older_copies += usize::from(lost > 20);
                self.lost(lost);
            }
            Fault::LoseEverything => {
                self.tally.total_losses += 1;
                self.change(Loss::Everything);
                self.store.lose_everything();
            }
            _ => {}
        }
    }

    /// Whoever acknowledged an end is gone at once, and so is the primary: nobody else has heard of it.
    pub(crate) fn spring_ambush(&mut self, node: usize) {
        if std::mem::take(&mut self.ambushed) {
            let (now, later) = (self.now, 1_000 + self.random.below(8_000));
            self.fault(now, Fault::Crash(node));
            self.fault(now, Fault::Kill);
            self.fault(now + 2_000, Fault::Promote);
            self.fault(now + 4_000, Fault::MendReplicas);
            self.fault(now + later, Fault::Start(node));
        }
    }

    fn crash(&mut self, node: usize) {
        if self.nodes[node].up {
            self.tally.crashes += 1;
            self.nodes[node].crash();
            self.syncing.retain(|(of, _), _| *of != node);
        }
    }

    fn start(&mut self, node: usize) {
        if !self.nodes[node].up {
            let server = self.store.named(node, self.now);
            self.nodes[node].start(server);
            self.wake(node);
        }
    }

    fn promote(&mut self) {
        self.change(Loss::Tail);
        if let Some(lost) = self.store.fail_over(&mut self.random, self.now) {
            self.tally.fail_overs += 1;
            self.lost(lost);
        }
    }

    fn lost(&mut self, steps: usize) {
        self.tell(|| format!("*** {steps} steps are lost"));
        self.tally.lost_tails += usize::from(steps > 0);
        self.tally.lost_steps += steps;
    }

    fn change(&mut self, loss: Loss) {
        let knew = self.who_knows();
        self.oracle.changed(self.now, loss, knew);
    }

    /// The primary is left alone with the nodes of its side.
    fn split(&mut self, side: u64) {
        self.tally.splits += 1;
        self.store.cut_replicas(self.now);
        self.split_off = self.store.primary;
        for node in 0..self.nodes.len() {
            for server in 0..self.store.servers.len() {
                if (server == self.split_off) != is_on(side, node) {
                    self.network.cut(node, server);
                }
            }
            if is_on(side, node) {
                self.network.lead_astray(node);
            }
        }
    }

    fn heal(&mut self, side: u64) {
        for node in 0..self.nodes.len() {
            for server in 0..self.store.servers.len() {
                if (server == self.split_off) != is_on(side, node) {
                    self.network.mend(node, server);
                }
            }
            if is_on(side, node) {
                self.network.guide(node);
            }
        }
    }

    /// Nothing goes wrong any more.
    fn calm_down(&mut self) {
        self.network.loss = 1;
        for node in 0..self.nodes.len() {
            self.start(node);
            self.nodes[node].disk.broken = false;
        }
    }

    /// Who could do its part from now on.
    pub(crate) fn note_health(&mut self) {
        let primary = self.store.primary;
        let server = &self.store.servers[primary];
        let serves = server.up && server.frozen <= self.now && self.network.loss < 5;
        for node in 0..self.nodes.len() {
            let here = &self.nodes[node];
            let awake = here.up && here.frozen <= self.now;
            let connected = self.network.reaches(node, primary) && self.network.is_guided(node);
            self.oracle.health(node, serves && awake && connected, self.now);
        }
    }
}

fn is_on(side: u64, node: usize) -> bool {
    side >> node & 1 == 1
}
