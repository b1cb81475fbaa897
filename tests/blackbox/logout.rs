//! Logging out: what is ended stays ended, whatever is presented, and nobody is told that they may not.

use countersign_tests::{Call, Transport, for_each_setup};
use serde_json::json;

#[tokio::test]
async fn ends_the_session_for_good() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        client.add("tea").await.expect(200);
        let mut copy = client.clone();
        let answer = client.logout().await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        assert!(answer.body.is_empty());
        answer.assert_no_store();
        assert!(client.jar.names().is_empty(), "all cookies are deleted: {:?}", client.jar.names());
        for cookie in answer.cookies() {
            let refresh = cookie.name == "__Host-session-refresh";
            cookie.assert_attributes(if refresh { "strict" } else { "lax" });
            assert_eq!((cookie.max_age, cookie.value.as_str()), (Some(0), ""), "{}", cookie.name);
        }
        copy.get("/session").await.ended("logout");
        copy.get("/api/me").await.ended("logout");
        copy.refresh().await.ended("logout");
        copy.get("/session/list").await.ended("logout");
        copy.add_exclusive("late").await.ended("logout");
    })
    .await;
}

#[tokio::test]
async fn without_a_session_or_with_a_dead_one_is_204() {
    for_each_setup(&[], |stage| async move {
        assert_eq!(stage.client().logout().await.status, 204);
        let mut client = stage.logged_in("alice").await;
        let mut copy = client.clone();
        assert_eq!(client.logout().await.status, 204);
        assert_eq!(copy.logout().await.status, 204);
        assert_eq!(client.logout().await.status, 204);
    })
    .await;
}

#[tokio::test]
async fn the_access_token_alone_is_enough() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let mut access_only = stage.client();
        access_only.plant_access(&client.access());
        assert_eq!(access_only.logout().await.status, 204);
        client.clone().get("/session").await.ended("logout");
        client.clone().refresh().await.ended("logout");
    })
    .await;
}

#[tokio::test]
async fn the_refresh_token_alone_is_enough() {
    for_each_setup(&[], |stage| async move {
        let client = stage.logged_in("alice").await;
        let mut refresh_only = stage.client();
        let call = if stage.transport == Transport::Body {
            Call::post("/session/logout").json(&json!({ "refresh_token": client.refresh_token() }))
        } else {
            refresh_only.plant_refresh(&client.refresh_token());
            Call::post("/session/logout")
        };
        assert_eq!(refresh_only.send(call).await.status, 204);
        client.clone().get("/session").await.ended("logout");
    })
    .await;
}

#[tokio::test]
async fn tokens_of_two_sessions_end_both() {
    for_each_setup(&[], |stage| async move {
        let alice = stage.logged_in("alice").await;
        let bob = stage.logged_in("bob").await;
        let mut both = stage.client();
        both.plant_access(&alice.access());
        let call = if stage.transport == Transport::Body {
            Call::post("/session/logout").json(&json!({ "refresh_token": bob.refresh_token() }))
        } else {
            both.plant_refresh(&bob.refresh_token());
            Call::post("/session/logout")
        };
        assert_eq!(both.send(call).await.status, 204);
        alice.clone().get("/session").await.ended("logout");
        bob.clone().get("/session").await.ended("logout");
    })
    .await;
}

#[tokio::test]
async fn an_expired_access_token_still_logs_out() {
    for_each_setup(&["--access-ttl", "2s"], |stage| async move {
        let client = stage.logged_in("alice").await;
        let expired = || async { client.clone().get("/session").await.code() == "token-expired" };
        let limit = std::time::Duration::from_secs(4);
        countersign_tests::eventually("the access token expires", limit, expired).await;
        let mut access_only = stage.client();
        access_only.plant_access(&client.access());
        assert_eq!(access_only.logout().await.status, 204);
        client.clone().refresh().await.ended("logout");
    })
    .await;
}

#[tokio::test]
async fn a_session_that_was_ended_is_seen_on_every_path() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let copy = client.clone();
        client.logout().await;
        for path in ["/session", "/session/list", "/api/me", "/api/poll", "/api/stream"] {
            copy.clone().get(path).await.ended("logout");
        }
        copy.clone().post("/session/logout-others").await.ended("logout");
        copy.clone().delete("/session/AAAAAAAAAAAAAAAAAAAAAA").await.ended("logout");
        copy.clone().get("/api/public").await.expect(200);
    })
    .await;
}
