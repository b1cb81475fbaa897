//! One world's site: the real framework and the real ledger, on a clock that is moved from outside.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use countersign::{
    Algorithm, Dpop, KeyRing, Limits, ManualClock, MemoryRegistry, OnFull, Policy, Registry as _, SessionId,
    Sessions, Timestamp, Transport,
};
use countersign_registry::{Faulty, OpKind, Standing};
use http::{Request, Response};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{DATE, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use tower::{Layer as _, ServiceExt as _};

use crate::happened::Happened;
use crate::shop;
use crate::worlds::Body;

/// Where the driver's browsers believe to be.
const ORIGIN: &str = "https://shop.test";
/// How often a node tells its registry who was active: the simulation has no real time for the node's own pace.
const FLUSH: u64 = 10_000;

/// What a world asks for. Durations are seconds.
#[derive(Deserialize)]
#[serde(default)]
pub(crate) struct Wishes {
    start: u64,
    transport: String,
    algorithm: String,
    access_ttl: u64,
    race_window: u64,
    idle: u64,
    lifetime: u64,
    dangling_after: u64,
    dpop: bool,
    user_limit: Option<u32>,
    on_full: String,
}

impl Default for Wishes {
    fn default() -> Self {
        Self {
            start: 1_800_000_000,
            transport: "cookies".into(),
            algorithm: "HS256".into(),
            access_ttl: 300,
            race_window: 60,
            idle: 24 * 3600,
            lifetime: 14 * 24 * 3600,
            dangling_after: 1800,
            dpop: false,
            user_limit: None,
            on_full: "refuse".into(),
        }
    }
}

/// What a registry can be told to suffer from.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fault {
    /// Out of reach until recovered.
    Down,
    /// The next exchange happens, and nobody knows.
    LoseRotation,
    /// The next exclusive update happens, and nobody knows.
    LoseUpdate,
    /// As ever.
    None,
}

/// A site, its clock, and what its registry knows.
pub(crate) struct Site {
    clock: ManualClock,
    time: AtomicU64,
    flushed: AtomicU64,
    registry: Arc<Faulty<MemoryRegistry<ManualClock>>>,
    sessions: Sessions,
    happened: Happened,
    live: Mutex<Vec<SessionId>>,
}

impl Site {
    /// A site as a world wishes it.
    ///
    /// # Errors
    ///
    /// Says which wish cannot be granted.
    pub(crate) fn new(wishes: &Wishes) -> Result<Self, String> {
        let start = Timestamp::from_secs(wishes.start);
        let clock = ManualClock::at(start);
        let registry = Arc::new(Faulty::new(MemoryRegistry::with_clock(clock.clone())));
        let happened = Happened::default();
        let sink = happened.clone();
        let sessions =
            Sessions::builder(ORIGIN, KeyRing::generate(wishes.algorithm()?, start), registry.clone())
                .clock(clock.clone())
                .exact_lifetimes()
                .policy(wishes.policy())
                .limits(wishes.limits()?)
                .transport(wishes.transport.parse::<Transport>().map_err(|error| error.to_string())?)
                .dpop(if wishes.dpop { Dpop::Required } else { Dpop::Offered })
                .on_event(move |event: &_| sink.note(event))
                .build()
                .map_err(|error| error.to_string())?;
        let time = start.as_millis();
        Ok(Self {
            clock,
            time: time.into(),
            flushed: time.into(),
            registry,
            sessions,
            happened,
            live: Mutex::default(),
        })
    }

    /// Moves the clock, never back, and has the marks of activity flushed as often as a node does.
    pub(crate) async fn at(&self, time: Duration) {
        let time = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let before = self.time.fetch_max(time, Ordering::Relaxed);
        self.clock.set(Timestamp::from_millis(time.max(before)));
        if time >= self.flushed.load(Ordering::Relaxed) + FLUSH {
            self.flushed.store(time, Ordering::Relaxed);
            // A registry that is away keeps them waiting: that is part of the weather.
            let _ = self.sessions.shut_down().await;
        }
    }

    pub(crate) async fn serve(&self, request: Request<Incoming>) -> Response<Body> {
        let service = self.sessions.layer().layer(tower::service_fn(shop::answer));
        let Ok(response) = service.oneshot(request).await;
        let mut response = response.map(|body| BodyExt::map_err(body, Into::into).boxed_unsync());
        let now = UNIX_EPOCH + Duration::from_millis(self.time.load(Ordering::Relaxed));
        if let Ok(date) = HeaderValue::from_str(&httpdate::fmt_http_date(now)) {
            response.headers_mut().insert(DATE, date);
        }
        self.look().await;
        response
    }

    pub(crate) fn happened(&self) -> String {
        self.happened.take()
    }

    pub(crate) fn fail(&self, fault: Fault) {
        match fault {
            Fault::Down => self.registry.fail_always(),
            Fault::LoseRotation => self.registry.lose_next_answer_of(OpKind::Rotate),
            Fault::LoseUpdate => self.registry.lose_next_answer_of(OpKind::AdvanceVersion),
            Fault::None => self.registry.recover(),
        }
    }

    /// Notes which sessions are not live any more, and why: the registry's own word, whatever was answered.
    async fn look(&self) {
        let mut live: Vec<SessionId> =
            std::mem::take(&mut *self.live.lock().unwrap_or_else(PoisonError::into_inner));
        live.extend(self.happened.take_started());
        let Ok(standings) = self.registry.inner().get(live.clone()).await else { return };
        let mut standings = standings.into_iter();
        live.retain(|session| match standings.next() {
            Some(Standing::Ended(reason)) => {
                let reason = reason.map(countersign::EndReason::as_str);
                self.happened
                    .push(json!({ "what": "ended", "session": session.to_string(), "reason": reason }));
                false
            }
            _ => true,
        });
        *self.live.lock().unwrap_or_else(PoisonError::into_inner) = live;
    }
}

impl Wishes {
    fn algorithm(&self) -> Result<Algorithm, String> {
        match self.algorithm.as_str() {
            "EdDSA" => Ok(Algorithm::EdDsa),
            "ES256" => Ok(Algorithm::Es256),
            "HS256" => Ok(Algorithm::Hs256),
            other => Err(format!("no algorithm {other}")),
        }
    }

    fn policy(&self) -> Policy {
        Policy::default()
            .access_ttl(Duration::from_secs(self.access_ttl))
            .race_window(Duration::from_secs(self.race_window))
            .idle(Duration::from_secs(self.idle))
            .lifetime(Duration::from_secs(self.lifetime))
            .dangling_after(Duration::from_secs(self.dangling_after))
    }

    fn limits(&self) -> Result<Limits, String> {
        let Some(seats) = self.user_limit else { return Ok(Limits::none()) };
        let on_full = match self.on_full.as_str() {
            "refuse" => OnFull::Refuse,
            "end-least-recent" => OnFull::EndLeastRecent,
            "end-oldest" => OnFull::EndOldest,
            "ask" => OnFull::Ask,
            other => return Err(format!("no rule {other}")),
        };
        Ok(Limits::none().per_user(seats, on_full))
    }
}
