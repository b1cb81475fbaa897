//! The endpoints that the framework mounts, and the order in which a request to one of them is judged.

mod admit;
mod client;
mod devices;
mod events;
mod handoff;
mod jwks;
mod refresh;
mod whoami;

pub(crate) use devices::own;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use countersign_registry::{Activity, Owner};
use countersign_token::SessionId;
use http::header::CONTENT_LENGTH;
use http::request::Parts;
use http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use tracing::field::Empty;
use tracing::{Instrument as _, Span, debug_span};

use crate::authenticate::{self, Active, Auth};
use crate::body;
use crate::cookie::Jar;
use crate::credential::Credentials;
use crate::csrf::{self, Verdict};
use crate::device;
use crate::dpop::{self, Came, DpopNonce, Spoken};
use crate::flow::Client;
use crate::gate;
use crate::layer::Answer;
use crate::refusal::Refusal;
use crate::require::Require;
use crate::sessions::Inner;
use crate::transport::Transport;
use crate::unusual::{self, RequestHead};

/// An endpoint, by its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Whoami,
    Refresh,
    Logout,
    List,
    LogoutOthers,
    Admit,
    Handoff,
    Redeem,
    Events,
    /// `/{id}`, whatever the id is.
    One(String),
    Jwks,
    /// A module of the client for browsers.
    Module(client::Module),
    /// A path under the prefix that is none of ours.
    Unknown,
}

/// For how many seconds a used refresh token may be used again: a client gives an exchange up after a third of it.
const SESSION_RACE_WINDOW: HeaderName = HeaderName::from_static("session-race-window");

const JWKS_PATH: &str = "/.well-known/jwks.json";

/// The endpoint of a path, if it is the framework's.
pub(crate) fn find(prefix: &str, path: &str) -> Option<Endpoint> {
    if path == JWKS_PATH {
        return Some(Endpoint::Jwks);
    }
    let rest = path.strip_prefix(prefix)?;
    if rest.is_empty() {
        return Some(Endpoint::Whoami);
    }
    let name = rest.strip_prefix('/')?;
    if let Some(module) = client::Module::of(name) {
        return Some(Endpoint::Module(module));
    }
    Some(match name {
        "refresh" => Endpoint::Refresh,
        "logout" => Endpoint::Logout,
        "list" => Endpoint::List,
        "logout-others" => Endpoint::LogoutOthers,
        "admit" => Endpoint::Admit,
        "handoff" => Endpoint::Handoff,
        "handoff/redeem" => Endpoint::Redeem,
        "events" => Endpoint::Events,
        "" => Endpoint::Unknown,
        id if id.contains('/') => Endpoint::Unknown,
        id => Endpoint::One(id.to_owned()),
    })
}

