//! `POST /session/admit`: a person who was refused a seat ends one of their own sessions and goes on.

use super::Call;
use crate::body::{self, BodyLimits};
use crate::device;
use crate::flow::{self, ChoiceForm};
use crate::held::Held;
use crate::layer::Answer;
use crate::refusal::Refusal;

pub(super) async fn serve<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Answer, Refusal> {
    let form: ChoiceForm = body::read_json(call.headers(), body, BodyLimits::default()).await?;
    let replaces = super::refresh::sessions(call, None).first().map(|&(session, _)| session);
    let device = device::label(call.headers());
    let (came, key) = (call.came.as_ref(), call.credentials.idempotency_key);
    let begun = flow::admit_choice(call.inner, &form, device, replaces, came, key).await?;
    let grant = flow::carry_visit(call.inner, &Held::of_visit(&call.credentials), begun)?;
    Ok(grant.into_response())
}
