//! Sender constraint (RFC 9449): a session is bound to a key of its client's, so that a stolen token is good for
//! nobody else. `proof` judges one proof, purely; here it meets a site: its clock, its nonces, what was used before.

mod came;
mod challenge;
mod key;
mod nonce;
mod proof;
mod replay;
mod target;

use std::time::Duration;

use countersign_registry::{Claim, Claimed, Once, OnceId};

use crate::credential::Scheme;
use crate::event::SessionEvent;
use crate::flow;
use crate::refusal::Refusal;
use crate::sessions::Inner;

pub(crate) use came::Came;
pub(crate) use challenge::{DPOP_NONCE, Spoken, challenge, renew_nonce};
pub use nonce::DpopNonce;
pub(crate) use proof::Proof;
pub(crate) use replay::Replay;

use nonce::Slot;
use proof::{Expected, Flaw};
use target::Target;

/// Whether a site binds sessions to keys of their clients (RFC 9449, DPoP).
///
/// It is for the transports that let a script or a program hold tokens; with
/// [`Transport::Cookies`](crate::Transport::Cookies) no token is ever held by one, and a `DPoP` header is ignored.
///
/// A proof names the URI of its request: the configured origin and the path as this server receives it. A proxy that
/// rewrites paths makes all proofs wrong.
///
/// ```
/// use countersign::{Algorithm, Dpop, KeyRing, MemoryRegistry, Sessions, Timestamp, Transport};
///
/// let keys = KeyRing::generate(Algorithm::EdDsa, Timestamp::from_secs(1_800_000_000));
/// let sessions = Sessions::builder("https://shop.example", keys, MemoryRegistry::new())
///     .transport(Transport::Bearer)
///     .dpop(Dpop::Required)
///     .build()?;
/// # Ok::<(), countersign::ConfigError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Dpop {
    /// A login that comes with a proof of a key gets a session that is bound to it; others get one for the bearer.
    #[default]
    Offered,
    /// A session begins with a proof of a key, or not at all. One that began before this was demanded is bound at its
    /// next refresh.
    Required,
}

/// The key that a session's tokens are bound to, if they are, and the nonce that the client must hear of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Binding {
    /// Its thumbprint (RFC 7638).
    pub(crate) key: Option<String>,
    /// The current nonce, where the proof had an older one.
    pub(crate) nonce: Option<DpopNonce>,
}

/// The binding of a session that begins now: to the key of the request's proof, which is used up. Where no proof came,
/// to none, unless the site demands it. To be asked once the request's other credential has been found good.
pub(crate) async fn binding(inner: &Inner, came: Option<&Came>) -> Result<Binding, Refusal> {
    match (inner.config.dpop, came) {
        (Some(Dpop::Required), None) => Err(required(inner)),
        (None, _) | (_, None) => Ok(Binding::default()),
        (Some(_), Some(came)) => used(inner, verify(inner, came, None, None)?).await,
    }
}

/// As [`binding`], for what is bound already: only a proof of that key will do.
pub(crate) async fn bound_to(inner: &Inner, came: Option<&Came>, key: &str) -> Result<Binding, Refusal> {
    if inner.config.dpop.is_none() {
        return Err(Refusal::TokenInvalid);
    }
    let came = came.ok_or_else(|| required(inner))?;
    used(inner, verify(inner, came, None, Some(key))?).await
}

/// Demands that whoever presents an access token that is bound to a key holds that key. No I/O.
pub(crate) fn hold(
    inner: &Inner,
    came: Option<&Came>,
    scheme: Scheme,
    token: &str,
    key: &str,
) -> Result<Proof, Refusal> {
    if inner.config.dpop.is_none() {
        return Err(Refusal::TokenInvalid);
    }
    let came = came.filter(|_| scheme == Scheme::Dpop).ok_or_else(|| required(inner))?;
    let proof = verify(inner, came, Some(token), Some(key))?;
    if inner.replay.is_first(proof.id(), inner.now(), 2 * window(inner)) {
        Ok(proof)
    } else {
        Err(replayed(inner))
    }
}

/// Uses a proof up in the registry, so that it is good for a route on no node any more.
pub(crate) async fn claim(inner: &Inner, proof: &Proof) -> Result<(), Refusal> {
    claim_as(inner, proof.id()).await
}

async fn claim_as(inner: &Inner, id: [u8; 32]) -> Result<(), Refusal> {
    // By the clock of another node, or of the registry, it may be good for that much longer.
    let until = inner.now().after(2 * window(inner) + inner.config.clock_skew);
    let once = Once { id: OnceId(id), until, of: None, claim: Claim::UseUp };
    match flow::ask_first(inner, "once", inner.registry.once(once)).await? {
        Claimed::First => Ok(()),
        Claimed::Spent => Err(replayed(inner)),
    }
}

async fn used(inner: &Inner, proof: Proof) -> Result<Binding, Refusal> {
    claim_as(inner, proof.id_of_beginning()).await?;
    let nonce = is_nonce_old(&proof).then(|| DpopNonce::current(inner));
    Ok(Binding { key: Some(proof.key().to_string()), nonce })
}

fn replayed(inner: &Inner) -> Refusal {
    inner.tell(&SessionEvent::ProofRefused { check: "replay" });
    Refusal::DpopInvalid
}

/// Whether the client should hear of the current nonce.
pub(crate) fn is_nonce_old(proof: &Proof) -> bool {
    proof.slot() == Slot::Previous
}

/// The refusal of whoever brings no proof where one is needed.
pub(crate) fn required(inner: &Inner) -> Refusal {
    Refusal::DpopRequired { nonce: DpopNonce::current(inner) }
}

fn verify(inner: &Inner, came: &Came, token: Option<&str>, key: Option<&str>) -> Result<Proof, Refusal> {
    let (ring, now) = (inner.ring(), inner.now());
    let (issuer, skew) = (&*inner.config.issuer, inner.config.clock_skew);
    let expected = Expected {
        method: came.method(),
        target: Target { origin: inner.config.origin.as_str(), path: came.path() },
        now,
        window: window(inner),
        nonce: &|nonce| nonce::judge(&ring, issuer, nonce, now, skew),
        token,
        key,
    };
    let proof = came.only_proof().ok_or(Flaw::Shape).and_then(|text| proof::verify(text, &expected));
    proof.map_err(|flaw| {
        inner.tell(&SessionEvent::ProofRefused { check: flaw.as_str() });
        match flaw {
            Flaw::Nonce => Refusal::UseDpopNonce { nonce: DpopNonce::current(inner) },
            _ => Refusal::DpopInvalid,
        }
    })
}

/// How far a proof's instant may be from now. (Its nonce bounds the rest.)
fn window(inner: &Inner) -> Duration {
    Duration::from_mins(1) + inner.config.clock_skew
}

#[cfg(test)]
mod tests;
