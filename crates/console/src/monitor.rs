//! [`Monitor`]: hears what happens on this node, counts it, and passes it on to whoever watches.

mod began;

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use countersign::{
    Clock, CountOf, EventSink, Owner, SessionEvent, Sessions, Standing, SystemClock, Timestamp,
};
use tokio::sync::{Notify, broadcast};

use self::began::Began;
use crate::happening::{Happening, Kind};
use crate::statistics::{Count, Statistics};
use crate::unusual::{Oddity, Unusual};

/// So many happenings wait for each of those who watch. Whoever is slower misses some, and is told how many.
const WAITING: usize = 1024;

/// How often sessions and seats are counted where nothing happens, and how soon after a login at the earliest.
const PACE: Duration = Duration::from_secs(10);
const SOON: Duration = Duration::from_secs(1);

/// How many sessions that began here are asked about at a time, to learn which of them time has ended.
const ASKED: usize = 512;

/// Hears a site's events and counts them, on one node. Its [sink](Monitor::sink) is given to the
/// [`Builder`](countersign::Builder), itself to the [`Console`](crate::Console).
///
/// It holds counters of a [fixed size](crate::statistics), the last 500 unusual happenings, and when each of the last
/// 2^16 sessions began that began here.
#[derive(Clone)]
pub struct Monitor {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Box<dyn Clock>,
    known: Mutex<Known>,
    live: broadcast::Sender<Arc<Happening>>,
    dropped: AtomicU64,
    login: Notify,
    since: Timestamp,
}

#[derive(Default)]
struct Known {
    seq: u64,
    statistics: Statistics,
    unusual: Unusual,
    began: Began,
}

impl Monitor {
    /// One that knows nothing yet.
    pub fn new() -> Self {
        Self::with(Statistics::default())
    }

    /// One that goes on counting where these left off.
    pub fn with(statistics: Statistics) -> Self {
        Self::with_clock(statistics, SystemClock)
    }

    /// The same, by another clock.
    pub fn with_clock(statistics: Statistics, clock: impl Clock) -> Self {
        let since = clock.now();
        let statistics = if statistics.is_sound(since) { statistics } else { Statistics::default() };
        let shared = Shared {
            clock: Box::new(clock),
            known: Mutex::new(Known { statistics, ..Known::default() }),
            live: broadcast::Sender::new(WAITING),
            dropped: AtomicU64::new(0),
            login: Notify::new(),
            since,
        };
        Self { shared: Arc::new(shared) }
    }

    /// What hears the events.
    pub fn sink(&self) -> impl EventSink + use<> {
        let shared = self.shared.clone();
        move |event: &SessionEvent| shared.note(event)
    }

    /// What was counted so far, for a host to keep across restarts.
    pub fn statistics(&self) -> Statistics {
        self.shared.known().statistics.clone()
    }

    /// Unusual happenings, the newest first.
    pub fn unusual(&self) -> Vec<Oddity> {
        self.shared.known().unusual.newest_first()
    }

    /// Forgets the unusual happenings of a person who is erased: the console does it for whom an administrator erases.
    pub fn forget(&self, owner: &Owner) {
        self.shared.known().unusual.forget(owner);
    }

    /// Since when it listens.
    pub fn since(&self) -> Timestamp {
        self.shared.since
    }

    /// How many happenings did not reach somebody who watched too slowly.
    pub fn dropped(&self) -> u64 {
        self.shared.dropped.load(Ordering::Relaxed)
    }

    pub(crate) fn note_dropped(&self, count: u64) {
        self.shared.dropped.fetch_add(count, Ordering::Relaxed);
    }

    pub(crate) fn watch(&self) -> broadcast::Receiver<Arc<Happening>> {
        self.shared.live.subscribe()
    }

    /// Passes on what an administrator did.
    pub(crate) fn tell_audit(&self, who: &Owner, detail: String) {
        let happening = Happening::new(Kind::Audit, self.shared.clock.now()).by(who);
        self.shared.pass_on(Happening { detail: Some(detail), ..happening }, None);
    }

    pub(crate) fn read<T>(&self, read: impl FnOnce(&Statistics, Timestamp) -> T) -> T {
        read(&self.shared.known().statistics, self.shared.clock.now())
    }

    /// Counts sessions and seats from now on, until the sessions or this monitor are gone.
    pub(crate) async fn sample(self, sessions: Sessions) {
        let shared = Arc::downgrade(&self.shared);
        drop(self);
        loop {
            let Some(strong) = shared.upgrade() else { return };
            strong.sample(&sessions).await;
            wait(&shared).await;
        }
    }
}

/// What the framework found, and what it means.
fn oddity(event: &SessionEvent) -> Option<(&'static str, String)> {
    match event {
        SessionEvent::Unusual { finding } => Some((finding.name(), finding.explanation())),
        _ => None,
    }
}

/// Until it is time to count again: soon after a login.
async fn wait(shared: &Weak<Shared>) {
    tokio::time::sleep(SOON).await;
    let Some(shared) = shared.upgrade() else { return };
    let _ = tokio::time::timeout(PACE.saturating_sub(SOON), shared.login.notified()).await;
}

impl Shared {
    fn note(&self, event: &SessionEvent) {
        let now = self.clock.now();
        self.count(event, now);
        self.pass_on(Happening::of(event, now), oddity(event));
        if matches!(event, SessionEvent::Started { .. }) {
            self.login.notify_one();
        }
    }

    fn count(&self, event: &SessionEvent, now: Timestamp) {
        let mut known = self.known();
        match event {
            // A login that was repeated is told again.
            SessionEvent::Started { session, .. } if known.began.note(*session, now) => {
                known.statistics.count(Count::Login, now);
            }
            SessionEvent::Refreshed { .. } => known.statistics.count(Count::Refresh, now),
            SessionEvent::LimitReached { .. } | SessionEvent::SeatRefused { .. } => {
                known.statistics.count(Count::Refusal, now);
            }
            SessionEvent::Refused { code: "token-invalid", .. } => known.statistics.count(Count::Forged, now),
            SessionEvent::Ended { session, reason, .. } => {
                let started = known.began.forget(session);
                known.statistics.count_end(*reason, started, now);
            }
            _ => {}
        }
    }

    fn pass_on(&self, happening: Happening, oddity: Option<(&'static str, String)>) {
        let mut known = self.known();
        known.seq += 1;
        let happening = Happening { seq: known.seq, ..happening };
        known.unusual.judge(&happening, oddity);
        // Nobody may be watching.
        let _ = self.live.send(Arc::new(happening));
    }

    async fn sample(&self, sessions: &Sessions) {
        if let Ok(counts) = sessions.counts(CountOf::Site).await {
            self.known().statistics.sample(counts, self.clock.now());
        }
        let asked = self.known().began.next(ASKED);
        let Ok(standings) = sessions.standings(asked.clone()).await else { return };
        let now = self.clock.now();
        let mut known = self.known();
        for (session, standing) in asked.iter().zip(standings) {
            let Standing::Ended(reason) = standing else { continue };
            // Whoever told of it meanwhile has counted it.
            if let (Some(started), Some(reason)) = (known.began.forget(session), reason) {
                known.statistics.count_end(reason, Some(started), now);
            }
        }
    }

    /// A panic while something was counted leaves counters that are still counters.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Monitor {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("dropped", &self.dropped()).finish_non_exhaustive()
    }
}
