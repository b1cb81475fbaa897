//! A browser for tests: it keeps cookies, and sends what browsers send.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tower_service::Service;

/// A browser, with the cookies that it was given. A clone is another tab's copy at that moment.
#[derive(Clone, Debug)]
pub struct Browser<S> {
    service: S,
    cookies: BTreeMap<String, String>,
    headers: HeaderMap,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl<S> Browser<S> {
    pub(super) fn new(service: S) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(USER_AGENT, HeaderValue::from_static("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"));
        headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        Self { service, cookies: BTreeMap::new(), headers }
    }

    /// Sends this header with every request from now on, instead of what it sent before.
    ///
    /// # Panics
    ///
    /// If the value is none.
    #[must_use]
    #[expect(clippy::expect_used, reason = "a test wants to know")]
    pub fn with_header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_str(value).expect("a header value");
        self.headers.insert(HeaderName::from_static(name), value);
        self
    }

    /// Leaves this header out from now on.
    #[must_use]
    pub fn without_header(mut self, name: &'static str) -> Self {
        self.headers.remove(name);
        self
    }

    /// Its cookies, by name.
    pub fn cookies(&self) -> &BTreeMap<String, String> {
        &self.cookies
    }

    /// Its cookies, for a test that steals, forges or loses them.
    pub fn cookies_mut(&mut self) -> &mut BTreeMap<String, String> {
        &mut self.cookies
    }

    /// Takes in what an answer sets, as if it had arrived only now.
    pub fn receive(&mut self, answer: &Answer) {
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let Ok(cookie) = cookie.to_str() else { continue };
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl<S, R> Browser<S>
where
    S: Service<Request<Full<Bytes>>, Response = Response<R>>,
    S::Error: std::fmt::Debug,
    R: http_body::Body,
    R::Error: std::fmt::Debug,
{
    /// `GET`.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await
    }

    /// `DELETE`.
    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await
    }

    /// `POST` without a body.
    pub async fn post(&mut self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await
    }

    /// `POST` with a JSON body.
    ///
    /// # Panics
    ///
    /// If it is no JSON.
    #[expect(clippy::expect_used, reason = "a test wants to know")]
    pub async fn post_json(&mut self, path: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("JSON");
        self.send(Method::POST, path, Some(body.into())).await
    }

    async fn send(&mut self, method: Method, path: &str, body: Option<Bytes>) -> Answer {
        let answer = self.send_only(method, path, body).await;
        self.receive(&answer);
        answer
    }

    /// Sends a request whose answer does not reach the browser (yet; see [`Browser::receive`]).
    ///
    /// # Panics
    ///
    /// If the service fails.
    #[expect(clippy::expect_used, reason = "a test wants to know")]
    pub async fn send_only(&mut self, method: Method, path: &str, body: Option<Bytes>) -> Answer {
        let mut request = Request::new(Full::new(body.clone().unwrap_or_default()));
        *request.method_mut() = method;
        *request.uri_mut() = path.parse().expect("a path");
        *request.headers_mut() = self.headers.clone();
        if body.is_some() {
            request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        if !self.cookies.is_empty() {
            let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let cookie = HeaderValue::from_str(&pairs.join("; ")).expect("a cookie header");
            request.headers_mut().insert(COOKIE, cookie);
        }
        std::future::poll_fn(|context| self.service.poll_ready(context)).await.expect("a ready service");
        let response = self.service.call(request).await.expect("a response");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

impl Answer {
    /// The body, from JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[expect(clippy::expect_used, reason = "a test wants to know")]
    pub fn json<T: DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body).expect("a JSON body")
    }

    /// The `code` of a problem document; empty for any other body.
    pub fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap_or_default();
        problem["code"].as_str().unwrap_or_default().to_owned()
    }
}
