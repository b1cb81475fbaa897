//! The rule `ask`: a refused person ends one of their own sessions with a one-time code, and goes on.

use countersign_tests::{Answer, Call, Client, Stage, for_each_setup};
use serde_json::{Value, json};

const ASK: &[&str] = &["--user-limit", "2", "--on-full", "ask"];

fn code(problem: &Value) -> String {
    problem["choice"].as_str().unwrap_or_else(|| panic!("no choice: {problem}")).to_owned()
}

async fn admit(client: &mut Client, choice: &str, end: &str) -> Answer {
    client.post_json("/session/admit", json!({"choice": choice, "end": end})).await
}

#[tokio::test]
async fn one_of_my_own_makes_room() {
    for_each_setup(ASK, |stage| async move {
        let mut first = stage.client();
        let first_id = first.login("alice").await;
        let mut second = stage.client();
        let second_id = second.login("alice").await;
        stage.logged_in("bob").await;
        let mut third = stage.client();
        let refused = third.try_login("alice").await;
        let problem = refused.refused(429, "sessions-limit");
        assert_eq!((&problem["scope"], &problem["limit"]), (&json!("user"), &json!(2)), "{problem}");
        let mut offered: Vec<_> =
            problem["sessions"].as_array().unwrap().iter().map(|s| s["id"].clone()).collect();
        offered.sort_by_key(ToString::to_string);
        let mut own = vec![json!(first_id), json!(second_id)];
        own.sort_by_key(ToString::to_string);
        assert_eq!(offered, own);

        let answer = admit(&mut third, &code(&problem), &first_id).await;
        let session = answer.expect(200)["session"].clone();
        answer.assert_no_store();
        assert_eq!(session["subject"], "alice");
        assert_eq!(session["amr"], json!(["pwd"]));
        assert_eq!(third.get("/session").await.expect(200)["id"], session["id"]);
        third.refresh().await.expect(200);
        first.get("/session").await.refused(401, "session-ended");
        first.refresh().await.refused(401, "session-ended");
        second.get("/session").await.expect(200);
        assert_eq!(third.get("/session/list").await.expect(200)["sessions"].as_array().unwrap().len(), 2);
    })
    .await;
}

/// The answer to an admission may be lost: the same again under the same key is the same admission, and no other.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    for_each_setup(ASK, |stage| async move {
        let end = stage.client().login("alice").await;
        stage.client().login("alice").await;
        let problem = stage.client().try_login("alice").await.refused(429, "sessions-limit");
        let form = json!({ "choice": code(&problem), "end": end });
        let admit = async |key| {
            let call = Call::post("/session/admit").json(&form).header("idempotency-key", key);
            stage.client().send(call).await
        };
        let first = admit("one").await.expect(200)["session"]["id"].clone();
        assert_eq!(admit("one").await.expect(200)["session"]["id"], first);
        admit("two").await.refused(401, "token-invalid");
    })
    .await;
}

#[tokio::test]
async fn a_code_is_good_for_one_admission() {
    for_each_setup(ASK, |stage| async move {
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(stage.client().login("alice").await);
        }
        let bobs = stage.client().login("bob").await;
        let problem = stage.client().try_login("alice").await.refused(429, "sessions-limit");
        let choice = code(&problem);
        let mut client = stage.client();
        for nobody in [bobs.as_str(), "AAAAAAAAAAAAAAAAAAAAAA", "malformed"] {
            let answer = admit(&mut client, &choice, nobody).await;
            assert!(
                answer.status == 404 || (nobody == "malformed" && answer.status == 400),
                "{}",
                answer.text()
            );
        }
        for forged in ["", "x", &choice[1..], &format!("{choice}A"), &choice[..choice.len() - 1]] {
            admit(&mut stage.client(), forged, &ids[0]).await.refused(401, "token-invalid");
        }
        admit(&mut client, &choice, &ids[0]).await.expect(200);
        admit(&mut stage.client(), &choice, &ids[1]).await.refused(401, "token-invalid");
        admit(&mut stage.client(), &choice, &ids[0]).await.refused(401, "token-invalid");
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn two_who_use_one_code_get_one_seat() {
    for_each_setup(ASK, |stage| async move {
        let mut ids = Vec::new();
        for _ in 0..2 {
            ids.push(stage.client().login("alice").await);
        }
        let choice = code(&stage.client().try_login("alice").await.refused(429, "sessions-limit"));
        let racers = (0..8).map(|n| {
            let (mut client, choice, end) = (stage.client(), choice.clone(), ids[n % 2].clone());
            async move { admit(&mut client, &choice, &end).await.status.as_u16() }
        });
        let statuses = futures_util::future::join_all(racers).await;
        assert_eq!(statuses.iter().filter(|&&status| status == 200).count(), 1, "{statuses:?}");
    })
    .await;
}

#[tokio::test]
async fn no_access_token_or_other_token_is_a_code() {
    let stage = Stage::simple(ASK).await;
    let client = stage.logged_in("alice").await;
    let id = client.clone().get("/session").await.expect(200)["id"].as_str().unwrap().to_owned();
    for token in [client.access(), client.refresh_token()] {
        admit(&mut stage.client(), &token, &id).await.refused(401, "token-invalid");
    }
    let choice_as_token = {
        stage.logged_in("alice").await;
        code(&stage.client().try_login("alice").await.refused(429, "sessions-limit"))
    };
    let mut thief = stage.client();
    thief.plant_access(&choice_as_token);
    thief.get("/session").await.refused(401, "token-invalid");
}

#[tokio::test]
async fn the_code_remembers_what_the_login_asked_for() {
    let stage = Stage::simple(ASK).await;
    let id = stage.client().login("alice").await;
    stage.logged_in("alice").await;
    let mut client = stage.client();
    let body = json!({"user": "alice", "password": "correct horse", "remember": false});
    let problem = client.post_json("/login", body).await.refused(429, "sessions-limit");
    let answer = admit(&mut client, &code(&problem), &id).await;
    answer.expect(200);
    assert!(!answer.cookies().is_empty());
    assert!(answer.cookies().iter().all(|cookie| cookie.max_age.is_none()), "{:?}", answer.headers);
}

#[tokio::test]
async fn a_session_that_ended_already_cannot_make_room() {
    let stage = Stage::simple(ASK).await;
    let mut first = stage.client();
    let first_id = first.login("alice").await;
    let second_id = stage.client().login("alice").await;
    let choice = code(&stage.client().try_login("alice").await.refused(429, "sessions-limit"));
    assert_eq!(first.logout().await.status, 204);
    let mut client = stage.client();
    admit(&mut client, &choice, &first_id).await.refused(404, "not-found");
    admit(&mut client, &choice, &second_id).await.expect(200);
}
