//! What is stored about a person is shown whole, and goes; nobody else's is, or does.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::office::{Office, Person, act, ask, end, look};

fn of(subject: &str, tenant: Option<&str>) -> Value {
    json!({ "subject": subject, "tenant": tenant, "why": "a request of the 3rd" })
}

async fn export(admin: &mut Person, subject: &str, tenant: Option<&str>) -> Value {
    act(admin, "people/export", &of(subject, tenant)).await
}

/// Somebody uses a copy of their refresh token, which is unusual.
async fn copied(office: &Office, subject: &str, tenant: &str) {
    let mut person = office.logged_in_of(subject, tenant).await;
    let mut thief = person.clone();
    for _ in 0..3 {
        office.pass(Duration::from_secs(61)).await;
        person.post("/session/refresh").await;
    }
    thief.post("/session/refresh").await;
}

async fn unusual_of(admin: &mut Person) -> Vec<(Value, Value)> {
    let all = look(admin, "unusual").await["unusual"].as_array().unwrap().clone();
    all.into_iter().map(|one| (one["subject"].clone(), one["tenant"].clone())).collect()
}

#[tokio::test]
async fn an_export_is_all_of_one_person_and_of_nobody_else() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    for tenant in [Value::Null, "acme".into()] {
        end(&mut admin, json!({ "user": { "subject": "alice", "tenant": tenant } })).await;
    }
    end(&mut admin, json!({ "user": { "subject": "bob", "tenant": null } })).await;
    office.logged_in("alice").await;
    office.logged_in_of("alice", "acme").await;
    office.logged_in("bob").await;

    let mut told = export(&mut admin, "alice", None).await;
    let ids = look(&mut admin, "sessions?subject=alice&tenant=").await;
    assert_eq!(
        (&told["sessions"][0]["id"], told["sessions"].as_array().unwrap().len()),
        (&ids["sessions"][0]["id"], 1)
    );
    let entries = told["entries"].as_array().unwrap();
    assert_eq!((entries.len(), &entries[0]["what"]), (1, &json!("sessions-ended")));
    let record = |seq: u64, what: &str, stage: &str, why: &str| json!({ "seq": seq, "at": 1_800_000_000, "part": "person", "what": what, "stage": stage, "why": why });
    let records = json!([
        record(0, "end", "begins", "a test"),
        record(1, "end", "done", "a test"),
        record(6, "export-subject", "begins", "a request of the 3rd"),
    ]);
    assert_eq!(told["console"].take(), json!({ "records": records, "unusual": [] }));
    assert_eq!(told["audit"], 6);
    let text = told.to_string();
    assert!(!["\"acme\"", "\"bob\"", "\"admin\""].iter().any(|other| text.contains(other)), "{text}");

    let namesake = export(&mut admin, "alice", Some("acme")).await;
    assert_eq!((&namesake["tenant"], namesake["sessions"].as_array().unwrap().len()), (&json!("acme"), 1));
    assert_ne!(namesake["sessions"][0]["id"], told["sessions"][0]["id"]);
}

#[tokio::test]
async fn an_export_is_recorded_and_the_record_is_brief() {
    let office = Office::open().await;
    office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    let told = export(&mut admin, "alice", None).await;
    let page = look(&mut admin, "audit").await;
    let [done, begins] = &page["records"].as_array().unwrap()[..] else { panic!("{page}") };
    assert_eq!((&begins["what"], &begins["stage"]), (&json!("export-subject"), &json!("begins")));
    assert_eq!(begins["whom"], json!({ "user": { "subject": "alice", "tenant": null } }));
    assert_eq!((&begins["why"], &begins["seq"]), (&json!("a request of the 3rd"), &told["audit"]));
    assert_eq!((&done["stage"], &done["effect"]), (&json!("done"), &json!({ "sessions": 1 })));
}

#[tokio::test]
async fn what_an_administrator_did_is_theirs_and_whom_they_did_it_to_is_not() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    end(&mut admin, json!({ "user": { "subject": "alice", "tenant": null } })).await;
    let mut told = export(&mut admin, "admin", None).await;
    let records = told["console"]["records"].take();
    assert_eq!((&records[0]["part"], &records[0]["what"]), (&json!("administrator"), &json!("end")));
    assert!(!records.to_string().contains("alice"), "{records}");
}

