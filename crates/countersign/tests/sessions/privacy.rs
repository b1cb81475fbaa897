//! What is stored about a person is shown to them whole, and goes when they go.

use countersign::testing::Harness;
use countersign::{Owner, SubjectExport};
use countersign_registry::{List, Registry as _};
use serde_json::{Value, json};

use crate::shop::*;

async fn stored(t: &Harness, owner: &Owner) -> Value {
    serde_json::to_value(t.sessions().export_subject(owner).await.unwrap()).unwrap()
}

#[tokio::test]
async fn an_export_is_all_that_the_registry_has() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let _other = logged_in(&t, "alice@acme").await;
    let _bob = logged_in(&t, "bob").await;
    assert_eq!(alice.post("/redeem?tea").await.status, 200);
    t.pass(2 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    let code = alice.post("/session/handoff").await.json::<Value>()["code"].clone();
    let mut phone = t.browser(shop()).with_header("user-agent", "Mozilla/5.0 (iPhone) Version/18 Safari/604");
    let form = json!({ "code": code, "confirm": "alice" });
    assert_eq!(phone.post_json("/session/handoff/redeem", &form).await.status, 200);
    let mut export = stored(&t, &Owner::new("alice")).await;
    let straight = SubjectExport::read(t.registry(), &Owner::new("alice")).await.unwrap();
    assert_eq!(serde_json::to_value(straight).unwrap(), export, "the same without a node");
    let ids: Vec<Value> =
        export["sessions"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    let listed = t.registry().list(List::of(Owner::new("alice"))).await.unwrap();
    let listed: Vec<Value> = listed.sessions.iter().map(|(record, _)| record.id.to_string().into()).collect();
    assert_eq!((ids.len(), &ids), (2, &listed));
    let sessions = export["sessions"].as_array_mut().unwrap();
    sessions.sort_by_key(|session| session["device"].to_string());
    let first = sessions[0].as_object_mut().unwrap();
    let id = first.remove("id").unwrap();
    first.remove("born");
    assert_eq!(
        sessions[0],
        json!({
            "started_at": START, "auth_time": START, "methods": "pwd", "device": "Firefox on Linux",
            "expires_at": START + 14 * 24 * 3600, "last_activity": START + 120, "holds_seat": true,
            "gave_seat_up": false, "refreshes": 1, "exclusive_updates": 1, "digests": [], "handed_off_from": null
        })
    );
    assert_eq!(sessions[1]["handed_off_from"], id);
    let entries: Vec<_> =
        export["entries"].as_array().unwrap().iter().map(|one| (&one["what"], &one["device"])).collect();
    assert_eq!(
        entries,
        [(&json!("data-updated"), &Value::Null), (&json!("handed-over"), &json!("Safari on iPhone"))]
    );
    let text = export.to_string();
    assert!(!text.contains("eyJ") && !text.contains("bob") && !text.contains("acme"), "{text}");
}

#[tokio::test]
async fn an_erasure_ends_all_of_a_person_and_says_what_remains() {
    let t = Harness::new();
    let mut alice = logged_in(&t, "alice").await;
    let mut namesake = logged_in(&t, "alice@acme").await;
    let erased = t.sessions().erase_subject(Owner::new("alice")).await.unwrap();
    assert_eq!(erased.sessions, 1);
    check(&alice.get("/cart").await, 401, "session-ended");
    assert_eq!(namesake.get("/cart").await.status, 200, "of another tenant: somebody else");
    let export = stored(&t, &Owner::new("alice")).await;
    assert_eq!(export["sessions"], json!([]));
    assert_eq!(export["entries"][0]["what"], "sessions-ended");
    let told = serde_json::to_value(&erased).unwrap();
    let until = |n: usize| told["remains"][n]["until"].as_u64().unwrap() - START;
    assert_eq!((until(0), until(1), until(2)), (5 * 60, 20 * 60, 24 * 3600), "{told}");
    // What it said is what happens.
    assert_eq!(export["entries"][0]["until"], told["remains"][0]["until"]);
    t.pass(5 * MINUTE).await;
    assert_eq!(stored(&t, &Owner::new("alice")).await["entries"], json!([]));
    assert_eq!(t.sessions().erase_subject(Owner::new("alice")).await.unwrap().sessions, 0);
}
