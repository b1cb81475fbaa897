//! The refresh exchange: early, in time, late, repeated; which credential counts; what is handed out.

use std::time::Duration;

use countersign_tests::{Call, Stage, Transport, claims, eventually, for_each_setup};
use serde_json::json;

#[tokio::test]
async fn an_early_refresh_gives_an_access_token_only() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let (access, refresh) = (client.access(), client.refresh_token());
        let answer = client.refresh().await;
        let body = answer.expect(200);
        answer.assert_no_store();
        assert_eq!(body["session"]["subject"], "alice");
        assert!(body["refresh_token"].is_null(), "{body}");
        assert!(answer.cookies().iter().all(|cookie| cookie.name != "__Host-session-refresh"));
        assert_eq!(client.refresh_token(), refresh, "it stays the refresh token");
        assert_ne!(client.access(), access);
        assert_eq!(body["access_token"].is_string(), !stage.access_is_cookie(), "{body}");
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_old_enough_token_is_used_up_for_a_successor() {
    for_each_setup(&["--race-window", "1s"], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let first = client.refresh_token();
        client.rotate().await;
        let second = client.refresh_token();
        let (old, new) = (claims(&first), claims(&second));
        assert_eq!(new["rot"][1], old["rot"][0], "its parent is the one used up");
        assert!(new["rot"][2].as_u64() > old["rot"][2].as_u64());
        assert_eq!(new["exp"], old["exp"], "the absolute end never moves");
        assert_eq!(new["sid"], old["sid"]);
        assert_eq!(new["auth_time"], old["auth_time"]);
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_lost_answer_may_be_asked_for_again() {
    for_each_setup(&["--race-window", "1s"], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let before = client.clone();
        client.rotate().await;
        let mut successors = vec![client.refresh_token()];
        for _ in 0..3 {
            let mut again = before.clone();
            again.refresh().await.expect(200);
            successors.push(again.refresh_token());
        }
        successors.sort();
        successors.dedup();
        assert_eq!(successors.len(), 4, "no two holders ever receive the same successor");
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn racing_tabs_stay_logged_in() {
    for_each_setup(&["--race-window", "1s"], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        for _ in 0..3 {
            client.rotate().await;
            let tabs = (0..4).map(|_| {
                let mut tab = client.clone();
                async move {
                    tab.refresh().await.expect(200);
                    tab
                }
            });
            client = futures_util::future::join_all(tabs).await.pop().unwrap();
        }
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn an_expired_access_token_is_refreshed() {
    for_each_setup(&["--access-ttl", "2s"], |stage| async move {
        let client = stage.logged_in("alice").await;
        let expired = || async {
            let answer = client.clone().get("/session").await;
            if answer.status == 401 {
                answer.refused(401, "token-expired");
                assert!(answer.challenge().contains("error=\"invalid_token\""), "{}", answer.challenge());
            }
            answer.status == 401
        };
        eventually("the access token expires", Duration::from_secs(4), expired).await;
        let mut client = client.clone();
        client.refresh().await.expect(200);
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn no_refresh_token_is_not_authenticated() {
    for_each_setup(&[], |stage| async move {
        let mut nobody = stage.client();
        let call = match stage.transport {
            Transport::Body => Call::post("/session/refresh").json(&json!({})),
            _ => Call::post("/session/refresh"),
        };
        let answer = nobody.send(call).await;
        match stage.transport {
            Transport::Body => assert!([400, 401].contains(&answer.status.as_u16()), "{}", answer.text()),
            _ => drop(answer.refused(401, "not-authenticated")),
        }
    })
    .await;
}

#[tokio::test]
async fn an_access_token_alone_refreshes_nothing() {
    for_each_setup(&[], |stage| async move {
        if stage.transport == Transport::Body {
            return;
        }
        let mut client = stage.logged_in("alice").await;
        client.jar.remove("__Host-session-refresh");
        client.refresh().await.refused(401, "not-authenticated");
    })
    .await;
}

#[tokio::test]
async fn the_refresh_cookie_counts_even_beside_an_authorization_header() {
    for transport in [Transport::Cookies, Transport::Bearer] {
        let stage = Stage::new(countersign_tests::Wire::Http1, transport, &[]).await;
        let mut alice = stage.logged_in("alice").await;
        let bob = stage.logged_in("bob").await;
        for credential in [format!("Bearer {}", bob.access()), "Bearer rubbish".into(), "Basic YTpi".into()] {
            let call = Call::post("/session/refresh").header("authorization", credential);
            assert_eq!(alice.send(call).await.expect(200)["session"]["subject"], "alice");
        }
    }
}

#[tokio::test]
async fn a_token_of_another_type_refreshes_nothing() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        let access = client.access();
        client.plant_refresh(&access);
        client.refresh().await.refused(401, "token-invalid");
        client.plant_refresh("rubbish");
        client.refresh().await.refused(401, "token-invalid");
    })
    .await;
}

#[tokio::test]
async fn refresh_with_a_cookie_needs_no_body_and_takes_json_only() {
    for transport in [Transport::Cookies, Transport::Bearer] {
        let stage = Stage::new(countersign_tests::Wire::Http2, transport, &[]).await;
        let mut client = stage.logged_in("alice").await;
        client.send(Call::post("/session/refresh")).await.expect(200);
        client.send(Call::post("/session/refresh").json(&json!({}))).await.expect(200);
        let text = Call::post("/session/refresh").body("text/plain", "hello");
        client.send(text).await.refused(415, "unsupported-media-type");
    }
}

#[tokio::test]
async fn a_cookie_transport_ignores_or_refuses_a_token_in_the_body() {
    let stage = Stage::simple(&[]).await;
    let client = stage.logged_in("alice").await;
    let body = json!({ "refresh_token": client.refresh_token() });
    let answer = stage.client().send(Call::post("/session/refresh").json(&body)).await;
    assert!([400, 401].contains(&answer.status.as_u16()), "{}", answer.text());
}
