//! The tower layer: it verifies each request, serves the endpoints, and leaves the rest to the service within.

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::body::{OwnBody, ResponseBody};
use crate::future::{ResponseFuture, Slow};
use crate::gate::{self, Gate};
use crate::sessions::Sessions;

/// Puts sessions around a service. Made by [`Sessions::layer`].
#[derive(Clone, Debug)]
pub struct SessionLayer {
    sessions: Sessions,
}

impl SessionLayer {
    pub(crate) fn new(sessions: Sessions) -> Self {
        Self { sessions }
    }
}

impl<S> Layer<S> for SessionLayer {
    type Service = SessionService<S>;

    fn layer(&self, within: S) -> SessionService<S> {
        SessionService { sessions: self.sessions.clone(), within }
    }
}

/// A service with sessions around it. See [`Sessions::layer`].
#[derive(Clone, Debug)]
pub struct SessionService<S> {
    sessions: Sessions,
    within: S,
}

impl<S, B, R> Service<Request<B>> for SessionService<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<ResponseBody<R>>;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.within.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let inner = self.sessions.inner();
        inner.start();
        // The service that was polled ready takes the request; its clone stays here.
        let clone = self.within.clone();
        let mut ready = std::mem::replace(&mut self.within, clone);
        match gate::judge(&self.sessions, &mut request) {
            Gate::Pass(carried) => {
                request.extensions_mut().insert(carried.clone());
                ResponseFuture::within(ready.call(request), carried)
            }
            Gate::Refuse(answer) => ResponseFuture::answered(answer),
            Gate::Endpoint(endpoint) => {
                ResponseFuture::answering(Box::pin(endpoint.serve(Arc::clone(inner), request)))
            }
            Gate::Slow(waiting) => ResponseFuture::slow(Slow::new(waiting.settle(), ready, request)),
        }
    }
}

/// The response of an endpoint or a refusal, before it is given the service's body type.
pub(crate) type Answer = Response<OwnBody>;
