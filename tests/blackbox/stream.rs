//! Streams end with their session.

use std::time::Duration;

use countersign_tests::{Call, Client, for_each_setup};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(10);

async fn open(client: &Client) -> Incoming {
    let answer = client.open(Call::get("/api/stream")).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let mut body = answer.into_body();
    tick(&mut body).await;
    body
}

async fn tick(body: &mut Incoming) {
    let frame = timeout(PATIENCE, body.frame()).await.expect("a tick in time");
    assert!(frame.is_some_and(|frame| frame.is_ok()), "the stream goes on");
}

async fn ends(mut body: Incoming) {
    let end = async { while let Some(Ok(_)) = body.frame().await {} };
    timeout(PATIENCE, end).await.expect("the stream ends with its session");
}

#[tokio::test]
async fn a_stream_ends_with_its_session() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let id = client.login("alice").await;
        let mut other = stage.logged_in("alice").await;
        let (body, mut others) = (open(&client).await, open(&other).await);
        assert_eq!(other.delete(&format!("/session/{id}")).await.status, 204);
        ends(body).await;
        tick(&mut others).await;
        other.logout().await;
        ends(others).await;
    })
    .await;
}

#[tokio::test]
async fn a_session_that_is_not_refreshed_has_no_stream() {
    for_each_setup(&["--access-ttl", "2s", "--dangling-after", "2s"], |stage| async move {
        let client = stage.logged_in("alice").await;
        ends(open(&client).await).await;
    })
    .await;
}

#[tokio::test]
async fn a_refreshed_session_keeps_its_stream() {
    for_each_setup(&["--access-ttl", "2s"], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let mut body = open(&client).await;
        for _ in 0..5 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            client.refresh().await.expect(200);
            tick(&mut body).await;
        }
        client.logout().await;
        ends(body).await;
    })
    .await;
}
