//! [`Console`]: the service that a host mounts.

use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, Once};
use std::task::{Context, Poll};

use bytes::Bytes;
use countersign::{BodyLimits, Refusal, Require, Session, Sessions, expect_json, read_json};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::header::LOCATION;
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use serde::de::DeserializeOwned;
use tower_service::Service;

use crate::answer::{self, Answer};
use crate::api;
use crate::audit::{AuditLog, AuditMemory};
use crate::guard::{Access, Guard};
use crate::monitor::Monitor;
use crate::page::{Page, Setting};
use crate::route::{self, Route};

/// The body of every answer.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The administrator's page and what it asks, as a tower service.
///
/// It has to be mounted inside the [session layer](Sessions::layer), which verifies sessions and refuses what other sites
/// send; requests come with their whole path (in axum: `Router::route_service`, not `nest_service`).
#[derive(Clone)]
pub struct Console {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub(crate) sessions: Sessions,
    pub(crate) monitor: Monitor,
    pub(crate) audit: Arc<dyn AuditLog>,
    guard: Box<dyn Guard>,
    prefix: String,
    session_endpoints: String,
    login: String,
    page: Page,
    started: Once,
}

impl Shared {
    /// Asks the host's rule.
    pub(crate) fn admit(&self, session: &Session, access: Access) -> Result<(), Refusal> {
        self.guard.admit(session, access)
    }
}

impl Console {
    /// The console of a site, at `/console`, with its audit in memory. The rule says who may use it.
    pub fn new(sessions: Sessions, monitor: Monitor, guard: impl Guard) -> Self {
        let (prefix, session_endpoints, login) =
            ("/console".to_owned(), "/session".to_owned(), "/login".to_owned());
        let page = Page::new(&Setting { prefix: &prefix, sessions: &session_endpoints, login: &login });
        let (audit, guard) = (Arc::new(AuditMemory::default()), Box::new(guard));
        let started = Once::new();
        let shared =
            Shared { sessions, monitor, audit, guard, prefix, session_endpoints, login, page, started };
        Self { shared: Arc::new(shared) }
    }

    /// Where audit records go.
    pub fn audit(self, audit: impl AuditLog) -> Self {
        self.with(|shared| shared.audit = Arc::new(audit))
    }

    /// The path that it is mounted at: `/console` by default.
    pub fn prefix(self, prefix: impl Into<String>) -> Self {
        self.with(|shared| shared.prefix = prefix.into())
    }

    /// The path of the sessions' endpoints, where the page loads its client from: `/session` by default.
    pub fn session_endpoints(self, path: impl Into<String>) -> Self {
        self.with(|shared| shared.session_endpoints = path.into())
    }

    /// The path that the page posts `{"user", "password"}` to, to log an administrator in or to prove again who they
    /// are: `/login` by default.
    pub fn login(self, path: impl Into<String>) -> Self {
        self.with(|shared| shared.login = path.into())
    }

    /// Settings are made before the console is cloned; after that they have no effect.
    fn with(mut self, change: impl FnOnce(&mut Shared)) -> Self {
        if let Some(shared) = Arc::get_mut(&mut self.shared) {
            change(shared);
            let Shared { prefix, session_endpoints, login, .. } = &*shared;
            shared.page = Page::new(&Setting { prefix, sessions: session_endpoints, login });
        }
        self
    }

    /// Whether a path is the console's.
    pub fn has(&self, path: &str) -> bool {
        path.strip_prefix(&*self.shared.prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// Begins to count sessions and seats, once. (The first request does so, too.)
    pub fn start(&self) {
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let Shared { started, monitor, sessions, .. } = &*self.shared;
            started.call_once(|| drop(runtime.spawn(monitor.clone().sample(sessions.clone()))));
        }
    }

    async fn answer<B>(self, request: Request<B>) -> Answer
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        let (parts, body) = request.into_parts();
        let is_head = parts.method == Method::HEAD;
        let answered = self.judge(parts, body).await;
        let mut answer = answered.unwrap_or_else(|refusal| answer::refused(&refusal));
        if is_head {
            answer = answer::without_body(answer);
        }
        answer::harden(&mut answer);
        answer
    }

    /// Path, method, media type; then who asks, and whether they may; then what they ask for.
    async fn judge<B>(&self, parts: Parts, body: B) -> Result<Answer, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        let path = parts.uri.path().strip_prefix(&*self.shared.prefix).ok_or(Refusal::NotFound)?;
        if path.is_empty() {
            return self.redirect();
        }
        let (route, id) = route::find(&parts.method, path)?;
        expect_json(&parts.headers, &body)?;
        if route.access == Access::Anyone {
            return self.shared.page.file(id, &parts.headers).ok_or(Refusal::NotFound);
        }
        let session = self.admit(&parts, route)?;
        let id = id.to_owned();
        api::answer(route.action, Call { console: self, parts: &parts, session, id }, body).await
    }

    /// The page's links are relative to its folder.
    fn redirect(&self) -> Result<Answer, Refusal> {
        let mut answer = Response::new(answer::full(Bytes::new()));
        *answer.status_mut() = StatusCode::PERMANENT_REDIRECT;
        let folder =
            HeaderValue::try_from(format!("{}/", self.shared.prefix)).map_err(|_| Refusal::NotFound)?;
        answer.headers_mut().insert(LOCATION, folder);
        Ok(answer)
    }

    fn admit(&self, parts: &Parts, route: &Route) -> Result<Session, Refusal> {
        // An open page is nobody's presence; what it polls for says so.
        let require = match route.access {
            Access::Look | Access::Anyone => Require::session().pollable(),
            Access::Change => Require::session(),
        };
        let session = Session::from_parts_with(parts, &require)?;
        self.shared.admit(&session, route.access)?;
        Ok(session)
    }
}

/// A request that may be answered.
pub(crate) struct Call<'a> {
    pub(crate) console: &'a Console,
    pub(crate) parts: &'a Parts,
    pub(crate) session: Session,
    /// What stood for `{id}`.
    pub(crate) id: String,
}

impl Call<'_> {
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.console.shared
    }

    pub(crate) fn query(&self) -> Option<&str> {
        self.parts.uri.query()
    }

    pub(crate) async fn body<T, B>(&self, body: B) -> Result<T, Refusal>
    where
        T: DeserializeOwned,
        B: http_body::Body,
    {
        read_json(&self.parts.headers, body, BodyLimits::default()).await
    }
}

impl<B> Service<Request<B>> for Console
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.start();
        let console = self.clone();
        async move { Ok(console.answer(request).await) }.boxed()
    }
}

impl fmt::Debug for Console {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console").field("prefix", &self.shared.prefix).finish_non_exhaustive()
    }
}
