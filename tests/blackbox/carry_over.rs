//! Visits: anonymous state, and what becomes of it at login.

use countersign_tests::{Stage, for_each_setup};
use serde_json::json;

#[tokio::test]
async fn a_visitor_has_a_cart_and_nothing_else() {
    for_each_setup(&[], |stage| async move {
        let mut visitor = stage.client();
        assert_eq!(visitor.get("/api/cart").await.expect(200), json!({"cart": [], "version": "0.0"}));
        assert!(visitor.jar.names().is_empty() && visitor.tokens.state.is_none());
        let answer = visitor.add("tea").await;
        assert_eq!(answer.expect(200)["cart"], json!(["tea"]));
        answer.assert_no_store();
        if stage.has_cookies() {
            let cookie = answer.cookie("__Host-visit");
            cookie.assert_attributes("lax");
            assert!((2_591_990..=2_592_000).contains(&cookie.max_age.unwrap()), "30 days: {cookie:?}");
            assert_eq!(visitor.jar.names(), ["__Host-visit"]);
        } else {
            assert!(answer.header("session-state").is_some() && answer.cookies().is_empty());
        }
        assert_eq!(visitor.add("milk").await.expect(200)["cart"], json!(["tea", "milk"]));
        assert_eq!(visitor.get("/api/cart").await.expect(200)["cart"], json!(["tea", "milk"]));
        assert_eq!(visitor.delete("/api/cart").await.expect(200)["cart"], json!([]));
        assert_eq!(visitor.get("/api/cart").await.expect(200)["cart"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn an_exclusive_update_needs_a_session() {
    for_each_setup(&[], |stage| async move {
        let mut visitor = stage.client();
        visitor.add_exclusive("gold").await.refused(401, "not-authenticated");
        visitor.add("tea").await.expect(200);
        visitor.add_exclusive("gold").await.refused(401, "not-authenticated");
    })
    .await;
}

#[tokio::test]
async fn login_carries_the_cart_over() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        client.add("tea").await.expect(200);
        let answer = client.try_login("alice").await;
        let body = answer.expect(200);
        let id = body["session"]["id"].as_str().unwrap();
        if stage.has_cookies() {
            let visit = answer.cookie("__Host-visit");
            visit.assert_attributes("lax");
            assert!(visit.deletes(), "{visit:?}");
            answer.cookie(&format!("__Host-state.{}.0", &id[..6])).assert_attributes("lax");
        } else {
            assert!(body["state"].is_string(), "{body}");
        }
        assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!(["tea"]));
        assert_eq!(client.add("milk").await.expect(200)["cart"], json!(["tea", "milk"]));
    })
    .await;
}

#[tokio::test]
async fn a_failed_login_keeps_the_visit() {
    for_each_setup(&["--user-limit", "0"], |stage| async move {
        let mut client = stage.client();
        client.add("tea").await.expect(200);
        let wrong = json!({"user": "alice", "password": "canary-3"});
        client.post_json("/login", wrong).await.refused(401, "login-failed");
        client.try_login("alice").await.refused(429, "sessions-limit");
        assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!(["tea"]));
    })
    .await;
}

#[tokio::test]
async fn logout_leaves_no_cart_behind() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        client.add("tea").await.expect(200);
        client.login("alice").await;
        client.add("secret").await.expect(200);
        assert_eq!(client.logout().await.status, 204);
        assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!([]));
        client.login("bob").await;
        assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn a_visit_is_no_state_of_a_session_nor_the_other_way_round() {
    let stage = Stage::simple(&[]).await;
    let mut visitor = stage.client();
    visitor.add("visits").await.expect(200);
    let visit = visitor.jar.get("__Host-visit").unwrap().to_owned();
    let mut client = stage.logged_in("alice").await;
    client.add("mine").await.expect(200);
    let (name, state) = client.state().unwrap();
    let mut crossed = client.clone();
    crossed.jar.set(&name, &visit);
    assert_eq!(crossed.get("/api/cart").await.expect(200)["cart"], json!([]));
    let mut crossed = stage.client();
    crossed.jar.set("__Host-visit", &state);
    let cart = crossed.get("/api/cart").await;
    assert!(!cart.text().contains("mine"), "{}", cart.text());
    crossed.jar.set("__Host-session", &visit);
    crossed.get("/session").await.refused(401, "token-invalid");
}
