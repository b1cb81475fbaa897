//! Sender constraint (RFC 9449): a session is bound to a key of its client's, so that a stolen token is good for
//! nobody else.

mod nonce;

pub use nonce::DpopNonce;

use http::header::WWW_AUTHENTICATE;
use http::{HeaderName, StatusCode};

use crate::layer::Answer;
use crate::refusal::Refusal;
use crate::sessions::Inner;

/// Tells a client the nonce for its next proofs (RFC 9449, section 8).
pub(crate) const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

/// Whether a site binds sessions to keys of their clients (RFC 9449, DPoP).
///
/// It is for the transports that let a script or a program hold tokens; with
/// [`Transport::Cookies`](crate::Transport::Cookies) no token is ever held by one, and a `DPoP` header is ignored.
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

/// Tells a refused client of a site that demands proofs so: the scheme, and the nonce for its first proof.
pub(crate) fn demand(inner: &Inner, answer: &mut Answer) {
    let Some(refusal) = answer.extensions().get::<Refusal>().cloned() else { return };
    if refusal.status() == StatusCode::UNAUTHORIZED {
        let headers = answer.headers_mut();
        if headers.contains_key(WWW_AUTHENTICATE) {
            headers.insert(WWW_AUTHENTICATE, refusal.dpop_challenge());
        }
        headers.entry(DPOP_NONCE).or_insert_with(|| DpopNonce::current(inner).0);
    }
}
