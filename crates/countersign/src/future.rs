//! The response future of the layer. The usual path boxes nothing; endpoints and requests that wait for the
//! registry are boxed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures_util::future::BoxFuture;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::body::ResponseBody;
use crate::carried::Carried;
use crate::layer::Answer;

pin_project! {
    /// The future of [`SessionService`](crate::SessionService).
    pub struct ResponseFuture<S, B>
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
        Within { #[pin] response: S::Future, carried: Arc<Carried> },
        Answered { answer: Option<Answer> },
        Answering { answer: BoxFuture<'static, Answer> },
        Slow { slow: Slow<S, B> },
    }
}

/// A request that waits for the registry before the service within sees it.
pub(crate) struct Slow<S, B> {
    settled: BoxFuture<'static, Arc<Carried>>,
    call: Option<(S, Request<B>)>,
}

impl<S, B> Slow<S, B> {
    pub(crate) fn new(settled: BoxFuture<'static, Arc<Carried>>, service: S, request: Request<B>) -> Self {
        Self { settled, call: Some((service, request)) }
    }
}

impl<S: Service<Request<B>>, B> ResponseFuture<S, B> {
    pub(crate) fn within(response: S::Future, carried: Arc<Carried>) -> Self {
        Self { state: State::Within { response, carried } }
    }

    pub(crate) fn answered(answer: Answer) -> Self {
        Self { state: State::Answered { answer: Some(answer) } }
    }

    pub(crate) fn answering(answer: BoxFuture<'static, Answer>) -> Self {
        Self { state: State::Answering { answer } }
    }

    pub(crate) fn slow(slow: Slow<S, B>) -> Self {
        Self { state: State::Slow { slow } }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<ResponseBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Within { response, carried } => {
                    let response = ready!(response.poll(context))?.map(ResponseBody::inner);
                    return Poll::Ready(Ok(carried.finish(response)));
                }
                StateProjection::Answered { answer } => {
                    let answer = answer.take().unwrap_or_default();
                    return Poll::Ready(Ok(answer.map(ResponseBody::own)));
                }
                StateProjection::Answering { answer } => {
                    State::Answered { answer: Some(ready!(answer.as_mut().poll(context))) }
                }
                StateProjection::Slow { slow } => {
                    let carried = ready!(slow.settled.as_mut().poll(context));
                    let Some((mut service, mut request)) = slow.call.take() else { return Poll::Pending };
                    request.extensions_mut().insert(carried.clone());
                    State::Within { response: service.call(request), carried }
                }
            };
            this.state.set(next);
        }
    }
}
