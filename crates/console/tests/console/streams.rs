//! What happens, as it happens.

use std::time::Duration;

use bytes::Bytes;
use countersign::testing::Full;
use http::Request;
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::office::{Office, Person, end, look};

type Stream = countersign::ResponseBody<countersign_console::Body>;

async fn open(office: &Office, admin: &Person, query: &str) -> Stream {
    let cookies: Vec<_> = admin.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let request = Request::get(format!("/console/api/live{query}")).header("cookie", cookies.join("; "));
    let response = office.site.clone().oneshot(request.body(Full::new(Bytes::new())).unwrap()).await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["cache-control"], "no-store");
    let mut stream = response.into_body();
    assert_eq!(said(&mut stream).await, ": here\n\n");
    stream
}

async fn said(stream: &mut Stream) -> String {
    let frame =
        tokio::time::timeout(Duration::from_secs(20), stream.frame()).await.expect("something is said");
    String::from_utf8(frame.unwrap().unwrap().into_data().unwrap().to_vec()).unwrap()
}

/// The kind of the next event, and what it says.
async fn told(stream: &mut Stream) -> (String, Value) {
    let said = said(stream).await;
    let line =
        |start: &str| said.lines().find_map(|line| line.strip_prefix(start)).unwrap_or_default().to_owned();
    (line("event: "), serde_json::from_str(&line("data: ")).unwrap())
}

#[tokio::test]
async fn logins_refreshes_and_ends_are_told() {
    let office = Office::open().await;
    let admin = office.logged_in("admin").await;
    let mut live = open(&office, &admin, "?kinds=login,refresh,end,ends,audit").await;
    let mut alice = office.logged_in("alice").await;
    let (kind, login) = told(&mut live).await;
    assert_eq!(
        (kind.as_str(), &login["subject"], &login["kind"]),
        ("login", &json!("alice"), &json!("login"))
    );
    assert!(
        login["session"].is_string() && login.get("reason").is_none(),
        "only what applies is there: {login}"
    );
    alice.post("/session/refresh").await;
    assert_eq!(told(&mut live).await.0, "refresh");
    alice.post("/session/logout").await;
    let (kind, ended) = told(&mut live).await;
    assert_eq!((kind.as_str(), &ended["reason"]), ("end", &json!("logout")));
    assert_eq!(ended["session"], login["session"]);
    end(&mut admin.clone(), json!({ "tenant": "acme" })).await;
    let (kind, act) = told(&mut live).await;
    assert_eq!((kind.as_str(), &act["detail"]), ("audit", &json!("end: a test")));
}

#[tokio::test]
async fn a_stream_is_filtered() {
    let office = Office::open().await;
    let admin = office.logged_in("admin").await;
    let mut logins = open(&office, &admin, "?kinds=login&subject=bob").await;
    office.logged_in("alice").await;
    office.logged_in("bob").await.post("/session/refresh").await;
    office.logged_in("bob").await;
    for _ in 0..2 {
        let (kind, login) = told(&mut logins).await;
        assert_eq!((kind.as_str(), &login["subject"]), ("login", &json!("bob")));
    }
}

#[tokio::test]
async fn an_end_of_all_of_a_person_is_told_to_who_watches_them() {
    let office = Office::open().await;
    let mut admin = office.logged_in_of("admin", "acme").await;
    let mut ends = open(&office, &admin, "?kinds=ends&subject=alice").await;
    let mut tenants = open(&office, &admin, "?kinds=audit,ends").await;
    office.logged_in_of("alice", "acme").await;
    for target in [json!({ "tenant": "globex" }), json!({ "user": { "subject": "alice", "tenant": "acme" } })]
    {
        end(&mut admin, target).await;
    }
    let ended = told(&mut ends).await.1;
    assert_eq!((&ended["subject"], &ended["tenant"]), (&json!("alice"), &json!("acme")));
    assert_eq!(ended["detail"], "1 sessions, by user, by admin (acme)");
    let act = told(&mut tenants).await.1;
    assert_eq!(
        (&act["kind"], &act["subject"], &act["tenant"]),
        (&json!("audit"), &json!("admin"), &json!("acme"))
    );
    let ended = told(&mut tenants).await.1;
    assert_eq!((ended.get("subject"), &ended["tenant"]), (None, &json!("globex")));
}

#[tokio::test]
async fn who_is_too_slow_is_told_how_much_was_missed() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    let mut live = open(&office, &admin, "?kinds=login").await;
    for _ in 0..1030 {
        office.logged_in("alice").await;
    }
    let (kind, dropped) = told(&mut live).await;
    assert_eq!(kind, "dropped");
    assert!(dropped["events"].as_u64().unwrap() >= 6, "{dropped}");
    let (kind, login) = told(&mut live).await;
    assert_eq!((kind.as_str(), &login["subject"]), ("login", &json!("alice")), "and goes on");
    assert_eq!(look(&mut admin, "overview").await["node"]["live_dropped"], dropped["events"]);
}

#[tokio::test]
async fn a_stream_ends_with_the_session_that_opened_it() {
    let office = Office::open().await;
    let admin = office.logged_in("admin").await;
    let mut live = open(&office, &admin, "?kinds=keys").await;
    admin.clone().post("/session/logout").await;
    let end = tokio::time::timeout(Duration::from_secs(20), live.frame()).await.expect("it ends");
    assert!(end.is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stream_ends_when_its_login_has_become_too_old() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    let mut live = open(&office, &admin, "?kinds=login&subject=nobody").await;
    assert_eq!(said(&mut live).await, ": still here\n\n");
    office.pass(Duration::from_mins(6)).await;
    let end = tokio::time::timeout(Duration::from_mins(1), live.frame()).await.expect("it ends");
    assert!(end.is_none(), "{end:?}");
    admin.post("/session/refresh").await;
    assert_eq!(admin.get("/console/api/live").await.code(), "step-up-required", "as every other route says");
}

#[tokio::test]
async fn counters_can_be_kept_by_the_host() {
    let office = Office::open().await;
    office.logged_in("alice").await;
    let kept = serde_json::to_string(&office.monitor.statistics()).unwrap();
    let again = countersign_console::Monitor::with(serde_json::from_str(&kept).unwrap());
    assert_eq!(again.statistics(), office.monitor.statistics());
    let odd = kept.replace("\"length\":60", "\"length\":60000000");
    let fresh = countersign_console::Monitor::with(serde_json::from_str(&odd).unwrap());
    assert_eq!(
        fresh.statistics(),
        countersign_console::statistics::Statistics::default(),
        "sizes are not a file's to set"
    );
}
