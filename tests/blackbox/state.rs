//! State in tokens: versions, budgets, replays, losses, and the cookies that carry it.

use std::time::Duration;

use countersign_tests::{Client, Stage, eventually, for_each_setup};
use serde_json::json;

#[tokio::test]
async fn a_cart_is_kept_by_the_client() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let empty = client.get("/api/cart").await;
        empty.assert_private();
        assert_eq!(empty.expect(200), json!({"cart": [], "version": "0.0"}));
        let answer = client.add("tea").await;
        assert_eq!(answer.expect(200), json!({"cart": ["tea"], "version": "0.1"}));
        answer.assert_no_store();
        assert_eq!(client.add("milk").await.expect(200), json!({"cart": ["tea", "milk"], "version": "0.2"}));
        let read = client.get("/api/cart").await;
        assert_eq!(read.expect(200), json!({"cart": ["tea", "milk"], "version": "0.2"}));
        assert!(
            read.cookies().is_empty() && read.header("session-state").is_none(),
            "reading writes nothing"
        );
        client.refresh().await.expect(200);
        assert_eq!(client.get("/api/cart").await.expect(200)["version"], "0.2", "refresh writes no state");
    })
    .await;
}

#[tokio::test]
async fn state_travels_as_the_transport_says() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let id = client.login("alice").await;
        let answer = client.add("tea").await;
        answer.expect(200);
        if stage.has_cookies() {
            let cookie = answer.cookie(&format!("__Host-state.{}.0", &id[..6]));
            cookie.assert_attributes("lax");
            assert!((1_209_590..=1_209_600).contains(&cookie.max_age.unwrap()), "{:?}", cookie.max_age);
            assert!(answer.header("session-state").is_none(), "in one place only");
        } else {
            assert!(answer.header("session-state").is_some());
            assert!(answer.cookies().is_empty());
        }
        let (_, token) = client.state().unwrap();
        assert!(!token.contains("tea") && token.split('.').count() == 5, "sealed: a JWE in compact form");
    })
    .await;
}

#[tokio::test]
async fn versions_count_exclusive_and_plain_updates() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let id = client.login("alice").await;
        client.add("tea").await.expect(200);
        assert_eq!(client.add_exclusive("gold").await.expect(200)["version"], "1.0");
        assert_eq!(client.add("milk").await.expect(200)["version"], "1.1");
        assert_eq!(client.add_exclusive("silver").await.expect(200)["version"], "2.0");
        let cart = client.get("/api/cart").await.expect(200);
        assert_eq!(cart, json!({"cart": ["tea", "gold", "milk", "silver"], "version": "2.0"}));
        if stage.has_cookies() {
            let names = client.jar.starting("__Host-state.");
            assert_eq!(names, [format!("__Host-state.{}.2", &id[..6])], "one state cookie is left");
        }
    })
    .await;
}

#[tokio::test]
async fn an_old_state_is_refused_after_an_exclusive_update() {
    for_each_setup(&["--race-window", "2s"], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("coupon").await.expect(200);
        let before = client.clone();
        client.add_exclusive("redeemed").await.expect(200);
        let mut replay = client.clone();
        replay.restore_state(&before);
        replay.get("/api/cart").await.refused(409, "state-superseded");
        replay.add("again").await.refused(409, "state-superseded");
        replay.add_exclusive("again").await.refused(409, "state-superseded");
        let mut deleted = client.clone();
        deleted.restore_state(&stage.client());
        deleted.get("/api/cart").await.refused(409, "state-superseded");
        replay.get("/session").await.expect(200);
        lost(&replay).await;
        lost(&deleted).await;
        assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!(["coupon", "redeemed"]));

        let reset = replay.delete("/api/cart").await.expect(200);
        assert_eq!(reset, json!({"cart": [], "version": "2.0"}), "a lost state can be reset");
        assert_eq!(replay.add("fresh").await.expect(200), json!({"cart": ["fresh"], "version": "2.1"}));
        client.get("/api/cart").await.refused(409, "state-superseded");
    })
    .await;
}

