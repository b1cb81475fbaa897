//! A race for seats: threads that log in, come back, stay away and log out, judged by the [checker](super::checker).

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::Duration;

use countersign_token::{RotationId, SessionId, Timestamp};

use super::checker::{History, Span, Stopwatch};
use crate::clock::{Clock as _, ManualClock};
use crate::contract::Registry;
use crate::fact::EndReason;
use crate::op::{
    Activity, Admit, Admitted, CountOf, End, Lifetime, OpId, Owner, Rotate, Rotated, SessionRecord, Target,
};
use crate::rules::{Limits, OnFull, Rules};

/// How large a race is.
#[derive(Clone, Copy, Debug)]
pub struct Race {
    /// How many threads race.
    pub threads: u64,
    /// How many turns each has.
    pub turns: u64,
    /// For how many seats of the site.
    pub seats: u32,
    /// How far the clock moves, at most, in one turn of twenty. Sessions live for up to two hours, and dangle after half
    /// an hour.
    pub step: Duration,
    /// What they do is random; which thread comes first is the machine's affair all the same.
    pub seed: u64,
}

/// What happened in a race.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// Logins that got a seat.
    pub admitted: usize,
    /// Logins and returns that were refused.
    pub refused: usize,
    /// Dangling sessions that took a seat again.
    pub returned: usize,
    /// Seats that fell free by dangling or expiry.
    pub lapsed: usize,
}

/// Lets threads race for the seats of a registry that reads this clock, and panics if the limit was exceeded at any
/// instant or a refusal was unjust. The clock is moved by the racers, so sessions dangle and expire in between. Where
/// many nodes share the registry, each thread asks one of them.
///
/// Each thread waits for its own calls, so it must not be a runtime's only one.
///
/// # Panics
///
/// If the registry breaks the rules of seats, or fails; or if there is no node.
pub fn race(nodes: &[Arc<dyn Registry>], clock: &ManualClock, race: Race) -> Outcome {
    let limits = Limits::none().per_site(race.seats, OnFull::Refuse);
    for node in nodes {
        node.configure(Rules { limits, ..Rules::default() });
    }
    let course = &Course { nodes, clock, stopwatch: Stopwatch::default(), moves: Mutex::default(), race };
    let runners: Vec<Runner<'_>> = thread::scope(|scope| {
        let running: Vec<_> =
            (0..race.threads).map(|number| scope.spawn(move || Runner::new(course, number).run())).collect();
        running.into_iter().map(|runner| runner.join().expect("a racer panicked")).collect()
    });
    course.judge(&runners)
}

struct Course<'a> {
    nodes: &'a [Arc<dyn Registry>],
    clock: &'a ManualClock,
    stopwatch: Stopwatch,
    moves: Mutex<Vec<Move>>,
    race: Race,
}

/// The clock was moved beyond this instant within this span.
#[derive(Clone, Copy, Debug)]
struct Move {
    to: Timestamp,
    span: Span,
}

impl Course<'_> {
    fn call<T, E: std::fmt::Debug>(&self, operation: impl Future<Output = Result<T, E>>) -> (T, Span) {
        self.stopwatch.time(|| block_on(operation).expect("the registry answers"))
    }

    fn move_clock(&self, by: Duration) {
        let mut moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let ((), span) = self.stopwatch.time(|| self.clock.advance(by));
        moves.push(Move { to: self.clock.now(), span });
    }

    fn judge(&self, runners: &[Runner<'_>]) -> Outcome {
        let moves = self.moves.lock().unwrap_or_else(PoisonError::into_inner);
        let mut history = History::new(self.race.seats as usize);
        let mut outcome = Outcome::default();
        for runner in runners {
            outcome.returned += runner.returned;
            for sitting in &runner.sittings {
                outcome.lapsed += usize::from(sitting.add_to(&mut history, &moves));
            }
            for &refusal in &runner.refusals {
                history.refused(refusal);
            }
        }
        outcome.refused = history.refusals();
        outcome.admitted =
            runners.iter().map(|runner| runner.sittings.len()).sum::<usize>() - outcome.returned;
        if let Err(violation) = history.verdict() {
            panic!("a limit of {} seats was not kept: {violation:?}", self.race.seats);
        }
        outcome
    }
}

/// A stay on a seat, as its thread saw it.
struct Sitting {
    session: SessionRecord,
    taken: Span,
    logout: Option<Span>,
}

impl Sitting {
    /// When time alone frees the seat.
    fn lapses(&self) -> Timestamp {
        let dangles = self.session.last_activity.after(Rules::default().dangling_after);
        dangles.min(self.session.expires_at)
    }

