//! What the layer found out about a request, carried to the handler's extractors in the request's extensions.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use countersign_registry::{Activity, Owner};
use countersign_token::SessionId;
use http::{HeaderValue, Response, header};

use crate::authenticate::Auth;
use crate::credential::{Credentials, Scheme};
use crate::csrf::Verdict;
use crate::dpop::{self, Came, DpopNonce, Spoken};
use crate::grant::Grant;
use crate::refusal::{ProblemStyle, Refusal};
use crate::sessions::Sessions;
use crate::transport::Transport;
use crate::unusual;

/// What a request carries beside its access token. Most carry nothing, and need not be read again for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// Neither state nor an `Idempotency-Key`.
    Nothing,
    Something,
}

impl Beside {
    fn of(credentials: &Credentials<'_>) -> Self {
        let nothing = credentials.jar.states.is_empty()
            && credentials.jar.visit.is_none()
            && credentials.session_state.is_none()
            && credentials.idempotency_key.is_none();
        if nothing { Self::Nothing } else { Self::Something }
    }
}

/// A request's session as the layer saw it.
pub(crate) struct Carried {
    pub(crate) sessions: Sessions,
    pub(crate) auth: Auth,
    pub(crate) verdict: Verdict,
    pub(crate) activity: Activity,
    pub(crate) style: ProblemStyle,
    pub(crate) beside: Beside,
    pub(crate) came: Option<Box<Came>>,
    spoken: Spoken,
    access: Option<Box<str>>,
    refresh: Option<Box<str>>,
    renewed: Option<std::sync::Mutex<Grant>>,
    read: AtomicBool,
}

impl Carried {
    pub(crate) fn new(
        sessions: Sessions,
        auth: Auth,
        verdict: Verdict,
        credentials: &Credentials<'_>,
        came: Option<Came>,
        style: ProblemStyle,
    ) -> Self {
        // A refused token may still tell whose browser this is, which a login wants to know.
        let access = match (&auth, &credentials.access) {
            (Auth::Refused(_), Some(presented)) => Some(presented.token.into()),
            _ => None,
        };
        // A live session needs no other token of its browser.
        let refresh = match auth {
            Auth::Active(_) => None,
            Auth::Nobody | Auth::Refused(_) => credentials.jar.refresh.map(Into::into),
        };
        Self {
            sessions,
            auth,
            verdict,
            activity: credentials.passive,
            style,
            beside: Beside::of(credentials),
            spoken: spoken(credentials, came.as_ref()),
            came: came.map(Box::new),
            access,
            refresh,
            renewed: None,
            read: AtomicBool::new(false),
        }
    }

    /// The refresh cookie, which the application never sees, where there is no live session.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        self.refresh.as_deref()
    }

    /// The access token, where it was refused.
    pub(crate) fn access_token(&self) -> Option<&str> {
        self.access.as_deref()
    }

    /// Keeps what an inline renewal gave, for the response.
    pub(crate) fn keep(&mut self, grant: Grant) {
        self.renewed = Some(std::sync::Mutex::new(grant));
    }

    /// Notes that the answer depends on who asks.
    pub(crate) fn note_read(&self) {
        self.read.store(true, Ordering::Relaxed);
    }

    /// Gives the response what it owes to the session: caches must tell users apart, a renewal must reach its
    /// client, and a refusal speaks the request's protocol.
    pub(crate) fn finish<B>(
        self: &Arc<Self>,
        mut response: Response<crate::body::ResponseBody<B>>,
    ) -> Response<crate::body::ResponseBody<B>> {
        if let Some(refusal) = response.extensions_mut().remove::<Refusal>() {
            unusual::refused(self.sessions.inner(), &refusal, self.who());
            if self.style.differs() {
                response = refusal.to_response(&self.style).map(crate::body::ResponseBody::full);
            }
            dpop::challenge(self.sessions.inner(), self.spoken, &refusal, &mut response);
        }
        if let Some(nonce) = self.nonce() {
            dpop::renew_nonce(nonce, response.headers_mut());
        }
        if self.read.load(Ordering::Relaxed) {
            response.headers_mut().append(header::VARY, self.varies());
        }
        if let Some(grant) = self.renewed.as_ref()
            && !response.status().is_client_error()
            && !response.status().is_server_error()
            && let Ok(mut grant) = grant.lock()
        {
            std::mem::take(&mut *grant).apply_under(&mut response);
        }
        response
    }
}

impl Carried {
    /// The live session that asks, and whose it is.
    fn who(&self) -> Option<(SessionId, Owner)> {
        let Auth::Active(active) = &self.auth else { return None };
        Some((active.session(), active.owner()))
    }

    /// The current nonce, where the request's proof had an older one.
    fn nonce(&self) -> Option<DpopNonce> {
        let Auth::Active(active) = &self.auth else { return None };
        active.proof().filter(|proof| dpop::is_nonce_old(proof))?;
        Some(DpopNonce::current(self.sessions.inner()))
    }

    /// The headers that tell who asks.
    fn varies(&self) -> HeaderValue {
        HeaderValue::from_static(match self.sessions.inner().config.transport {
            Transport::Cookies | Transport::Bearer => "Cookie, Authorization",
            Transport::Body => "Cookie, Authorization, Session-State",
        })
    }
}

fn spoken(credentials: &Credentials<'_>, came: Option<&Came>) -> Spoken {
    let dpop = credentials.access.is_some_and(|access| access.scheme == Scheme::Dpop);
    if dpop || came.is_some() { Spoken::Dpop } else { Spoken::Bearer }
}

impl std::fmt::Debug for Carried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Carried").finish_non_exhaustive()
    }
}
