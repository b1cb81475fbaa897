//! Copied refresh tokens: found when they must be, and never cried about when they are not.

use countersign_tests::for_each_setup;

const RACE: &[&str] = &["--race-window", "1s"];

#[tokio::test]
async fn a_used_up_token_ends_the_session() {
    for_each_setup(RACE, |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut other = stage.logged_in("alice").await;
        let mut thief = client.clone();
        client.rotate().await;
        client.rotate().await;
        let answer = thief.refresh().await;
        answer.refused(401, "refresh-reused");
        client.get("/session").await.ended("refresh-reused");
        client.refresh().await.ended("refresh-reused");
        thief.refresh().await.ended("refresh-reused");
        other.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn two_successors_of_one_token_end_the_session() {
    for_each_setup(RACE, |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut thief = client.clone();
        client.rotate().await;
        thief.refresh().await.expect(200);
        client.rotate().await;
        thief.refresh().await.refused(401, "refresh-reused");
        client.get("/session").await.ended("refresh-reused");
    })
    .await;
}

#[tokio::test]
async fn a_thief_who_is_first_is_found_by_the_honest_refresh() {
    for_each_setup(RACE, |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut thief = client.clone();
        thief.rotate().await;
        client.refresh().await.expect(200);
        thief.rotate().await;
        client.refresh().await.refused(401, "refresh-reused");
        thief.get("/session").await.ended("refresh-reused");
        thief.refresh().await.ended("refresh-reused");
    })
    .await;
}

#[tokio::test]
async fn a_thief_in_lock_step_is_found() {
    for_each_setup(RACE, |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut thief = client.clone();
        for round in 0..3 {
            client.rotate().await;
            let stolen = thief.refresh().await;
            if stolen.status == 401 {
                assert!(round >= 1, "the first repetition may be the honest client's own");
                client.get("/session").await.ended("refresh-reused");
                return;
            }
        }
        panic!("three rounds in lock step, and nothing was noticed");
    })
    .await;
}
