//! What a route demands of a session.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use countersign_registry::Activity;
use countersign_token::{Seat, Timestamp};
use futures_util::future::{Either, Ready};
use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::authenticate::{Active, Auth};
use crate::problem::ProblemStyle;
use crate::refusal::Refusal;
use crate::session;
use crate::sessions::{Inner, Stale};

/// What a route demands of a session, beyond that there is one.
///
/// Give it to [`Session::from_parts_with`](crate::Session::from_parts_with), or put it around routes as a tower
/// layer: [`Require`] is one.
///
/// ```
/// use countersign::{Require, Stale};
///
/// let transfer = Require::session().fresh().when_stale(Stale::FailClosed);
/// let poll = Require::session().pollable();
/// # let _ = (transfer, poll);
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Require {
    freshness: Option<Freshness>,
    when_stale: Option<Stale>,
    polling: Polling,
}

#[derive(Clone, Copy, Debug)]
enum Freshness {
    /// As the policy says.
    Policy,
    Within(Duration),
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Polling {
    #[default]
    IsActivity,
    MayBePassive,
}

impl Require {
    /// A session.
    pub fn session() -> Self {
        Self::default()
    }

    /// A session whose user proved who they are within [`Policy::fresh_for`](crate::Policy::fresh_for) (RFC 9470).
    pub fn fresh(self) -> Self {
        Self { freshness: Some(Freshness::Policy), ..self }
    }

    /// A session whose user proved who they are within this time (RFC 9470).
    pub fn fresh_within(self, max_age: Duration) -> Self {
        Self { freshness: Some(Freshness::Within(max_age)), ..self }
    }

    /// What happens when this node's view of revocations is too old.
    pub fn when_stale(self, stale: Stale) -> Self {
        Self { when_stale: Some(stale), ..self }
    }

    /// A route that pages poll: a request with `Session-Passive: ?1` is no activity, and a session without a seat is
    /// good enough.
    pub fn pollable(self) -> Self {
        Self { polling: Polling::MayBePassive, ..self }
    }

    /// The session of whoever asks, if there is one and it satisfies the demand; the request counts as activity then.
    pub(crate) fn admit(&self, inner: &Inner, auth: &Auth, asked: Activity) -> Result<Active, Refusal> {
        let active = match auth {
            Auth::Active(active) => active.clone(),
            Auth::Nobody => return Err(Refusal::NotAuthenticated),
            Auth::Refused(refusal) => return Err(refusal.clone()),
        };
        let now = inner.now();
        let defaults =
            Defaults { when_stale: inner.config.when_stale, fresh_for: inner.config.policy.fresh_for };
        self.judge(&active, &defaults, now)?;
        if self.activity(asked) == Activity::Active {
            inner.node.mark(active.session(), now);
        }
        Ok(active)
    }

    /// Judges an active session.
    fn judge(&self, active: &Active, defaults: &Defaults, now: Timestamp) -> Result<(), Refusal> {
        if active.claims().seat == Seat::None && self.polling == Polling::IsActivity {
            return Err(Refusal::TokenExpired);
        }
        active.trusted(self.when_stale.unwrap_or(defaults.when_stale))?;
        let max_age = match self.freshness {
            None => return Ok(()),
            Some(Freshness::Policy) => defaults.fresh_for,
            Some(Freshness::Within(max_age)) => max_age,
        };
        fresh(active, max_age, now)
    }

    /// Whether a request counts as its user's presence on this route.
    fn activity(&self, asked: Activity) -> Activity {
        match self.polling {
            Polling::IsActivity => Activity::Active,
            Polling::MayBePassive => asked,
        }
    }
}

/// What holds where a route says nothing.
struct Defaults {
    when_stale: Stale,
    fresh_for: Duration,
}

/// Whether the user proved who they are recently enough, and in this session itself: one that was handed off never
/// counts as fresh.
pub(crate) fn fresh(active: &Active, max_age: Duration, now: Timestamp) -> Result<(), Refusal> {
    let claims = active.claims();
    let handed_off = claims.identity.methods.iter().any(|method| method == "handoff");
    if handed_off || now.since(claims.identity.auth_time) > max_age {
        return Err(Refusal::StepUpRequired { max_age, acr_values: Vec::new() });
    }
    Ok(())
}

impl<S> Layer<S> for Require {
    type Service = RequireService<S>;

    fn layer(&self, within: S) -> RequireService<S> {
        RequireService { require: *self, within }
    }
}

/// A route with a demand around it. See [`Require`].
#[derive(Clone, Debug)]
pub struct RequireService<S> {
    require: Require,
    within: S,
}

impl<S, B, R> Service<Request<B>> for RequireService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Either<S::Future, Ready<Result<Response<R>, S::Error>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.within.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The handler's own extractor holds the session against the same demand.
        request.extensions_mut().insert(self.require);
        match session::carried(request.extensions()).active(&self.require) {
            Ok(_) => Either::Left(self.within.call(request)),
            Err(refusal) => {
                let response = refusal.to_response(&ProblemStyle::default()).map(R::from);
                Either::Right(futures_util::future::ready(Ok(response)))
            }
        }
    }
}
