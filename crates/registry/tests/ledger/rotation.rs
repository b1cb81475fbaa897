//! Rotation against a bad network and a thief.
//!
//! A browser with several tabs, which share one refresh cookie, refreshes over a network that loses, repeats, delays and
//! reorders, while updates are in flight and, in some cases, the registry forgets its last steps. Nobody honest is ever
//! logged out while each exchange lasts at most a third of the race window; and from the honest client's second use-up
//! after a theft on, no token of the thief works.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};
use std::time::Duration;

use countersign_registry::rotation::{Presented, Verdict, judge};
use countersign_registry::{
    Activity, Admit, Admitted, Advance, AdvanceMemo, Advanced, Base, Digest, EndReason, Fact, Ledger,
    Lifetime, Owner, Rotate, Rotated, Rules,
};
use countersign_token::{RotationId, SessionId, Timestamp};

use crate::random::{Random, cases};

const WINDOW: u64 = 60_000;
const EXCHANGE: u64 = WINDOW / 3;
const SESSION: SessionId = SessionId::from_bytes([7; 16]);
const START: u64 = 1_800_000_000_000;

#[test]
fn nobody_honest_is_logged_out_and_no_thief_stays() {
    let mut caught = 0;
    let cases = cases(10_000);
    for seed in 0..cases {
        let kind = match seed % 5 {
            0 | 1 => Kind::Honest,
            2 => Kind::Forgetful,
            _ => Kind::Theft,
        };
        caught += u64::from(World::new(seed, kind).run());
    }
    // A property that never saw a thief caught would prove nothing.
    assert!(caught > cases / 5, "only {caught} thieves were caught in {cases} cases");
}

