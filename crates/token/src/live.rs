//! Time, issuer and audience: the only maker of [`Live`].

use std::time::Duration;

use crate::claims::{AccessClaims, Audience, RefreshClaims};
use crate::id::Timestamp;
use crate::verify::Verified;

/// What verified claims are held against.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// The one issuer that is believed.
    pub issuer: &'a str,
    /// Who we are.
    pub audience: &'a str,
    /// The instant.
    pub now: Timestamp,
    /// How far ahead of ours the issuer's clock may be. It never lengthens a life.
    pub clock_skew: Duration,
}

/// Claims that were verified, have not expired, and are for us. Nothing outside of this crate can make them:
///
/// ```compile_fail
/// let forged = countersign_token::Live { claims: () };
/// ```
#[derive(Clone, Debug)]
pub struct Live<C> {
    claims: C,
}

impl<C> Live<C> {
    /// The claims.
    pub fn claims(&self) -> &C {
        &self.claims
    }

    /// The claims, owned.
    pub fn into_claims(self) -> C {
        self.claims
    }
}

/// Why verified claims are not live.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NotLive<V> {
    /// Ours, and expired: enough to end the session by, not to use it.
    Expired(V),
    /// Another issuer's, for another audience, or from the future.
    Foreign,
}

/// Claims that live for a time, for somebody.
pub trait Lifetime: sealed::Sealed {
    /// `iss`.
    fn issuer(&self) -> &str;
    /// `aud`.
    fn audience(&self) -> &Audience;
    /// `iat`.
    fn issued_at(&self) -> Timestamp;
    /// `exp`.
    fn expires_at(&self) -> Timestamp;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for super::AccessClaims {}
    impl Sealed for super::RefreshClaims {}
}

macro_rules! lifetime {
    ($($claims:ty),*) => {$(
        impl Lifetime for $claims {
            fn issuer(&self) -> &str {
                &self.identity.issuer
            }

            fn audience(&self) -> &Audience {
                &self.audience
            }

            fn issued_at(&self) -> Timestamp {
                self.issued_at
            }

            fn expires_at(&self) -> Timestamp {
                self.expires_at
            }
        }
    )*};
}

lifetime!(AccessClaims, RefreshClaims);

impl<C: Lifetime> Verified<C> {
    /// Holds the claims against time, issuer and audience.
    ///
    /// # Errors
    ///
    /// [`NotLive`].
    pub fn live(self, expect: &Expect<'_>) -> Result<Live<C>, NotLive<Self>> {
        match judge(self.claims(), expect) {
            Judgement::Live => Ok(Live { claims: self.into_claims() }),
            Judgement::Expired => Err(NotLive::Expired(self)),
            Judgement::Foreign => Err(NotLive::Foreign),
        }
    }

    /// The same question, for claims that stay where they are (in a cache).
    pub(crate) fn is_live(&self, expect: &Expect<'_>) -> Judgement {
        judge(self.claims(), expect)
    }
}

/// How claims stand at an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Judgement {
    /// Good.
    Live,
    /// Ours, and expired.
    Expired,
    /// Not for us, or from the future.
    Foreign,
}

fn judge<C: Lifetime>(claims: &C, expect: &Expect<'_>) -> Judgement {
    let ours = claims.issuer() == expect.issuer && claims.audience().contains(expect.audience);
    if !ours || claims.issued_at() > expect.now.after(expect.clock_skew) {
        return Judgement::Foreign;
    }
    // No leeway: an expired token is expired (RFC 7519, section 4.1.4).
    if expect.now >= claims.expires_at() { Judgement::Expired } else { Judgement::Live }
}
