//! The application that people of the simulation use: a login, and a list of what they did.
//!
//! `POST /login {"user"}`; `GET /api/cart`; `POST /api/cart {"item"}` adds to the list exclusively with
//! `?exclusive=1`, and else replaces a note, which asks nobody; `DELETE /api/cart` starts again; `GET /api/poll`.

use std::convert::Infallible;

use bytes::Bytes;
use countersign::{
    BodyLimits, Grant, ProblemStyle, Refusal, Require, Session, SessionData, StateVersion, Visitor, read_json,
};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// What a session did: each exclusive update by its number, and the last plain one.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Done {
    items: Vec<u32>,
    note: u32,
}

impl SessionData for Done {
    const VERSION: u16 = 1;
}

#[derive(Deserialize)]
struct Who {
    user: String,
}

#[derive(Deserialize)]
struct Item {
    item: u32,
}

pub(crate) async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = request.into_parts();
    let answered = match (&parts.method, parts.uri.path()) {
        (&Method::POST, "/login") => log_in(&parts, body).await,
        (&Method::POST, "/api/cart") => add(&parts, body).await,
        (&Method::DELETE, "/api/cart") => start_again(&parts).await,
        (_, "/api/cart") => show(&parts, &Require::session()),
        (_, "/api/poll") => show(&parts, &Require::session().pollable()),
        _ => Err(Refusal::NotFound),
    };
    let refused = |refusal: Refusal| refusal.to_response(&ProblemStyle::default());
    Ok(answered.unwrap_or_else(refused).map(Full::new))
}

async fn log_in(parts: &Parts, body: Incoming) -> Result<Response<Bytes>, Refusal> {
    let visitor = Visitor::<Done>::from_parts(parts)?;
    let who: Who = read_json(&parts.headers, body, BodyLimits::default()).await?;
    Ok(visitor.login(who.user).await?.into_response())
}

fn show(parts: &Parts, require: &Require) -> Result<Response<Bytes>, Refusal> {
    let session = Session::<Done>::from_parts_with(parts, require)?;
    Ok(page(&session, session.data()?, session.version()?))
}

async fn add(parts: &Parts, body: Incoming) -> Result<Response<Bytes>, Refusal> {
    let session = Session::<Done>::from_parts(parts)?;
    let Item { item } = read_json(&parts.headers, body, BodyLimits::default()).await?;
    let changed = match parts.uri.query() {
        Some("exclusive=1") => session.update_exclusive(|done| done.items.push(item)).await?,
        _ => session.update(|done| done.note = item)?,
    };
    Ok(granted(&session, changed))
}

async fn start_again(parts: &Parts) -> Result<Response<Bytes>, Refusal> {
    let session = Session::<Done>::from_parts(parts)?;
    let changed = session.reset_state().await?;
    Ok(granted(&session, changed))
}

fn granted(session: &Session<Done>, (done, grant): (Done, Grant)) -> Response<Bytes> {
    let mut response = page(session, &done, grant.version().unwrap_or_default());
    grant.apply(&mut response);
    response
}

fn page(session: &Session<Done>, done: &Done, version: StateVersion) -> Response<Bytes> {
    let page = json!({
        "session": session.id().to_string(), "items": done.items, "note": done.note, "version": version.to_string(),
    });
    let mut response = Response::new(page.to_string().into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
