//! Fail-overs that lose any part of a history: what was acknowledged as ended is refused ever after, nobody else is hit, and
//! no seat is taken twice.

use std::collections::BTreeMap;
use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Base, Claim, Claimed, CountOf, End, EndReason, Entry, Fact, Heard,
    Holding, Ledger, Limits, NodeId, OnFull, Once, OnceId, OpId, Owner, Question, Rules, Standing, Target,
    Verdict, View,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};

use crate::random::{Random, cases};

const MINUTE: Duration = Duration::from_mins(1);
const NODES: usize = 3;
const SEATS: u64 = 4;

/// What the ledger looked like after an operation, and the facts up to then.
#[derive(Clone, Copy)]
struct Mark {
    facts: usize,
    position: FeedPosition,
    now: Timestamp,
}

struct Node {
    id: NodeId,
    heard: Heard,
    read_to: Option<FeedPosition>,
}

/// A session as it truly is, whatever registries forget.
#[derive(Clone, Debug)]
struct Truth {
    owner: Owner,
    born: FeedPosition,
    ended: bool,
    floor: u64,
    used: Option<OnceId>,
}

struct Trial {
    random: Random,
    now: Timestamp,
    ledger: Ledger,
    facts: Vec<Fact>,
    marks: Vec<Mark>,
    nodes: Vec<Node>,
    sessions: BTreeMap<SessionId, Truth>,
    /// Whether all nodes came in time at every fail-over so far.
    in_time: bool,
    happened: [u32; 5],
}

#[test]
fn what_is_ended_stays_ended_whatever_is_lost() {
    let mut happened = [0; 5];
    for seed in 0..cases(800) {
        let mut trial = Trial::new(seed);
        for step in 0..40 {
            trial.step().unwrap_or_else(|what| panic!("seed {seed}, step {step}: {what}"));
        }
        for (all, times) in happened.iter_mut().zip(trial.happened) {
            *all += times;
        }
    }
    assert!(
        happened.iter().all(|&times| times > 50),
        "trials in which little happened prove little: {happened:?}"
    );
}

fn check(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}

impl Trial {
    fn new(seed: u64) -> Self {
        let now = Timestamp::from_secs(1_800_000_000);
        let mut random = Random::new(seed);
        let rule = if random.chance(50) { OnFull::Refuse } else { OnFull::EndOldest };
        let rules = Rules { limits: Limits::none().per_site(SEATS as u32, rule), ..Rules::default() };
        let node = |number| Node { id: NodeId([number; 16]), heard: Heard::new(), read_to: None };
        let mut trial = Self {
            random,
            now,
            ledger: Ledger::new(rules, 0),
            facts: Vec::new(),
            marks: Vec::new(),
            nodes: (0..NODES as u8).map(node).collect(),
            sessions: BTreeMap::new(),
            in_time: true,
            happened: [0; 5],
        };
        trial.on_ledger(|ledger, now, facts| ledger.begin_epoch(0, now, facts));
        for node in 0..NODES {
            trial.beat(node);
            trial.read(node);
        }
        trial
    }

