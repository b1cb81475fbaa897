//! Going on, on another device: a code that is good once, names whose session it leads to, and tells its giver.

use std::time::Duration;

use countersign_tests::{Answer, Call, Client, Prover, Stage, Transport, Wire, claims, for_each_setup};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::events::Events;

const IPHONE: &str =
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile/15E148 Safari/604.1";
const REDEEM: &str = "/session/handoff/redeem";

/// Asks for a code, with both tokens of the session.
fn hand_off(client: &Client) -> Call {
    let call = Call::post("/session/handoff");
    match &client.tokens.refresh {
        Some(token) => call.json(&json!({ "refresh_token": token })),
        None => call,
    }
}

async fn code(client: &mut Client) -> String {
    let answer = client.send(hand_off(client)).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.expect(200);
    assert_eq!(body["expires_in"], 60, "{body}");
    body["code"].as_str().expect("a code").to_owned()
}

async fn redeem(client: &mut Client, code: &str, confirm: &str) -> Answer {
    client.post_json(REDEEM, json!({ "code": code, "confirm": confirm })).await
}

async fn session(client: &mut Client) -> Value {
    client.get("/session").await.expect(200)
}

/// The answer to a redemption may be lost: the same again under the same key is the same session. The key of the
/// giver's own login leads to no session of theirs.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again() {
    for_each_setup(&[], |stage| async move {
        let mut giver = stage.client();
        let login = Call::post("/login").json(&json!({ "user": "alice", "password": "correct horse" }));
        let first = giver.send(login.header("idempotency-key", "one")).await.expect(200)["session"].clone();
        let code = code(&mut giver).await;
        let redeem = async |key| {
            let call = Call::post(REDEEM).json(&json!({ "code": code, "confirm": "alice" }));
            stage.client().send(call.header("idempotency-key", key)).await
        };
        let taken = redeem("one").await.expect(200)["session"].clone();
        assert_ne!(taken["id"], first["id"]);
        assert_eq!(taken["amr"], json!(["pwd", "handoff"]));
        assert_eq!(redeem("one").await.expect(200)["session"]["id"], taken["id"]);
        redeem("two").await.refused(401, "token-invalid");
    })
    .await;
}

