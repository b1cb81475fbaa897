//! Sessions that dangle: they give up their seat, stay alive, and take a seat again when they come back.

use std::time::Duration;

use countersign_tests::{Client, Stage, eventually, for_each_setup};

const FLAGS: &[&str] = &["--dangling-after", "3s", "--access-ttl", "2s", "--site-limit", "1"];
const PATIENCE: Duration = Duration::from_secs(8);

/// Tries to log in until the seat is free.
async fn get_in(stage: &Stage, user: &str) -> Client {
    let client = stage.client();
    countersign_tests::until("the seat falls free", PATIENCE, || {
        let mut client = client.clone();
        async move { (client.try_login(user).await.status == 200).then_some(client) }
    })
    .await
}

#[tokio::test]
async fn gives_up_its_seat_and_takes_it_again() {
    for_each_setup(FLAGS, |stage| async move {
        let mut alice = stage.logged_in("alice").await;
        stage.client().try_login("bob").await.refused(429, "sessions-limit");
        let mut bob = get_in(&stage, "bob").await;
        alice.get("/session").await.refused(401, "token-expired");

        let held = alice.refresh_token();
        let full = alice.refresh().await.refused(429, "sessions-limit");
        assert_eq!(full["scope"], "site", "{full}");
        assert_eq!(alice.refresh_token(), held, "a refused seat leaves the rotation unchanged");

        assert_eq!(bob.logout().await.status, 204);
        alice.refresh().await.expect(200);
        alice.get("/session").await.expect(200);
        stage.client().try_login("bob").await.refused(429, "sessions-limit");
    })
    .await;
}

#[tokio::test]
async fn a_returning_session_ends_no_other() {
    let flags = [FLAGS, &["--on-full", "end-oldest"]].concat();
    let stage = Stage::simple(&flags).await;
    let mut alice = stage.logged_in("alice").await;
    // It dangles for want of any request, so nothing can be asked in the meantime.
    tokio::time::sleep(Duration::from_millis(3_100)).await;
    let mut bob = stage.logged_in("bob").await;
    alice.refresh().await.refused(429, "sessions-limit");
    bob.refresh().await.expect(200);
    bob.logout().await;
    alice.refresh().await.expect(200);
}

#[tokio::test]
async fn is_shown_as_dangling() {
    let flags = ["--dangling-after", "3s", "--access-ttl", "2s"];
    for_each_setup(&flags, |stage| async move {
        let mut idle = stage.client();
        let idle_id = idle.login("alice").await;
        let active = stage.logged_in("alice").await;
        let dangles = || {
            let (mut active, idle_id) = (active.clone(), idle_id.clone());
            async move {
                active.refresh().await.expect(200);
                let list = active.get("/session/list").await.expect(200);
                let sessions = list["sessions"].as_array().unwrap().clone();
                let dangling = |id: &str| sessions.iter().any(|s| (s["id"] == id) && s["dangling"] == true);
                assert!(sessions.iter().all(|s| s["current"] == false || s["dangling"] == false), "{list}");
                dangling(&idle_id)
            }
        };
        eventually("the idle session dangles", PATIENCE, dangles).await;
        idle.refresh().await.expect(200);
        let list = idle.get("/session/list").await.expect(200);
        assert!(list["sessions"].as_array().unwrap().iter().all(|s| s["dangling"] == false), "{list}");
    })
    .await;
}

#[tokio::test]
async fn nobody_dangles_while_they_refresh() {
    let stage = Stage::simple(FLAGS).await;
    let mut alice = stage.logged_in("alice").await;
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        alice.refresh().await.expect(200);
        stage.client().try_login("bob").await.refused(429, "sessions-limit");
    }
}
