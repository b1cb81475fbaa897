//! [`Visitor`]: whoever asks, with a session or without; and how a visitor logs in.

use std::sync::{Arc, OnceLock};

use countersign_token::{SessionData, StateVersion};
use http::Request;
use http::request::Parts;

use crate::authenticate::Auth;
use crate::carried::Carried;
use crate::credential::Credentials;
use crate::csrf::Verdict;
use crate::flow;
use crate::grant::Grant;
use crate::held::Held;
use crate::login::Login;
use crate::refusal::Refusal;
use crate::require::Require;
use crate::session::{Facts, Session, carried};
use crate::transport::Transport;

/// Whoever asks: a session, or an anonymous visit, which costs the server nothing at all.
///
/// A visit's data travels with its client alone. At [login](Visitor::login) it becomes the session's first state.
pub struct Visitor<D = ()> {
    who: Who<D>,
}

enum Who<D> {
    Session(Box<Session<D>>),
    Visit(Box<Visit<D>>),
    /// A credential came that is no good: its bearer may log in, and nothing else.
    Nobody(Box<Visit<D>>, Refusal),
}

struct Visit<D> {
    carried: Arc<Carried>,
    facts: Facts,
    data: OnceLock<(D, StateVersion)>,
}

impl<D: SessionData> Visitor<D> {
    /// The visitor of a request that came through the [layer](crate::Sessions::layer).
    ///
    /// # Errors
    ///
    /// [`Refusal::CrossSite`] if another site sent an unsafe request that could set a cookie. A credential that is no
    /// good does not hinder a login; whatever else the visitor is asked for tells of it.
    ///
    /// # Panics
    ///
    /// If the request did not come through the layer.
    pub fn from_request<B>(request: &Request<B>) -> Result<Self, Refusal> {
        let require = request.extensions().get().copied().unwrap_or_default();
        Self::read(request.extensions(), request.headers(), &require)
    }

    /// The visitor of a request's head.
    ///
    /// # Errors
    ///
    /// As [`Visitor::from_request`].
    ///
    /// # Panics
    ///
    /// As [`Visitor::from_request`].
    pub fn from_parts(parts: &Parts) -> Result<Self, Refusal> {
        let require = parts.extensions.get().copied().unwrap_or_default();
        Self::read(&parts.extensions, &parts.headers, &require)
    }

    fn read(
        extensions: &http::Extensions,
        headers: &http::HeaderMap,
        require: &Require,
    ) -> Result<Self, Refusal> {
        let carried = carried(extensions);
        let inner = carried.sessions.inner();
        let credentials = Credentials::read(headers, &inner.config.cookies, inner.config.transport)?;
        let facts = Facts::of(&credentials, headers);
        let visit = |facts: Facts| {
            same_site(carried)?;
            let held = Held::of_visit(&credentials);
            Ok::<_, Refusal>(Box::new(Visit {
                carried: carried.clone(),
                facts: Facts { held, ..facts },
                data: OnceLock::new(),
            }))
        };
        let who = match (&carried.auth, carried.active(require)) {
            (_, Ok(active)) => {
                let held = Held::of_session(&credentials, &active.session());
                Who::Session(Box::new(Session::new(carried.clone(), active, Facts { held, ..facts })))
            }
            (Auth::Nobody, Err(_)) => Who::Visit(visit(facts)?),
            (_, Err(refusal)) => Who::Nobody(visit(facts)?, refusal),
        };
        Ok(Self { who })
    }

    /// The session, if there is one.
    pub fn session(&self) -> Option<&Session<D>> {
        match &self.who {
            Who::Session(session) => Some(session),
            Who::Visit(_) | Who::Nobody(..) => None,
        }
    }

    /// The application's data of the session or visit.
    ///
    /// # Errors
    ///
    /// As [`Session::data`]; a visit has none.
    pub fn data(&self) -> Result<&D, Refusal> {
        match &self.who {
            Who::Session(session) => session.data(),
            Who::Visit(visit) => Ok(&visit.read().0),
            Who::Nobody(_, refusal) => Err(refusal.clone()),
        }
    }

    /// The version of that data; a visit that has none yet is at `0.0`.
    ///
    /// # Errors
    ///
    /// As [`Session::data`]; a visit has none.
    pub fn version(&self) -> Result<StateVersion, Refusal> {
        match &self.who {
            Who::Session(session) => session.version(),
            Who::Visit(visit) => Ok(visit.read().1),
            Who::Nobody(_, refusal) => Err(refusal.clone()),
        }
    }

    /// Changes the data, without asking the registry.
    ///
    /// # Errors
    ///
    /// As [`Session::update`].
    pub fn update(&self, change: impl FnOnce(&mut D)) -> Result<(D, Grant), Refusal> {
        match &self.who {
            Who::Session(session) => session.update(change),
            Who::Visit(visit) => flow::visit(visit.carried.sessions.inner(), &visit.facts.held, change),
            Who::Nobody(_, refusal) => Err(refusal.clone()),
        }
    }

    /// Begins to log in. The host has checked who this is.
    ///
    /// The data of an anonymous visit is carried over; an authentic session of this browser is replaced.
    pub fn login(&self, subject: impl Into<Arc<str>>) -> Login {
        let (carried, facts) = match &self.who {
            Who::Session(session) => (&session.carried, &session.facts),
            Who::Visit(visit) | Who::Nobody(visit, _) => (&visit.carried, &visit.facts),
        };
        Login::new(carried.clone(), facts, subject.into())
    }
}

impl<D: SessionData> Visit<D> {
    fn read(&self) -> &(D, StateVersion) {
        let inner = self.carried.sessions.inner();
        self.data.get_or_init(|| flow::read_visit(inner, &self.facts.held, inner.now()))
    }
}

impl<D> std::fmt::Debug for Visitor<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.who {
            Who::Session(session) => f.debug_tuple("Visitor").field(session).finish(),
            Who::Visit(_) => f.write_str("Visitor(anonymous)"),
            Who::Nobody(_, refusal) => write!(f, "Visitor({})", refusal.code()),
        }
    }
}

/// A request that could set a cookie must not come from another site; one with a bearer token sets none by itself.
fn same_site(carried: &Carried) -> Result<(), Refusal> {
    let cookies = carried.sessions.inner().config.transport != Transport::Body;
    match carried.verdict {
        Verdict::CrossSite if cookies => Err(Refusal::CrossSite),
        _ => Ok(()),
    }
}
