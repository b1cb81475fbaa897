//! The example works, in memory.

use axum::http::StatusCode;
use countersign::testing::Harness;
use serde_json::{Value, json};

use super::app;

#[tokio::test]
async fn a_cart_comes_along_at_login_and_a_logout_is_for_good() {
    let site = Harness::new();
    let mut alice = site.browser_of(app(site.sessions()));

    alice.post_json("/cart", &json!({ "item": "tea" })).await;
    assert_eq!(alice.get("/me").await.code(), "not-authenticated");

    let wrong = alice.post_json("/login", &json!({ "user": "alice", "password": "wrong horse" })).await;
    assert_eq!(wrong.code(), "login-failed");
    let right = alice.post_json("/login", &json!({ "user": "alice", "password": "correct horse" })).await;
    assert_eq!(right.json::<Value>()["session"]["subject"], "alice");
    assert_eq!(alice.get("/me").await.body, "alice");

    let answer = alice.post_json("/cart", &json!({ "item": "milk" })).await;
    assert_eq!(answer.json::<Value>(), json!({ "items": ["tea", "milk"] }));
    assert_eq!(alice.get("/cart").await.json::<Value>(), json!(["tea", "milk"]));

    let mut thief = alice.clone();
    assert_eq!(alice.post("/logout").await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.get("/me").await.code(), "not-authenticated");
    assert_eq!(thief.get("/me").await.code(), "session-ended");
}
