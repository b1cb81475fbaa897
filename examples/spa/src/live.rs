//! Routes of an open page: a stream that ends with its session, and a poll. Neither keeps a session alive where it
//! is asked for passively.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use countersign::{Refusal, Require, Session};
use futures_util::{Stream, StreamExt as _, stream};
use http::request::Parts;
use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::Frame;
use serde_json::json;
use tokio::time::interval;

use crate::answer::{self, Body};

/// `GET /api/stream`: a tick a second as server-sent events, until the session ends or the server does.
/// With `Session-Passive: ?1`, listening is no activity.
pub(crate) fn stream(parts: &Parts) -> Result<Response<Body>, Refusal> {
    let session = Session::<()>::from_parts_with(parts, &Require::session().pollable())?;
    let body = StreamBody::new(ticks().take_until(session.ended())).boxed_unsync();
    Ok(answer::typed("text/event-stream", StatusCode::OK, body))
}

/// `GET /api/poll`: the session as it is. With `Session-Passive: ?1` it is no activity.
pub(crate) fn poll(parts: &Parts) -> Result<Response<Body>, Refusal> {
    let session = Session::<()>::from_parts_with(parts, &Require::session().pollable())?;
    Ok(answer::json(&json!({ "subject": session.subject(), "session": session.object() })))
}

fn ticks() -> impl Stream<Item = Result<Frame<Bytes>, Infallible>> + Send {
    stream::unfold((interval(Duration::from_secs(1)), 0_u64), |(mut pace, n)| async move {
        pace.tick().await;
        let event = format!("event: tick\ndata: {{\"n\":{n}}}\n\n");
        Some((Ok(Frame::data(Bytes::from(event))), (pace, n + 1)))
    })
}
