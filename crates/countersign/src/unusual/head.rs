//! The head of a request, as a host's hook sees it.

use std::fmt;

use http::{HeaderMap, Method, Request, Uri};

use crate::cookie::{self, CookieNames};

/// The head of a request: method, address, headers. The refresh cookie is not among them.
#[derive(Clone)]
pub struct RequestHead {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl RequestHead {
    pub(crate) fn new(method: &Method, uri: &Uri, headers: &HeaderMap, cookies: &CookieNames) -> Self {
        let mut headers = headers.clone();
        cookie::strip_refresh(&mut headers, cookies);
        Self { method: method.clone(), uri: uri.clone(), headers }
    }

    pub(crate) fn of<B>(request: &Request<B>, cookies: &CookieNames) -> Self {
        Self::new(request.method(), request.uri(), request.headers(), cookies)
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The address.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// Headers carry tokens, so none is shown.
impl fmt::Debug for RequestHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestHead")
            .field("method", &self.method)
            .field("path", &self.uri.path())
            .finish_non_exhaustive()
    }
}
