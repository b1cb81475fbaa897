//! A person's own sessions: `GET /session/list`, `DELETE /session/{id}`, `POST /session/logout-others`.

use countersign_registry::{EndReason, List, OpId, Target};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::Call;
use crate::authenticate::Active;
use crate::body::OwnBody;
use crate::event::Actor;
use crate::flow;
use crate::grant::json;
use crate::layer::Answer;
use crate::object::SessionObject;
use crate::refusal::Refusal;
use crate::require::Require;
use crate::sessions::Inner;

#[derive(Serialize)]
struct Sessions {
    sessions: Vec<SessionObject>,
}

pub(super) async fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let active = call.active(&Require::session()).await?;
    let sessions = own(call.inner, &active).await?;
    Ok(json(StatusCode::OK, &Sessions { sessions }))
}

/// The live sessions of a session's subject, the last active first.
pub(crate) async fn own(inner: &Inner, active: &Active) -> Result<Vec<SessionObject>, Refusal> {
    // What this node knows of their activity belongs into the answer.
    inner.node.flush_activity(inner).await;
    let page = flow::ask(inner, "list", inner.registry.list(List::of(active.owner()))).await?;
    let idle = inner.config.policy.idle;
    let object = |(record, holding): &(_, _)| {
        let object = SessionObject::listed(record, *holding, idle);
        if object.id == active.session() { object.as_current(active.claims().expires_at) } else { object }
    };
    Ok(page.sessions.iter().map(object).collect())
}

#[derive(Serialize)]
struct Count {
    ended: u64,
}

pub(super) async fn end_others(call: &Call<'_>) -> Result<Answer, Refusal> {
    let active = call.active(&Require::session().fresh()).await?;
    let target = Target::Owner(active.owner(), Some(active.session()));
    let ended =
        flow::end(call.inner, op(call.inner), target, EndReason::EndedByUser, Actor::User(active.session()))
            .await?;
    Ok(json(StatusCode::OK, &Count { ended: ended.sessions }))
}

pub(super) async fn end_one(call: &Call<'_>, id: &str) -> Result<Answer, Refusal> {
    let active = call.active(&Require::session().fresh()).await?;
    let session = id.parse().map_err(|_| Refusal::NotFound)?;
    let target = Target::Own(active.owner(), session);
    let ended =
        flow::end(call.inner, op(call.inner), target, EndReason::EndedByUser, Actor::User(active.session()))
            .await?;
    if ended.sessions == 0 { Err(Refusal::NotFound) } else { Ok(no_content()) }
}

fn op(inner: &Inner) -> OpId {
    OpId(inner.random.bytes())
}

fn no_content() -> Answer {
    let mut answer = Response::new(OwnBody::default());
    *answer.status_mut() = StatusCode::NO_CONTENT;
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
