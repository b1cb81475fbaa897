//! `GET /session`: what this session is. No I/O.

use http::StatusCode;

use super::Call;
use crate::device;
use crate::grant::json;
use crate::layer::Answer;
use crate::object::SessionObject;
use crate::refusal::Refusal;
use crate::require::Require;

pub(super) async fn serve(call: &Call<'_>) -> Result<Answer, Refusal> {
    let active = call.active(&Require::session().pollable()).await?;
    let object = SessionObject::of_active(call.inner, &active, device::label(call.headers()));
    Ok(json(StatusCode::OK, &object))
}
