//! [`Sessions`]: the handle that a host holds, and what it stands on.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use countersign_registry::{Clock, CountOf, Counts, Limits, Owner, Registry, View};
use countersign_token::{KeyId, KeyRing, StateFormat, Timestamp, TokenCache};
use http::{HeaderMap, HeaderValue};

use crate::address::TrustedProxies;
use crate::administrator::Administrator;
use crate::builder::{Builder, ClaimsHook};
use crate::cookie::CookieNames;
use crate::dpop::{Dpop, Replay};
use crate::event::{Actor, EventSink, SessionEvent};
use crate::flow;
use crate::keys::Keys;
use crate::layer::SessionLayer;
use crate::metrics::{self, VerifyTimes};
use crate::node::{Node, Readiness};
use crate::origin::Origin;
use crate::policy::Policy;
use crate::random::Random;
use crate::refusal::Refusal;
use crate::subject::{self, Erasure, SubjectExport};
use crate::transport::Transport;
use crate::unusual::Unusual;

/// The sessions of a site: built once, cloned freely.
///
/// Its [layer](Sessions::layer) goes around a service; handlers take a [`Session`](crate::Session) or a
/// [`Visitor`](crate::Visitor) from the request. What an administrator does is here.
#[derive(Clone)]
pub struct Sessions {
    inner: Arc<Inner>,
}

impl Sessions {
    /// Begins to build: the public origin (`https://shop.example`), the keys, and where live ids are kept.
    pub fn builder(origin: &str, keys: impl Into<Keys>, registry: impl Registry) -> Builder {
        Builder::new(origin, keys.into(), Arc::new(registry))
    }

    /// The tower layer that verifies each request and serves the endpoints.
    pub fn layer(&self) -> SessionLayer {
        SessionLayer::new(self.clone())
    }

    /// Ends all sessions of an owner, and returns how many. They are refused on this node before it returns, and
    /// on every other within [`Policy::max_staleness`].
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`]: it may have happened; repeat it.
    pub async fn end_all(&self, owner: Owner) -> Result<u64, Refusal> {
        self.as_host().end_all(owner).await
    }

    /// Ends all sessions of a tenant, and returns how many.
    ///
    /// # Errors
    ///
    /// As [`Sessions::end_all`].
    pub async fn end_tenant(&self, tenant: &str) -> Result<u64, Refusal> {
        self.as_host().end_tenant(tenant).await
    }

    /// Ends all sessions, and returns how many.
    ///
    /// # Errors
    ///
    /// As [`Sessions::end_all`].
    pub async fn end_everyone(&self) -> Result<u64, Refusal> {
        self.as_host().end_everyone().await
    }

    /// Removes a signing key at once and for ever, on this node before it returns: what it signed is refused.
    ///
    /// # Errors
    ///
    /// As [`Sessions::end_all`]. A key file that cannot be written is told as
    /// [`SessionEvent::KeysFailed`]; the removal holds through the registry all the same.
    pub async fn remove_key(&self, kid: &KeyId) -> Result<(), Refusal> {
        self.as_host().remove_key(kid).await
    }

    /// Everything that is stored about a person, for them to see. It holds no credential. docs/PRIVACY.md says what is where.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`].
    pub async fn export_subject(&self, owner: &Owner) -> Result<SubjectExport, Refusal> {
        subject::export(&self.inner, owner).await
    }

    /// Ends all sessions of a person, with which what was stored of them goes, and says what remains until when, and
    /// why.
    ///
    /// # Errors
    ///
    /// As [`Sessions::end_all`].
    pub async fn erase_subject(&self, owner: Owner) -> Result<Erasure, Refusal> {
        self.as_host().erase_subject(owner).await
    }

    /// The same sessions in the hands of an administrator, under whose name ends are told.
    pub fn as_administrator(&self, who: Owner) -> Administrator {
        Administrator::new(self.clone(), Actor::Administrator(who))
    }

    /// The host itself, in whose name the ends above are told.
    fn as_host(&self) -> Administrator {
        Administrator::new(self.clone(), Actor::Host)
    }

    /// Counts live sessions and seats.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`].
    pub async fn counts(&self, of: CountOf) -> Result<Counts, Refusal> {
        flow::ask(&self.inner, "counts", self.inner.registry.counts(of)).await
    }

    /// Whether this node may take traffic: its view of revocations is complete and fresh.
    pub fn readiness(&self) -> Readiness {
        self.inner.start();
        Node::readiness(&self.inner)
    }

    /// Waits until this node may take traffic.
    pub async fn ready(&self) {
        self.inner.start();
        self.inner.node.ready(&self.inner).await;
    }

    /// Closes the open event streams (`GET /session/events`), lets [`Session::ended`](crate::Session::ended) resolve,
    /// and keeps doing so: such streams would not end by themselves. For an orderly end of the process, as it is told
    /// to stop and before it waits for open requests.
    pub fn close_streams(&self) {
        self.inner.node.watched.close();
    }

    /// Closes streams, brings what is still in memory (marks of activity) to the registry, and the registry to where it survives.
    /// For an orderly end of the process, after the last request.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`]: marks may be lost, nothing else.
    pub async fn shut_down(&self) -> Result<(), Refusal> {
        self.close_streams();
        self.inner.node.flush_activity(&self.inner).await;
        self.inner.registry.flush().await?;
        Ok(())
    }

    /// The name under which the issuer signs, and the origin that it trusts.
    pub fn issuer(&self) -> &str {
        &self.inner.config.issuer
    }

    /// The figures that were configured.
    pub fn policy(&self) -> &Policy {
        &self.inner.config.policy
    }

    /// The address of the client of a request that came from this peer, by the rule of
    /// [`Builder::trusted_proxies`]: for rate limits and logs.
    pub fn client_address(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        self.inner.config.proxies.client_address(peer, headers)
    }

    /// The public keys, as a JWK Set (RFC 7517); empty for a symmetric ring.
    pub fn jwks(&self) -> String {
        self.inner.ring().jwks_json()
    }

    pub(crate) fn from_inner(inner: Inner) -> Self {
        Self { inner: Arc::new(inner) }
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        &self.inner
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").field("issuer", &self.inner.config.issuer).finish_non_exhaustive()
    }
}