#[tokio::test]
async fn a_session_goes_on_on_another_device() {
    for_each_setup(&[], |stage| async move {
        let mut giver = stage.logged_in("alice").await;
        let (first, mut events) = (session(&mut giver).await, Events::of(&giver).await);
        let code = code(&mut giver).await;

        let mut phone = stage.client();
        let offer = phone.post_json(REDEEM, json!({ "code": code })).await;
        assert_eq!(offer.expect(200), json!({ "subject": "alice", "device": null }));
        assert!(offer.cookies().is_empty() && phone.tokens.access.is_none(), "asking takes no effect");
        phone.get("/session").await.refused(401, "not-authenticated");

        let call = Call::post(REDEEM).json(&json!({ "code": code, "confirm": "alice" }));
        let answer = phone.send(call.header("user-agent", IPHONE)).await;
        let taken = answer.expect(200)["session"].clone();
        for member in ["subject", "auth_time", "expires_at"] {
            assert_eq!(taken[member], first[member], "{member}");
        }
        assert_ne!(taken["id"], first["id"]);
        assert_eq!(
            (&taken["amr"], &taken["device"]),
            (&json!(["pwd", "handoff"]), &json!("Safari on iPhone"))
        );
        for cookie in answer.cookies() {
            assert!(cookie.max_age.is_none(), "it ends with the browser: {cookie:?}");
        }
        let told = Some(("handed-over".to_owned(), json!({ "device": "Safari on iPhone" })));
        assert_eq!(events.news(Duration::from_secs(3)).await, told);
        assert_eq!(session(&mut phone).await["id"], taken["id"]);
        session(&mut giver).await;
        phone.refresh().await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_code_is_good_once_and_a_wrong_name_costs_nothing() {
    for_each_setup(&[], |stage| async move {
        let mut giver = stage.logged_in("alice").await;
        let code = code(&mut giver).await;
        let mut phone = stage.client();
        for wrong in ["", "bob", "Alice", "alice "] {
            let problem = redeem(&mut phone, &code, wrong).await.refused(400, "bad-request");
            assert!(problem["detail"].as_str().unwrap().contains("confirm"), "{problem}");
        }
        for forged in ["", "x", &code[1..], &code[..code.len() - 1], &format!("{code}A"), &giver.access()] {
            redeem(&mut phone, forged, "alice").await.refused(401, "token-invalid");
            phone.post_json(REDEEM, json!({ "code": forged })).await.refused(401, "token-invalid");
        }
        redeem(&mut phone, &code, "alice").await.expect(200);
        redeem(&mut stage.client(), &code, "alice").await.refused(401, "token-invalid");
        stage.client().post_json(REDEEM, json!({ "code": code })).await.refused(401, "token-invalid");
        redeem(&mut phone, &code, "alice").await.refused(401, "token-invalid");
        session(&mut phone).await;
    })
    .await;
}

#[tokio::test]
async fn of_two_who_redeem_at_once_one_wins() {
    for_each_setup(&[], |stage| async move {
        let mut giver = stage.logged_in("alice").await;
        let code = code(&mut giver).await;
        let race = (0..8).map(|_| {
            let (mut client, code) = (stage.client(), code.clone());
            tokio::spawn(async move { redeem(&mut client, &code, "alice").await.status.as_u16() })
        });
        let mut answers: Vec<u16> = join_all(race).await.into_iter().map(Result::unwrap).collect();
        answers.sort_unstable();
        assert_eq!(answers, [200, 401, 401, 401, 401, 401, 401, 401]);
        let sessions = giver.get("/session/list").await.expect(200)["sessions"].as_array().unwrap().len();
        assert_eq!(sessions, 2);
    })
    .await;
}

#[tokio::test]
async fn a_code_dies_with_its_session() {
    for_each_setup(&[], |stage| async move {
        let mut giver = stage.logged_in("alice").await;
        let code_of_ended = code(&mut giver).await;
        giver.logout().await;
        let mut phone = stage.client();
        phone.post_json(REDEEM, json!({ "code": code_of_ended })).await.refused(401, "token-invalid");
        redeem(&mut phone, &code_of_ended, "alice").await.refused(401, "token-invalid");

        let mut giver = stage.logged_in("alice").await;
        let before = code(&mut giver).await;
        giver.post("/session/logout-others").await.expect(200);
        redeem(&mut phone, &before, "alice").await.refused(401, "token-invalid");
        let after = code(&mut giver).await;
        redeem(&mut phone, &after, "alice").await.expect(200);
    })
    .await;
}

/// Who asks for a code with a refresh token that was used up long ago holds a copy: of the token, or of the session.
#[tokio::test]
async fn a_used_up_refresh_token_hands_nothing_off() {
    for_each_setup(&["--race-window", "1s"], |stage| async move {
        let mut giver = stage.logged_in("alice").await;
        let mut thief = stage.client();
        thief.plant_refresh(&giver.refresh_token());
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_millis(1100)).await;
            code(&mut giver).await;
            giver.refresh().await.expect(200);
        }
        thief.plant_access(&giver.access());
        thief.send(hand_off(&thief)).await.refused(401, "refresh-reused");
        let ended = giver.get("/session").await.refused(401, "session-ended");
        assert_eq!(ended["reason"], "refresh-reused");
    })
    .await;
}

#[tokio::test]
async fn only_a_fresh_session_with_both_its_tokens_hands_off() {
    for_each_setup(&["--fresh-for", "3s"], |stage| async move {
        stage.client().post("/session/handoff").await.refused(401, "not-authenticated");
        let mut giver = stage.logged_in("alice").await;
        let mut thief = stage.client();
        thief.plant_access(&giver.access());
        thief.post("/session/handoff").await.refused(401, "not-authenticated");
        let other = stage.logged_in("alice").await;
        thief.plant_refresh(&other.refresh_token());
        thief.send(hand_off(&thief)).await.refused(401, "token-invalid");

        let code = code(&mut giver).await;
        let mut phone = stage.client();
        redeem(&mut phone, &code, "alice").await.expect(200);
        phone.send(hand_off(&phone)).await.refused(401, "step-up-required");
        phone.post("/session/logout-others").await.refused(401, "step-up-required");

        tokio::time::sleep(Duration::from_secs(4)).await;
        giver.send(hand_off(&giver)).await.refused(401, "step-up-required");
    })
    .await;
}

#[tokio::test]
async fn no_other_site_redeems() {
    for_each_setup(&[], |stage| async move {
        let mut giver = stage.logged_in("alice").await;
        let code = code(&mut giver).await;
        let mut victim = stage.client();
        let form = json!({ "code": code, "confirm": "alice" });
        if stage.has_cookies() {
            for site in ["cross-site", "same-site", "none"] {
                let call = Call::post(REDEEM).json(&form).header("sec-fetch-site", site);
                victim.send(call).await.refused(403, "cross-site");
            }
            let foreign = Call::post(REDEEM).json(&form).bare().header("origin", "https://evil.example");
            victim.send(foreign).await.refused(403, "cross-site");
        }
        redeem(&mut victim, &code, "alice").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn it_takes_the_place_of_the_browsers_own_session() {
    for_each_setup(&[], |stage| async move {
        let mut giver = stage.logged_in("alice").await;
        let code = code(&mut giver).await;
        let mut phone = stage.logged_in("bob").await;
        let mut of_bob = phone.clone();
        redeem(&mut phone, &code, "alice").await.expect(200);
        of_bob.get("/session").await.ended("replaced");
        assert_eq!(session(&mut phone).await["subject"], "alice");
    })
    .await;
}

#[tokio::test]
async fn without_a_seat_the_code_stays_usable() {
    for_each_setup(&["--site-limit", "2"], |stage| async move {
        let (mut giver, mut bob) = (stage.logged_in("alice").await, stage.logged_in("bob").await);
        let code = code(&mut giver).await;
        redeem(&mut stage.client(), &code, "alice").await.refused(429, "sessions-limit");
        bob.logout().await;
        redeem(&mut stage.client(), &code, "alice").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_choice_leads_to_the_same_handoff() {
    for_each_setup(&["--user-limit", "2", "--on-full", "ask"], |stage| async move {
        let (mut giver, mut other) = (stage.logged_in("alice").await, stage.client());
        let others = other.login("alice").await;
        let (first, code) = (session(&mut giver).await, code(&mut giver).await);
        let mut phone = stage.client();
        let problem = redeem(&mut phone, &code, "alice").await.refused(429, "sessions-limit");
        let form = json!({ "choice": problem["choice"], "end": others });
        let taken = phone.post_json("/session/admit", form).await.expect(200)["session"].clone();
        assert_eq!(taken["amr"], json!(["pwd", "handoff"]), "a choice is no login");
        assert_eq!((&taken["expires_at"], &taken["auth_time"]), (&first["expires_at"], &first["auth_time"]));
        other.get("/session").await.ended("ended-by-user");
        // Whichever of the two codes is used first uses up both.
        redeem(&mut stage.client(), &code, "alice").await.refused(401, "token-invalid");
    })
    .await;
}

#[tokio::test]
async fn a_copied_session_takes_what_was_handed_off_with_it() {
    let stage = Stage::simple(&["--race-window", "1s"]).await;
    let mut giver = stage.logged_in("alice").await;
    let code = code(&mut giver).await;
    let mut phone = stage.client();
    redeem(&mut phone, &code, "alice").await.expect(200);
    let mut thief = giver.clone();
    giver.rotate().await;
    giver.rotate().await;
    thief.refresh().await.refused(401, "refresh-reused");
    phone.get("/session").await.ended("refresh-reused");
}

#[tokio::test]
async fn a_redeemed_session_is_bound_to_the_redeemers_key() {
    for transport in [Transport::Bearer, Transport::Body] {
        let stage = Stage::new(Wire::Http2, transport, &["--dpop", "required"]).await;
        let (mut giver, mut first) = (stage.client(), Prover::new());
        first.login(&mut giver, "alice").await.expect(200);
        let call = hand_off(&giver);
        let code = first.send(&mut giver, call).await.expect(200)["code"].clone();
        let (mut phone, mut second) = (stage.client(), Prover::new());
        let form = Call::post(REDEEM).json(&json!({ "code": code, "confirm": "alice" }));
        phone.send(form.clone()).await.refused(401, "dpop-required");
        assert_eq!(second.send(&mut phone, form).await.expect(200)["token_type"], "DPoP");
        assert_eq!(claims(&phone.access())["cnf"]["jkt"], json!(second.thumbprint()));
    }
}
