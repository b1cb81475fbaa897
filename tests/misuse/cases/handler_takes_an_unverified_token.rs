//! A handler cannot be given a token that nobody has verified.

use axum::Router;
use axum::routing::get;
use countersign_token::Unverified;

async fn handler(token: Unverified<'static>) -> String {
    format!("{token:?}")
}

fn main() {
    let _: Router = Router::new().route("/", get(handler));
}
