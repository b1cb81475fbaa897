//! `POST /session/refresh` and `POST /session/logout`: what a refresh token is for.

use std::fmt;

use countersign_registry::EndReason;
use serde::Deserialize;

use super::Call;
use crate::authenticate::{self, Authentic};
use crate::body::{self, BodyLimits};
use crate::event::Actor;
use crate::flow;
use crate::layer::Answer;
use crate::refusal::Refusal;
use crate::transport::Transport;

/// What the transport `body` sends.
#[derive(Deserialize)]
pub(super) struct Form {
    refresh_token: Option<String>,
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form")
    }
}

pub(super) async fn refresh<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Answer, Refusal> {
    let form = form(call, body).await?;
    let token = presented(call, form.as_ref()).ok_or(Refusal::NotAuthenticated)?;
    let grant = flow::refresh(call.inner, token, &call.client()).await?;
    Ok(grant.into_response())
}

/// Ends the sessions of whatever tokens came: of both, if they are of two. One that is no good ends nothing, and
/// the answer is the same: the person wanted to be logged out, and is.
pub(super) async fn logout<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Answer, Refusal> {
    let form = form(call, body).await?;
    let sessions = sessions(call, form.as_ref().and_then(|form| form.refresh_token.as_deref()));
    flow::end_sessions(call.inner, sessions, EndReason::Logout, Actor::User).await?;
    let states: Vec<String> = call.jar().states.iter().map(|state| state.name.to_owned()).collect();
    Ok(flow::farewell(call.inner, &states).into_response())
}

pub(super) async fn form<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Option<Form>, Refusal> {
    body::read_optional_json(call.headers(), body, BodyLimits::default()).await
}

/// The refresh token, from where the transport lets it travel.
pub(super) fn presented<'a>(call: &'a Call<'_>, form: Option<&'a Form>) -> Option<&'a str> {
    match call.inner.config.transport {
        Transport::Body => form?.refresh_token.as_deref(),
        Transport::Cookies | Transport::Bearer => call.jar().refresh,
    }
}

/// The sessions of the authentic tokens of a request, expired or not; no session twice.
pub(super) fn sessions(call: &Call<'_>, in_body: Option<&str>) -> Vec<Authentic> {
    let inner = call.inner;
    let access = call.credentials.access.as_ref();
    let access = access.and_then(|access| authenticate::authentic_access(inner, access.token));
    let refresh = match inner.config.transport {
        Transport::Body => in_body,
        Transport::Cookies | Transport::Bearer => call.jar().refresh,
    };
    let refresh = refresh.and_then(|token| authenticate::authentic_refresh(inner, token));
    let mut sessions: Vec<_> = access.into_iter().chain(refresh).collect();
    sessions.dedup();
    sessions
}