async fn lost(client: &Client) {
    let lost = || {
        let mut copy = client.clone();
        async move { copy.get("/api/cart").await.code() == "state-lost" }
    };
    eventually("the state counts as lost", Duration::from_secs(6), lost).await;
    client.clone().get("/api/cart").await.refused(409, "state-lost");
    client.clone().add("late").await.refused(409, "state-lost");
}

#[tokio::test]
async fn the_highest_of_two_state_cookies_counts_and_the_others_go() {
    let stage = Stage::simple(&[]).await;
    let mut client = stage.logged_in("alice").await;
    client.add("tea").await.expect(200);
    let (old_name, old) = client.state().unwrap();
    client.add_exclusive("gold").await.expect(200);
    client.jar.set(&old_name, &old);
    assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!(["tea", "gold"]));
    let answer = client.add("milk").await;
    assert_eq!(answer.expect(200), json!({"cart": ["tea", "gold", "milk"], "version": "1.1"}));
    let deleted = answer.cookie(&old_name);
    deleted.assert_attributes("lax");
    assert!(deleted.deletes(), "{deleted:?}");
}

#[tokio::test]
async fn the_state_of_another_session_counts_as_missing() {
    for_each_setup(&[], |stage| async move {
        let mut alice = stage.logged_in("alice").await;
        alice.add("alices").await.expect(200);
        let (_, stolen) = alice.state().unwrap();
        let mut bob = stage.logged_in("bob").await;
        bob.add("bobs").await.expect(200);
        let (own_name, _) = bob.state().unwrap();
        if stage.has_cookies() {
            bob.jar.set(&own_name, &stolen);
        } else {
            bob.tokens.state = Some(stolen);
        }
        assert_eq!(bob.get("/api/cart").await.expect(200), json!({"cart": [], "version": "0.0"}));
    })
    .await;
}

#[tokio::test]
async fn a_mangled_state_never_ends_a_session_nor_becomes_one() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let (name, token) = client.state().unwrap();
        for wrong in ["", "x", "a.b.c.d.e", &token[1..], &token[..token.len() - 1], &format!("{token}A")] {
            let mut copy = client.clone();
            if stage.has_cookies() {
                copy.jar.set(&name, wrong);
            } else {
                copy.tokens.state = Some(wrong.to_owned());
            }
            let cart = copy.get("/api/cart").await;
            assert!(cart.status == 200 || cart.status == 401 || cart.status == 400, "{}", cart.text());
            assert!(!cart.text().contains("tea"), "{}", cart.text());
            copy.restore_state(&client);
            copy.get("/session").await.expect(200);
        }
    })
    .await;
}

#[tokio::test]
async fn too_much_state_is_refused_and_named() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        for exclusive in ["", "?exclusive=1"] {
            let item = "x".repeat(5000);
            let answer = client.post_json(&format!("/api/cart{exclusive}"), json!({ "item": item })).await;
            let problem = answer.refused(413, "state-too-large");
            assert!(problem["size"].as_u64() > problem["limit"].as_u64(), "{problem}");
            assert!(problem["limit"].as_u64() <= Some(4096), "{problem}");
            assert!(answer.header("session-state").is_none());
        }
        let cart = client.get("/api/cart").await.expect(200);
        assert_eq!(cart, json!({"cart": ["tea"], "version": "0.1"}), "nothing has changed");
    })
    .await;
}

#[tokio::test]
async fn a_reset_empties_the_cart() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let before = client.clone();
        assert_eq!(client.delete("/api/cart").await.expect(200), json!({"cart": [], "version": "1.0"}));
        assert_eq!(client.get("/api/cart").await.expect(200)["cart"], json!([]));
        let mut replay = client.clone();
        replay.restore_state(&before);
        replay.get("/api/cart").await.refused(409, "state-superseded");
    })
    .await;
}
