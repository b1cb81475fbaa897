//! [`Session`]: what a handler holds of the session that asks.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign_registry::{Digest, EndReason, OpId, Owner, Target};
use countersign_token::{SessionData, SessionId, StateVersion, Timestamp};
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderValue, Request};
use serde_json::{Map, Value};

use crate::authenticate::Active;
use crate::carried::{Beside, Carried};
use crate::credential::Credentials;
use crate::device;
use crate::endpoint;
use crate::event::Actor;
use crate::flow;
use crate::grant::{Farewell, Grant};
use crate::held::{self, Held};
use crate::login::Login;
use crate::node::{Ending, Watched};
use crate::object::SessionObject;
use crate::refusal::Refusal;
use crate::require::{self, Require};
use crate::sessions::{Inner, Sessions};

/// The session that asks: verified, live, and not revoked as far as this node knows.
///
/// A handler takes it as an argument (axum) or asks the request for it. `D` is the application's data of a session,
/// which the client holds in a state token; it is decoded when first looked at.
///
/// ```
/// # use countersign::{Grant, Refusal, Session, SessionData};
/// #[derive(Default, serde::Serialize, serde::Deserialize)]
/// struct Cart { items: Vec<String> }
/// impl SessionData for Cart { const VERSION: u16 = 1; }
///
/// fn add(session: Session<Cart>, item: String) -> Result<Grant, Refusal> {
///     let (_cart, grant) = session.update(|cart| cart.items.push(item))?;
///     Ok(grant)
/// }
/// ```
pub struct Session<D = ()> {
    pub(crate) carried: Arc<Carried>,
    pub(crate) active: Active,
    pub(crate) facts: Facts,
    data: OnceLock<(D, StateVersion)>,
}

/// What a session needs to know of its request's head.
pub(crate) struct Facts {
    pub(crate) held: Held,
    pub(crate) key: Option<Digest>,
    pub(crate) user_agent: Option<HeaderValue>,
}

impl<D: SessionData> Session<D> {
    /// The session of a request that came through the [layer](crate::Sessions::layer).
    ///
    /// # Errors
    ///
    /// Why there is none, ready to be the response.
    ///
    /// # Panics
    ///
    /// If the request did not come through the layer: no session must be assumed then, and none be missed.
    pub fn from_request<B>(request: &Request<B>) -> Result<Self, Refusal> {
        Self::read(
            request.extensions(),
            request.headers(),
            request.extensions().get().copied().unwrap_or_default(),
        )
    }

    /// The session of a request's head.
    ///
    /// # Errors
    ///
    /// As [`Session::from_request`].
    ///
    /// # Panics
    ///
    /// As [`Session::from_request`].
    pub fn from_parts(parts: &Parts) -> Result<Self, Refusal> {
        Self::from_parts_with(parts, &parts.extensions.get().copied().unwrap_or_default())
    }

    /// The session of a request's head, if it satisfies what the route demands.
    ///
    /// # Errors
    ///
    /// As [`Session::from_request`], and what [`Require`] says.
    ///
    /// # Panics
    ///
    /// As [`Session::from_request`].
    pub fn from_parts_with(parts: &Parts, require: &Require) -> Result<Self, Refusal> {
        Self::read(&parts.extensions, &parts.headers, *require)
    }

    fn read(
        extensions: &http::Extensions,
        headers: &http::HeaderMap,
        require: Require,
    ) -> Result<Self, Refusal> {
        let carried = carried(extensions).clone();
        let active = carried.active(&require)?;
        let facts = match carried.beside {
            Beside::Nothing => Facts::alone(headers),
            Beside::Something => {
                let config = &carried.sessions.inner().config;
                let credentials = Credentials::read(headers, &config.cookies, config.transport)?;
                let held = Held::of_session(&credentials, &active.session());
                Facts { held, ..Facts::of(&credentials, headers) }
            }
        };
        Ok(Self::new(carried, active, facts))
    }

    pub(crate) fn new(carried: Arc<Carried>, active: Active, facts: Facts) -> Self {
        Self { carried, active, facts, data: OnceLock::new() }
    }