impl Endpoint {
    /// Answers within a span: `endpoint`, with the fields `endpoint`, `status` and, of a refusal, `code`.
    pub(crate) async fn serve<B>(self, inner: Arc<Inner>, request: Request<B>) -> Answer
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        let span = debug_span!(target: "countersign", "endpoint", endpoint = self.name(), status = Empty, code = Empty);
        self.serve_within(inner, request, &span).instrument(span.clone()).await
    }

    async fn serve_within<B>(self, inner: Arc<Inner>, request: Request<B>, span: &Span) -> Answer
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        let (parts, body) = request.into_parts();
        let style = gate::style(&inner, &parts.headers);
        let who = OnceLock::new();
        let answer = match self.judge(&inner, &parts, &body, &who) {
            Ok(None) => self.serve_to_anyone(&inner, &parts),
            Ok(Some(call)) => call.dispatch(self.clone(), body).await,
            Err(refusal) => Err(refusal),
        };
        let mut answer = answer.unwrap_or_else(|refusal| {
            span.record("code", refusal.code());
            unusual::refused(&inner, &refusal, who.into_inner());
            let mut answer = refusal.to_response(&style).map(Into::into);
            dpop::challenge(&inner, Spoken::of(&parts.headers), &refusal, &mut answer);
            answer
        });
        span.record("status", answer.status().as_u16());
        self.tell_client(&inner, &mut answer);
        if parts.method == Method::HEAD && answer.status() != StatusCode::NOT_MODIFIED {
            leave_body_out(&mut answer);
        }
        answer
    }

    /// Its name, whatever the path says beyond it.
    fn name(&self) -> &'static str {
        match self {
            Self::Whoami => "session",
            Self::Refresh => "refresh",
            Self::Logout => "logout",
            Self::List => "list",
            Self::LogoutOthers => "logout-others",
            Self::Admit => "admit",
            Self::Handoff => "handoff",
            Self::Redeem => "redeem",
            Self::Events => "events",
            Self::One(_) => "end-one",
            Self::Jwks => "jwks",
            Self::Module(_) => "client",
            Self::Unknown => "unknown",
        }
    }

    /// What a client of the sessions' endpoints is told with every answer, a refusal too.
    pub(crate) fn tell_client(&self, inner: &Inner, answer: &mut Answer) {
        if !self.is_for_anyone() {
            answer.headers_mut().insert(SESSION_RACE_WINDOW, inner.config.race_window.clone());
        }
    }

    /// What the head of a request tells: method, media type, credentials, origin; in the order of the contract.
    /// [`None`]: its answer is the same for everyone, whatever credentials came.
    fn judge<'a, B: http_body::Body>(
        &self,
        inner: &'a Arc<Inner>,
        parts: &'a Parts,
        body: &B,
        who: &'a OnceLock<(SessionId, Owner)>,
    ) -> Result<Option<Call<'a>>, Refusal> {
        let allow = self.methods().ok_or(Refusal::NotFound)?;
        if !allow.split(", ").any(|method| method == parts.method.as_str()) {
            return Err(Refusal::MethodNotAllowed { allow });
        }
        if self.is_for_anyone() {
            return Ok(None);
        }
        if allow == "POST" || allow == "DELETE" {
            body::expect_json(&parts.headers, body)?;
        }
        let config = &inner.config;
        let credentials = Credentials::read(&parts.headers, &config.cookies, config.transport)?;
        let cookie_came = credentials.jar.carries_session();
        let verdict = csrf::judge(&parts.method, &parts.headers, &config.origin, cookie_came);
        let cookies = cookie_came || (self.sets_cookies() && config.transport != Transport::Body);
        if verdict == Verdict::CrossSite && cookies {
            return Err(Refusal::CrossSite);
        }
        let came = Came::of(config, &parts.method, parts.uri.path(), &parts.headers);
        Ok(Some(Call { inner, parts, credentials, came, who, stale_nonce: AtomicBool::new(false) }))
    }

    /// The methods that it has, as `Allow` lists them. An id has `DELETE` alone.
    fn methods(&self) -> Option<&'static str> {
        match self {
            Self::Whoami | Self::List | Self::Events | Self::Jwks | Self::Module(_) => Some("GET, HEAD"),
            Self::Refresh
            | Self::Logout
            | Self::LogoutOthers
            | Self::Admit
            | Self::Handoff
            | Self::Redeem => Some("POST"),
            Self::One(_) => Some("DELETE"),
            Self::Unknown => None,
        }
    }

    /// Whether it has nothing to do with sessions, so that no credential can be in its way.
    fn is_for_anyone(&self) -> bool {
        matches!(self, Self::Jwks | Self::Module(_))
    }

    fn serve_to_anyone(&self, inner: &Inner, parts: &Parts) -> Result<Answer, Refusal> {
        match self {
            Self::Jwks => Ok(jwks::serve(inner)),
            Self::Module(module) => Ok(client::serve(*module, parts)),
            _ => Err(Refusal::NotFound),
        }
    }

    /// Whether it could set or delete a session's cookies, so that another site must not reach it at all.
    fn sets_cookies(&self) -> bool {
        matches!(self, Self::Refresh | Self::Logout | Self::Admit | Self::Redeem)
    }
}

/// A request to an endpoint, whose head has been judged.
pub(crate) struct Call<'a> {
    pub(crate) inner: &'a Arc<Inner>,
    pub(crate) parts: &'a Parts,
    pub(crate) credentials: Credentials<'a>,
    /// What came to prove a key with.
    pub(crate) came: Option<Came>,
    /// The live session that asks, once that is known.
    who: &'a OnceLock<(SessionId, Owner)>,
    stale_nonce: AtomicBool,
}

