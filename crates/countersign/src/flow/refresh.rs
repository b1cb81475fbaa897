//! Refresh: a refresh token is exchanged for the next access token and, once it is old enough, for its successor.

use std::sync::Arc;

use countersign_registry::{Activity, EndReason, Holding, Question, Renewal, Rotate, Rotated, Verdict};
use countersign_token::{Expect, NotLive, RefreshClaims, SessionId, Unverified};

use super::login::limit_refusal;
use super::mint::{self, Material, Successor};
use crate::authenticate::{self, Auth, TOKEN_LIMIT};
use crate::credential::{Presented, Scheme};
use crate::dpop::{self, Binding, Came, Dpop};
use crate::event::{Actor, SessionEvent};
use crate::grant::Grant;
use crate::metrics;
use crate::node::Node;
use crate::refusal::Refusal;
use crate::sessions::Inner;
use crate::unusual::{self, RequestHead};

/// Who exchanges a refresh token.
pub(crate) struct Client<'a> {
    pub(crate) activity: Activity,
    /// What came to prove a key with.
    pub(crate) came: Option<&'a Came>,
    /// What it calls itself.
    pub(crate) device: Option<Arc<str>>,
    /// Its request, where the host wants to see it.
    pub(crate) head: Option<Box<RequestHead>>,
}

/// Exchanges a refresh token.
pub(crate) async fn refresh(inner: &Arc<Inner>, token: &str, client: &Client<'_>) -> Result<Grant, Refusal> {
    exchange(inner, token, client).await.map(|(grant, _)| grant)
}

/// Exchanges a refresh token within a request, which goes on with the new access token.
pub(crate) async fn renew(
    inner: &Arc<Inner>,
    token: &str,
    client: &Client<'_>,
) -> Result<(Auth, Grant), Refusal> {
    let (grant, access) = exchange(inner, token, client).await?;
    let presented = Presented { token: &access, scheme: Scheme::Cookie };
    Ok((authenticate::token(inner, &presented, None).vouched(), grant))
}

/// Shows that a refresh token is one of this session's that may still be used: its use, without what it would give.
/// (An honest client's next refresh is then like one after a lost answer.) A used-up token ends the session here too.
pub(crate) async fn hold(inner: &Arc<Inner>, token: &str, session: SessionId) -> Result<(), Refusal> {
    let claims = verified(inner, token)?;
    if claims.identity.session != session {
        return Err(Refusal::TokenInvalid);
    }
    let rotated = rotate(inner, &claims, Activity::Active).await?;
    settle(inner, &claims, rotated, None).map(drop)
}

async fn exchange(inner: &Arc<Inner>, token: &str, client: &Client<'_>) -> Result<(Grant, String), Refusal> {
    let exchanged = once(inner, token, client).await;
    metrics::refresh(match &exchanged {
        Ok((_, Successor::New)) => "renewed",
        Ok((_, Successor::Kept)) => "kept",
        Err(refusal) => refusal.code(),
    });
    exchanged.map(|(tokens, _)| tokens)
}

async fn once(
    inner: &Arc<Inner>,
    token: &str,
    client: &Client<'_>,
) -> Result<((Grant, String), Successor), Refusal> {
    inner.node.may_grant(inner).await?;
    let claims = verified(inner, token)?;
    // Before the registry is asked: who does not hold the key has no effect on the session at all.
    let binding = binding(inner, &claims, client.came).await?;
    let rotated = rotate(inner, &claims, client.activity).await?;
    let (renewal, successor) = settle(inner, &claims, rotated, client.head.as_deref())?;
    unusual::refreshed(inner, &renewal.record, client.device.as_ref(), client.head.as_deref()).await?;
    inner.tell(&SessionEvent::Refreshed {
        session: renewal.record.id,
        owner: renewal.record.owner.clone(),
        device: client.device.clone(),
    });
    Ok((renewed(inner, &claims, binding, &renewal, successor)?, successor))
}

async fn rotate(inner: &Inner, claims: &RefreshClaims, activity: Activity) -> Result<Rotated, Refusal> {
    let rotate = Rotate {
        session: claims.identity.session,
        id: claims.rotation.id,
        parent: claims.rotation.parent,
        issued: claims.rotation.issued,
        activity,
    };
    super::ask(inner, "rotate", inner.registry.rotate(rotate)).await
}

