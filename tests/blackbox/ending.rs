//! Ending other sessions of mine, and nobody else's.

use countersign_tests::for_each_setup;
use serde_json::json;

#[tokio::test]
async fn delete_ends_one_of_my_sessions() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut other = stage.client();
        let id = other.login("alice").await;
        let answer = client.delete(&format!("/session/{id}")).await;
        assert_eq!(answer.status, 204, "{}", answer.text());
        other.get("/session").await.ended("ended-by-user");
        other.refresh().await.ended("ended-by-user");
        client.get("/session").await.expect(200);
        client.delete(&format!("/session/{id}")).await.refused(404, "not-found");
    })
    .await;
}

#[tokio::test]
async fn delete_ends_my_own_session_too() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let id = client.login("alice").await;
        let mut copy = client.clone();
        assert_eq!(client.delete(&format!("/session/{id}")).await.status, 204);
        copy.get("/session").await.ended("ended-by-user");
    })
    .await;
}

#[tokio::test]
async fn what_is_not_mine_is_not_there() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut bob = stage.client();
        let bobs = bob.login("bob").await;
        for id in [bobs.as_str(), "AAAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAB", "x", "%00", "a%2Fb"] {
            client.delete(&format!("/session/{id}")).await.refused(404, "not-found");
        }
        bob.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn logout_others_ends_all_but_this_one() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut others = vec![stage.logged_in("alice").await, stage.logged_in("alice").await];
        let mut bob = stage.logged_in("bob").await;
        let answer = client.post("/session/logout-others").await;
        assert_eq!(answer.expect(200), json!({ "ended": 2 }));
        for other in &mut others {
            other.get("/session").await.ended("ended-by-user");
            other.refresh().await.ended("ended-by-user");
        }
        client.get("/session").await.expect(200);
        bob.get("/session").await.expect(200);
        assert_eq!(client.post("/session/logout-others").await.expect(200), json!({ "ended": 0 }));
        stage.logged_in("alice").await.get("/session").await.expect(200);
    })
    .await;
}
