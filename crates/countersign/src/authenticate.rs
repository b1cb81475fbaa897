//! From a presented access token to an [`Active`] session: the only place that makes one.

use std::sync::Arc;

use countersign_registry::{EndReason, Owner, Question, Verdict};
use countersign_token::{
    AccessClaims, CachedToken, Expect, Identity, NotLive, SessionId, Timestamp, TokenError, TokenErrorKind,
    Unverified,
};

use crate::credential::{Credentials, Presented, Scheme};
use crate::dpop::{self, Came, Proof};
use crate::metrics::{Path, Timing};
use crate::node::{self, Checked};
use crate::refusal::Refusal;
use crate::sessions::{Inner, Stale};
use crate::transport::Transport;

/// The longest token that is looked at, in bytes: what fits a cookie, and more than any that we mint.
pub(crate) const TOKEN_LIMIT: usize = 4096;

/// Who asks, as far as the access token tells.
#[derive(Clone, Debug)]
pub(crate) enum Auth {
    /// Nobody: no access token came.
    Nobody,
    /// An active session.
    Active(Active),
    /// Somebody who is refused wherever a session is needed.
    Refused(Refusal),
}

impl Auth {
    /// The registry itself has just told that the session is live.
    pub(crate) fn vouched(self) -> Self {
        match self {
            Self::Active(active) => Self::Active(Active { trust: Trust::Registry, ..active }),
            nobody => nobody,
        }
    }
}

/// A session whose access token was verified, is live, and is not revoked as far as this node knows.
#[derive(Clone, Debug)]
pub(crate) struct Active {
    token: Arc<CachedToken>,
    /// That the client holds the key which the token is bound to.
    proof: Option<Arc<Proof>>,
    floor: u64,
    trust: Trust,
}

/// On what the absence of a revocation rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trust {
    /// On the node's view, young enough.
    View,
    /// On the node's view, which is too old.
    StaleView,
    /// On the node's view, which is too old, and on what the registry said when it was asked therefore.
    Checked,
    /// On the registry's own word: it has just renewed the session, whatever the view is.
    Registry,
    /// On the node's view, which is too old, and the registry did not answer.
    Unreachable,
}

/// Judges a request by its access token. No I/O.
///
/// A browser drops the access cookie when the token expires: with the refresh cookie alone it is no stranger, but
/// somebody whose access token has expired. A proof of a key is looked at where the token is bound to one, and is
/// used up then: once for each request.
pub(crate) fn request(inner: &Inner, credentials: &Credentials<'_>, came: Option<&Came>) -> Auth {
    match (&credentials.access, credentials.jar.refresh) {
        (Some(presented), _) => token(inner, presented, came),
        (None, Some(refresh))
            if inner.config.transport == Transport::Cookies && may_refresh(inner, refresh) =>
        {
            Auth::Refused(Refusal::TokenExpired)
        }
        (None, _) => Auth::Nobody,
    }
}

/// Judges an access token. No I/O.
pub(crate) fn token(inner: &Inner, presented: &Presented<'_>, came: Option<&Came>) -> Auth {
    let timing = Timing::begin();
    let (auth, path) = match active(inner, presented, came, inner.now()) {
        Ok((active, path)) => (Auth::Active(active), path),
        Err(refusal) => (Auth::Refused(refusal), Path::Refused),
    };
    timing.end(&inner.verify_times, path);
    auth
}

fn active(
    inner: &Inner,
    presented: &Presented<'_>,
    came: Option<&Came>,
    now: Timestamp,
) -> Result<(Active, Path), Refusal> {
    let (token, path) = verified(inner, presented)?;
    let claims = token.live(&expect(inner, now)).map_err(|not_live| match not_live {
        NotLive::Expired(_) => Refusal::TokenExpired,
        _ => Refusal::TokenInvalid,
    })?;
    if let Verdict::Ended(reason) = inner.view.judge(&question(claims, token.key_id().as_str())) {
        return Err(Refusal::SessionEnded(Some(reason)));
    }
    // Whether the cache knew the token or not: the proof is of this request.
    let proof = match &claims.identity.key_thumbprint {
        None => None,
        Some(key) => Some(Arc::new(dpop::hold(inner, came, presented.scheme, presented.token, key)?)),
    };
    let known = inner.view.floor(&claims.identity.session).map_or(0, |floor| floor.exclusive);
    let floor = claims.floor.max(known);
    let trust = if node::is_stale(inner) { Trust::StaleView } else { Trust::View };
    Ok((Active { token, proof, floor, trust }, path))
}

/// The verified token, from the cache if these very bytes were verified before.
fn verified(inner: &Inner, presented: &Presented<'_>) -> Result<(Arc<CachedToken>, Path), Refusal> {
    let ring = inner.ring();
    let (token, path) = if let Some(token) = inner.cache.get(presented.token, ring.generation()) {
        (token, Path::Warm)
    } else {
        let unverified = Unverified::parse(presented.token, TOKEN_LIMIT).map_err(refusal)?;
        let verified = ring.verify_access(&unverified).map_err(refusal)?;
        (inner.cache.insert(presented.token, ring.generation(), verified), Path::Cold)
    };
    // A token that is bound to no key cannot be shown with a proof of one.
    match (presented.scheme, &token.claims().identity.key_thumbprint) {
        (Scheme::Dpop, None) => Err(Refusal::TokenInvalid),
        _ => Ok((token, path)),
    }
}

