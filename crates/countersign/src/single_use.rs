//! Routes on which a proof of a key is good once on all nodes together: it is used up in the registry.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use countersign_token::SessionData;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::authenticate::Active;
use crate::dpop;
use crate::problem::ProblemStyle;
use crate::refusal::Refusal;
use crate::require::Require;
use crate::session::{self, Session};
use crate::sessions::Inner;

/// A demand that also uses up the request's proof of a key (RFC 9449), as a tower layer for routes. Made by
/// [`Require::single_use_proof`].
#[derive(Clone, Copy, Debug)]
pub struct SingleUseProof {
    require: Require,
}

impl Require {
    /// Demands besides that the session is bound to a key, and uses the request's proof up in the registry: the same
    /// proof is good on no node again. (On other routes, each node remembers proofs by itself.) One call of the
    /// registry for each request.
    ///
    /// It makes the layer to put around routes; where there is none, [`Session::claim_proof`] does the same.
    ///
    /// ```
    /// use countersign::Require;
    ///
    /// let transfer = Require::session().fresh().single_use_proof();
    /// # let _ = transfer;
    /// ```
    pub fn single_use_proof(self) -> SingleUseProof {
        SingleUseProof { require: self }
    }
}

impl<D: SessionData> Session<D> {
    /// Uses up the proof of a key that the request came with (RFC 9449), in the registry: the same proof is good on
    /// no node again. Once for a request.
    ///
    /// # Errors
    ///
    /// [`Refusal::DpopRequired`] if the session is bound to no key, [`Refusal::DpopInvalid`] if the proof was used
    /// before, [`Refusal::RegistryUnavailable`].
    pub async fn claim_proof(&self) -> Result<(), Refusal> {
        claim(self.inner(), &self.active).await
    }
}

async fn claim(inner: &Inner, active: &Active) -> Result<(), Refusal> {
    match active.proof() {
        Some(proof) => dpop::claim(inner, proof).await,
        None => Err(dpop::required(inner)),
    }
}

impl<S> Layer<S> for SingleUseProof {
    type Service = SingleUseService<S>;

    fn layer(&self, within: S) -> SingleUseService<S> {
        SingleUseService { require: self.require, within }
    }
}

/// A route that uses proofs up. See [`Require::single_use_proof`].
#[derive(Clone, Debug)]
pub struct SingleUseService<S> {
    require: Require,
    within: S,
}

impl<S, B, R> Service<Request<B>> for SingleUseService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    R: From<Bytes>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = SingleUseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.within.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The handler's own extractor holds the session against the same demand.
        request.extensions_mut().insert(self.require);
        let carried = Arc::clone(session::carried(request.extensions()));
        let active = carried.active(&self.require);
        let claimed = async move { claim(carried.sessions.inner(), &active?).await };
        // The service that was polled ready takes the request; its clone stays here.
        let clone = self.within.clone();
        let ready = std::mem::replace(&mut self.within, clone);
        let claiming = State::Claiming { claimed: claimed.boxed(), call: Some((ready, request)) };
        SingleUseFuture { state: claiming }
    }
}

pin_project! {
    /// The future of [`SingleUseService`].
    pub struct SingleUseFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Claiming { claimed: BoxFuture<'static, Result<(), Refusal>>, call: Option<(S, Request<B>)> },
        Within { #[pin] response: S::Future },
    }
}

impl<S, B, R> Future for SingleUseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    R: From<Bytes>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Within { response } => return response.poll(context),
                StateProjection::Claiming { claimed, call } => {
                    if let Err(refusal) = ready!(claimed.as_mut().poll(context)) {
                        let response = refusal.to_response(&ProblemStyle::default()).map(R::from);
                        return Poll::Ready(Ok(response));
                    }
                    let Some((mut service, request)) = call.take() else { return Poll::Pending };
                    State::Within { response: service.call(request) }
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, B> std::fmt::Debug for SingleUseFuture<S, B>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SingleUseFuture").finish_non_exhaustive()
    }
}
