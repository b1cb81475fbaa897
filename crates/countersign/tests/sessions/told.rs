//! What a host is told of its sessions: each event once, with who did it, and with no more than it should know.

use std::sync::{Arc, Mutex};

use countersign::testing::Harness;
use countersign::{Builder, Limits, OnFull, Owner, SessionEvent};
use serde_json::{Value, json};

use crate::shop::*;

/// The events of a site, as JSON without the ids.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Vec<Value>>>);

impl Told {
    fn site(configure: impl FnOnce(Builder) -> Builder) -> (Harness, Self) {
        let told = Self::default();
        let sink = told.clone();
        let note = move |event: &SessionEvent| sink.note(event);
        (Harness::with(|builder| configure(builder).on_event(note)), told)
    }

    fn note(&self, event: &SessionEvent) {
        // The harness' ring is due for its next key at any time.
        if matches!(event, SessionEvent::KeysChanged) {
            return;
        }
        self.0.lock().unwrap().push(serde_json::to_value(event).unwrap());
    }

    /// Since this was last asked, without the members that differ from run to run.
    fn take(&self) -> Vec<Value> {
        let mut events = std::mem::take(&mut *self.0.lock().unwrap());
        for event in &mut events {
            let members = event.as_object_mut().unwrap();
            members.retain(|name, _| !["session", "by_session", "to", "except"].contains(&&**name));
        }
        events
    }
}

fn started() -> Value {
    json!({ "event": "started", "subject": "alice", "device": "Firefox on Linux" })
}

#[tokio::test]
async fn a_life_is_told_from_login_to_logout() {
    let (t, told) = Told::site(|builder| builder);
    let mut alice = logged_in(&t, "alice").await;
    assert_eq!(told.take(), [started()]);
    t.pass(2 * MINUTE).await;
    assert_eq!(alice.post("/session/refresh").await.status, 200);
    let refreshed = json!({ "event": "refreshed", "subject": "alice", "device": "Firefox on Linux" });
    assert_eq!(told.take(), [refreshed]);
    let (mut again, mut late) = (alice.clone(), alice.clone());
    assert_eq!(alice.post("/session/logout").await.status, 204);
    let ended = json!({ "event": "ended", "subject": "alice", "reason": "logout", "by": "user" });
    assert_eq!(told.take(), [ended]);
    assert_eq!(again.post("/session/logout").await.status, 204);
    assert!(told.take().is_empty(), "what has ended does not end again");
    check(&late.get("/cart").await, 401, "session-ended");
    assert_eq!(told.take(), [json!({ "event": "refused", "code": "session-ended" })]);
}

#[tokio::test]
async fn who_made_room_is_told_with_the_rule_that_chose_them() {
    let (t, told) = Told::site(|b| b.limits(Limits::none().per_user(1, OnFull::EndOldest)));
    let mut alice = logged_in(&t, "alice").await;
    told.take();
    let _other = logged_in(&t, "alice").await;
    let ended = json!({ "event": "ended", "reason": "limit", "by": "rule" });
    assert_eq!(told.take(), [started(), ended]);
    check(&alice.get("/cart").await, 401, "session-ended");
    told.take();
    assert_eq!(alice.post("/login/alice").await.status, 200);
    let ended = json!({ "event": "ended", "reason": "limit", "by": "rule" });
    assert_eq!(told.take(), [started(), ended], "the session that ended before is not told again");
    assert_eq!(alice.post("/login/alice").await.status, 200);
    let replaced = json!({ "event": "ended", "reason": "replaced", "by": "user" });
    assert_eq!(told.take(), [started(), replaced]);
}

#[tokio::test]
async fn an_administrators_ends_are_told_under_their_name() {
    let (t, told) = Told::site(|builder| builder);
    let (one, _other) = (logged_in(&t, "alice").await, logged_in(&t, "alice").await);
    told.take();
    let admin = t.sessions().as_administrator(Owner::new("root").of_tenant("acme"));
    let id = read_token(&one, 1)["sid"].as_str().unwrap().parse().unwrap();
    assert_eq!(admin.end_sessions(&[id, id]).await.unwrap(), 1);
    let by = |event: Value| {
        let mut event = event;
        event["by"] = "administrator".into();
        (event["by_subject"], event["by_tenant"]) = ("root".into(), "acme".into());
        event["reason"] = "ended-by-admin".into();
        event
    };
    assert_eq!(told.take(), [by(json!({ "event": "ended" }))]);
    assert_eq!(admin.end_all(Owner::new("alice")).await.unwrap(), 1);
    let many = |members: Value| {
        let mut event = json!({ "event": "ended-many" });
        event.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
        by(event)
    };
    assert_eq!(told.take(), [many(json!({ "scope": "user", "subject": "alice", "sessions": 1 }))]);
    assert_eq!(admin.erase_subject(Owner::new("alice")).await.unwrap().sessions, 0);
    assert_eq!(told.take(), [many(json!({ "scope": "user", "subject": "alice", "sessions": 0 }))]);
    assert_eq!(admin.end_everyone().await.unwrap(), 0);
    assert_eq!(told.take(), [many(json!({ "scope": "site", "sessions": 0 }))]);
    assert_eq!(t.sessions().end_tenant("acme").await.unwrap(), 0);
    let of_host = json!({ "event": "ended-many", "scope": "tenant", "tenant": "acme", "sessions": 0,
                          "reason": "ended-by-admin", "by": "host" });
    assert_eq!(told.take(), [of_host]);
}

#[tokio::test]
async fn a_copied_refresh_token_is_an_alarm_and_an_end() {
    let (t, told) = Told::site(|builder| builder);
    let mut alice = logged_in(&t, "alice").await;
    let mut thief = alice.clone();
    for _ in 0..2 {
        t.pass(2 * MINUTE).await;
        assert_eq!(alice.post("/session/refresh").await.status, 200);
    }
    told.take();
    check(&thief.post("/session/refresh").await, 401, "refresh-reused");
    let told: Vec<Value> = told.take().into_iter().filter(|event| event["event"] != "unusual").collect();
    assert_eq!(
        told,
        [
            json!({ "event": "refresh-reused", "subject": "alice" }),
            json!({ "event": "ended", "subject": "alice", "reason": "refresh-reused", "by": "rule" }),
            json!({ "event": "refused", "code": "refresh-reused" }),
        ]
    );
}

#[tokio::test]
async fn a_user_ends_their_own_sessions() {
    let (t, told) = Told::site(|builder| builder);
    let (mut here, there) = (logged_in(&t, "alice").await, logged_in(&t, "alice").await);
    told.take();
    let id = read_token(&there, 1)["sid"].as_str().unwrap().to_owned();
    assert_eq!(here.delete(&format!("/session/{id}")).await.status, 204);
    let ended = json!({ "event": "ended", "subject": "alice", "reason": "ended-by-user", "by": "user" });
    assert_eq!(told.take(), [ended]);
    assert_eq!(here.post("/session/logout-others").await.status, 200);
    let others = json!({ "event": "ended-many", "scope": "others", "subject": "alice", "sessions": 0,
                         "reason": "ended-by-user", "by": "user" });
    assert_eq!(told.take(), [others]);
}
