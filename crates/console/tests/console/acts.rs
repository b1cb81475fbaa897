//! What an administrator does.

use std::time::Duration;

use countersign::{Limits, OnFull};
use countersign_console::audit::AuditMemory;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::office::{Office, Person, act, ask, end, look};

async fn hit(admin: &mut Person, target: Value) -> Value {
    act(admin, "ends/preview", &json!({ "target": target })).await
}

async fn ids(admin: &mut Person, subject: &str) -> Vec<String> {
    let list = look(admin, &format!("sessions?subject={subject}")).await;
    list["sessions"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_user_is_ended_and_told_who_did_it() {
    let office = Office::open().await;
    let (mut desk, mut phone) = (office.logged_in("alice").await, office.logged_in("alice").await);
    let mut bob = office.logged_in("bob").await;
    let mut admin = office.logged_in("admin").await;
    let alice = json!({ "user": { "subject": "alice", "tenant": null } });
    let expect = json!({ "sessions": 2, "people": 1, "seats": 2, "includes_you": false });
    assert_eq!(hit(&mut admin, alice.clone()).await, expect);
    assert_eq!(end(&mut admin, alice.clone()).await, 2);
    for mut device in [desk.get("/session").await, phone.get("/session").await] {
        assert_eq!(device.code(), "session-ended");
        assert_eq!(device.json::<Value>()["reason"], "ended-by-admin");
        device.headers.clear();
    }
    assert_eq!(bob.get("/session").await.status, StatusCode::OK);
    assert_eq!(end(&mut admin, alice).await, 0);
}

#[tokio::test]
async fn the_selected_are_ended_and_nobody_else() {
    let office = Office::open().await;
    let mut alice = office.logged_in("alice").await;
    let mut bob = office.logged_in("bob").await;
    let mut admin = office.logged_in("admin").await;
    let id = ids(&mut admin, "alice").await.remove(0);
    let own = ids(&mut admin, "admin").await.remove(0);
    let target = json!({ "sessions": [id, "AAAAAAAAAAAAAAAAAAAAAA"] });
    assert_eq!(hit(&mut admin, target.clone()).await["sessions"], 1, "only who is here can be hit");
    assert_eq!(hit(&mut admin, json!({ "sessions": [own] })).await["includes_you"], true);
    assert_eq!(end(&mut admin, target).await, 1);
    assert_eq!(alice.get("/session").await.code(), "session-ended");
    assert_eq!(bob.get("/session").await.status, StatusCode::OK);
}

#[tokio::test]
async fn only_who_has_dangled_for_so_long_is_ended() {
    let office = Office::open().await;
    let mut old = office.logged_in("alice").await;
    office.pass(Duration::from_hours(2)).await;
    let mut younger = office.logged_in("bob").await;
    office.pass(Duration::from_hours(1)).await;
    let mut admin = office.logged_in("admin").await;
    let dangling = |hours: u64| json!({ "dangling": { "inactive_for": hours * 3600 } });
    assert_eq!(hit(&mut admin, dangling(1)).await["people"], 2);
    let expect = json!({ "sessions": 1, "people": 1, "seats": 0, "includes_you": false });
    assert_eq!(hit(&mut admin, dangling(2)).await, expect);
    assert_eq!(end(&mut admin, dangling(2)).await, 1);
    assert_eq!(old.post("/session/refresh").await.code(), "session-ended");
    assert_eq!(younger.post("/session/refresh").await.status, StatusCode::OK);
}

#[tokio::test]
async fn more_dangling_sessions_than_a_page_are_all_ended() {
    let office = Office::open().await;
    for _ in 0..1100 {
        office.logged_in("alice").await;
    }
    office.pass(Duration::from_mins(31)).await;
    let mut admin = office.logged_in("admin").await;
    let dangling = json!({ "dangling": { "inactive_for": 60 } });
    assert_eq!(hit(&mut admin, dangling.clone()).await["sessions"], 1100);
    assert_eq!(end(&mut admin, dangling).await, 1100);
    assert_eq!(look(&mut admin, "overview").await["counts"]["sessions"], 1);
}

#[tokio::test]
async fn a_tenant_and_everyone_can_be_ended() {
    let office = Office::open().await;
    office.logged_in_of("alice", "acme").await;
    let mut bob = office.logged_in("bob").await;
    let mut admin = office.logged_in("admin").await;
    assert_eq!(end(&mut admin, json!({ "tenant": "acme" })).await, 1);
    assert_eq!(bob.get("/session").await.status, StatusCode::OK);
    assert_eq!(hit(&mut admin, json!("everyone")).await["includes_you"], true);
    assert_eq!(end(&mut admin, json!("everyone")).await, 2);
    assert_eq!(bob.get("/session").await.code(), "session-ended");
    assert_eq!(admin.get("/console/api/overview").await.code(), "session-ended", "the administrator, too");
}

#[tokio::test]
async fn an_act_needs_a_target_and_words() {
    let office = Office::open().await;
    let mut alice = office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    let long = "x".repeat(501);
    for (body, detail) in [
        (json!({ "target": "everyone" }), "documented JSON"),
        (json!({ "target": "everyone", "why": "  " }), "`why` has to be 1 to 500 characters"),
        (json!({ "target": "everyone", "why": long }), "`why`"),
        (json!({ "target": { "sessions": [] }, "why": "x" }), "`sessions` has to be 1 to 256 ids"),
        (json!({ "target": { "sessions": ["alice"] }, "why": "x" }), "`sessions`"),
        (json!({ "target": { "all": true }, "why": "x" }), "documented JSON"),
        (json!({ "target": "everyone", "why": "x", "really": true }), "documented JSON"),
    ] {
        let answer = ask(&mut admin, Method::POST, "ends", &body).await;
        let told = answer.json::<Value>()["detail"].as_str().unwrap().to_owned();
        assert!(answer.code() == "bad-request" && told.contains(detail), "{body}: {told}");
    }
    assert_eq!(alice.get("/session").await.status, StatusCode::OK, "nobody was ended");
    assert_eq!(look(&mut admin, "audit").await["records"], json!([]), "nothing was recorded");
}

#[tokio::test]
async fn how_full_each_limit_is_can_be_seen() {
    let limits = Limits::none().per_user(40, OnFull::Ask).per_tenant(3, OnFull::Refuse);
    let office = Office::with(|builder| builder.limits(limits), AuditMemory::default()).await;
    for (subject, tenant) in
        [("alice", "acme"), ("alice", "acme"), ("bob", "acme"), ("alice", "globex"), ("carol", "")]
    {
        office.logged_in_of(subject, tenant).await;
    }
    let mut admin = office.logged_in("admin").await;
    let full = look(&mut admin, "seats").await;
    let fullest = json!([{ "tenant": "acme", "seats": 3 }, { "tenant": "globex", "seats": 1 }]);
    let of_tenants = json!({ "seats": 3, "tenants": 2, "tenants_full": 1, "fullest": fullest });
    let of_users = json!({ "seats": 40, "people": 5, "people_full": 0, "most": 2 });
    assert_eq!(full, json!({ "site": null, "user": of_users, "tenant": of_tenants }));
    // Those are dangling now.
    office.pass(Duration::from_mins(31)).await;
    let mut admin = office.logged_in("admin").await;
    let tenant = &look(&mut admin, "seats").await["tenant"];
    assert_eq!((&tenant["tenants"], &tenant["fullest"]), (&json!(2), &json!([])));
}

#[tokio::test]
async fn a_limit_is_changed_while_the_site_runs() {
    let limits = Limits::none().per_site(2, OnFull::Refuse);
    let office = Office::with(|builder| builder.limits(limits), AuditMemory::default()).await;
    office.logged_in("alice").await;
    office.logged_in("alice").await;
    assert_eq!(office.anyone().get("/login?bob&").await.code(), "sessions-limit");
    let mut admin = office.logged_in("admin").await;
    let set =
        |seats: u64| json!({ "user": null, "tenant": null, "site": { "seats": seats, "on_full": "refuse" } });
    assert_eq!(look(&mut admin, "overview").await["limits"], set(2));
    let effect = act(&mut admin, "limits/preview", &json!({ "limits": set(1) })).await;
    assert_eq!(effect["site"], json!({ "seats": 1, "in_use": 3, "over": 2 }));
    let mut both = set(9);
    both["user"] = json!({ "seats": 2, "on_full": "ask" });
    let effect = act(&mut admin, "limits/preview", &json!({ "limits": both })).await;
    assert_eq!(effect["user"], json!({ "seats": 2, "people": 2, "people_full": 1, "most": 2 }));
    assert_eq!(look(&mut admin, "overview").await["limits"], set(2), "a look changes nothing");

    let change = json!({ "limits": set(4), "why": "more people" });
    let answer = ask(&mut admin, Method::PUT, "limits", &change).await.json::<Value>();
    assert_eq!((&answer["limits"], &answer["audit"]), (&set(4), &json!(0)));
    office.logged_in("bob").await;
    assert_eq!(look(&mut admin, "overview").await["limits"], set(4));
    assert_eq!(office.anyone().get("/login?carol&").await.code(), "sessions-limit", "and there it ends");
    let mut site_alone = set(1);
    site_alone.as_object_mut().unwrap().remove("user");
    let mut negative = set(1);
    negative["site"]["seats"] = json!(-1);
    for odd in [json!({}), json!({ "site": 4 }), site_alone, negative] {
        let answer = ask(&mut admin, Method::PUT, "limits", &json!({ "limits": odd, "why": "x" })).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "what is left out is no limit by mistake: {odd}");
    }
    assert_eq!(look(&mut admin, "overview").await["limits"], set(4));
}

#[tokio::test]
async fn keys_are_rotated_and_removed() {
    let office = Office::open().await;
    let mut alice = office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    let before = look(&mut admin, "keys").await;
    let old = before["keys"][0]["kid"].as_str().unwrap().to_owned();
    assert_eq!((&before["keys"][0]["state"], &before["algorithm"]), (&json!("signing"), &json!("EdDSA")));
    let after = act(&mut admin, "keys/rotate", &json!({ "why": "monthly" })).await;
    // The schedule publishes keys beside.
    let of_state = |state: &str| {
        let keys = after["keys"].as_array().unwrap().iter().filter(|key| key["state"] == state);
        keys.map(|key| key["kid"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((of_state("retiring"), of_state("signing").len()), (vec![old.clone()], 1));
    assert_eq!(alice.get("/session").await.status, StatusCode::OK, "nobody noticed");

    let unknown =
        ask(&mut admin, Method::POST, "keys/remove", &json!({ "kid": "nothing", "why": "x" })).await;
    assert_eq!(unknown.code(), "not-found");
    Office::prove(&mut admin, "admin").await;
    let left = act(&mut admin, "keys/remove", &json!({ "kid": old, "why": "it leaked" })).await;
    assert!(left["keys"].as_array().unwrap().iter().all(|key| key["kid"] != json!(old)));
    assert_eq!(left["removed"][0]["kid"], json!(old));
    assert_eq!(alice.get("/session").await.json::<Value>()["reason"], "key-removed");
    assert_eq!(
        admin.get("/console/api/keys").await.status,
        StatusCode::OK,
        "whom the new key signed for goes on"
    );
    let body = String::from_utf8(admin.get("/console/api/keys").await.body.to_vec()).unwrap();
    assert!(!body.contains("private") && !body.contains("\"x\""), "names and states, and no key");
}
