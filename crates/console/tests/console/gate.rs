//! Nobody gets in who may not, on any route of the table.

use std::time::Duration;

use bytes::Bytes;
use countersign::testing::Answer;
use countersign_console::{Access, ROUTES, Route};
use http::{Method, StatusCode};

use crate::office::{Office, Person};

/// Every route that is for administrators.
fn guarded() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(|route| route.access != Access::Anyone)
}

async fn knock(person: &mut Person, route: &Route) -> Answer {
    let path = format!("/console{}", route.path.replace("{id}", "AAAAAAAAAAAAAAAAAAAAAA"));
    let method = Method::from_bytes(route.method.as_bytes()).unwrap();
    let body = (method != Method::GET).then(|| Bytes::from_static(b"{}"));
    person.send_only(method, &path, body).await
}

async fn all_refuse(person: &mut Person, status: u16, code: &str) {
    assert!(guarded().count() >= 19);
    for route in guarded() {
        let answer = knock(person, route).await;
        let what = format!("{} {}", route.method, route.path);
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{what}");
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{what}");
        assert_eq!(answer.headers["cache-control"], "no-store", "{what}");
        assert!(!answer.headers.contains_key("set-cookie"), "{what}");
    }
}

#[tokio::test]
async fn who_is_not_logged_in_is_refused() {
    let office = Office::open().await;
    all_refuse(&mut office.anyone(), 401, "not-authenticated").await;
}

#[tokio::test]
async fn who_has_no_right_is_told_that_there_is_nothing() {
    let office = Office::open().await;
    all_refuse(&mut office.logged_in("alice").await, 404, "not-found").await;
}

#[tokio::test]
async fn a_stale_login_is_refused() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    office.pass(Duration::from_secs(301)).await;
    all_refuse(&mut admin, 401, "token-expired").await;
    assert_eq!(admin.post("/session/refresh").await.status, StatusCode::OK);
    all_refuse(&mut admin, 401, "step-up-required").await;
}

#[tokio::test]
async fn what_another_site_sends_is_refused() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await.with_header("sec-fetch-site", "cross-site");
    for route in guarded().filter(|route| route.method != "GET") {
        let answer = knock(&mut admin, route).await;
        assert_eq!(answer.code(), "cross-site", "{} {}", route.method, route.path);
    }
}

#[tokio::test]
async fn a_forged_token_is_refused() {
    let office = Office::open().await;
    let mut forger = office.logged_in("alice").await;
    let theirs = office.logged_in("admin").await.cookies()["__Host-session"].clone();
    let own = forger.cookies()["__Host-session"].clone();
    // The administrator's claims, under the signature of one's own token.
    let (claims, _) = theirs.rsplit_once('.').unwrap();
    let (_, signature) = own.rsplit_once('.').unwrap();
    forger.cookies_mut().insert("__Host-session".to_owned(), format!("{claims}.{signature}"));
    all_refuse(&mut forger, 401, "token-invalid").await;
}

#[tokio::test]
async fn an_ended_session_is_refused() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    office.harness.sessions().end_everyone().await.unwrap();
    all_refuse(&mut admin, 401, "session-ended").await;
}

#[tokio::test]
async fn the_administrator_gets_in() {
    let office = Office::open().await;
    let mut admin = office.logged_in("admin").await;
    for route in guarded() {
        // The stream does not end by itself.
        if route.path == "/api/live" {
            continue;
        }
        let answer = knock(&mut admin, route).await;
        let found = route.path.contains("{id}") || answer.status == StatusCode::OK;
        assert!(found || answer.code() == "bad-request", "{} {}: {answer:?}", route.method, route.path);
        if route.method != "GET" {
            assert_eq!(answer.code(), "bad-request", "{}: an empty object asks for nothing", route.path);
        }
    }
}

#[tokio::test]
async fn the_page_is_for_anyone_and_holds_nothing() {
    let office = Office::open().await;
    let mut anyone = office.anyone();
    let page = anyone.get("/console/").await;
    assert_eq!(
        (page.status, &page.headers["content-type"]),
        (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert!(!page.headers.contains_key("set-cookie"));
    let mut admin = office.logged_in("admin").await;
    assert_eq!(admin.get("/console/").await.body, page.body, "it is the same for everyone");
    assert_eq!(anyone.get("/console/page/app.js").await.status, StatusCode::OK);
    assert_eq!(anyone.get("/console/page/nothing.js").await.code(), "not-found");
    assert_eq!(anyone.get("/console/page/").await.code(), "not-found");
    let folder = anyone.get("/console").await;
    assert_eq!(
        (folder.status, &folder.headers["location"]),
        (StatusCode::PERMANENT_REDIRECT, &"/console/".parse().unwrap())
    );
    let head = anyone.send_only(Method::HEAD, "/console/", None).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.headers["content-length"], page.body.len().to_string());
}

#[tokio::test]
async fn paths_methods_and_bodies_are_judged_before_who_asks() {
    let office = Office::open().await;
    let mut anyone = office.anyone();
    assert_eq!(anyone.get("/console/api/nothing").await.code(), "not-found");
    let answer = anyone.send_only(Method::DELETE, "/console/api/sessions", None).await;
    assert_eq!(
        (answer.code().as_str(), &answer.headers["allow"]),
        ("method-not-allowed", &"GET, HEAD".parse().unwrap())
    );
    let mut odd = anyone.clone().with_header("content-type", "text/plain");
    let answer = odd.send_only(Method::POST, "/console/api/ends", None).await;
    assert_eq!(answer.code(), "not-authenticated", "without a body, its type does not matter");
}
