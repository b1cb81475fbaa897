//! Polling that is no activity: it must not hold a seat for ever, and may go on without one.

use std::time::Duration;

use countersign_tests::{Call, Client, Stage, for_each_setup, until};

const FLAGS: &[&str] = &["--dangling-after", "4s", "--access-ttl", "2s", "--site-limit", "1"];

fn passive(call: Call) -> Call {
    call.header("session-passive", "?1")
}

/// Keeps polling and refreshing, passively, until somebody else got in.
async fn poll_until_displaced(stage: &Stage, client: &mut Client) -> Client {
    let poller = std::sync::Arc::new(tokio::sync::Mutex::new(client.clone()));
    let newcomer = until("passive polling gives up the seat", Duration::from_secs(12), || {
        let (poller, mut bob) = (poller.clone(), stage.client());
        async move {
            let mut poller = poller.lock().await;
            let call = passive(poller.refresh_call());
            poller.send(call).await.expect(200);
            poller.send(passive(Call::get("/api/poll"))).await.expect(200);
            (bob.try_login("bob").await.status == 200).then_some(bob)
        }
    })
    .await;
    *client = poller.lock().await.clone();
    newcomer
}

#[tokio::test]
async fn polling_holds_no_seat_for_ever() {
    for_each_setup(FLAGS, |stage| async move {
        let mut alice = stage.logged_in("alice").await;
        stage.client().try_login("bob").await.refused(429, "sessions-limit");
        let mut bob = poll_until_displaced(&stage, &mut alice).await;

        let call = passive(alice.refresh_call());
        alice.send(call).await.expect(200);
        alice.send(passive(Call::get("/api/poll"))).await.expect(200);
        alice.send(passive(Call::get("/api/me"))).await.refused(401, "token-expired");
        alice.get("/api/me").await.refused(401, "token-expired");
        alice.refresh().await.refused(429, "sessions-limit");

        bob.logout().await;
        alice.refresh().await.expect(200);
        alice.get("/api/me").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_token_without_a_seat_says_so() {
    let stage = Stage::new(countersign_tests::Wire::Http1, countersign_tests::Transport::Bearer, FLAGS).await;
    let mut alice = stage.logged_in("alice").await;
    assert!(countersign_tests::claims(&alice.access())["seat"].is_null());
    poll_until_displaced(&stage, &mut alice).await;
    let call = passive(alice.refresh_call());
    alice.send(call).await.expect(200);
    assert_eq!(countersign_tests::claims(&alice.access())["seat"], false);
}

#[tokio::test]
async fn polling_that_is_not_passive_is_activity() {
    let stage = Stage::simple(&[]).await;
    let mut client = stage.logged_in("alice").await;
    let activity = |answer: countersign_tests::Answer| answer.expect(200)["last_activity"].as_i64().unwrap();
    let began = activity(client.get("/session").await);
    until("the clock shows another second", Duration::from_secs(3), || {
        let mut client = client.clone();
        async move {
            client.get("/api/poll").await.expect(200);
            (activity(client.get("/session").await) > began).then_some(())
        }
    })
    .await;
}

#[tokio::test]
async fn elsewhere_the_header_means_nothing() {
    let stage = Stage::simple(&[]).await;
    let mut client = stage.logged_in("alice").await;
    for value in ["?1", "?0", "1", "yes", ""] {
        client.send(Call::get("/api/me").header("session-passive", value)).await.expect(200);
        client.send(Call::get("/api/poll").header("session-passive", value)).await.expect(200);
    }
}