    /// Tells whether time freed the seat.
    fn add_to(&self, history: &mut History, moves: &[Move]) -> bool {
        let id = u128::from_be_bytes(*self.session.id.as_bytes());
        history.admitted(id, self.taken);
        let lapse = moves.iter().find(|step| step.to >= self.lapses()).map(|step| step.span);
        let left = match (lapse, self.logout) {
            (Some(lapse), Some(logout)) => Some(Span {
                called: lapse.called.min(logout.called),
                answered: lapse.answered.min(logout.answered),
            }),
            (lapse, logout) => lapse.or(logout),
        };
        if let Some(left) = left {
            history.left(id, left);
        }
        lapse.is_some()
    }
}

struct Runner<'a> {
    course: &'a Course<'a>,
    registry: &'a dyn Registry,
    number: u64,
    random: u64,
    /// The last sitting of each session that it has, by its place among the sittings.
    sessions: Vec<usize>,
    sittings: Vec<Sitting>,
    refusals: Vec<Span>,
    returned: usize,
}

impl<'a> Runner<'a> {
    fn new(course: &'a Course<'a>, number: u64) -> Self {
        let random = course.race.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (number << 32);
        let node = number as usize % course.nodes.len();
        Self {
            course,
            registry: &*course.nodes[node],
            number,
            random,
            sessions: Vec::new(),
            sittings: Vec::new(),
            refusals: Vec::new(),
            returned: 0,
        }
    }

    fn run(mut self) -> Self {
        for turn in 0..self.course.race.turns {
            match self.draw() % 20 {
                0..8 => self.login(turn),
                8..13 => self.refresh(),
                13..18 => self.logout(),
                18 => self.move_clock(),
                _ => self.count(),
            }
        }
        self
    }

    fn draw(&mut self) -> u64 {
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.random >> 33
    }

    fn move_clock(&mut self) {
        let drawn = self.draw() % 1000;
        self.course.move_clock(self.course.race.step / 1000 * drawn as u32);
    }

    fn one_of_mine(&mut self) -> Option<usize> {
        let drawn = self.draw() as usize;
        self.sessions.get(drawn % self.sessions.len().max(1)).copied()
    }

    fn login(&mut self, turn: u64) {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.number.to_be_bytes());
        id[8..].copy_from_slice(&turn.to_be_bytes());
        let lifetime = Lifetime::For(Duration::from_secs(1 + self.draw() % 7200));
        let owner = Owner::new(format!("user {}", self.number % 7));
        let admit = Admit { lifetime, ..Admit::new(SessionId::from_bytes(id), owner) };
        match self.course.call(self.registry.admit(admit)) {
            (Admitted::Seated(seated), span) => self.sit(seated.record, span),
            (Admitted::Full(_), span) => self.refusals.push(span),
            (other, _) => panic!("a login was answered {other:?}"),
        }
    }

    fn sit(&mut self, session: SessionRecord, taken: Span) {
        self.sessions.retain(|&place| self.sittings[place].session.id != session.id);
        self.sessions.push(self.sittings.len());
        self.sittings.push(Sitting { session, taken, logout: None });
    }

    fn refresh(&mut self) {
        let Some(place) = self.one_of_mine() else { return };
        let nil = RotationId::NIL;
        let session = self.sittings[place].session.id;
        let rotate =
            Rotate { session, id: nil, parent: nil, issued: Timestamp::ZERO, activity: Activity::Active };
        match self.course.call(self.registry.rotate(rotate)) {
            (Rotated::Renewed(renewal), span) if renewal.at >= self.sittings[place].lapses() => {
                self.returned += 1;
                self.sit(renewal.record, span);
            }
            (Rotated::Renewed(renewal), _) => self.sittings[place].session = renewal.record,
            (Rotated::Full(_), span) => self.refusals.push(span),
            (Rotated::Ended(_), _) => self.sessions.retain(|&other| other != place),
            (other, _) => panic!("a refresh was answered {other:?}"),
        }
    }

    fn logout(&mut self) {
        let Some(place) = self.one_of_mine() else { return };
        self.sessions.retain(|&other| other != place);
        let mut id = [0; 16];
        id[..8].copy_from_slice(&self.number.to_be_bytes());
        id[8..].copy_from_slice(&(place as u64).to_be_bytes());
        let target = Target::Sessions(vec![self.sittings[place].session.id]);
        let end = End { id: OpId(id), target, reason: EndReason::Logout };
        let (_, span) = self.course.call(self.registry.end(end));
        self.sittings[place].logout = Some(span);
    }

    fn count(&mut self) {
        let (counts, _) = self.course.call(self.registry.counts(CountOf::Site));
        let seats = self.course.race.seats;
        assert!(counts.seats <= seats.into(), "{} of {seats} seats are taken", counts.seats);
    }
}

/// Waits for a future on this thread.
fn block_on<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    loop {
        if let Poll::Ready(answer) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return answer;
        }
        thread::park();
    }
}
