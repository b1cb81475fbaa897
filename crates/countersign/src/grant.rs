//! What a client is to receive: tokens in cookies, headers or a body.

use bytes::Bytes;
use countersign_registry::Repetition;
use countersign_token::StateVersion;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};

use crate::dpop::{self, DpopNonce};
use crate::object::TokenResponse;

/// The header that carries a state token with the transport `body`, both ways.
pub(crate) const SESSION_STATE: HeaderName = HeaderName::from_static("session-state");

/// What a client is to receive after a login or an update: cookies and headers for any response, and for a login
/// the token response.
///
/// Return it from an axum handler, alone or as a part of a response; elsewhere [`apply`](Grant::apply) it, or make
/// it a response. A grant that is dropped is a session that its client never learns of.
#[derive(Default)]
#[must_use = "the client must receive it: return it, or apply it to the response"]
pub struct Grant {
    cookies: Vec<HeaderValue>,
    state: Option<HeaderValue>,
    body: Option<Box<TokenResponse>>,
    repetition: Option<Repetition>,
    version: Option<StateVersion>,
    nonce: Option<DpopNonce>,
}

impl Grant {
    pub(crate) fn for_session(body: TokenResponse) -> Self {
        Self { body: Some(Box::new(body)), ..Self::default() }
    }

    pub(crate) fn set(&mut self, cookie: HeaderValue) {
        self.cookies.push(cookie);
    }

    pub(crate) fn set_state_header(&mut self, token: HeaderValue) {
        self.state = Some(token);
    }

    pub(crate) fn set_nonce(&mut self, nonce: Option<DpopNonce>) {
        self.nonce = nonce;
    }

    pub(crate) fn repeated(mut self, repetition: Repetition) -> Self {
        self.repetition = Some(repetition);
        self
    }

    pub(crate) fn set_version(&mut self, version: StateVersion) {
        self.version = Some(version);
    }

    /// The version of the state that it carries, if it carries one.
    pub fn version(&self) -> Option<StateVersion> {
        self.version
    }

    /// Whether what this grant tells of had happened before: the repetition of a login or of an exclusive update
    /// with its `Idempotency-Key`.
    pub fn is_repetition(&self) -> bool {
        self.repetition == Some(Repetition::Again)
    }

    /// The session that began, for a login.
    pub fn session(&self) -> Option<&crate::SessionObject> {
        self.body.as_ref().map(|body| &body.session)
    }

    /// Adds the cookies and headers to any response, which must not be stored from then on. The body of a token
    /// response is not for it; see [`Grant::into_response`].
    pub fn apply<B>(self, response: &mut Response<B>) {
        self.apply_to(response.headers_mut());
    }

    pub(crate) fn apply_to(self, headers: &mut HeaderMap) {
        for cookie in self.cookies {
            headers.append(SET_COOKIE, cookie);
        }
        if let Some(state) = self.state {
            headers.insert(SESSION_STATE, state);
        }
        if let Some(nonce) = self.nonce {
            dpop::renew_nonce(nonce, headers);
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }

    /// Two grants of one answer become one: the cookies of both, the token response of the first.
    pub(crate) fn join(mut self, other: Self) -> Self {
        self.cookies.extend(other.cookies);
        if let (Some(state), Some(body)) = (&other.state, &mut self.body) {
            body.state = state.to_str().ok().map(str::to_owned);
        }
        self.state = other.state.or(self.state);
        self.version = other.version.or(self.version);
        self
    }

    /// As [`Grant::apply`], but a cookie that the response sets already stays: what the handler did is newer.
    pub(crate) fn apply_under<B>(mut self, response: &mut Response<B>) {
        let set: Vec<Vec<u8>> =
            response.headers().get_all(SET_COOKIE).iter().map(|c| name(c).to_vec()).collect();
        self.cookies.retain(|cookie| !set.iter().any(|set| set == name(cookie)));
        self.apply(response);
    }

    /// The token response (for a login), or an empty 204 (for anything else).
    pub fn into_response<B: From<Bytes>>(mut self) -> Response<B> {
        let mut response = match self.body.take() {
            Some(body) => json(StatusCode::OK, &*body),
            None => empty().map(B::from),
        };
        self.apply(&mut response);
        response
    }
}

impl std::fmt::Debug for Grant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Grant").field("cookies", &self.cookies.len()).finish_non_exhaustive()
    }
}

/// A logout: the client's cookies are to be deleted.
#[derive(Default, Debug)]
#[must_use = "the client must receive it: return it, or apply it to the response"]
pub struct Farewell(Grant);

impl Farewell {
    pub(crate) fn new(deletions: Grant) -> Self {
        Self(deletions)
    }

    /// Adds the deletion of the cookies to any response.
    pub fn apply<B>(self, response: &mut Response<B>) {
        self.0.apply(response);
    }

    /// An empty 204.
    pub fn into_response<B: From<Bytes>>(self) -> Response<B> {
        self.0.into_response()
    }
}

/// A JSON response that nobody may store.
pub(crate) fn json<B: From<Bytes>>(status: StatusCode, body: &impl serde::Serialize) -> Response<B> {
    let body = serde_json::to_vec(body).unwrap_or_default();
    let mut response = Response::new(B::from(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn empty() -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

fn name(cookie: &HeaderValue) -> &[u8] {
    cookie.as_bytes().split(|&byte| byte == b'=').next().unwrap_or_default()
}
