//! Who is asking, and another password for them.

use countersign::{BadRequest, BodyLimits, Refusal, Session, read_json};
use http::Response;
use http::request::Parts;
use serde::Deserialize;
use serde_json::json;

use crate::answer::{self, Body, granted};
use crate::app::App;
use crate::cart::Cart;
use crate::login::verify;

/// `GET /api/me`.
pub(crate) fn me(parts: &Parts) -> Result<Response<Body>, Refusal> {
    let session = Session::<Cart>::from_parts(parts)?;
    Ok(answer::json(&json!({
        "subject": session.subject(),
        "session": session.object(),
        "cart": session.data()?.items,
    })))
}

#[derive(Deserialize)]
struct Change {
    old: String,
    new: String,
}

/// `POST /api/password`: needs a fresh login; then ends all other sessions and issues a new one, so that whoever
/// knew the old password is out.
pub(crate) async fn change_password<B>(app: &App, parts: &Parts, body: B) -> Result<Response<Body>, Refusal>
where
    B: http_body::Body,
{
    let Change { old, new } = read_json(&parts.headers, body, BodyLimits::default()).await?;
    if new.is_empty() {
        return Err(BadRequest::Parameter("new").into());
    }
    let session = Session::<Cart>::from_parts(parts)?;
    session.require_fresh()?;
    let person = verify(app, parts, session.subject(), old).await?;
    app.people.change(person, new).await.map_err(|_| Refusal::Internal)?;
    session.end_others().await?;
    Ok(granted(session.reauthenticate().await?))
}
