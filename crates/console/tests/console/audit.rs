//! Everything that an administrator does is a record, or does not happen.

use std::ops::Range;

use countersign_console::audit::{AuditError, AuditFile, AuditLog, AuditMemory, Entry, Record};
use countersign_registry::OpKind;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::office::{Office, ask, end, look};

/// Records nothing.
struct Broken;

impl AuditLog for Broken {
    fn append(&self, _: Entry) -> BoxFuture<'_, Result<u64, AuditError>> {
        ready(Err(AuditError::new("the disk is full"))).boxed()
    }

    fn read(&self, _: u64, _: usize) -> BoxFuture<'_, Result<Vec<Record>, AuditError>> {
        ready(Err(AuditError::new("the disk is full"))).boxed()
    }

    fn numbers(&self) -> BoxFuture<'_, Result<Range<u64>, AuditError>> {
        ready(Err(AuditError::new("the disk is full"))).boxed()
    }
}

#[tokio::test]
async fn what_cannot_be_recorded_does_not_happen() {
    let office = Office::with(|builder| builder, Broken).await;
    let mut alice = office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    let keys = look(&mut admin, "keys").await;
    let kid = keys["keys"][0]["kid"].clone();
    let limits = json!({ "user": { "seats": 1, "on_full": "refuse" }, "tenant": null, "site": null });
    for (method, path, body) in [
        (Method::POST, "ends", json!({ "target": "everyone", "why": "x" })),
        (Method::PUT, "limits", json!({ "limits": limits, "why": "x" })),
        (Method::POST, "keys/rotate", json!({ "why": "x" })),
        (Method::POST, "keys/remove", json!({ "kid": kid, "why": "x" })),
        (Method::POST, "people/export", json!({ "subject": "alice", "tenant": null, "why": "x" })),
        (Method::POST, "people/erase", json!({ "subject": "alice", "tenant": null, "why": "x" })),
    ] {
        let answer = ask(&mut admin, method, path, &body).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            "{path}"
        );
    }
    assert_eq!(alice.get("/session").await.status, StatusCode::OK);
    // (A successor may have been published meanwhile, by schedule.)
    let still = look(&mut admin, "keys").await;
    assert_eq!((&still["keys"][0], &still["removed"]), (&keys["keys"][0], &json!([])));
    assert_eq!(look(&mut admin, "overview").await["limits"]["user"], Value::Null);
    assert_eq!(admin.get("/console/api/audit").await.code(), "internal");
}

#[tokio::test]
async fn a_record_says_who_what_whom_when_why_and_what_came_of_it() {
    let office = Office::open().await;
    office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    let target = json!({ "user": { "subject": "alice", "tenant": null } });
    end(&mut admin, target.clone()).await;
    let own = look(&mut admin, "sessions?subject=admin").await["sessions"][0]["id"].clone();
    let page = look(&mut admin, "audit").await;
    let [done, begins] = &page["records"].as_array().unwrap()[..] else { panic!("{page}") };
    let expect = json!({
        "seq": 0, "at": 1_800_000_000, "who": { "subject": "admin", "tenant": null, "session": own }, "what": "end",
        "stage": "begins", "of": null, "whom": target, "why": "a test", "effect": null,
    });
    assert_eq!(*begins, expect);
    assert_eq!(
        (&done["stage"], &done["of"], &done["effect"]),
        (&json!("done"), &json!(0), &json!({ "sessions": 1 }))
    );
}

#[tokio::test]
async fn an_act_that_fails_is_recorded_as_failed() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    office.harness.registry().fail_next_of(OpKind::End, 1);
    let answer = ask(&mut admin, Method::POST, "ends", &json!({ "target": "everyone", "why": "x" })).await;
    assert_eq!(answer.code(), "registry-unavailable");
    let page = look(&mut admin, "audit").await;
    let last = &page["records"][0];
    assert_eq!((&last["stage"], &last["effect"]), (&json!("failed"), &json!("registry-unavailable")));
}

#[tokio::test]
async fn the_audit_is_paged_and_exported() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = AuditFile::open(folder.path().join("audit.jsonl")).unwrap();
    let office = Office::with(|builder| builder, file).await;
    let mut admin = office.logged_in("admin").await;
    for _ in 0..3 {
        end(&mut admin, json!({ "tenant": "acme" })).await;
    }
    let seqs = |page: &Value| {
        page["records"].as_array().unwrap().iter().map(|r| r["seq"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let first = look(&mut admin, "audit?limit=4").await;
    assert_eq!((seqs(&first), &first["next"]), (vec![5, 4, 3, 2], &json!(2)));
    let second = look(&mut admin, "audit?limit=4&before=2").await;
    assert_eq!((seqs(&second), &second["next"]), (vec![1, 0], &Value::Null));
    assert_eq!(seqs(&look(&mut admin, "audit?before=0").await), [] as [u64; 0]);
    let export = admin.get("/console/api/audit/export").await;
    assert_eq!(export.headers["content-type"], "application/jsonl");
    let lines = str::from_utf8(&export.body).unwrap();
    assert_eq!(lines, std::fs::read_to_string(folder.path().join("audit.jsonl")).unwrap());
    assert_eq!(lines.lines().count(), 6);
}

#[tokio::test]
async fn the_audit_in_memory_is_bounded() {
    let office = Office::with(|builder| builder, AuditMemory::default()).await;
    let mut admin = office.logged_in("admin").await;
    for _ in 0..5001 {
        end(&mut admin, json!({ "tenant": "acme" })).await;
    }
    let export = admin.get("/console/api/audit/export").await;
    let lines: Vec<Value> = str::from_utf8(&export.body)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!((lines.len(), &lines[0]["seq"]), (10_000, &json!(2)));
}
