//! What an administrator sees.

use std::time::Duration;

use countersign::{Limits, OnFull};
use countersign_console::audit::AuditMemory;
use http::StatusCode;
use serde_json::{Value, json};

use crate::office::{Office, Person, look};

async fn subjects(admin: &mut Person, query: &str) -> Vec<String> {
    let list = look(admin, &format!("sessions?{query}")).await;
    let subject = |session: &Value| session["subject"].as_str().unwrap().to_owned();
    list["sessions"].as_array().unwrap().iter().map(subject).collect()
}

/// alice twice (once of acme), bob, then the administrator; a minute apart.
async fn people(office: &Office) -> Person {
    for (subject, tenant) in [("alice", ""), ("alice", "acme"), ("bob", "acme")] {
        office.logged_in_of(subject, tenant).await;
        office.pass(Duration::from_mins(1)).await;
    }
    office.logged_in("admin").await
}

#[tokio::test]
async fn sessions_are_listed_filtered_and_sorted() {
    let office = Office::open().await;
    let mut admin = people(&office).await;
    assert_eq!(subjects(&mut admin, "").await, ["admin", "bob", "alice", "alice"]);
    assert_eq!(subjects(&mut admin, "order=oldest").await, ["alice", "alice", "bob", "admin"]);
    assert_eq!(subjects(&mut admin, "order=least-recent&limit=1").await, ["alice"]);
    assert_eq!(subjects(&mut admin, "subject=alice").await.len(), 2);
    assert_eq!(subjects(&mut admin, "subject=alice&tenant=acme").await.len(), 1);
    assert_eq!(subjects(&mut admin, "tenant=acme").await, ["bob", "alice"]);
    assert_eq!(subjects(&mut admin, "subject=nobody").await, [] as [&str; 0]);
    assert_eq!(subjects(&mut admin, "inactive_for=120").await, ["alice", "alice"]);
    let list = look(&mut admin, "sessions?tenant=acme").await;
    assert_eq!((&list["total"], &list["next"]), (&json!(2), &Value::Null));
    let session = &list["sessions"][0];
    assert_eq!(
        (&session["tenant"], &session["dangling"], &session["current"]),
        (&json!("acme"), &json!(false), &json!(false))
    );
    let all = look(&mut admin, "sessions").await;
    assert_eq!(all["sessions"][0]["current"], true, "this one");
}

#[tokio::test]
async fn pages_leave_nothing_out() {
    let office = Office::open().await;
    let mut admin = people(&office).await;
    for order in ["last-activity", "least-recent", "newest", "oldest"] {
        let (mut seen, mut after) = (Vec::new(), String::new());
        loop {
            let page = look(&mut admin, &format!("sessions?limit=3&order={order}{after}")).await;
            seen.extend(page["sessions"].as_array().unwrap().iter().map(|session| session["id"].to_string()));
            let Some(next) = page["next"].as_str() else { break };
            after = format!("&after={next}");
        }
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 4, "{order}");
    }
}

/// 200 sessions at most, whatever their users are called.
#[tokio::test]
async fn an_answer_is_bounded() {
    let office = Office::open().await;
    let tenant = "t".repeat(255);
    for number in 0..220 {
        office.logged_in_of(&format!("{number:0>255}"), &tenant).await;
    }
    let mut admin = office.logged_in("admin").await;
    for (query, sessions, kib) in [("", 50, 40), ("?limit=200", 200, 160)] {
        let answer = admin.get(&format!("/console/api/sessions{query}")).await;
        let list: Value = answer.json();
        assert_eq!(list["sessions"].as_array().unwrap().len(), sessions);
        let size = answer.body.len() / 1024;
        assert!((1..kib).contains(&size), "{sessions} sessions take {size} KiB");
    }
}

#[tokio::test]
async fn dangling_sessions_are_told_apart() {
    let office = Office::open().await;
    let mut admin = people(&office).await;
    office.pass(Duration::from_mins(30)).await;
    admin.post("/session/refresh").await;
    Office::prove(&mut admin, "admin").await;
    assert_eq!(subjects(&mut admin, "holding=nothing").await, ["bob", "alice", "alice"]);
    assert_eq!(subjects(&mut admin, "holding=seat").await, ["admin"]);
    let list = look(&mut admin, "sessions?holding=nothing").await;
    assert_eq!((&list["total"], &list["sessions"][0]["dangling"]), (&json!(3), &json!(true)));
    let overview = look(&mut admin, "overview").await;
    assert_eq!(overview["counts"], json!({ "sessions": 4, "seats": 1 }));
    assert_eq!(overview["policy"]["dangling_after"], 1800);
}

