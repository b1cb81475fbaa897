//! Sessions in axum: the copy-and-paste start. `cargo run -p countersign-example-axum`, then
//! ```sh
//! call() { curl -sb jar -c jar -H 'Content-Type: application/json' -H 'Sec-Fetch-Site: same-origin' "$@"; echo; }
//! call localhost:3000/login -d '{"user": "alice", "password": "correct horse"}'
//! call localhost:3000/cart -d '{"item": "tea"}'
//! ```

mod live;

use std::error::Error;

use axum::routing::{get, post};
use axum::{Json, Router};
use countersign::{Algorithm, Clock as _, Farewell, Grant, KeyFile, Refusal, Session, SessionData};
use countersign::{Sessions, SystemClock, Visitor};
use countersign_file::FileRegistry;
use serde::{Deserialize, Serialize};

/// What you remember about a session. It travels sealed in a cookie: no table, no look-up.
#[derive(Default, Serialize, Deserialize)]
struct Cart {
    items: Vec<String>,
}

impl SessionData for Cart {
    const VERSION: u16 = 1;
}

#[derive(Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

#[derive(Deserialize)]
struct Item {
    item: String,
}

/// The layer verifies every request, and serves `/session/refresh`, `/session/list` and the like.
fn app(sessions: &Sessions) -> Router {
    Router::new()
        .route("/login", post(login))
        .route("/logout", post(logout))
        .route("/cart", get(show).post(add))
        .route("/live", get(live::live))
        .route("/me", get(async |session: Session| session.subject().to_owned()))
        .layer(sessions.layer())
}

/// Checking the password is your part: ask your user database, and compare an argon2 hash.
async fn login(visitor: Visitor<Cart>, Json(form): Json<Credentials>) -> Result<Grant, Refusal> {
    if (form.user.as_str(), form.password.as_str()) != ("alice", "correct horse") {
        return Err(Refusal::LoginFailed);
    }
    visitor.login(form.user).await
}

async fn logout(session: Session) -> Result<Farewell, Refusal> {
    session.end().await
}

/// A visitor is anyone, logged in or not; at login their cart comes along.
async fn add(visitor: Visitor<Cart>, Json(item): Json<Item>) -> Result<(Grant, Json<Cart>), Refusal> {
    let (cart, grant) = visitor.update(|cart| cart.items.push(item.item))?;
    Ok((grant, Json(cart)))
}

async fn show(visitor: Visitor<Cart>) -> Result<Json<Vec<String>>, Refusal> {
    Ok(Json(visitor.data()?.items.clone()))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let keys = KeyFile::open_or_create("countersign-data/keys.json", Algorithm::EdDsa, SystemClock.now())?;
    let registry = FileRegistry::open("countersign-data/axum.redb")?;
    let sessions = Sessions::builder("http://localhost:3000", keys, registry).build()?;
    Ok(axum::serve(tokio::net::TcpListener::bind("localhost:3000").await?, app(&sessions)).await?)
}

#[cfg(test)]
mod tests;