/// Beyond a third of the window nothing is promised: how often it goes wrong is told, and nothing is asserted of it.
#[test]
fn slower_exchanges_are_reported() {
    let cases = cases(2_000);
    for thirds in 1..=4 {
        let out = (0..cases).filter(|seed| World::new(*seed, Kind::Slow { thirds }).run()).count();
        println!(
            "exchanges of up to {thirds}/3 of the race window: {out} of {cases} honest clients logged out"
        );
        assert!(thirds > 1 || out == 0, "{out} honest clients were logged out within the promise");
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Honest,
    /// Exchanges last longer than is promised to work.
    Slow {
        /// Up to so many thirds of the race window.
        thirds: u64,
    },
    /// The registry loses its last steps, twice.
    Forgetful,
    Theft,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Token {
    id: u64,
    parent: u64,
    issued: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    /// A tab starts an exchange with the token that the browser has now.
    Tab,
    /// A request reaches the registry; its answer, if it is not lost, takes so long.
    Request(Token, Option<u64>),
    /// An answer reaches the browser, which keeps its token whatever it kept before.
    Answer(Token),
    /// A tab updates the state.
    Update,
    /// Somebody copies what the browser has now.
    Theft,
    /// The thief uses a token.
    Thief,
    /// The registry restarts without its last steps.
    Forget,
}

/// How a thief goes about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Habit {
    /// Whenever it likes.
    Own,
    /// Right after each of the victim's refreshes.
    After,
    /// Right before each.
    Before,
}

struct World {
    seed: u64,
    kind: Kind,
    random: Random,
    ledger: Ledger,
    log: Vec<(u64, Fact)>,
    now: u64,
    queue: BinaryHeap<Reverse<(u64, u64, Event)>>,
    drawn: u64,
    tabs_left: u32,
    browser: Token,
    /// Tokens that the browser got after the theft.
    fresh: HashSet<u64>,
    habit: Habit,
    loot: Vec<Token>,
    /// The victim has used up a token that it got after the theft.
    decided: bool,
    thief_acted: bool,
    versions: u64,
    over: bool,
}

impl World {
    fn new(seed: u64, kind: Kind) -> Self {
        let mut random = Random::new(seed);
        let habit = [Habit::Own, Habit::After, Habit::Before][random.below(3) as usize];
        let first = RotationId::follow(RotationId::NIL, random.next() as u32);
        let mut world = Self {
            seed,
            kind,
            random,
            ledger: Ledger::new(rules(), 1),
            log: Vec::new(),
            now: START,
            queue: BinaryHeap::new(),
            drawn: 0,
            tabs_left: 24,
            browser: Token { id: first.to_bits(), parent: 0, issued: START },
            fresh: HashSet::new(),
            habit,
            loot: Vec::new(),
            decided: false,
            thief_acted: false,
            versions: 0,
            over: false,
        };
        world.login();
        world
    }

    fn login(&mut self) {
        let login = Admit {
            lifetime: Lifetime::For(Duration::from_secs(1 << 30)),
            ..Admit::new(SESSION, Owner::new("ada"))
        };
        let admitted = self.apply(|ledger, now, facts| ledger.admit(login.clone(), now, facts));
        assert!(matches!(admitted, Admitted::Seated(_)));
        self.plan(0, Event::Tab);
        for _ in 0..self.random.below(3) {
            let at = self.random.below(10 * WINDOW);
            self.plan(at, Event::Update);
        }
        let times = match self.kind {
            Kind::Honest | Kind::Slow { .. } => 0,
            Kind::Forgetful => 2,
            Kind::Theft => 1 + self.random.below(2),
        };
        for _ in 0..times {
            let at = self.random.below(20 * WINDOW);
            self.plan(at, if self.kind == Kind::Theft { Event::Theft } else { Event::Forget });
        }
    }

    fn apply<T>(&mut self, operation: impl Fn(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T) -> T {
        let mut facts = Vec::new();
        let outcome = operation(&mut self.ledger, Timestamp::from_millis(self.now), &mut facts);
        if self.kind == Kind::Forgetful {
            self.log.extend(facts.into_iter().map(|fact| (self.now, fact)));
        }
        outcome
    }

    fn plan(&mut self, after: u64, event: Event) {
        self.drawn += 1;
        self.queue.push(Reverse((self.now + after, self.drawn, event)));
    }

    /// Runs the case; tells whether the session was ended, for a thief or (slow exchanges) for nobody.
    fn run(mut self) -> bool {
        while let Some(Reverse((at, _, event))) = self.queue.pop()
            && !self.over
        {
            self.now = at;
            match event {
                Event::Tab => self.tab(),
                Event::Request(token, answer) => self.request(token, answer),
                Event::Answer(token) => self.answer(token),
                Event::Update => self.update(),
                Event::Theft => self.theft(),
                Event::Thief => self.thief(),
                Event::Forget => self.forget(),
            }
        }
        self.over
    }

    /// Tabs race, refresh early, refresh at the usual pace, and stay away for long.
    fn tab(&mut self) {
        if self.tabs_left == 0 {
            return;
        }
        self.tabs_left -= 1;
        let pause = match self.random.below(8) {
            0 => 0,
            1 | 2 => self.random.below(EXCHANGE),
            3 => self.random.below(WINDOW),
            4 => WINDOW + self.random.below(3) - 1,
            5 => self.random.below(2 * WINDOW),
            6 => 5 * WINDOW,
            _ => self.random.below(100 * WINDOW),
        };
        self.plan(pause, Event::Tab);
        let token = self.browser;
        for _ in 0..if self.random.chance(20) { 2 } else { 1 } {
            self.send(token);
        }
        if self.habit == Habit::Before {
            self.plan(0, Event::Thief);
        }
    }

    fn send(&mut self, token: Token) {
        if self.random.chance(10) {
            return;
        }
        let longest = match self.kind {
            Kind::Slow { thirds } => thirds * EXCHANGE,
            _ => EXCHANGE,
        };
        let there = self.random.below(longest + 1);
        let back = self.random.below(longest - there + 1);
        let lost = self.random.chance(15);
        self.plan(there, Event::Request(token, (!lost).then_some(back)));
    }

    fn current(&mut self) -> Option<RotationId> {
        let now = Timestamp::from_millis(self.now);
        match self.ledger.get(&[SESSION], now, &mut Vec::new()).remove(0) {
            countersign_registry::Standing::Live(record, _) => Some(record.current),
            countersign_registry::Standing::Ended(_) => None,
        }
    }

    fn rotate(&mut self, token: Token) -> Rotated {
        let rotate = Rotate {
            session: SESSION,
            id: RotationId::from_bits(token.id),
            parent: RotationId::from_bits(token.parent),
            issued: Timestamp::from_millis(token.issued),
            activity: Activity::Active,
        };
        self.apply(|ledger, now, facts| ledger.rotate(rotate, now, facts))
    }

    fn successor(&mut self, current: RotationId) -> Token {
        let id = RotationId::follow(current, self.random.next() as u32);
        Token { id: id.to_bits(), parent: current.to_bits(), issued: self.now }
    }

    fn request(&mut self, token: Token, answer: Option<u64>) {
        let before = self.current();
        match self.rotate(token) {
            Rotated::Renewed(renewal) => {
                let current = renewal.record.current;
                let used_up = current.to_bits() == token.id && before != Some(current);
                if used_up && self.fresh.contains(&token.id) {
                    self.decide(current);
                }
                let successor = self.successor(current);
                if let Some(back) = answer {
                    self.plan(back, Event::Answer(successor));
                }
            }
            Rotated::Kept(_) => {}
            Rotated::Reused(_) | Rotated::Ended(Some(EndReason::RefreshReused)) if self.thief_acted => {
                self.over = true;
            }
            Rotated::Reused(_) if matches!(self.kind, Kind::Slow { .. }) => self.over = true,
            other => panic!("seed {}, {:?}: an honest client is logged out: {other:?}", self.seed, self.kind),
        }
        if self.habit == Habit::After {
            self.plan(0, Event::Thief);
        }
    }

    fn answer(&mut self, token: Token) {
        self.browser = token;
        self.fresh.insert(token.id);
    }

    /// From now on every token of the thief gives it away.
    fn decide(&mut self, current: RotationId) {
        if self.loot.is_empty() {
            return;
        }
        self.decided = true;
        for token in &self.loot {
            let presented = Presented {
                id: RotationId::from_bits(token.id),
                parent: RotationId::from_bits(token.parent),
                issued: Timestamp::from_millis(token.issued),
            };
            let verdict = judge(current, presented, rules().race_window, Timestamp::from_millis(self.now));
            assert_eq!(verdict, Verdict::Reused, "seed {}: {token:?} still works for the thief", self.seed);
        }
        let soon = self.random.below(100 * WINDOW);
        self.plan(soon, Event::Thief);
    }

    fn theft(&mut self) {
        self.loot.push(self.browser);
        self.fresh.clear();
        self.decided = false;
        let soon = self.random.below(3 * WINDOW);
        self.plan(soon, Event::Thief);
    }

    /// Uses the latest token, or any.
    fn thief(&mut self) {
        let any = self.random.chance(30);
        let token = if any { self.random.one_of(&self.loot) } else { self.loot.last() };
        let Some(&token) = token else { return };
        self.thief_acted = true;
        match self.rotate(token) {
            Rotated::Reused(_) | Rotated::Ended(_) => self.over = true,
            survived if self.decided => panic!("seed {}: the thief survived: {survived:?}", self.seed),
            Rotated::Renewed(renewal) => {
                let successor = self.successor(renewal.record.current);
                self.loot.push(successor);
            }
            Rotated::Kept(_) => {}
            Rotated::Full(full) => panic!("seed {}: there is no limit: {full:?}", self.seed),
        }
        if self.habit == Habit::Own && self.tabs_left > 0 {
            let pause = [self.random.below(WINDOW), WINDOW, 5 * WINDOW][self.random.below(3) as usize];
            self.plan(pause, Event::Thief);
        }
    }

    /// Updates never disturb the rotation, and no version is issued twice.
    fn update(&mut self) {
        let key = Digest([self.random.below(4) as u8; 16]);
        let memo = self.random.chance(50).then_some(AdvanceMemo { key, old_state: key, new_data: key });
        let base = Base::Version(self.versions - self.versions.min(self.random.below(2)));
        let update = Advance { session: SESSION, base, known: self.versions, memo };
        match self.apply(|ledger, now, facts| ledger.advance_version(update, now, facts)) {
            Advanced::Set { exclusive, .. } => {
                assert_eq!(exclusive, self.versions + 1, "seed {}: a version was issued twice", self.seed);
                self.versions = exclusive;
            }
            Advanced::Repeated { .. } | Advanced::Conflict { .. } => {}
            Advanced::Ended(_) => assert!(self.thief_acted, "seed {}: an update found no session", self.seed),
        }
        if self.tabs_left > 0 {
            let pause = self.random.below(5 * WINDOW);
            self.plan(pause, Event::Update);
        }
    }

    /// Forgets what happened within the last minutes, but not the login.
    fn forget(&mut self) {
        let since = self.now - self.random.below(10 * WINDOW);
        self.log =
            std::mem::take(&mut self.log).into_iter().filter(|&(at, _)| at <= since.max(START)).collect();
        let facts = self.log.iter().map(|(_, fact)| fact.clone());
        let position = self.ledger.position();
        self.ledger = Ledger::restore(rules(), position, Timestamp::from_millis(self.now), facts);
    }
}

fn rules() -> Rules {
    Rules {
        race_window: Duration::from_millis(WINDOW),
        idle_timeout: Duration::from_secs(1 << 30),
        ..Rules::default()
    }
}