#[tokio::test]
async fn bad_parameters_are_told_what_is_wrong() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    for (path, name) in [
        ("sessions?limit=0", "limit"),
        ("sessions?limit=1000", "limit"),
        ("sessions?after=x", "after"),
        ("sessions?holding=all", "holding"),
        ("sessions?inactive_for=-5", "inactive_for"),
        ("sessions?order=sideways", "order"),
        ("sessions?limit=1&limit=2", "limit"),
        ("statistics?span=year", "span"),
        ("statistics/peaks?by=hour", "by"),
        ("statistics/peaks.csv?by=", "by"),
        ("audit?limit=501", "limit"),
        ("audit?before=x", "before"),
        ("live?kinds=login,gossip", "kinds"),
    ] {
        let answer = admin.get(&format!("/console/api/{path}")).await;
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (StatusCode::BAD_REQUEST, "bad-request"),
            "{path}"
        );
        let detail = answer.json::<Value>()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(&format!("`{name}`")) && detail.contains("has to be"), "{path}: {detail}");
    }
    for path in ["sessions?user=alice", "overview?x=1", "unusual?x", "audit/export?all=1"] {
        assert_eq!(admin.get(&format!("/console/api/{path}")).await.code(), "bad-request", "{path}");
    }
}

#[tokio::test]
async fn one_session_is_told_and_why_it_ended() {
    let office = Office::open().await;
    let mut alice = office.logged_in("alice").await;
    let mut admin = office.logged_in("admin").await;
    let id =
        look(&mut admin, "sessions?subject=alice").await["sessions"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(look(&mut admin, &format!("sessions/{id}")).await["session"]["subject"], "alice");
    alice.post("/session/logout").await;
    assert_eq!(
        look(&mut admin, &format!("sessions/{id}")).await,
        json!({ "session": null, "ended": "logout" })
    );
    for unknown in ["AAAAAAAAAAAAAAAAAAAAAA", "x", "%2e%2e"] {
        assert_eq!(admin.get(&format!("/console/api/sessions/{unknown}")).await.code(), "not-found");
    }
}

#[tokio::test]
async fn what_happened_is_counted() {
    let limits = Limits::none().per_site(2, OnFull::Refuse);
    let office = Office::with(|builder| builder.limits(limits), AuditMemory::default()).await;
    let mut alice = office.logged_in("alice").await;
    office.logged_in("bob").await;
    assert_eq!(office.anyone().get("/login?carol&").await.code(), "sessions-limit");
    alice.post("/session/logout").await;
    let mut admin = office.logged_in("admin").await;
    let statistics = look(&mut admin, "statistics?span=day").await;
    let sum = |of: &str| {
        let points = statistics["points"].as_array().unwrap().iter();
        points.map(|point| point[of].as_u64().unwrap()).sum::<u64>()
    };
    assert_eq!((sum("logins"), sum("refusals")), (3, 1));
    let last = statistics["points"].as_array().unwrap().last().unwrap();
    assert_eq!(last["ends"], json!({ "logout": 1 }));
    let lasted: u64 = statistics["durations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|class| class["sessions"].as_u64().unwrap())
        .sum();
    assert_eq!(lasted, 1);
    let overview = look(&mut admin, "overview").await;
    assert_eq!(overview["refusals"], json!({ "limit": 1, "forged": 0 }));
}

#[tokio::test]
async fn high_water_marks_can_be_taken_away() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    // The sampler runs beside the requests.
    let peaks = loop {
        let peaks = look(&mut admin, "statistics/peaks?by=month").await;
        if peaks["peaks"][0]["seats"] == 1 {
            break peaks;
        }
        tokio::task::yield_now().await;
    };
    let month = peaks["peaks"][0]["from"].as_str().unwrap();
    assert_eq!(month.len(), "2026-11".len());
    let table = admin.get("/console/api/statistics/peaks.csv?by=month").await;
    assert_eq!(table.headers["content-type"], "text/csv; charset=utf-8");
    assert_eq!(table.headers["cache-control"], "no-store");
    let at = &peaks["peaks"][0]["at"];
    assert_eq!(str::from_utf8(&table.body).unwrap(), format!("from,seats,sessions,at\n{month},1,1,{at}\n"));
}

#[tokio::test]
async fn a_copied_token_and_a_burst_of_forgeries_are_unusual() {
    let office = Office::open().await;
    let mut alice = office.logged_in("alice").await;
    let mut thief = alice.clone();
    for _ in 0..3 {
        office.pass(Duration::from_secs(61)).await;
        alice.post("/session/refresh").await;
    }
    thief.post("/session/refresh").await;
    let mut forger = office.anyone();
    forger.cookies_mut().insert("__Host-session".to_owned(), "x.y.z".to_owned());
    for _ in 0..60 {
        forger.get("/console/api/overview").await;
    }
    let mut admin = office.logged_in("admin").await;
    let unusual = look(&mut admin, "unusual").await;
    let oddities: Vec<_> =
        unusual["unusual"].as_array().unwrap().iter().map(|one| one["oddity"].as_str().unwrap()).collect();
    assert_eq!(oddities, ["forged-tokens", "refresh-reused"], "{unusual}");
    assert!(unusual["unusual"][1]["explanation"].as_str().unwrap().contains("copied"));
}
