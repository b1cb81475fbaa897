//! What came back, and what a test may demand of it.

use bytes::Bytes;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use serde_json::Value;

use crate::SetCookie;

/// A whole response.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Answer {
    pub(crate) fn new(parts: Parts, body: Bytes) -> Self {
        Self { status: parts.status, headers: parts.headers, body }
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, or null.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// A header, if there is exactly one line of it.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.headers.get_all(name).iter();
        let first = lines.next()?;
        lines.next().is_none().then(|| first.to_str().ok()).flatten()
    }

    /// All cookies that it sets or deletes.
    pub fn cookies(&self) -> Vec<SetCookie> {
        let lines = self.headers.get_all("set-cookie").iter();
        lines.map(|line| SetCookie::parse(line.to_str().expect("cookies are ASCII"))).collect()
    }

    /// The one cookie of that name.
    pub fn cookie(&self, name: &str) -> SetCookie {
        let all = self.cookies();
        let mut found = all.iter().filter(|cookie| cookie.name == name);
        let first = found.next().unwrap_or_else(|| panic!("no cookie {name} among {:?}", names(&all)));
        assert!(found.next().is_none(), "{name} is set twice: {:?}", names(&all));
        first.clone()
    }

    /// The code of a problem document, or nothing.
    pub fn code(&self) -> String {
        self.value()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// Demands a status and hands out the JSON body.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self.value()
    }

    /// Demands a refusal as the contract words it, and hands out its problem document.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> Value {
        let problem = self.expect(status);
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{problem}");
        assert_eq!(problem["status"], status, "{problem}");
        assert_eq!(problem["type"], "about:blank", "{problem}");
        assert!(problem["title"].as_str().is_some_and(|title| !title.is_empty()), "{problem}");
        assert!(self.headers.get("set-cookie").is_none(), "a refusal sets no cookie: {:?}", self.headers);
        assert_eq!(self.headers.contains_key("www-authenticate"), status == 401, "{:?}", self.headers);
        problem
    }

    /// Demands `session-ended` for that reason.
    #[track_caller]
    pub fn ended(&self, reason: &str) {
        let problem = self.refused(401, "session-ended");
        assert_eq!(problem["reason"], reason, "{problem}");
        assert!(self.challenge().contains("error=\"invalid_token\""), "{}", self.challenge());
    }

    /// The `WWW-Authenticate` line.
    pub fn challenge(&self) -> &str {
        self.header("www-authenticate").unwrap_or_default()
    }

    /// Demands that no shared cache may give this answer to somebody else.
    #[track_caller]
    pub fn assert_private(&self) {
        let vary = self.header("vary").unwrap_or_default().to_ascii_lowercase();
        let varies = vary.contains("cookie") && vary.contains("authorization");
        assert!(varies || self.is_no_store(), "neither Vary nor no-store: {:?}", self.headers);
    }

    /// Demands `Cache-Control: no-store`.
    #[track_caller]
    pub fn assert_no_store(&self) {
        assert!(self.is_no_store(), "not no-store: {:?}", self.headers);
    }

    fn is_no_store(&self) -> bool {
        self.header("cache-control").is_some_and(|line| line.contains("no-store"))
    }
}

fn names(cookies: &[SetCookie]) -> Vec<&str> {
    cookies.iter().map(|cookie| cookie.name.as_str()).collect()
}
