//! Sessions that end by themselves: idle, expired, out of reach of their own refresh token.

use std::time::Duration;

use countersign_tests::{Client, Stage, eventually, for_each_setup};

const PATIENCE: Duration = Duration::from_secs(8);

async fn ends(client: &Client, reason: &'static str) {
    let ended = || {
        let mut copy = client.clone();
        async move {
            let answer = copy.refresh().await;
            if answer.status != 200 {
                answer.ended(reason);
            }
            answer.status != 200
        }
    };
    eventually(reason, PATIENCE, ended).await;
}

/// Waits without a request of that session, for a request would keep it awake.
async fn pass(duration: Duration) {
    tokio::time::sleep(duration).await;
}

#[tokio::test]
async fn an_idle_session_ends() {
    let flags = ["--idle-timeout", "3s", "--access-ttl", "2s", "--dangling-after", "3s"];
    for_each_setup(&flags, |stage| async move {
        let client = stage.logged_in("alice").await;
        let mut active = stage.logged_in("alice").await;
        for _ in 0..8 {
            pass(Duration::from_millis(500)).await;
            active.refresh().await.expect(200);
        }
        client.clone().refresh().await.ended("idle");
        client.clone().get("/session").await.refused(401, "token-expired");
        active.get("/session").await.expect(200);
        assert_eq!(active.get("/session/list").await.expect(200)["sessions"].as_array().unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_session_expires_however_active_it_is() {
    let flags = ["--lifetime", "3s", "--idle-timeout", "3s", "--access-ttl", "1s", "--dangling-after", "3s"];
    for_each_setup(&flags, |stage| async move {
        let client = stage.logged_in("alice").await;
        ends(&client, "expired").await;
    })
    .await;
}

#[tokio::test]
async fn no_access_token_outlives_its_session() {
    let stage = Stage::simple(&["--lifetime", "3s", "--idle-timeout", "3s", "--dangling-after", "1h"]).await;
    let answer = stage.client().try_login("alice").await;
    let session = answer.expect(200)["session"].clone();
    assert!(session["access_expires_at"].as_i64() <= session["expires_at"].as_i64(), "{session}");
    assert!(answer.cookie("__Host-session").max_age <= Some(3));
}

#[tokio::test]
async fn the_oldest_session_ends_to_make_room() {
    for_each_setup(&["--user-limit", "1", "--on-full", "end-oldest"], |stage| async move {
        let mut old = stage.logged_in("alice").await;
        let mut new = stage.logged_in("alice").await;
        old.get("/session").await.ended("limit");
        old.refresh().await.ended("limit");
        new.get("/session").await.expect(200);
    })
    .await;
}
