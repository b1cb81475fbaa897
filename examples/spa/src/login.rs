//! `POST /login`: a name and a password for a session.

use countersign::{BodyLimits, Refusal, Visitor, read_json};
use http::Response;
use http::request::Parts;
use serde::Deserialize;

use crate::answer::{Body, granted};
use crate::app::App;
use crate::cart::Cart;
use crate::people::{Person, Role};
use crate::server::Peer;

#[derive(Deserialize)]
struct Form {
    user: String,
    password: String,
    /// `null`: a browser that logs in again keeps the session as before.
    #[serde(default = "yes")]
    remember: Option<bool>,
}

#[expect(clippy::unnecessary_wraps, reason = "only a member that is missing has the default")]
fn yes() -> Option<bool> {
    Some(true)
}

pub(crate) async fn login<B>(app: &App, parts: &Parts, body: B) -> Result<Response<Body>, Refusal>
where
    B: http_body::Body,
{
    // First, since it also refuses a login that another site sends.
    let visitor = Visitor::<Cart>::from_parts(parts)?;
    let form: Form = read_json(&parts.headers, body, BodyLimits::default()).await?;
    let person = verify(app, parts, &form.user, form.password).await?;
    // Someone who logs in again keeps their cart; someone else in the same browser does not get it.
    let login = match visitor.session() {
        Some(session) if session.subject() == person.name => session.reauthenticate(),
        _ => visitor.login(person.name),
    };
    let mut login = match form.remember {
        Some(remember) => login.remember(remember),
        None => login,
    };
    if person.role == Role::Administrator {
        login = login.exempt();
    }
    Ok(granted(login.await?))
}

/// The person of this name, if the password is theirs and they did not guess too often.
pub(crate) async fn verify(
    app: &App,
    parts: &Parts,
    name: &str,
    password: String,
) -> Result<Person, Refusal> {
    let peer = parts.extensions.get::<Peer>().ok_or(Refusal::Internal)?.0;
    let address = app.sessions.client_address(peer, &parts.headers);
    // Asked when it is this guess's turn: of a thousand at once, only so many are tried.
    let turn = app.people.turn().await;
    app.throttle.check(address, name).map_err(|retry_after| Refusal::TooManyRequests { retry_after })?;
    let person = app.people.verify(turn, name, password).await;
    person.ok_or_else(|| {
        app.throttle.failed(address, name);
        Refusal::LoginFailed
    })
}
