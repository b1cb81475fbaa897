//! [`Login`]: what a host says of a person who proved who they are, until it asks for the session.

use std::future::IntoFuture;
use std::sync::Arc;

use countersign_registry::{Admission, Owner};
use countersign_token::{Persistence, SessionId};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::authenticate::{self, Active, Auth};
use crate::carried::Carried;
use crate::csrf::Verdict;
use crate::dpop::{self, Binding};
use crate::flow;
use crate::grant::Grant;
use crate::held::Held;
use crate::refusal::Refusal;
use crate::session::Facts;
use crate::transport::Transport;

/// A login under way: await it for the [`Grant`]. Made by [`Visitor::login`](crate::Visitor::login) and
/// [`Session::reauthenticate`](crate::Session::reauthenticate).
///
/// Awaiting it may refuse: [`Refusal::SessionsLimit`] when no seat is free (which is no failed login),
/// [`Refusal::CrossSite`] when another site sent the request, [`Refusal::RegistryUnavailable`]; and what a proof of a
/// key is refused with, or its absence ([`Dpop`](crate::Dpop)).
#[must_use = "a login does nothing until it is awaited"]
#[derive(Debug)]
pub struct Login {
    carried: Arc<Carried>,
    asked: flow::Login,
    state: CarryOver,
}

/// What becomes the new session's first state.
#[derive(Debug)]
enum CarryOver {
    /// The data of the visit before it.
    Visit(Held),
    /// The data of the session that it replaces, which is the same person's.
    Session(Active, Held),
}

impl Login {
    pub(crate) fn new(carried: Arc<Carried>, facts: &Facts, subject: Arc<str>) -> Self {
        let login = flow::Login {
            owner: Owner { tenant: None, subject },
            methods: "pwd".into(),
            persistence: Persistence::Persistent,
            admission: Admission::Limited,
            device: facts.device(),
            replaces: session_of_browser(&carried),
            key: facts.key,
            code: None,
            handed_off: None,
            binding: Binding::default(),
        };
        Self { carried, asked: login, state: CarryOver::Visit(facts.held.clone()) }
    }

    pub(crate) fn again(carried: Arc<Carried>, active: &Active, facts: &Facts) -> Self {
        let state = CarryOver::Session(active.clone(), facts.held.clone());
        let identity = &active.claims().identity;
        let mut this = Self::new(carried, facts, identity.subject.as_str().into());
        this.asked.owner = active.owner();
        this.asked.persistence = identity.persistence;
        this.asked.replaces = Some(identity.session);
        Self { state, ..this }
    }

    /// The tenant that the subject belongs to.
    pub fn tenant(mut self, tenant: impl Into<Arc<str>>) -> Self {
        self.asked.owner.tenant = Some(tenant.into());
        self
    }

    /// How the person proved who they are, in the words of RFC 8176 (`pwd`, `otp`, `hwk`, …). `pwd` by default.
    pub fn methods<'a>(mut self, methods: impl IntoIterator<Item = &'a str>) -> Self {
        self.asked.methods = methods.into_iter().collect::<Vec<_>>().join(" ").into();
        self
    }

    /// Whether the browser keeps the session when it is closed. It does by default; the session's life on the
    /// server is the same.
    pub fn remember(mut self, remember: bool) -> Self {
        self.asked.persistence = if remember { Persistence::Persistent } else { Persistence::Browser };
        self
    }

    /// Takes a seat and is never refused one: an administrator must get into a full site.
    pub fn exempt(mut self) -> Self {
        self.asked.admission = Admission::Exempt;
        self
    }

    /// What the person's list of sessions shows, instead of a label from the `User-Agent`.
    pub fn device(mut self, label: impl Into<Arc<str>>) -> Self {
        self.asked.device = Some(label.into());
        self
    }

    async fn run(mut self) -> Result<Grant, Refusal> {
        let inner = self.carried.sessions.inner();
        if self.carried.verdict == Verdict::CrossSite && inner.config.transport != Transport::Body {
            return Err(Refusal::CrossSite);
        }
        self.asked.binding = dpop::binding(inner, self.carried.came.as_deref()).await?;
        let begun = flow::login(inner, self.asked).await?;
        match self.state {
            CarryOver::Visit(held) => flow::carry_visit(inner, &held, begun),
            CarryOver::Session(active, held) => flow::carry_session(inner, &active, &held, begun),
        }
    }
}

impl IntoFuture for Login {
    type Output = Result<Grant, Refusal>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        self.run().boxed()
    }
}

/// The session of this browser, by an authentic token: an access token (also an expired one), else the refresh
/// cookie.
fn session_of_browser(carried: &Carried) -> Option<SessionId> {
    if let Auth::Active(active) = &carried.auth {
        return Some(active.session());
    }
    let inner = carried.sessions.inner();
    let access = carried.access_token().and_then(|token| authenticate::authentic_access(inner, token));
    let refresh = || carried.refresh_token().and_then(|token| authenticate::authentic_refresh(inner, token));
    access.or_else(refresh).map(|(session, _)| session)
}
