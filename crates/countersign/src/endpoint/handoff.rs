//! `POST /session/handoff` and `POST /session/handoff/redeem`: a session goes on, on another device.

use http::StatusCode;
use serde::Serialize;

use super::{Call, refresh};
use crate::body::{self, BodyLimits};
use crate::device;
use crate::flow::{self, HandoffForm};
use crate::grant::json;
use crate::held::Held;
use crate::layer::Answer;
use crate::refusal::Refusal;
use crate::require::{self, Require};

#[derive(Serialize)]
struct Code {
    code: String,
    expires_in: u64,
}

/// Both tokens of the session are needed: a stolen access token, which is good for minutes, buys no session.
pub(super) async fn hand_off<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Answer, Refusal> {
    let inner = call.inner;
    let form = refresh::form(call, body).await?;
    let active = call.active(&Require::session()).await?;
    let token = refresh::presented(call, form.as_ref()).ok_or(Refusal::NotAuthenticated)?;
    require::fresh(&active, inner.config.policy.fresh_for, inner.now())?;
    flow::hold(inner, token, active.session()).await?;
    let code = flow::hand_off(inner, &active, device::label(call.headers())).await?;
    Ok(json(StatusCode::OK, &Code { code, expires_in: flow::HANDOFF_LIFE.as_secs() }))
}

/// Without `confirm` it tells whose session it would be; with it, it takes effect.
pub(super) async fn redeem<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Answer, Refusal> {
    let form: HandoffForm = body::read_json(call.headers(), body, BodyLimits::default()).await?;
    if form.confirm.is_none() {
        return Ok(json(StatusCode::OK, &flow::offer(call.inner, &form).await?));
    }
    let replaces = refresh::sessions(call, None).first().map(|&(session, _)| session);
    let device = device::label(call.headers());
    let (came, key) = (call.came.as_ref(), call.credentials.idempotency_key);
    let begun = flow::redeem(call.inner, &form, device, replaces, came, key).await?;
    let grant = flow::carry_visit(call.inner, &Held::of_visit(&call.credentials), begun)?;
    Ok(grant.into_response())
}