#[tokio::test]
async fn who_is_erased_is_gone_and_their_namesake_is_not() {
    let office = Office::open().await;
    copied(&office, "alice", "").await;
    copied(&office, "alice", "acme").await;
    let (mut alice, mut namesake) =
        (office.logged_in("alice").await, office.logged_in_of("alice", "acme").await);
    let mut admin = office.logged_in("admin").await;
    let (hers, other) = ((json!("alice"), Value::Null), (json!("alice"), json!("acme")));
    assert_eq!(unusual_of(&mut admin).await, [other.clone(), hers]);
    assert_eq!(export(&mut admin, "alice", None).await["console"]["unusual"].as_array().unwrap().len(), 1);

    let erased = act(&mut admin, "people/erase", &of("alice", None)).await;
    assert_eq!((&erased["sessions"], &erased["audit"]), (&json!(1), &json!(2)));
    let remains = erased["remains"].as_array().unwrap();
    assert!(remains.iter().all(|one| one["what"].is_string() && one["why"].is_string()), "{erased}");
    assert!(remains[0]["until"].as_u64() > Some(1_800_000_000), "{erased}");
    assert_eq!(alice.get("/session").await.json::<Value>()["reason"], "ended-by-admin");
    assert_eq!(namesake.get("/session").await.status, StatusCode::OK);
    assert_eq!(unusual_of(&mut admin).await, [other]);
    let left = export(&mut admin, "alice", None).await;
    assert_eq!((&left["sessions"], &left["console"]["unusual"]), (&json!([]), &json!([])));
    let acts: Vec<_> =
        left["console"]["records"].as_array().unwrap().iter().map(|one| &one["what"]).collect();
    assert_eq!(acts[2..4], ["erase-subject", "erase-subject"], "the record stays");
}

#[tokio::test]
async fn an_erasure_is_recorded_before_and_after() {
    let office = Office::open().await;
    office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    act(&mut admin, "people/erase", &of("alice", None)).await;
    let page = look(&mut admin, "audit").await;
    let [done, begins] = &page["records"].as_array().unwrap()[..] else { panic!("{page}") };
    for (record, stage, effect) in [(begins, "begins", Value::Null), (done, "done", json!({ "sessions": 1 }))]
    {
        assert_eq!((&record["what"], &record["stage"]), (&json!("erase-subject"), &json!(stage)));
        assert_eq!(record["whom"], json!({ "user": { "subject": "alice", "tenant": null } }));
        assert_eq!(record["effect"], effect);
    }
}

#[tokio::test]
async fn a_person_needs_a_name_and_the_act_words() {
    let office = Office::open().await;
    let mut alice = office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    let long = "x".repeat(1025);
    for (body, detail) in [
        (json!({ "subject": "", "why": "x" }), "`subject` has to be a user's name"),
        (json!({ "subject": long, "why": "x" }), "`subject`"),
        (json!({ "subject": "alice", "tenant": long, "why": "x" }), "`tenant`"),
        (
            json!({ "subject": "alice", "tenant": "", "why": "x" }),
            "`tenant` has to be a tenant's name of at most 1024 bytes, or null",
        ),
        (json!({ "subject": "alice", "why": " " }), "`why` has to be 1 to 500 characters"),
        (json!({ "subject": "alice" }), "documented JSON"),
        (json!({ "subject": 7, "why": "x" }), "documented JSON"),
        (json!({ "subject": "alice", "tenant": ["acme"], "why": "x" }), "documented JSON"),
        (json!({ "subject": "alice", "tenent": "acme", "why": "x" }), "documented JSON"),
    ] {
        for path in ["people/export", "people/erase"] {
            let answer = ask(&mut admin, Method::POST, path, &body).await;
            let told = answer.json::<Value>()["detail"].as_str().unwrap().to_owned();
            assert!(answer.code() == "bad-request" && told.contains(detail), "{path} {body}: {told}");
        }
    }
    assert_eq!(alice.get("/session").await.status, StatusCode::OK);
    assert_eq!(look(&mut admin, "audit").await["records"], json!([]), "nothing was recorded");
}
