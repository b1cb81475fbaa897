//! Handoffs with the clock moved by hand, and with a registry that is away.

use std::time::Duration;

use countersign::testing::Harness;
use countersign_registry::OpKind;
use serde_json::{Value, json};

use crate::shop::*;

const REDEEM: &str = "/session/handoff/redeem";

async fn form(giver: &mut Tab) -> Value {
    let answer = giver.post("/session/handoff").await;
    assert_eq!(answer.status, 200, "{}", answer.code());
    json!({ "code": answer.json::<Value>()["code"], "confirm": "alice" })
}

#[tokio::test]
async fn a_code_is_good_for_a_minute() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let (early, late) = (form(&mut alice).await, form(&mut alice).await);
    t.pass(Duration::from_secs(59)).await;
    assert_eq!(t.browser(shop()).post_json(REDEEM, &early).await.status, 200);
    t.pass(Duration::from_secs(1)).await;
    check(&t.browser(shop()).post_json(REDEEM, &late).await, 401, "token-invalid");
    check(&t.browser(shop()).post_json(REDEEM, &json!({ "code": late["code"] })).await, 401, "token-invalid");
}

#[tokio::test]
async fn the_absolute_end_is_the_first_ones() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    t.pass(4 * MINUTE).await;
    let mut phone = t.browser(shop());
    let taken = phone.post_json(REDEEM, &form(&mut alice).await).await.json::<Value>()["session"].clone();
    let first = alice.get("/session").await.json::<Value>();
    assert_eq!(taken["expires_at"], first["expires_at"]);
    assert_eq!(taken["auth_time"], json!(START));
    assert_eq!(taken["started_at"], json!(START + 240));
}

#[tokio::test]
async fn a_visit_goes_along_and_the_givers_data_stays() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let _ = alice.post("/cart?secret").await;
    let mut phone = t.browser(shop());
    let _ = phone.post("/cart?tea").await;
    assert_eq!(phone.post_json(REDEEM, &form(&mut alice).await).await.status, 200);
    assert_eq!(items(&phone.get("/cart").await), json!(["tea"]));
    assert_eq!(items(&alice.get("/cart").await), json!(["secret"]));
}

#[tokio::test]
async fn a_registry_that_is_away_uses_up_nothing() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let form = form(&mut alice).await;
    let mut phone = t.browser(shop());
    t.registry().fail_next_of(OpKind::Admit, 1);
    check(&phone.post_json(REDEEM, &form).await, 503, "registry-unavailable");
    assert_eq!(phone.post_json(REDEEM, &form).await.status, 200);
}

#[tokio::test]
async fn in_the_givers_own_browser_it_replaces_the_giver() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let (mut before, form) = (alice.clone(), form(&mut alice).await);
    assert_eq!(alice.post_json(REDEEM, &form).await.status, 200);
    check(&before.get("/session").await, 401, "session-ended");
    assert_eq!(alice.get("/session").await.json::<Value>()["amr"], json!(["pwd", "handoff"]));
}
