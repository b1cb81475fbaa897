//! Login, refresh and logout in the memory registry, on one core: how many a second, and whether they stay as quick as
//! the sessions grow.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_registry::{
    Activity, Admit, Admitted, Clock as _, End, EndReason, Ended, MemoryRegistry, OpId, Owner, Registry as _,
    RegistryError, Rotate, Rotated, SystemClock, Target,
};
use countersign_token::{RotationId, SessionId};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::Outcome;
use crate::measure::{Effort, Series, nanos};
use crate::numbers::Numbers;
use crate::report::{Goal, Row};
use crate::weigh::{self, Load};

/// The three operations, in the order of a session's life.
pub(crate) const OPERATIONS: [&str; 3] = ["admit", "rotate", "end"];

const SMALL: u64 = 10_000;
/// How many operations are timed together.
const TOGETHER: u32 = 500;
/// How many of its sessions a site keeps at hand, to be refreshed and ended.
const AT_HAND: u64 = 100_000;

/// `registry_memory_…` and `bytes_per_session`.
pub(crate) fn rows(effort: Effort) -> Outcome<Vec<Row>> {
    let large = effort.pick(1_000_000, 10_000_000);
    let times = alternate(effort.pick(200, 1000), SMALL, large)?;
    let mut rows = Vec::new();
    for (operation, [small, large]) in OPERATIONS.iter().zip(&times) {
        let name = format!("registry_memory_{operation}");
        let rate = |series: &Series| 1e9 / series.median();
        let row = Row::new(name.clone(), rate(large), "1/s");
        let row = row.against(rate(small), rate(large) / rate(small));
        rows.push(row.goal(Goal::ValueAtLeast(300_000.0)));
        rows.push(Row::of(format!("{name}_growth"), "ns", large, small).goal(Goal::Ratio(3.0)));
    }
    let bytes = weigh::bytes_each(Load::Sessions, large)?;
    rows.push(Row::new("bytes_per_session", bytes, "B").goal(Goal::Value(160.0)));
    Ok(rows)
}

/// Two sites of different sizes take turns. For each operation, nanoseconds at the small and at the large one.
fn alternate(rounds: u32, small: u64, large: u64) -> Outcome<[[Series; 2]; 3]> {
    let mut sites = [Site::of(small, AT_HAND)?, Site::of(large, AT_HAND)?];
    let mut times: [[Series; 2]; 3] = Default::default();
    for round in 0..=rounds {
        for (at, site) in sites.iter_mut().enumerate() {
            let taken = site.live()?;
            // The first round warms up.
            for (series, taken) in times.iter_mut().zip(taken).skip(usize::from(round == 0) * 3) {
                series[at].push(taken);
            }
        }
    }
    Ok(times)
}

/// A memory registry with its sessions, each of a user of its own, on one of twenty kinds of device.
pub(crate) struct Site {
    registry: MemoryRegistry,
    people: People,
    at_hand: Vec<Refreshable>,
    next: usize,
}

/// A session with the refresh token that was used up last.
#[derive(Clone, Copy)]
pub(crate) struct Refreshable {
    session: SessionId,
    current: RotationId,
}

impl Site {
    /// With so many live sessions, of which it keeps some at hand.
    pub(crate) fn of(count: u64, keep: u64) -> Outcome<Self> {
        let (registry, mut people) = (MemoryRegistry::new(), People::new(4));
        let mut at_hand = Vec::new();
        let every = count.div_ceil(keep);
        for n in 0..count {
            let admit = people.newcomer();
            if n % every == 0 {
                at_hand.push(Refreshable::new(admit.session));
            }
            seated(&at_once(registry.admit(admit))?)?;
        }
        Ok(Self { registry, people, at_hand, next: 0 })
    }

