//! From a host's wishes to [`Sessions`]: every combination that cannot work is refused here, naming what clashes.

mod error;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use countersign_registry::{Clock, Limits, Owner, Registry, Rules, Sharing, SystemClock};
use countersign_token::StateFormat;
use http::HeaderValue;
use serde_json::{Map, Value};

use crate::address::TrustedProxies;
use crate::cookie::CookieNames;
use crate::dpop::Dpop;
use crate::event::EventSink;
use crate::keys::Keys;
use crate::origin::Origin;
use crate::policy::Policy;
use crate::sessions::{Config, Inner, Renewal, Sessions, Spread, Stale};
use crate::transport::Transport;
pub use error::ConfigError;

use crate::unusual::{Finding, Hook, Reaction, RequestHead, Thresholds, Unusual};

/// Builds [`Sessions`]. Made by [`Sessions::builder`].
#[must_use]
pub struct Builder {
    origin: String,
    keys: Keys,
    registry: Arc<dyn Registry>,
    policy: Policy,
    limits: Limits,
    transport: Transport,
    dpop: Dpop,
    cookies: CookieNames,
    development: Option<String>,
    renewal: Renewal,
    state_format: StateFormat,
    audience: Option<String>,
    client_id: Option<String>,
    prefix: String,
    problem_types: Option<String>,
    when_stale: Stale,
    proxies: TrustedProxies,
    clock: Arc<dyn Clock>,
    events: Vec<Box<dyn EventSink>>,
    claims: Option<ClaimsHook>,
    spread: Spread,
    hook: Option<Hook>,
    thresholds: Thresholds,
}

pub(crate) type ClaimsHook = Box<dyn Fn(&Owner) -> Map<String, Value> + Send + Sync>;

impl Builder {
    pub(crate) fn new(origin: &str, keys: Keys, registry: Arc<dyn Registry>) -> Self {
        Self {
            origin: origin.to_owned(),
            keys,
            registry,
            policy: Policy::default(),
            limits: Limits::none(),
            transport: Transport::Cookies,
            dpop: Dpop::Offered,
            cookies: CookieNames::host_prefixed(),
            development: None,
            renewal: Renewal::ByTheClient,
            state_format: StateFormat::Sealed,
            audience: None,
            client_id: None,
            prefix: "/session".to_owned(),
            problem_types: None,
            when_stale: Stale::CheckRegistry,
            proxies: TrustedProxies::none(),
            clock: Arc::new(SystemClock),
            events: Vec::new(),
            claims: None,
            spread: Spread::Random,
            hook: None,
            thresholds: Thresholds::default(),
        }
    }

    /// How long things last.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// How many seats there are. None is the default.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where tokens travel. Cookies are the default.
    pub fn transport(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Whether sessions are bound to keys of their clients (RFC 9449). Offered by default; see [`Dpop`].
    pub fn dpop(mut self, dpop: Dpop) -> Self {
        self.dpop = dpop;
        self
    }

    /// Lets the layer renew by itself when the access token has expired, for pages that the server renders. With
    /// [`Transport::Cookies`] only; the refresh cookie is `SameSite=Lax` then.
    pub fn inline_renewal(mut self) -> Self {
        self.renewal = Renewal::Inline;
        self
    }

    /// Whether the client can read its state: sealed (the default) or signed.
    pub fn state_format(mut self, format: StateFormat) -> Self {
        self.state_format = format;
        self
    }

    /// The audience of access tokens (RFC 9068): the APIs that accept them. By default, the origin.
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = Some(audience.into());
        self
    }

    /// The `client_id` of tokens (RFC 9068). By default, the origin's host.
    pub fn client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Where the endpoints are mounted. `/session` by default.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// What the `type` of problem documents begins with, up to the code (RFC 9457). By default `about:blank`.
    pub fn problem_types(mut self, base: impl Into<String>) -> Self {
        self.problem_types = Some(base.into());
        self
    }

    /// What happens when this node's view of revocations is too old, where a route says nothing else.
    pub fn when_stale(mut self, stale: Stale) -> Self {
        self.when_stale = stale;
        self
    }

    /// The proxies whose word on a client's address is believed. None by default.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// Names cookies without a prefix and leaves out `Secure`, for a browser that stores no secure cookie on
    /// `http://localhost`. Refused for an origin that is not on the loopback.
    pub fn development_cookies(mut self, name: impl Into<String>) -> Self {
        self.development = Some(name.into());
        self
    }

    /// Claims of the application (roles, …) for the access tokens of an owner, asked for at each login and refresh.
    /// It must not block.
    pub fn claims(mut self, hook: impl Fn(&Owner) -> Map<String, Value> + Send + Sync + 'static) -> Self {
        self.claims = Some(Box::new(hook));
        self
    }

    /// Tells of what happens. May be called more than once.
    pub fn on_event(mut self, sink: impl EventSink) -> Self {
        self.events.push(Box::new(sink));
        self
    }

    /// Asks the host about a session that something [unusual](Finding) was found about: at the refresh that shows it, else
    /// at the session's next request, if that comes within 15 minutes, and once for each finding. Without a hook, events tell
    /// of it and all goes on.
    ///
    /// The hook must not block, and should be slow to [`End`](Reaction::End): all but a copied refresh token has honest
    /// causes too. What it says to a copied one changes nothing, since that session has been ended.
    pub fn on_unusual(
        mut self,
        hook: impl Fn(&RequestHead, &Finding) -> Reaction + Send + Sync + 'static,
    ) -> Self {
        self.hook = Some(Box::new(hook));
        self
    }

