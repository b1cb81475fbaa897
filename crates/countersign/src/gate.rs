//! The decision about a request before the service within sees it, as a pure function over its head.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Request};

use crate::authenticate::{self, Active, Auth};
use crate::carried::Carried;
use crate::cookie;
use crate::credential::{Credentials, Scheme};
use crate::csrf::{self, Verdict};
use crate::device;
use crate::dpop::Came;
use crate::endpoint::{self, Endpoint};
use crate::flow::{self, Client};
use crate::layer::Answer;
use crate::problem::{Dialect, ProblemStyle};
use crate::refusal::Refusal;
use crate::sessions::{Inner, Renewal, Sessions};
use crate::unusual::{self, RequestHead};

/// Header fields beyond this are refused: names and values together, in bytes.
const HEADERS_LIMIT: usize = 32 * 1024;

/// Where a request goes.
pub(crate) enum Gate {
    /// To the service within.
    Pass(Arc<Carried>),
    /// Nowhere.
    Refuse(Answer),
    /// To an endpoint of the framework.
    Endpoint(Endpoint),
    /// To the service within, once the registry has answered.
    Slow(Waiting),
}

/// A request that needs the registry before it goes on.
pub(crate) struct Waiting {
    sessions: Sessions,
    carried: Carried,
    what: Wait,
}

enum Wait {
    /// The view is too old to be believed.
    Check(Active),
    /// The access token has expired, and the layer renews by itself.
    Renew { token: Box<str>, device: Option<Arc<str>>, head: Option<Box<RequestHead>> },
    /// The host ends the session.
    End(Active),
}

/// Decides. Takes the refresh cookie out of the request, so that the application never sees it.
pub(crate) fn judge<B>(sessions: &Sessions, request: &mut Request<B>) -> Gate {
    let inner = sessions.inner();
    let style = style(inner, request.headers());
    let endpoint = endpoint::find(&inner.config.prefix, request.uri().path());
    if size(request.headers()) > HEADERS_LIMIT {
        let mut answer = Refusal::HeadersTooLarge.to_response(&style).map(Into::into);
        if let Some(endpoint) = endpoint {
            endpoint.tell_client(inner, &mut answer);
        }
        return Gate::Refuse(answer);
    }
    if let Some(endpoint) = endpoint {
        return Gate::Endpoint(endpoint);
    }
    let gate = match read(sessions, request, style.clone()) {
        Ok(gate) => gate,
        Err(refusal) => {
            unusual::refused(inner, &refusal, None);
            return Gate::Refuse(refusal.to_response(&style).map(Into::into));
        }
    };
    cookie::strip_refresh(request.headers_mut(), &inner.config.cookies);
    gate
}

fn read<B>(sessions: &Sessions, request: &Request<B>, style: ProblemStyle) -> Result<Gate, Refusal> {
    let inner = sessions.inner();
    let config = &inner.config;
    let credentials = Credentials::read(request.headers(), &config.cookies, config.transport)?;
    let cookie_came = credentials.jar.carries_session();
    let verdict = csrf::judge(request.method(), request.headers(), &config.origin, cookie_came);
    if cookie_came && verdict == Verdict::CrossSite {
        return Err(Refusal::CrossSite);
    }
    let came = Came::of(config, request.method(), request.uri().path(), request.headers());
    let (auth, ending) = suspected(inner, authenticate::request(inner, &credentials, came.as_ref()), request);
    let carried = Carried::new(sessions.clone(), auth, verdict, &credentials, came, style);
    // A refresh cookie does not answer for somebody else's bearer token.
    let in_cookie = credentials.access.is_none_or(|access| access.scheme == Scheme::Cookie);
    let renewal = if in_cookie { config.renewal } else { Renewal::ByTheClient };
    Ok(match ending.map(Wait::End).or_else(|| carried.waits_for(renewal, request)) {
        None => Gate::Pass(Arc::new(carried)),
        Some(what) => Gate::Slow(Waiting { sessions: sessions.clone(), carried, what }),
    })
}

/// Holds a session under suspicion against what the host says of it; the one that is to end. Where nobody is under
/// suspicion, it costs nothing.
fn suspected<B>(inner: &Inner, auth: Auth, request: &Request<B>) -> (Auth, Option<Active>) {
    match auth {
        Auth::Active(active) if inner.unusual.is_watching() => {
            match unusual::judge(inner, &active, || RequestHead::of(request, &inner.config.cookies)) {
                unusual::Verdict::Clear => (Auth::Active(active), None),
                unusual::Verdict::StepUp => (Auth::Refused(unusual::step_up()), None),
                unusual::Verdict::End => (Auth::Active(active.clone()), Some(active)),
            }
        }
        auth => (auth, None),
    }
}

impl Carried {
    fn waits_for<B>(&self, renewal: Renewal, request: &Request<B>) -> Option<Wait> {
        match &self.auth {
            Auth::Active(active) if active.is_stale() => Some(Wait::Check(active.clone())),
            Auth::Refused(Refusal::TokenExpired) | Auth::Nobody if renewal == Renewal::Inline => {
                let inner = self.sessions.inner();
                let of = || Box::new(RequestHead::of(request, &inner.config.cookies));
                let head = || inner.unusual.wants_heads().then(of);
                self.refresh_token().map(|token| Wait::Renew {
                    token: token.into(),
                    device: device::label(request.headers()),
                    head: head(),
                })
            }
            _ => None,
        }
    }
}

impl Waiting {
    pub(crate) fn settle(self) -> BoxFuture<'static, Arc<Carried>> {
        async move {
            let inner = self.sessions.inner().clone();
            let mut carried = self.carried;
            match self.what {
                Wait::Check(active) => carried.auth = active.check(&inner).await,
                Wait::End(active) => {
                    let refusal = unusual::end(&inner, active.session(), active.owner()).await;
                    carried.auth = Auth::Refused(refusal);
                }
                Wait::Renew { token, device, head } => {
                    let client = Client { activity: carried.activity, came: None, device, head };
                    match flow::renew(&inner, &token, &client).await {
                        Ok((auth, grant)) => {
                            carried.auth = auth;
                            carried.keep(grant);
                        }
                        Err(refusal) => carried.auth = Auth::Refused(refusal),
                    }
                }
            }
            Arc::new(carried)
        }
        .boxed()
    }
}

pub(crate) fn style(inner: &Inner, headers: &HeaderMap) -> ProblemStyle {
    ProblemStyle { type_base: inner.config.problem_types.clone(), dialect: Dialect::of(headers) }
}

/// The size of a header section, as HTTP/2 counts it but for its overhead for each field.
pub(crate) fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}