/// What happens to a request when this node's view of revocations is older than [`Policy::max_staleness`].
///
/// The layer asks the registry before it is known which route a request is for, so whoever the registry says has
/// ended is refused under each of them, and each may wait for its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Stale {
    /// The registry is asked about the session, for at most 250 ms; out of reach, the request is refused.
    #[default]
    CheckRegistry,
    /// The request is refused, whatever the registry says: for what must stop where news do not arrive.
    FailClosed,
    /// The access token is good until it expires, unless the registry says that the session has ended.
    ServeUntilExpiry,
}

/// Who renews an expired access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    ByTheClient,
    Inline,
}

/// Whether the lives of access tokens differ, so that clients do not refresh together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Spread {
    Random,
    #[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "only tests must be repeatable"))]
    None,
}

/// What the builder found consistent.
pub(crate) struct Config {
    pub(crate) origin: Origin,
    pub(crate) issuer: Arc<str>,
    pub(crate) audience: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) clock_skew: Duration,
    pub(crate) policy: Policy,
    /// The race window in seconds, as clients are told.
    pub(crate) race_window: HeaderValue,
    pub(crate) transport: Transport,
    /// None with the transport cookies.
    pub(crate) dpop: Option<Dpop>,
    pub(crate) cookies: CookieNames,
    pub(crate) renewal: Renewal,
    pub(crate) state_format: StateFormat,
    pub(crate) prefix: String,
    pub(crate) problem_types: Option<Arc<str>>,
    pub(crate) when_stale: Stale,
    pub(crate) proxies: TrustedProxies,
    pub(crate) claims: Option<ClaimsHook>,
    pub(crate) spread: Spread,
    /// As they are now.
    pub(crate) limits: ArcSwap<Limits>,
}

/// All that a node knows and holds.
pub(crate) struct Inner {
    pub(crate) config: Config,
    pub(crate) keys: Keys,
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) view: View,
    pub(crate) cache: TokenCache,
    pub(crate) replay: Replay,
    pub(crate) node: Node,
    pub(crate) random: Random,
    pub(crate) verify_times: VerifyTimes,
    pub(crate) unusual: Unusual,
    clock: Arc<dyn Clock>,
    events: Vec<Box<dyn EventSink>>,
}

impl Inner {
    pub(crate) fn new(
        config: Config,
        keys: Keys,
        registry: Arc<dyn Registry>,
        clock: Arc<dyn Clock>,
        events: Vec<Box<dyn EventSink>>,
        unusual: Unusual,
    ) -> Self {
        Self {
            config,
            keys,
            registry,
            view: View::new(),
            cache: TokenCache::default(),
            replay: Replay::default(),
            node: Node::default(),
            random: Random::default(),
            verify_times: metrics::begin(),
            unusual,
            clock,
            events,
        }
    }

    /// This node's clock, which never runs behind the registry's last instant.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().max(self.node.last_registry_instant())
    }

    pub(crate) fn wall(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn ring(&self) -> Arc<KeyRing> {
        self.keys.current()
    }

    pub(crate) fn tell(&self, event: &SessionEvent) {
        metrics::event(event);
        event.trace();
        for sink in &self.events {
            sink.note(event);
        }
    }

    /// Starts the node's background work, once; it ends with the last handle.
    pub(crate) fn start(self: &Arc<Self>) {
        self.node.start(self);
    }
}