    /// How many refusals within a minute are unusual.
    pub fn unusual_from(mut self, thresholds: Thresholds) -> Self {
        self.thresholds = thresholds;
        self
    }

    /// The clock; a test brings its own.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Access tokens live as long as the policy says, instead of up to 5 % less at random: for a simulation that can
    /// be replayed.
    #[cfg(feature = "testing")]
    pub fn exact_lifetimes(mut self) -> Self {
        self.spread = Spread::None;
        self
    }

    /// Checks the whole, and builds.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] names the figures that cannot work together.
    pub fn build(self) -> Result<Sessions, ConfigError> {
        let origin = self.origin.parse::<Origin>().map_err(|error| ConfigError::Origin {
            origin: self.origin.clone(),
            reason: error.to_string(),
        })?;
        check_prefix(&self.prefix)?;
        let clock_skew = self.policy.clock_skew.unwrap_or_else(|| default_skew(self.registry.sharing()));
        check_policy(&self.policy, clock_skew)?;
        if self.renewal == Renewal::Inline && self.transport != Transport::Cookies {
            return Err(ConfigError::RenewalWithoutCookies(self.transport));
        }
        if self.dpop == Dpop::Required && self.transport == Transport::Cookies {
            return Err(ConfigError::DpopWithCookies);
        }
        let cookies = match &self.development {
            None => self.cookies,
            Some(_) if !origin.is_loopback() => {
                return Err(ConfigError::DevelopmentCookies { origin: origin.to_string() });
            }
            Some(name) => {
                CookieNames::for_development(name).map_err(|_| ConfigError::CookieName(name.clone()))?
            }
        };
        self.registry.configure(rules(&self.policy, clock_skew, self.limits));
        let issuer: Arc<str> = origin.to_string().into();
        let config = Config {
            audience: self.audience.map_or_else(|| issuer.clone(), Into::into),
            client_id: self.client_id.map_or_else(|| origin.host().into(), Into::into),
            issuer,
            origin,
            clock_skew,
            race_window: seconds(self.policy.race_window),
            policy: self.policy,
            transport: self.transport,
            dpop: Some(self.dpop).filter(|_| self.transport != Transport::Cookies),
            cookies,
            renewal: self.renewal,
            state_format: self.state_format,
            prefix: self.prefix,
            problem_types: self.problem_types.map(Into::into),
            when_stale: self.when_stale,
            proxies: self.proxies,
            claims: self.claims,
            spread: self.spread,
            limits: ArcSwap::from_pointee(self.limits),
        };
        Ok(Sessions::from_inner(Inner::new(
            config,
            self.keys,
            self.registry,
            self.clock,
            self.events,
            Unusual::new(self.hook, self.thresholds),
        )))
    }
}

impl std::fmt::Debug for Builder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Builder")
            .field("origin", &self.origin)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

/// Seconds as a header, a decimal where they are not whole.
fn seconds(duration: Duration) -> HeaderValue {
    let text = duration.as_secs_f64().to_string();
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from(duration.as_secs()))
}

fn default_skew(sharing: Sharing) -> Duration {
    match sharing {
        Sharing::OneNode => Duration::ZERO,
        Sharing::ManyNodes => Duration::from_mins(1),
    }
}

fn rules(policy: &Policy, clock_skew: Duration, limits: Limits) -> Rules {
    Rules {
        race_window: policy.race_window,
        dangling_after: policy.dangling_after,
        idle_timeout: policy.idle,
        access_lifetime: policy.access_ttl,
        clock_skew,
        limits,
    }
}

fn check_prefix(prefix: &str) -> Result<(), ConfigError> {
    let plain = prefix.strip_prefix('/').is_some_and(|rest| {
        rest.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./".contains(&b))
            && rest.split('/').all(|segment| !matches!(segment, "" | "." | ".."))
    });
    if plain { Ok(()) } else { Err(ConfigError::Prefix(prefix.to_owned())) }
}

fn check_policy(policy: &Policy, clock_skew: Duration) -> Result<(), ConfigError> {
    let above_zero = [
        ("access-ttl", policy.access_ttl),
        ("idle-timeout", policy.idle),
        ("lifetime", policy.lifetime),
        ("race-window", policy.race_window),
        ("visit-ttl", policy.visit_ttl),
    ];
    let any = [
        ("dangling-after", policy.dangling_after),
        ("clock-skew", clock_skew),
        ("max-staleness", policy.max_staleness),
        ("fresh-for", policy.fresh_for),
    ];
    if let Some((name, _)) = above_zero.into_iter().find(|(_, value)| value.is_zero()) {
        return Err(ConfigError::Zero { name });
    }
    if let Some((name, value)) = above_zero.into_iter().chain(any).find(|(_, value)| *value > LONGEST) {
        return Err(ConfigError::TooLong { name, value });
    }
    if policy.access_ttl + clock_skew > policy.dangling_after {
        return Err(ConfigError::DanglingTooSoon {
            dangling_after: policy.dangling_after,
            access_ttl: policy.access_ttl,
            clock_skew,
        });
    }
    if policy.idle > policy.lifetime {
        return Err(ConfigError::IdleBeyondLifetime { idle: policy.idle, lifetime: policy.lifetime });
    }
    Ok(())
}

/// A century: beyond it, a duration is a mistake.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);