impl Call<'_> {
    /// Answers. A client whose proof had an older nonce is told the current one.
    async fn dispatch<B>(self, endpoint: Endpoint, body: B) -> Result<Answer, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        let mut answer = self.answer(endpoint, body).await?;
        if self.stale_nonce.load(Ordering::Relaxed) {
            dpop::renew_nonce(DpopNonce::current(self.inner), answer.headers_mut());
        }
        Ok(answer)
    }

    async fn answer<B>(&self, endpoint: Endpoint, body: B) -> Result<Answer, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
    {
        match endpoint {
            Endpoint::Whoami => whoami::serve(self).await,
            Endpoint::Refresh => refresh::refresh(self, body).await,
            Endpoint::Logout => refresh::logout(self, body).await,
            Endpoint::List => devices::list(self).await,
            Endpoint::LogoutOthers => devices::end_others(self).await,
            Endpoint::One(id) => devices::end_one(self, &id).await,
            Endpoint::Admit => admit::serve(self, body).await,
            Endpoint::Handoff => handoff::hand_off(self, body).await,
            Endpoint::Redeem => handoff::redeem(self, body).await,
            Endpoint::Events => events::serve(self).await,
            _ => Err(Refusal::NotFound),
        }
    }

    /// The session that asks, as any route that demands one sees it. Asked once for a request: a proof is used up.
    pub(crate) async fn active(&self, require: &Require) -> Result<Active, Refusal> {
        self.active_as(require, self.credentials.passive).await
    }

    /// The same, where the endpoint knows better whether the request is its user's doing.
    async fn active_as(&self, require: &Require, activity: Activity) -> Result<Active, Refusal> {
        let inner = self.inner;
        let auth = match authenticate::request(inner, &self.credentials, self.came.as_ref()) {
            Auth::Active(active) if active.is_stale() => active.check(inner).await,
            auth => auth,
        };
        let auth = match auth {
            Auth::Active(active) if inner.unusual.is_watching() => {
                unusual::settle(inner, active, || self.head()).await
            }
            auth => auth,
        };
        if let Auth::Active(active) = &auth {
            let _ = self.who.set((active.session(), active.owner()));
        }
        let active = require.admit(inner, &auth, activity)?;
        if active.proof().is_some_and(dpop::is_nonce_old) {
            self.stale_nonce.store(true, Ordering::Relaxed);
        }
        Ok(active)
    }

    /// Who exchanges a refresh token by it.
    fn client(&self) -> Client<'_> {
        Client {
            activity: self.credentials.passive,
            came: self.came.as_ref(),
            device: device::label(self.headers()),
            head: self.inner.unusual.wants_heads().then(|| Box::new(self.head())),
        }
    }

    fn head(&self) -> RequestHead {
        let Parts { method, uri, headers, .. } = self.parts;
        RequestHead::new(method, uri, headers, &self.inner.config.cookies)
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.parts.headers
    }

    pub(crate) fn jar(&self) -> &Jar<'_> {
        &self.credentials.jar
    }
}

/// The answer to `HEAD` tells the length of the body that `GET` would have got (RFC 9110, section 8.6).
fn leave_body_out(answer: &mut Answer) {
    if let Some(length) = std::mem::take(answer.body_mut()).len() {
        answer.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_one_endpoint() {
        let check = |path, expect| assert_eq!(find("/session", path), expect, "{path}");
        check("/session", Some(Endpoint::Whoami));
        check("/session/refresh", Some(Endpoint::Refresh));
        check("/session/AAAAAAAAAAAAAAAAAAAAAA", Some(Endpoint::One("AAAAAAAAAAAAAAAAAAAAAA".into())));
        check("/session/", Some(Endpoint::Unknown));
        check("/session/a/b", Some(Endpoint::Unknown));
        check("/session/handoff", Some(Endpoint::Handoff));
        check("/session/handoff/redeem", Some(Endpoint::Redeem));
        check("/session/handoff/", Some(Endpoint::Unknown));
        check("/session/client.js", Some(Endpoint::Module(client::Module::Client)));
        check("/session/client.jsx", Some(Endpoint::One("client.jsx".into())));
        check("/sessions", None);
        check("/", None);
        check("/.well-known/jwks.json", Some(Endpoint::Jwks));
    }
}
