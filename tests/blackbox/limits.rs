//! Limits and their four rules: who is refused, who must go, and what people are told.

use countersign_tests::{Client, Stage, for_each_setup};
use serde_json::Value;

fn assert_limit(problem: &Value, scope: &str, limit: u64) {
    assert_eq!(problem["scope"], scope, "{problem}");
    assert_eq!(problem["limit"], limit, "{problem}");
    let after = &problem["retry_after"];
    assert!(after.is_null() || after.as_u64().is_some_and(|after| after > 0), "{problem}");
}

#[tokio::test]
async fn a_full_site_says_so_in_these_words() {
    for_each_setup(&["--site-limit", "3"], |stage| async move {
        for user in ["alice", "bob", "carol"] {
            stage.logged_in(user).await;
        }
        let answer = stage.client().try_login("alice").await;
        let problem = answer.refused(429, "sessions-limit");
        assert_limit(&problem, "site", 3);
        let sentence = "There are already 3 active user sessions. Please try again later.";
        assert_eq!(problem["detail"], sentence);
        assert!(problem["sessions"].is_null() && problem["choice"].is_null(), "only the rule ask: {problem}");
        answer.assert_no_store();
    })
    .await;
}

#[tokio::test]
async fn a_user_has_a_limit_of_their_own() {
    for_each_setup(&["--user-limit", "2"], |stage| async move {
        let mut first = stage.logged_in("alice").await;
        stage.logged_in("alice").await;
        let problem = stage.client().try_login("alice").await.refused(429, "sessions-limit");
        assert_limit(&problem, "user", 2);
        stage.logged_in("bob").await;
        first.logout().await;
        stage.logged_in("alice").await;
    })
    .await;
}

#[tokio::test]
async fn the_narrowest_full_scope_is_named() {
    let stage = Stage::simple(&["--user-limit", "1", "--site-limit", "1"]).await;
    stage.logged_in("alice").await;
    let own = stage.client().try_login("alice").await.refused(429, "sessions-limit");
    assert_limit(&own, "user", 1);
    let other = stage.client().try_login("bob").await.refused(429, "sessions-limit");
    assert_limit(&other, "site", 1);
}

#[tokio::test]
async fn a_logout_frees_the_seat_at_once() {
    for_each_setup(&["--site-limit", "1"], |stage| async move {
        for _ in 0..5 {
            let mut client = stage.logged_in("alice").await;
            stage.client().try_login("bob").await.refused(429, "sessions-limit");
            assert_eq!(client.logout().await.status, 204);
        }
    })
    .await;
}

#[tokio::test]
async fn the_administrator_gets_into_a_full_site() {
    for_each_setup(&["--site-limit", "1", "--user-limit", "1"], |stage| async move {
        let mut alice = stage.logged_in("alice").await;
        let mut admin = stage.logged_in("admin").await;
        stage.logged_in("admin").await;
        alice.get("/session").await.expect(200);
        alice.logout().await;
        stage.client().try_login("bob").await.refused(429, "sessions-limit");
        admin.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_limit_of_0_closes_the_door_and_ends_nobody() {
    for rule in ["refuse", "end-oldest", "end-least-recent", "ask"] {
        let mut stage = Stage::simple(&["--on-full", rule]).await;
        let before = stage.logged_in("alice").await;
        stage.server.terminate().await;
        let origin = stage.server.origin();
        stage.server.restart(&["--site-limit", "0", "--origin", &origin]).await;
        let mut inside = Client { address: stage.server.address(), ..before };
        let problem = stage.client().try_login("bob").await.refused(429, "sessions-limit");
        assert_limit(&problem, "site", 0);
        stage.client().try_login("alice").await.refused(429, "sessions-limit");
        inside.get("/session").await.expect(200);
        inside.refresh().await.expect(200);
        stage.logged_in("admin").await;
    }
}

#[tokio::test]
async fn the_least_recent_goes() {
    for_each_setup(&["--user-limit", "2", "--on-full", "end-least-recent"], |stage| async move {
        let mut first = stage.logged_in("alice").await;
        let mut second = stage.logged_in("alice").await;
        first.refresh().await.expect(200);
        let mut third = stage.logged_in("alice").await;
        second.get("/session").await.ended("limit");
        first.get("/session").await.expect(200);
        third.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn the_oldest_goes() {
    for_each_setup(&["--user-limit", "2", "--on-full", "end-oldest"], |stage| async move {
        let mut first = stage.logged_in("alice").await;
        let mut second = stage.logged_in("alice").await;
        first.refresh().await.expect(200);
        let mut third = stage.logged_in("alice").await;
        first.get("/session").await.ended("limit");
        second.get("/session").await.expect(200);
        third.get("/session").await.expect(200);
        assert_eq!(third.get("/session/list").await.expect(200)["sessions"].as_array().unwrap().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn on_a_site_the_oldest_of_anyone_goes() {
    let stage = Stage::simple(&["--site-limit", "2", "--on-full", "end-oldest"]).await;
    let mut alice = stage.logged_in("alice").await;
    let mut bob = stage.logged_in("bob").await;
    let mut carol = stage.logged_in("carol").await;
    alice.get("/session").await.ended("limit");
    bob.get("/session").await.expect(200);
    carol.get("/session").await.expect(200);
}

#[tokio::test]
async fn visitors_take_no_seat() {
    let stage = Stage::simple(&["--site-limit", "1"]).await;
    for _ in 0..5 {
        stage.client().add("tea").await.expect(200);
    }
    stage.logged_in("alice").await;
    stage.client().add("tea").await.expect(200);
}

#[tokio::test]
async fn lowering_a_limit_ends_nobody_and_lets_nobody_in() {
    let mut stage = Stage::simple(&["--site-limit", "3", "--origin", "http://localhost:1"]).await;
    let mut inside = Vec::new();
    for user in ["alice", "bob", "carol"] {
        inside.push(stage.logged_in(user).await);
    }
    stage.server.terminate().await;
    stage.server.restart(&["--site-limit", "2"]).await;
    for client in &mut inside {
        client.address = stage.server.address();
        client.get("/session").await.expect(200);
        client.refresh().await.expect(200);
    }
    inside[0].logout().await;
    stage.client().try_login("alice").await.refused(429, "sessions-limit");
    inside[1].logout().await;
    stage.logged_in("alice").await;
}