    /// The application's data of this session.
    ///
    /// # Errors
    ///
    /// [`Refusal::StateSuperseded`] or [`Refusal::StateLost`], when the client does not hold the state that counts.
    pub fn data(&self) -> Result<&D, Refusal> {
        self.read_data().map(|(data, _)| data)
    }

    /// The version of that data.
    ///
    /// # Errors
    ///
    /// As [`Session::data`].
    pub fn version(&self) -> Result<StateVersion, Refusal> {
        self.read_data().map(|(_, version)| *version)
    }

    fn read_data(&self) -> Result<&(D, StateVersion), Refusal> {
        if let Some(read) = self.data.get() {
            return Ok(read);
        }
        let read = self.presented().read::<D>()?;
        Ok(self.data.get_or_init(|| read))
    }

    /// Changes the data without asking the registry. Of two updates of one version at the same time, the later
    /// answer wins, as with any session in a cookie; where that must not be, use
    /// [`update_exclusive`](Session::update_exclusive).
    ///
    /// # Errors
    ///
    /// As [`Session::data`]; [`Refusal::StateTooLarge`] names the size.
    pub fn update(&self, change: impl FnOnce(&mut D)) -> Result<(D, Grant), Refusal> {
        flow::plain(&self.presented(), change)
    }

    /// Changes the data in one call of the registry. Of several updates of one version exactly one wins, and no
    /// older state is accepted ever after: what it recorded (a coupon that was redeemed) cannot be replayed.
    ///
    /// A request that carries an `Idempotency-Key` may be repeated when its answer was lost. The change must be
    /// deterministic then.
    ///
    /// # Errors
    ///
    /// [`Refusal::StateConflict`] if another update won; as [`Session::update`]; and
    /// [`Refusal::RegistryUnavailable`].
    pub async fn update_exclusive(&self, change: impl FnOnce(&mut D)) -> Result<(D, Grant), Refusal> {
        flow::exclusive(&self.presented(), change).await
    }

    /// Starts the data again from the default, also when it is [lost](Refusal::StateLost). An exclusive update.
    ///
    /// # Errors
    ///
    /// As [`Session::update_exclusive`].
    pub async fn reset_state(&self) -> Result<(D, Grant), Refusal> {
        flow::reset(&self.presented()).await
    }

    fn presented(&self) -> flow::Presented<'_> {
        flow::Presented {
            inner: self.inner(),
            active: &self.active,
            held: &self.facts.held,
            key: self.facts.key,
        }
    }
}

impl<D> Session<D> {
    /// Its id.
    pub fn id(&self) -> SessionId {
        self.active.session()
    }

    /// Whom it belongs to.
    pub fn subject(&self) -> &str {
        &self.active.claims().identity.subject
    }

    /// The tenant of its subject.
    pub fn tenant(&self) -> Option<&str> {
        self.active.claims().identity.tenant.as_deref()
    }

    /// Subject and tenant.
    pub fn owner(&self) -> Owner {
        self.active.owner()
    }

    /// When its user proved who they are (RFC 9470).
    pub fn auth_time(&self) -> Timestamp {
        self.active.claims().identity.auth_time
    }

    /// How its user proved who they are, in the words of RFC 8176.
    pub fn methods(&self) -> &[String] {
        &self.active.claims().identity.methods
    }

    /// Its absolute end.
    pub fn expires_at(&self) -> Timestamp {
        self.active.claims().identity.session_expires_at
    }