/// A session stays bound to its key. One that began before the site demanded proofs is bound to the key that comes
/// with its refresh token now: nobody is logged out because the site became stricter.
async fn binding(inner: &Inner, claims: &RefreshClaims, came: Option<&Came>) -> Result<Binding, Refusal> {
    match &claims.identity.key_thumbprint {
        Some(key) => dpop::bound_to(inner, came, key).await,
        None if inner.config.dpop == Some(Dpop::Required) => dpop::binding(inner, came).await,
        None => Ok(Binding::default()),
    }
}

/// The claims of a refresh token that is ours, has not expired, and belongs to a session that has not ended as far
/// as this node knows: a forged one costs no I/O.
fn verified(inner: &Inner, token: &str) -> Result<RefreshClaims, Refusal> {
    let unverified = Unverified::parse(token, TOKEN_LIMIT).map_err(authenticate::refusal)?;
    let verified = inner.ring().verify_refresh(&unverified).map_err(authenticate::refusal)?;
    let kid = verified.key_id().clone();
    let issuer = &*inner.config.issuer;
    let expect = Expect { audience: issuer, ..authenticate::expect(inner, inner.now()) };
    let claims = match verified.live(&expect) {
        Ok(live) => live.into_claims(),
        Err(NotLive::Expired(_)) => return Err(Refusal::SessionEnded(Some(EndReason::Expired))),
        Err(_) => return Err(Refusal::TokenInvalid),
    };
    let identity = &claims.identity;
    let question = Question {
        session: &identity.session,
        born: identity.born,
        subject: &identity.subject,
        tenant: identity.tenant.as_deref(),
        kid: kid.as_str(),
    };
    match inner.view.judge(&question) {
        Verdict::Clear => Ok(claims),
        Verdict::Ended(reason) => Err(Refusal::SessionEnded(Some(reason))),
    }
}

/// What the registry's answer means for the session, and for its client's refresh token.
fn settle(
    inner: &Inner,
    claims: &RefreshClaims,
    rotated: Rotated,
    head: Option<&RequestHead>,
) -> Result<(Renewal, Successor), Refusal> {
    let (session, owner) = (claims.identity.session, || authenticate::owner(&claims.identity));
    match rotated {
        Rotated::Kept(renewal) => Ok((renewal, Successor::Kept)),
        Rotated::Renewed(renewal) => Ok((renewal, Successor::New)),
        Rotated::Full(full) => {
            inner.node.saw_registry_instant(full.at);
            inner.tell(&SessionEvent::SeatRefused {
                session,
                owner: owner(),
                scope: full.scope,
                limit: full.limit,
            });
            Err(limit_refusal(inner, &full, None))
        }
        Rotated::Reused(entries) => {
            inner.node.learn(inner, &entries);
            inner.tell(&SessionEvent::RefreshReused { session, owner: owner() });
            unusual::reused(inner, session, owner(), head);
            super::end::tell_each(inner, &entries, |_| Some(owner()), |_| Actor::Rule);
            Err(Refusal::RefreshReused)
        }
        Rotated::Ended(None) if Node::is_of_an_unknown_epoch(inner, claims.identity.born) => {
            Err(Refusal::RegistryUnavailable)
        }
        Rotated::Ended(reason) => Err(Refusal::SessionEnded(reason)),
    }
}

fn renewed(
    inner: &Inner,
    claims: &RefreshClaims,
    binding: Binding,
    renewal: &Renewal,
    refresh: Successor,
) -> Result<(Grant, String), Refusal> {
    inner.node.saw_registry_instant(renewal.at);
    inner.node.watched.note_use(renewal.record.id, renewal.record.last_activity);
    let material = Material {
        record: &renewal.record,
        holding: match renewal.seat {
            Holding::Seat => Holding::Seat,
            Holding::Nothing => Holding::Nothing,
        },
        at: renewal.at,
        persistence: claims.identity.persistence,
        binding,
        refresh,
    };
    mint::tokens(inner, &material)
}