    fn on_ledger<T>(&mut self, operation: impl FnOnce(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T) -> T {
        let outcome = operation(&mut self.ledger, self.now, &mut self.facts);
        let (position, now) = (self.ledger.position(), self.ledger.now());
        self.marks.push(Mark { facts: self.facts.len(), position, now });
        outcome
    }

    fn step(&mut self) -> Result<(), String> {
        let node = self.random.below(NODES as u64) as usize;
        match self.random.below(100) {
            0..30 => self.admit(node)?,
            30..45 => self.end(node),
            45..52 => self.advance(node),
            52..60 => self.once(node),
            60..72 => self.read(node),
            72..78 => self.beat(node),
            78..90 => self.now = self.now.after(self.random.time(Duration::from_millis(900))),
            _ => {
                self.fail_over()?;
                return self.compare();
            }
        }
        if self.random.chance(15) { self.compare() } else { self.seats() }
    }

    fn owner(&mut self) -> Owner {
        Owner::new(["ada", "bob"][self.random.below(2) as usize])
            .of_tenant(["acme", "other"][self.random.below(2) as usize])
    }

    fn any(&mut self) -> Option<SessionId> {
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        self.random.one_of(&ids).copied()
    }

    fn learn(&mut self, node: usize, entries: &[Entry]) {
        self.nodes[node].heard.note(entries, self.ledger.position().epoch);
        for entry in entries {
            if let countersign_registry::News::Ended(id, _) = &entry.news
                && let Some(truth) = self.sessions.get_mut(id)
            {
                truth.ended = true;
            }
        }
    }

    fn admit(&mut self, node: usize) -> Result<(), String> {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let admit = Admit::new(SessionId::from_bytes(id), self.owner());
        match self.on_ledger(|ledger, now, facts| ledger.admit(admit, now, facts)) {
            Admitted::Seated(seated) => {
                self.learn(node, &seated.entries);
                self.nodes[node].heard.note_admission(&seated.record);
                let (owner, born) = (seated.record.owner, seated.record.born);
                let truth = Truth { owner, born, ended: false, floor: 0, used: None };
                self.sessions.insert(seated.record.id, truth);
                Ok(())
            }
            Admitted::Full(_) => Ok(()),
            other => Err(format!("a login was answered {other:?}")),
        }
    }

    fn end(&mut self, node: usize) {
        let (owner, Some(id)) = (self.owner(), self.any()) else { return };
        let target = match self.random.below(12) {
            0 => Target::Everyone,
            1..3 => Target::Tenant(owner.tenant.clone().unwrap_or_default()),
            3..5 => Target::Owner(owner, None),
            5..7 => Target::Owner(self.sessions[&id].owner.clone(), Some(id)),
            _ => Target::Sessions(vec![id]),
        };
        for (other, truth) in &mut self.sessions {
            truth.ended |= match &target {
                Target::Sessions(ids) => ids.contains(other),
                Target::Owner(owner, except) => truth.owner == *owner && Some(*other) != *except,
                Target::Tenant(tenant) => truth.owner.tenant.as_ref() == Some(tenant),
                _ => true,
            };
        }
        let mut op = [0; 16];
        op[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let end = End { id: OpId(op), target, reason: EndReason::Logout };
        let ended = self.on_ledger(|ledger, now, facts| ledger.end(end, now, facts));
        self.learn(node, &ended.entries);
    }

    fn advance(&mut self, node: usize) {
        let Some(session) = self.any() else { return };
        let advance = Advance { session, base: Base::Reset, known: 0, memo: None };
        let advanced = self.on_ledger(|ledger, now, facts| ledger.advance_version(advance, now, facts));
        if let Advanced::Set { exclusive, entries, .. } = advanced {
            self.learn(node, &entries);
            if let Some(truth) = self.sessions.get_mut(&session) {
                truth.floor = truth.floor.max(exclusive);
            }
        }
    }

    /// A one-time id is used up, and kept with some session to be asked for later.
    fn once(&mut self, node: usize) {
        let Some(session) = self.any() else { return };
        let mut id = [0; 32];
        id[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let (id, until) = (OnceId(id), self.now.after(10 * MINUTE));
        let once = Once { id, until, of: None, claim: Claim::UseUp };
        if self.on_ledger(|ledger, now, facts| ledger.once(once, now, facts)) == Claimed::First {
            let (epoch, at) = (self.ledger.position().epoch, self.ledger.now());
            self.nodes[node].heard.note_once(id, until, epoch, at);
            if let Some(truth) = self.sessions.get_mut(&session) {
                truth.used = Some(id);
            }
        }
    }

    fn beat(&mut self, node: usize) {
        let id = self.nodes[node].id;
        self.on_ledger(|ledger, now, facts| ledger.heartbeat(id, now, facts));
    }

    fn read(&mut self, node: usize) {
        let after = self.nodes[node].read_to;
        let batch = self.on_ledger(|ledger, now, facts| ledger.entries_after(after, now, facts));
        self.learn(node, &batch.entries);
        let heard = &mut self.nodes[node].heard;
        if heard.settled() == 0 {
            heard.settle(self.ledger.history());
        }
        heard.expire(batch.at);
        self.nodes[node].read_to = Some(batch.complete_to);
    }

    /// The data is as it was some operations ago, or gone; the nodes find out in some order, and say what they know, some of
    /// them more than once, some too late.
    fn fail_over(&mut self) -> Result<(), String> {
        let lost = self.random.below(self.marks.len().min(25) as u64) as usize;
        let mark = self.marks[self.marks.len() - 1 - lost];
        self.marks.truncate(self.marks.len() - lost);
        self.facts.truncate(mark.facts);
        self.ledger = Ledger::restore(*self.ledger.rules(), mark.position, mark.now, self.facts.clone());
        self.now = self.now.after(self.random.time(Duration::from_secs(2)));
        let known = self.nodes.iter().map(|node| node.heard.settled()).max().unwrap_or_default();
        self.on_ledger(|ledger, now, facts| ledger.begin_epoch(known, now, facts));
        self.happened[0] += 1;

        let late = self.random.chance(15).then(|| self.random.below(NODES as u64) as usize);
        let mut order: Vec<usize> = (0..NODES).collect();
        order.sort_by_key(|_| self.random.next());
        for node in order.into_iter().filter(|&node| Some(node) != late) {
            if self.random.chance(30) && self.ledger.is_recovering(self.now) {
                self.end(node);
                self.happened[1] += 1;
            }
            self.tell(node)?;
            if self.random.chance(20) {
                // The data is lost once more, in the middle of it.
                return self.fail_over();
            }
        }
        if let Some(node) = late {
            self.in_time = false;
            self.now = self.now.after(Duration::from_secs(6));
            for _ in 0..self.random.below(5) {
                let other = (node + 1) % NODES;
                self.admit(other)?;
                self.end(other);
                self.seats()?;
            }
            self.tell(node)?;
            self.happened[2] += 1;
        }
        check(!self.ledger.is_recovering(self.now.after(Duration::from_secs(5))), || {
            "it never recovers".into()
        })?;
        if self.ledger.is_recovering(self.now) {
            self.now = self.now.after(Duration::from_secs(5));
        }
        Ok(())
    }

    /// A node's part of a recovery.
    fn tell(&mut self, node: usize) -> Result<(), String> {
        // Nobody waits for a node whose first word was lost.
        self.in_time &= self.ledger.is_recovering(self.now);
        for _ in 0..=self.random.below(2) {
            let missing = self.nodes[node].heard.missing(self.ledger.history());
            let lost = self.nodes[node].heard.lost(self.ledger.history());
            self.happened[3] += missing.len() as u32;
            self.happened[4] += lost.len() as u32;
            let chunk = self.random.below(4) as usize + 1;
            for some in missing.chunks(chunk) {
                let told = self.on_ledger(|ledger, now, facts| ledger.republish(some, now, facts));
                self.learn(node, &told);
                self.seats()?;
            }
            for some in lost.chunks(chunk) {
                self.on_ledger(|ledger, now, facts| ledger.restore_lost(some.to_vec(), now, facts));
                self.seats()?;
            }
        }
        let id = self.nodes[node].id;
        self.on_ledger(|ledger, now, facts| ledger.recovered(id, now, facts));
        self.nodes[node].heard.settle(self.ledger.history());
        self.read(node);
        self.seats()
    }

    fn seats(&mut self) -> Result<(), String> {
        let now = self.now;
        let counts = self.ledger.counts(&CountOf::Site, now, &mut self.facts.clone());
        check(counts.seats <= SEATS, || format!("{} seats are taken", counts.seats))
    }

    /// What has ended is refused by the registry, and by a view that has just read all of the feed; all else lives.
    fn compare(&mut self) -> Result<(), String> {
        self.seats()?;
        let ids: Vec<SessionId> = self.sessions.keys().copied().collect();
        let standings = self.on_ledger(|ledger, now, facts| ledger.get(&ids, now, facts));
        let batch = self.on_ledger(|ledger, now, facts| ledger.entries_after(None, now, facts));
        let view = View::new();
        view.apply_all(&batch.entries);
        for (id, standing) in ids.iter().zip(standings) {
            let truth = self.sessions[id].clone();
            let question = Question {
                session: id,
                born: truth.born,
                subject: &truth.owner.subject,
                tenant: truth.owner.tenant.as_deref(),
                kid: "k",
            };
            let refused = view.judge(&question) != Verdict::Clear;
            let lives = matches!(standing, Standing::Live(..));
            let wrong =
                || format!("{id:?} {truth:?} is {standing:?}, refused: {refused}\n{:#?}", batch.entries);
            check(!truth.ended || !lives && refused, wrong)?;
            check(truth.ended || !self.in_time || lives && !refused, wrong)?;
            if let Standing::Live(record, holding) = &standing {
                check(record.exclusive >= truth.floor, || format!("{truth:?} is at {}", record.exclusive))?;
                check(!self.in_time || *holding == Holding::Seat, || format!("{id:?} lost its seat"))?;
            }
            if let Some(id) = truth.used {
                let once = Once { id, until: self.now.after(MINUTE), of: None, claim: Claim::LookOnly };
                let claimed = self.on_ledger(|ledger, now, facts| ledger.once(once, now, facts));
                check(claimed == Claimed::Spent, || format!("{id:?} is good once more"))?;
            }
        }
        Ok(())
    }
}
