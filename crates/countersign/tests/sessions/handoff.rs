//! Handoffs with the clock moved by hand, and with a registry that is away.

use std::time::Duration;

use countersign::testing::Harness;
use countersign_registry::{Limits, OnFull, OpKind};
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

/// A redemption with the key that its repetitions have too, whose answer is lost on the way.
async fn lost(tab: &Tab, key: &'static str, path: &str, form: &Value) -> (Tab, Value) {
    let tab = tab.clone().with_header("idempotency-key", key);
    let answer = tab.clone().post_json(path, form).await;
    assert_eq!(answer.status, 200, "{}", answer.code());
    let seated = answer.json::<Value>()["session"]["id"].clone();
    (tab, seated)
}

#[tokio::test]
async fn a_redemption_whose_answer_was_lost_is_repeated_with_its_key() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let form = form(&mut alice).await;
    let (mut phone, seated) = lost(&t.browser(shop()), "mine", REDEEM, &form).await;
    let again = phone.post_json(REDEEM, &form).await;
    assert_eq!(again.json::<Value>()["session"]["id"], seated, "{}", again.code());
    assert_eq!(phone.get("/session").await.status, 200);
    // Who has the code, but not its key, gets nothing.
    for key in ["theirs", "min", "mine2"] {
        let mut thief = t.browser(shop()).with_header("idempotency-key", key);
        check(&thief.post_json(REDEEM, &form).await, 401, "token-invalid");
    }
    check(&t.browser(shop()).post_json(REDEEM, &form).await, 401, "token-invalid");
    t.pass(MINUTE).await;
    check(&phone.post_json(REDEEM, &form).await, 401, "token-invalid");
}

#[tokio::test]
async fn a_codes_key_is_no_logins() {
    let t = Harness::new();
    let mut alice = log_in(t.browser(shop()).with_header("idempotency-key", "one"), "alice").await;
    let first = alice.get("/session").await.json::<Value>()["id"].clone();
    let form = form(&mut alice).await;
    let mut thief = t.browser(shop()).with_header("idempotency-key", "one");
    let taken = thief.post_json(REDEEM, &form).await.json::<Value>()["session"].clone();
    assert_ne!(taken["id"], first, "a guessed key made the login's own session of a handoff");
    assert_eq!(taken["amr"], json!(["pwd", "handoff"]));
}

#[tokio::test]
async fn a_choice_whose_answer_was_lost_is_repeated_with_its_key() {
    let t = Harness::with(|b| b.limits(Limits::none().per_user(1, OnFull::Ask)));
    logged_in(&t, "alice").await;
    let mut laptop = t.browser(shop());
    let full: Value = laptop.post("/login/alice").await.json();
    let form = json!({ "choice": full["choice"], "end": full["sessions"][0]["id"] });
    let (mut laptop, seated) = lost(&laptop, "mine", "/session/admit", &form).await;
    let again = laptop.post_json("/session/admit", &form).await;
    assert_eq!(again.json::<Value>()["session"]["id"], seated, "{}", again.code());
    assert_eq!(laptop.get("/session").await.status, 200);
    check(&t.browser(shop()).post_json("/session/admit", &form).await, 401, "token-invalid");
}

#[tokio::test]
async fn an_offer_names_the_tenant_too() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice@mallory").await;
    let code = alice.post("/session/handoff").await.json::<Value>()["code"].clone();
    let offer = t.browser(shop()).post_json(REDEEM, &json!({ "code": code })).await;
    assert_eq!(
        offer.json::<Value>(),
        json!({ "subject": "alice", "tenant": "mallory", "device": "Firefox on Linux" })
    );
}