    /// Claims of the application, such as roles.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.active.claims().app
    }

    /// The sessions that it is one of.
    pub fn sessions(&self) -> &Sessions {
        &self.carried.sessions
    }

    /// What it is, as the endpoint `GET /session` tells. No I/O: its last activity is what this node knows.
    pub fn object(&self) -> SessionObject {
        SessionObject::of_active(self.inner(), &self.active, self.facts.device())
    }

    /// Demands that its user proved who they are within [`Policy::fresh_for`](crate::Policy::fresh_for).
    ///
    /// # Errors
    ///
    /// [`Refusal::StepUpRequired`] (RFC 9470).
    pub fn require_fresh(&self) -> Result<(), Refusal> {
        self.require_fresh_within(self.inner().config.policy.fresh_for)
    }

    /// Demands that its user proved who they are within this time.
    ///
    /// # Errors
    ///
    /// [`Refusal::StepUpRequired`] (RFC 9470).
    pub fn require_fresh_within(&self, max_age: Duration) -> Result<(), Refusal> {
        require::fresh(&self.active, max_age, self.inner().now())
    }

    /// Ends it. The client's cookies are to be deleted.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`]: it may have happened; the client keeps its cookies and repeats.
    pub async fn end(self) -> Result<Farewell, Refusal> {
        let inner = self.inner();
        flow::end_sessions(inner, vec![(self.id(), self.owner())], EndReason::Logout, Actor::User).await?;
        Ok(flow::farewell(inner, self.facts.held.cookies()))
    }

    /// Ends all other sessions of its subject, and returns how many.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`]: it may have happened.
    pub async fn end_others(&self) -> Result<u64, Refusal> {
        let target = Target::Owner(self.owner(), Some(self.id()));
        let ended =
            flow::end(self.inner(), self.op(), target, EndReason::EndedByUser, Actor::User(self.id()))
                .await?;
        Ok(ended.sessions)
    }

    /// Ends one session of its subject, this one or another.
    ///
    /// # Errors
    ///
    /// [`Refusal::NotFound`] if its subject has no such session; [`Refusal::RegistryUnavailable`].
    pub async fn end_other(&self, session: SessionId) -> Result<(), Refusal> {
        let target = Target::Own(self.owner(), session);
        match flow::end(self.inner(), self.op(), target, EndReason::EndedByUser, Actor::User(self.id()))
            .await?
            .sessions
        {
            0 => Err(Refusal::NotFound),
            _ => Ok(()),
        }
    }

    /// The live sessions of its subject, the last active first.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`].
    pub async fn list(&self) -> Result<Vec<SessionObject>, Refusal> {
        endpoint::own(self.inner(), &self.active).await
    }

    /// Gives its user a new session after they proved again who they are: new ids, a new absolute end; the old
    /// session ends (reason `replaced`).
    pub fn reauthenticate(&self) -> Login {
        Login::again(self.carried.clone(), &self.active, &self.facts)
    }

    /// Resolves when it has ended, was not refreshed in time, or the server stops
    /// ([`Sessions::close_streams`]): for streams and sockets to stop at.
    ///
    /// The handshake of a WebSocket that carries a session cookie has passed the layer only if it came from the site's
    /// own pages, as a request that changes something must: a handler need not look at `Origin`. A socket of a page that
    /// holds its token in memory is the application's to authenticate, since browsers let no script set its headers.
    pub fn ended(&self) -> impl Future<Output = Ending> + Send + use<D> {
        Watched::ended(self.inner().clone(), self.active.clone())
    }

    pub(crate) fn inner(&self) -> &Arc<Inner> {
        self.carried.sessions.inner()
    }

    fn op(&self) -> OpId {
        OpId(self.inner().random.bytes())
    }
}

impl<D> std::fmt::Debug for Session<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("id", &self.id()).finish_non_exhaustive()
    }
}

impl Facts {
    /// Of a request that carries nothing beside its access token.
    fn alone(headers: &http::HeaderMap) -> Self {
        Self { held: Held::default(), key: None, user_agent: headers.get(USER_AGENT).cloned() }
    }

    pub(crate) fn of(credentials: &Credentials<'_>, headers: &http::HeaderMap) -> Self {
        let key = credentials.idempotency_key.map(|key| held::digest(key.as_bytes()));
        Self { key, ..Self::alone(headers) }
    }

    /// What the person's list of sessions shows. Few requests ask, and telling browsers apart takes a while.
    pub(crate) fn device(&self) -> Option<Arc<str>> {
        device::label_of(self.user_agent.as_ref()?)
    }
}

/// What the layer put into the request.
pub(crate) fn carried(extensions: &http::Extensions) -> &Arc<Carried> {
    #[expect(
        clippy::expect_used,
        reason = "a service without the layer is a mistake of the host's, at its first request"
    )]
    extensions.get::<Arc<Carried>>().expect("the request came through Sessions::layer()")
}

impl Carried {
    /// The session, if it satisfies what the route demands; the request counts as activity then.
    pub(crate) fn active(&self, require: &Require) -> Result<Active, Refusal> {
        self.note_read();
        require.admit(self.sessions.inner(), &self.auth, self.activity)
    }
}