/// What an access token is held against.
pub(crate) fn expect(inner: &Inner, now: Timestamp) -> Expect<'_> {
    Expect {
        issuer: &inner.config.issuer,
        audience: &inner.config.audience,
        now,
        clock_skew: inner.config.clock_skew,
    }
}

/// One answer for whatever is wrong with a token; only a removed key is told, by its `kid` alone.
pub(crate) fn refusal(error: TokenError) -> Refusal {
    match error.kind() {
        TokenErrorKind::KeyRemoved => Refusal::SessionEnded(Some(EndReason::KeyRemoved)),
        _ => Refusal::TokenInvalid,
    }
}

/// The session of a token that is ours, expired or not, and whose it is: enough to end or replace it, not to use it.
pub(crate) type Authentic = (SessionId, Owner);

/// The session of an access token.
pub(crate) fn authentic_access(inner: &Inner, token: &str) -> Option<Authentic> {
    let unverified = Unverified::parse(token, TOKEN_LIMIT).ok()?;
    let verified = inner.ring().verify_access(&unverified).ok()?;
    match verified.live(&expect(inner, inner.now())) {
        Ok(live) => Some(authentic(&live.claims().identity)),
        Err(NotLive::Expired(expired)) => Some(authentic(&expired.claims().identity)),
        Err(_) => None,
    }
}

fn authentic(identity: &Identity) -> Authentic {
    (identity.session, owner(identity))
}

pub(crate) fn owner(identity: &Identity) -> Owner {
    Owner { tenant: identity.tenant.as_deref().map(Into::into), subject: identity.subject.as_str().into() }
}

/// Whether a refresh token is ours and has not expired: a refresh may give it an access token.
fn may_refresh(inner: &Inner, token: &str) -> bool {
    let expect = Expect { audience: &inner.config.issuer, ..expect(inner, inner.now()) };
    Unverified::parse(token, TOKEN_LIMIT)
        .and_then(|unverified| inner.ring().verify_refresh(&unverified))
        .is_ok_and(|verified| verified.live(&expect).is_ok())
}

/// The session of a refresh token.
pub(crate) fn authentic_refresh(inner: &Inner, token: &str) -> Option<Authentic> {
    let unverified = Unverified::parse(token, TOKEN_LIMIT).ok()?;
    let verified = inner.ring().verify_refresh(&unverified).ok()?;
    let expect = Expect { audience: &inner.config.issuer, ..expect(inner, inner.now()) };
    match verified.live(&expect) {
        Ok(live) => Some(authentic(&live.claims().identity)),
        Err(NotLive::Expired(expired)) => Some(authentic(&expired.claims().identity)),
        Err(_) => None,
    }
}

fn question<'a>(claims: &'a AccessClaims, kid: &'a str) -> Question<'a> {
    Question {
        session: &claims.identity.session,
        born: claims.identity.born,
        subject: &claims.identity.subject,
        tenant: claims.identity.tenant.as_deref(),
        kid,
    }
}

impl Active {
    pub(crate) fn claims(&self) -> &AccessClaims {
        self.token.claims()
    }

    pub(crate) fn session(&self) -> SessionId {
        self.claims().identity.session
    }

    pub(crate) fn owner(&self) -> Owner {
        owner(&self.claims().identity)
    }

    pub(crate) fn question(&self) -> Question<'_> {
        question(self.claims(), self.token.key_id().as_str())
    }

    /// The proof that came with its token, where that is bound to a key.
    pub(crate) fn proof(&self) -> Option<&Proof> {
        self.proof.as_deref()
    }

    /// The lowest exclusive version of its state that counts, as far as this node knows.
    pub(crate) fn floor(&self) -> u64 {
        self.floor
    }

    pub(crate) fn is_stale(&self) -> bool {
        self.trust == Trust::StaleView
    }

    /// Asks the registry whether the session is live.
    pub(crate) async fn check(mut self, inner: &Arc<Inner>) -> Auth {
        if let Err(refusal) = inner.node.first_view(inner).await {
            return Auth::Refused(refusal);
        }
        if let Verdict::Ended(reason) = inner.view.judge(&self.question()) {
            return Auth::Refused(Refusal::SessionEnded(Some(reason)));
        }
        match inner.node.checks().ask(inner, self.session()).await {
            Checked::Live { floor } => {
                self.floor = self.floor.max(floor);
                self.trust = Trust::Checked;
                Auth::Active(self)
            }
            Checked::Ended(reason) => Auth::Refused(Refusal::SessionEnded(reason)),
            Checked::Unavailable => {
                self.trust = Trust::Unreachable;
                Auth::Active(self)
            }
        }
    }

    /// Whether a route with this rule for stale views takes it.
    pub(crate) fn trusted(&self, rule: Stale) -> Result<(), Refusal> {
        match (self.trust, rule) {
            (Trust::View | Trust::Registry, _)
            | (Trust::Checked, Stale::CheckRegistry)
            | (_, Stale::ServeUntilExpiry) => Ok(()),
            (_, Stale::CheckRegistry | Stale::FailClosed) => Err(Refusal::RegistryUnavailable),
        }
    }
}
