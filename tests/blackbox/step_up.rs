//! Routes that demand a fresh login (RFC 9470).

use std::time::Duration;

use countersign_tests::{Answer, Client, eventually, for_each_setup};
use serde_json::json;

const PASSWORD: &str = "canary-new-password";

fn assert_step_up(answer: &Answer) {
    let problem = answer.refused(401, "step-up-required");
    assert_eq!(problem["max_age"], 1, "{problem}");
    let challenge = answer.challenge();
    assert!(challenge.starts_with("Bearer"), "{challenge}");
    assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
    assert!(challenge.contains("max_age=1") || challenge.contains("max_age=\"1\""), "{challenge}");
}

async fn grow_stale(client: &Client) {
    let stale = || {
        let mut copy = client.clone();
        async move { copy.delete("/session/AAAAAAAAAAAAAAAAAAAAAA").await.code() == "step-up-required" }
    };
    eventually("the login is no longer fresh", Duration::from_secs(5), stale).await;
}

#[tokio::test]
async fn a_stale_login_must_be_repeated() {
    for_each_setup(&["--fresh-for", "1s"], |stage| async move {
        let mut client = stage.client();
        let id = client.login("alice").await;
        let mut other = stage.logged_in("alice").await;
        grow_stale(&client).await;
        assert_step_up(&client.post("/session/logout-others").await);
        assert_step_up(&client.delete(&format!("/session/{id}")).await);
        assert_step_up(&client.delete("/session/malformed").await);
        let change = json!({"old": "correct horse", "new": PASSWORD});
        assert_step_up(&client.post_json("/api/password", change).await);
        client.refresh().await.expect(200);
        assert_step_up(&client.post("/session/logout-others").await);
        client.get("/session").await.expect(200);
        other.get("/session").await.expect(200);
        client.login("alice").await;
        client.post("/session/logout-others").await.expect(200);
        other.get("/session").await.ended("ended-by-user");
    })
    .await;
}

#[tokio::test]
async fn a_new_password_ends_all_other_sessions_and_issues_a_new_one() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let first = client.login("alice").await;
        let mut copy = client.clone();
        let mut other = stage.logged_in("alice").await;
        let wrong = json!({"old": "canary-wrong", "new": PASSWORD});
        client.post_json("/api/password", wrong).await.refused(401, "login-failed");
        other.get("/session").await.expect(200);

        let right = json!({"old": "correct horse", "new": PASSWORD});
        let answer = client.post_json("/api/password", right).await;
        let session = answer.expect(200)["session"].clone();
        answer.assert_no_store();
        assert_ne!(session["id"], first.as_str());
        client.get("/session").await.expect(200);
        copy.get("/session").await.refused(401, "session-ended");
        copy.refresh().await.refused(401, "session-ended");
        other.get("/session").await.refused(401, "session-ended");
        stage.client().try_login("alice").await.refused(401, "login-failed");
        let new = json!({"user": "alice", "password": PASSWORD});
        stage.client().post_json("/login", new).await.expect(200);
        stage.logged_in("bob").await;
    })
    .await;
}
