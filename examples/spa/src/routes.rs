//! The route table: which paths there are, and what each may be asked. It is asked before anything about sessions.

use countersign::{Refusal, expect_json};
use http::Request;
use http_body::Body;

use crate::page::Page;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// A file of the page.
    File,
    Health,
    Ready,
    Metrics,
    Login,
    Me,
    Cart,
    Password,
    Qr,
    Stream,
    Poll,
    Public,
    /// The administrator's page: it knows its paths and methods.
    Console,
    /// The session layer's own: it knows its methods.
    Sessions,
}

impl Route {
    /// The route's name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::File => "page",
            Self::Health => "/healthz",
            Self::Ready => "/readyz",
            Self::Metrics => "/metrics",
            Self::Login => "/login",
            Self::Me => "/api/me",
            Self::Cart => "/api/cart",
            Self::Password => "/api/password",
            Self::Qr => "/api/qr",
            Self::Stream => "/api/stream",
            Self::Poll => "/api/poll",
            Self::Public => "/api/public",
            Self::Console => "/console",
            Self::Sessions => "/session",
        }
    }

    const fn methods(self) -> Option<&'static str> {
        match self {
            Self::Console | Self::Sessions => None,
            Self::Login | Self::Password | Self::Qr => Some("POST"),
            Self::Cart => Some("GET, HEAD, POST, DELETE"),
            _ => Some("GET, HEAD"),
        }
    }

    fn of(path: &str, page: &Page) -> Option<Self> {
        Some(match path {
            "/healthz" => Self::Health,
            "/readyz" => Self::Ready,
            "/metrics" => Self::Metrics,
            "/login" => Self::Login,
            "/api/me" => Self::Me,
            "/api/cart" => Self::Cart,
            "/api/password" => Self::Password,
            "/api/qr" => Self::Qr,
            "/api/stream" => Self::Stream,
            "/api/poll" => Self::Poll,
            "/api/public" => Self::Public,
            "/session" | "/.well-known/jwks.json" => Self::Sessions,
            "/console" => Self::Console,
            _ if path.starts_with("/session/") => Self::Sessions,
            _ if path.starts_with("/console/") => Self::Console,
            _ if page.has(path) => Self::File,
            _ => return None,
        })
    }
}

/// Finds the route of a request.
///
/// # Errors
///
/// A path that is not there, a method that it does not know, a body that is not JSON.
pub(crate) fn find<B: Body>(request: &Request<B>, page: &Page) -> Result<Route, Refusal> {
    let route = Route::of(request.uri().path(), page).ok_or(Refusal::NotFound)?;
    if let Some(allow) = route.methods() {
        if !allow.split(", ").any(|method| method == request.method().as_str()) {
            return Err(Refusal::MethodNotAllowed { allow });
        }
        expect_json(request.headers(), request.body())?;
    }
    Ok(route)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use countersign::Transport;
    use http_body_util::Full;

    use super::*;

    fn check(method: &str, path: &str, content_type: &str, body: &'static str, expect: Result<Route, &str>) {
        let page = Page::new(Transport::Cookies);
        let request = Request::builder().method(method).uri(path).header("content-type", content_type);
        let found = find(&request.body(Full::<Bytes>::from(body)).unwrap(), &page);
        assert_eq!(found.as_ref().map_err(Refusal::code).copied(), expect, "{method} {path}");
    }

    #[test]
    fn paths_lead_somewhere() {
        let json = "application/json";
        check("GET", "/", json, "", Ok(Route::File));
        check("HEAD", "/page/app.js", json, "", Ok(Route::File));
        check("POST", "/login", json, "{}", Ok(Route::Login));
        check("POST", "/login", "application/json; charset=utf-8", "{}", Ok(Route::Login));
        check("DELETE", "/api/cart", "text/plain", "", Ok(Route::Cart));
        check("DELETE", "/session/AAAA", "text/plain", "x", Ok(Route::Sessions));
        check("GET", "/session", json, "", Ok(Route::Sessions));
    }

    #[test]
    fn what_is_not_there_comes_before_what_is_not_allowed() {
        check("PUT", "/nowhere", "text/plain", "x", Err("not-found"));
        check("GET", "/sessions", "", "", Err("not-found"));
        check("GET", "/login/", "", "", Err("not-found"));
        check("GET", "/page/", "", "", Err("not-found"));
        check("PUT", "/login", "text/plain", "x", Err("method-not-allowed"));
        check("GET", "/login", "text/plain", "x", Err("method-not-allowed"));
        check("POST", "/login", "text/plain", "x", Err("unsupported-media-type"));
        check("POST", "/api/cart", "", "{}", Err("unsupported-media-type"));
    }
}
