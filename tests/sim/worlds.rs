//! The worlds there are, and which of them a request is for.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::json;

use crate::site::{Fault, Site, Wishes};

/// What every answer of this server carries. Errors of a body end its connection.
pub(crate) type Body = UnsyncBoxBody<Bytes, Box<dyn std::error::Error + Send + Sync>>;

const WORLD: HeaderName = HeaderName::from_static("sim-world");
const TIME: HeaderName = HeaderName::from_static("sim-time");
const EVENTS: HeaderName = HeaderName::from_static("sim-events");

/// All worlds, until the driver ends them.
#[derive(Default)]
pub(crate) struct Worlds {
    next: AtomicU64,
    sites: Mutex<HashMap<u64, Arc<Site>>>,
}

#[derive(Deserialize)]
struct Weather {
    fault: Fault,
}

impl Worlds {
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        match path.strip_prefix("/sim/worlds") {
            Some(rest) => self.control(rest, request).await,
            None => self.visit(request).await,
        }
        .unwrap_or_else(|status| plain(status, Bytes::new()))
    }

    /// A request to one world's site, at the time that it says.
    async fn visit(&self, mut request: Request<Incoming>) -> Result<Response<Body>, StatusCode> {
        let world = number(request.headers(), &WORLD)?;
        let time = number(request.headers(), &TIME)?;
        for name in [WORLD, TIME] {
            request.headers_mut().remove(name);
        }
        let site = self.site(world)?;
        site.at(Duration::from_millis(time)).await;
        let mut response = site.serve(request).await;
        let events =
            HeaderValue::from_str(&site.happened()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
        response.headers_mut().insert(EVENTS, events);
        Ok(response)
    }

    async fn control(&self, rest: &str, request: Request<Incoming>) -> Result<Response<Body>, StatusCode> {
        let method = request.method().clone();
        let body = request.into_body().collect().await.map_err(|_| StatusCode::BAD_REQUEST)?.to_bytes();
        match (method, rest.trim_start_matches('/').split_once('/')) {
            (Method::POST, None) if rest.is_empty() => self.create(&body),
            (Method::DELETE, None) => {
                let world = rest.trim_start_matches('/').parse().map_err(|_| StatusCode::NOT_FOUND)?;
                self.sites().remove(&world).ok_or(StatusCode::NOT_FOUND)?;
                Ok(plain(StatusCode::NO_CONTENT, Bytes::new()))
            }
            (Method::POST, Some((world, "registry"))) => {
                let world = world.parse().map_err(|_| StatusCode::NOT_FOUND)?;
                let Weather { fault } = parse(&body)?;
                self.site(world)?.fail(fault);
                Ok(plain(StatusCode::NO_CONTENT, Bytes::new()))
            }
            _ => Err(StatusCode::NOT_FOUND),
        }
    }

    fn create(&self, body: &[u8]) -> Result<Response<Body>, StatusCode> {
        let wishes: Wishes = parse(body)?;
        let site = Site::new(&wishes).map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?;
        let world = self.next.fetch_add(1, Ordering::Relaxed);
        self.sites().insert(world, Arc::new(site));
        Ok(plain(StatusCode::CREATED, json!({ "world": world }).to_string()))
    }

    fn site(&self, world: u64) -> Result<Arc<Site>, StatusCode> {
        self.sites().get(&world).cloned().ok_or(StatusCode::NOT_FOUND)
    }

    fn sites(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Site>>> {
        self.sites.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Result<u64, StatusCode> {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.and_then(|value| value.parse().ok()).ok_or(StatusCode::BAD_REQUEST)
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, StatusCode> {
    serde_json::from_slice(body).map_err(|_| StatusCode::BAD_REQUEST)
}

fn plain(status: StatusCode, content: impl Into<Bytes>) -> Response<Body> {
    let mut response =
        Response::new(Full::new(content.into()).map_err(|never| match never {}).boxed_unsync());
    *response.status_mut() = status;
    response
}
