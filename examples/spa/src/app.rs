//! The whole application as one service: the route table first, then the session layer, then a handler.

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use countersign::{Readiness, Refusal, ResponseBody, Sessions};
use countersign_console::Console;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use tower::{Layer as _, Service, ServiceExt as _, service_fn};

use crate::answer::{self, Body};
use crate::metrics::Metrics;
use crate::office::Office;
use crate::page::Page;
use crate::people::People;
use crate::routes::{self, Route};
use crate::throttle::Throttle;
use crate::{account, cart, live, login, qr};

/// What the handlers share.
pub(crate) struct App {
    pub(crate) sessions: Sessions,
    pub(crate) people: People,
    pub(crate) throttle: Throttle,
    metrics: Metrics,
    page: Page,
    console: Console,
}

impl App {
    pub(crate) fn new(people: People, metrics: Metrics, page: Page, office: Office) -> Self {
        let Office { sessions, console, .. } = office;
        Self { sessions, people, throttle: Throttle::new(), metrics, page, console }
    }
}

/// The application as a service for any HTTP server.
pub(crate) fn service<B>(
    app: Arc<App>,
) -> impl Service<Request<B>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let handlers = {
        let app = app.clone();
        service_fn(move |request: Request<B>| {
            let app = app.clone();
            async move { Ok::<_, Infallible>(handle(&app, request).await) }
        })
    };
    let with_sessions = app.sessions.layer().layer(handlers);
    service_fn(move |request: Request<B>| route(app.clone(), with_sessions.clone(), request))
}

/// Finds out what a request wants, has it answered, and counts it.
async fn route<B, S>(
    app: Arc<App>,
    with_sessions: S,
    mut request: Request<B>,
) -> Result<Response<Body>, Infallible>
where
    B: http_body::Body,
    S: Service<Request<B>, Response = Response<ResponseBody<Body>>, Error = Infallible>,
{
    let began = Instant::now();
    let is_head = request.method() == Method::HEAD;
    let found = routes::find(&request, &app.page);
    let mut response = match &found {
        Err(refusal) => answer::refused(refusal, request.headers()),
        Ok(route) => {
            if let Some(response) = open(&app, *route, request.uri().path(), request.headers()) {
                response
            } else {
                request.extensions_mut().insert(*route);
                let Ok(response) = with_sessions.oneshot(request).await;
                response.map(BodyExt::boxed_unsync)
            }
        }
    };
    if is_head {
        response = answer::without_body(response);
    }
    answer::harden(&mut response);
    Metrics::request(found.map_or("none", Route::name), response.status(), began.elapsed());
    Ok(response)
}

/// Answers what has nothing to do with sessions, and must not fail with them.
fn open(app: &App, route: Route, path: &str, headers: &HeaderMap) -> Option<Response<Body>> {
    match route {
        Route::File => Some(app.page.file(path, headers)?.map(answer::full)),
        Route::Health => Some(answer::text(StatusCode::OK, "alive\n")),
        Route::Ready => Some(match app.sessions.readiness() {
            Readiness::Ready => answer::text(StatusCode::OK, "ready\n"),
            Readiness::Starting => answer::text(StatusCode::SERVICE_UNAVAILABLE, "starting\n"),
            Readiness::Stale => {
                answer::text(StatusCode::SERVICE_UNAVAILABLE, "the view of revocations is too old\n")
            }
        }),
        Route::Metrics => {
            let body = answer::full(app.metrics.render());
            Some(answer::typed("text/plain; version=0.0.4; charset=utf-8", StatusCode::OK, body))
        }
        _ => None,
    }
}

/// Answers what the session layer let through.
async fn handle<B>(app: &App, request: Request<B>) -> Response<Body>
where
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    if request.extensions().get::<Route>() == Some(&Route::Console) {
        let Ok(response) = app.console.clone().oneshot(request).await;
        return response;
    }
    let (parts, body) = request.into_parts();
    let answered = match parts.extensions.get::<Route>() {
        Some(Route::Login) => login::login(app, &parts, body).await,
        Some(Route::Me) => account::me(&parts),
        Some(Route::Password) => account::change_password(app, &parts, body).await,
        Some(Route::Qr) => qr::picture(app, &parts, body).await,
        Some(Route::Cart) => cart::answer(&parts, body).await,
        Some(Route::Stream) => live::stream(&parts),
        Some(Route::Poll) => live::poll(&parts),
        Some(Route::Public) => Ok(answer::json(&serde_json::json!({ "public": true }))),
        _ => Err(Refusal::NotFound),
    };
    answered.unwrap_or_else(|refusal| answer::refused(&refusal, &parts.headers))
}
