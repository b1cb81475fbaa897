//! A request as a test states it; the [`Client`](crate::Client) adds what it would carry.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method};
use serde_json::Value;

/// A request: what the test says about it, before the client adds its credentials.
#[derive(Clone, Debug)]
pub struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) bare: bool,
    pub(crate) anonymous: bool,
}

impl Call {
    /// Any method.
    pub fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            path: path.into(),
            headers: Vec::new(),
            body: Bytes::new(),
            bare: false,
            anonymous: false,
        }
    }

    /// GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// POST.
    pub fn post(path: impl Into<String>) -> Self {
        Self::new(Method::POST, path)
    }

    /// DELETE.
    pub fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With any body.
    pub fn body(self, content_type: &str, body: impl Into<Bytes>) -> Self {
        let mut call = self.header("content-type", content_type);
        call.body = body.into();
        call
    }

    /// With a body and no `Content-Type`.
    pub fn untyped(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// One more header line; several of one name are several lines. A line given here is not added by the client.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's value");
        self.headers.push((name, value));
        self
    }

    /// Without the lines that a browser adds: `Sec-Fetch-Site` and `Origin`.
    pub fn bare(mut self) -> Self {
        self.bare = true;
        self
    }

    /// Without any credential of the client.
    pub fn anonymous(mut self) -> Self {
        self.anonymous = true;
        self
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.iter().any(|(given, _)| given == name)
    }
}
