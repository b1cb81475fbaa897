//! A site with a console, and the people who come to it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use countersign::testing::{Answer, Browser, Full, Harness};
use countersign::{Builder, Refusal, ResponseBody, Session, Visitor};
use countersign_console::audit::{AuditLog, AuditMemory};
use countersign_console::statistics::Statistics;
use countersign_console::{Access, Body, Console, Monitor};
use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value, json};
use tower::util::BoxCloneService;
use tower::{Layer as _, ServiceExt as _, service_fn};

pub(crate) type Site = BoxCloneService<Request<Full<Bytes>>, Response<ResponseBody<Body>>, Infallible>;
pub(crate) type Person = Browser<Site>;

pub(crate) struct Office {
    pub(crate) harness: Harness,
    pub(crate) monitor: Monitor,
    pub(crate) site: Site,
}

impl Office {
    pub(crate) async fn open() -> Self {
        Self::with(|builder| builder, AuditMemory::default()).await
    }

    pub(crate) async fn with(configure: impl FnOnce(Builder) -> Builder, audit: impl AuditLog) -> Self {
        let mut monitor = None;
        let harness = Harness::with(|builder| {
            let heard = Monitor::with_clock(Statistics::default(), countersign::SystemClock);
            let builder = configure(builder.on_event(heard.sink()));
            monitor = Some(heard);
            builder
        });
        let monitor = monitor.unwrap();
        let console = Console::new(harness.sessions().clone(), monitor.clone(), guard).audit(audit);
        let inside = service_fn(move |request: Request<Full<Bytes>>| {
            let console = console.clone();
            async move {
                if request.uri().path() == "/login" {
                    log_in(&request).await
                } else {
                    console.oneshot(request).await
                }
            }
        });
        harness.sessions().ready().await;
        let site = BoxCloneService::new(harness.sessions().layer().layer(inside));
        Self { harness, monitor, site }
    }

    /// Somebody who has not logged in.
    pub(crate) fn anyone(&self) -> Person {
        self.harness.browser_of(self.site.clone())
    }

    pub(crate) async fn logged_in(&self, subject: &str) -> Person {
        self.logged_in_of(subject, "").await
    }

    pub(crate) async fn logged_in_of(&self, subject: &str, tenant: &str) -> Person {
        let mut person = self.anyone();
        let answer = person.get(&format!("/login?{subject}&{tenant}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        person
    }

    /// Logs the same person in again.
    pub(crate) async fn prove(person: &mut Person, subject: &str) {
        assert_eq!(person.get(&format!("/login?{subject}&")).await.status, StatusCode::OK);
    }

    pub(crate) async fn pass(&self, time: Duration) {
        self.harness.pass(time).await;
    }
}

fn guard(session: &Session, _: Access) -> Result<(), Refusal> {
    if session.subject() == "admin" { session.require_fresh() } else { Err(Refusal::NotFound) }
}

async fn log_in(request: &Request<Full<Bytes>>) -> Result<Response<Body>, Infallible> {
    let (subject, tenant) = request.uri().query().unwrap().split_once('&').unwrap();
    let login = Visitor::<()>::from_request(request).unwrap().login(Arc::from(subject));
    let login = if tenant.is_empty() { login } else { login.tenant(tenant) };
    Ok(match login.exempt_if(subject == "admin").await {
        Ok(grant) => grant.into_response::<Bytes>().map(boxed),
        Err(refusal) => refusal.to_response(&countersign::ProblemStyle::default()).map(boxed),
    })
}

fn boxed(bytes: Bytes) -> Body {
    http_body_util::Full::new(bytes).boxed_unsync()
}

/// Whoever runs the site must get into a full one.
trait ExemptIf {
    fn exempt_if(self, condition: bool) -> Self;
}

impl ExemptIf for countersign::Login {
    fn exempt_if(self, condition: bool) -> Self {
        if condition { self.exempt() } else { self }
    }
}

/// `GET` below the console's API.
pub(crate) async fn look(person: &mut Person, path: &str) -> Value {
    let answer = person.get(&format!("/console/api/{path}")).await;
    assert_eq!(answer.status, StatusCode::OK, "{path}: {answer:?}");
    assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    answer.json()
}

/// `POST` or `PUT` below the console's API.
pub(crate) async fn ask(person: &mut Person, method: Method, path: &str, body: &Value) -> Answer {
    let body = serde_json::to_vec(body).unwrap().into();
    let answer = person.send_only(method, &format!("/console/api/{path}"), Some(body)).await;
    assert_eq!(answer.headers["cache-control"], "no-store", "{path}");
    answer
}

pub(crate) async fn act(person: &mut Person, path: &str, body: &Value) -> Value {
    let answer = ask(person, Method::POST, path, body).await;
    assert_eq!(answer.status, StatusCode::OK, "{path} {body}: {}", String::from_utf8_lossy(&answer.body));
    answer.json()
}

/// Ends, with a reason.
pub(crate) async fn end(person: &mut Person, target: Value) -> u64 {
    act(person, "ends", &json!({ "target": target, "why": "a test" })).await["ended"].as_u64().unwrap()
}