    /// A round of logins, refreshes and logouts, at the end of which there are as many sessions as before: the
    /// nanoseconds that each took.
    fn live(&mut self) -> Outcome<[f64; 3]> {
        let newcomers: Vec<Admit> = (0..TOGETHER).map(|_| self.people.newcomer()).collect();
        let came: Vec<SessionId> = newcomers.iter().map(|admit| admit.session).collect();
        let admitted = time(newcomers, |admit| seated(&at_once(self.registry.admit(admit))?))?;
        let places: Vec<usize> = (0..TOGETHER).map(|_| self.turn()).collect();
        let rotations = places.iter().map(|&place| self.people.refresh(&mut self.at_hand[place])).collect();
        let rotated = time(rotations, |rotate| renewed(&at_once(self.registry.rotate(rotate))?))?;
        let ends = places.iter().zip(came).map(|(&place, newcomer)| {
            let gone = std::mem::replace(&mut self.at_hand[place], Refreshable::new(newcomer));
            self.people.logout(gone.session)
        });
        let ended = time(ends.collect(), |end| gone(&at_once(self.registry.end(end))?))?;
        Ok([admitted, rotated, ended])
    }

    fn turn(&mut self) -> usize {
        // A prime stride, so that neighbours in memory do not follow each other.
        self.next = (self.next + 7919) % self.at_hand.len();
        self.next
    }
}

/// Nanoseconds for each.
fn time<T>(operations: Vec<T>, mut carry_out: impl FnMut(T) -> Outcome<()>) -> Outcome<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a few hundred")]
    let count = operations.len() as f64;
    let started = Instant::now();
    for operation in operations {
        carry_out(operation)?;
    }
    Ok(nanos(started.elapsed()) / count)
}

/// The answer of a registry that never waits.
fn at_once<T>(answer: BoxFuture<'_, Result<T, RegistryError>>) -> Outcome<T> {
    Ok(answer.now_or_never().ok_or("the memory registry waits")??)
}

/// Who logs in, refreshes and logs out.
pub(crate) struct People {
    numbers: Numbers,
    devices: Vec<Arc<str>>,
    methods: Arc<str>,
}

impl People {
    /// Those of this name.
    pub(crate) fn new(seed: u64) -> Self {
        let devices = (0..20).map(|n| format!("Firefox {n} on Linux").into()).collect();
        Self { numbers: Numbers::new(seed), devices, methods: "pwd".into() }
    }

    /// A login.
    pub(crate) fn newcomer(&mut self) -> Admit {
        let session = self.numbers.session();
        let user = self.numbers.next();
        let device = self.devices.get(user as usize % self.devices.len()).cloned();
        let owner = Owner::new(format!("{:012x}", user >> 16));
        Admit { device, methods: Arc::clone(&self.methods), ..Admit::new(session, owner) }
    }

    /// The refresh that uses up the session's refresh token, which is old enough.
    pub(crate) fn refresh(&mut self, of: &mut Refreshable) -> Rotate {
        let (parent, id) = (of.current, RotationId::follow(of.current, self.numbers.next() as u32));
        of.current = id;
        let issued = SystemClock.now().before(Duration::from_mins(4));
        Rotate { session: of.session, id, parent, issued, activity: Activity::Active }
    }

    /// A logout.
    pub(crate) fn logout(&mut self, session: SessionId) -> End {
        End {
            id: OpId(self.numbers.bytes()),
            target: Target::Sessions(vec![session]),
            reason: EndReason::Logout,
        }
    }
}

impl Refreshable {
    /// Just logged in.
    pub(crate) fn new(session: SessionId) -> Self {
        Self { session, current: RotationId::NIL }
    }
}

/// Every login must find its seat, else its time says nothing.
pub(crate) fn seated(admitted: &Admitted) -> Outcome<()> {
    matches!(admitted, Admitted::Seated(_)).then_some(()).ok_or_else(|| "a login was refused".into())
}

/// Every refresh must use up its token.
pub(crate) fn renewed(rotated: &Rotated) -> Outcome<()> {
    matches!(rotated, Rotated::Renewed(_)).then_some(()).ok_or_else(|| "a refresh did not renew".into())
}

/// Every logout must end its session.
pub(crate) fn gone(ended: &Ended) -> Outcome<()> {
    (ended.sessions == 1).then_some(()).ok_or_else(|| "a logout ended nothing".into())
}
