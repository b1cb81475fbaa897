//! A harness for a host's own tests: a clock moved by hand, a registry in memory that fails on demand, and browsers
//! with cookie jars. No sockets, no sleeping.

mod browser;

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{Faulty, ManualClock, MemoryRegistry};
use countersign_token::{Algorithm, KeyRing, Timestamp};
use http::{Request, Response};
use tower_service::Service;

use crate::body::ResponseBody;
use crate::builder::Builder;
use crate::layer::SessionService;
use crate::sessions::Sessions;

pub use browser::{Answer, Browser};
pub use http_body_util::Full;

/// The origin of the site under test.
pub const ORIGIN: &str = "https://shop.test";

/// Everything a test moves by hand.
///
/// ```
/// use countersign::testing::Harness;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// let t = Harness::new();
/// t.clock().advance(std::time::Duration::from_secs(60));
/// t.registry().lose_next_answer();
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Harness {
    clock: ManualClock,
    registry: Arc<Faulty<MemoryRegistry<ManualClock>>>,
    sessions: Sessions,
}

impl Harness {
    /// A site with the defaults of the [`Builder`].
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A site as a host configures it.
    ///
    /// # Panics
    ///
    /// If the builder refuses.
    #[expect(clippy::expect_used, reason = "a test wants to know")]
    pub fn with(configure: impl FnOnce(Builder) -> Builder) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_800_000_000));
        let registry = Arc::new(Faulty::new(MemoryRegistry::with_clock(clock.clone())));
        let keys = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_700_000_000));
        let builder = Sessions::builder(ORIGIN, keys, registry.clone()).clock(clock.clone());
        let sessions = configure(builder).build().expect("a configuration that works");
        Self { clock, registry, sessions }
    }

    /// The clock of the site and of its registry.
    pub fn clock(&self) -> &ManualClock {
        &self.clock
    }

    /// The registry, which fails on demand.
    pub fn registry(&self) -> &Faulty<MemoryRegistry<ManualClock>> {
        &self.registry
    }

    /// The sessions under test.
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// Moves the clock, and lets the node read its feed again: as if time had passed.
    pub async fn pass(&self, time: Duration) {
        self.clock.advance(time);
        self.sessions.ready().await;
    }

    /// A browser in front of an application, which the harness wraps into the sessions' layer.
    pub fn browser<S, R>(&self, app: S) -> Browser<SessionService<S>>
    where
        S: Service<Request<Full<bytes::Bytes>>, Response = Response<R>> + Clone,
    {
        Browser::new(tower_layer::Layer::layer(&self.sessions.layer(), app))
    }

    /// A browser in front of a service that has the sessions' layer already, such as an `axum::Router`.
    pub fn browser_of<S>(&self, service: S) -> Browser<S> {
        Browser::new(service)
    }
}

impl Default for Harness {
    fn default() -> Self {
        Self::new()
    }
}

/// The body of a response of the layer around a service whose responses have this body.
pub type Wrapped<R> = ResponseBody<R>;
