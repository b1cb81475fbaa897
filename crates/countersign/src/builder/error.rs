//! Why a host's wishes cannot be met.

use std::time::Duration;

use crate::transport::Transport;

/// A combination of wishes that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The origin is none.
    #[error("the origin {origin:?} cannot be used: {reason}")]
    Origin {
        /// As given.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The prefix is no path.
    #[error("the prefix {0:?} is no path such as \"/session\"")]
    Prefix(String),
    /// A duration is zero.
    #[error("{name} is 0; it must be longer")]
    Zero {
        /// Which.
        name: &'static str,
    },
    /// A duration is beyond a century.
    #[error("{name} is {value:?}; it must be at most 100 years")]
    TooLong {
        /// Which.
        name: &'static str,
        /// As given.
        value: Duration,
    },
    /// An idle timeout that the lifetime would always cut short.
    #[error("idle-timeout ({idle:?}) is longer than lifetime ({lifetime:?})")]
    IdleBeyondLifetime {
        /// As given.
        idle: Duration,
        /// As given.
        lifetime: Duration,
    },
    /// A session would lose its seat while its access token still works.
    #[error(
        "access-ttl ({access_ttl:?}) + clock-skew ({clock_skew:?}) is longer than dangling-after ({dangling_after:?}): \
         a session would lose its seat while its access token still works"
    )]
    DanglingTooSoon {
        /// As given.
        dangling_after: Duration,
        /// As given.
        access_ttl: Duration,
        /// As given, or the default of the registry.
        clock_skew: Duration,
    },
    /// A name that no cookie can have.
    #[error("{0:?} cannot be the name of a cookie")]
    CookieName(String),
    /// Inline renewal needs the access token in a cookie.
    #[error("inline renewal works with the transport cookies only, not with {0}")]
    RenewalWithoutCookies(Transport),
    /// A proof of a key is for tokens that the client holds itself.
    #[error("with the transport cookies no client holds a token that a proof (DPoP) could go with")]
    DpopWithCookies,
    /// Cookies without `Secure` are for the loopback only.
    #[error("development cookies are for the loopback only, and {origin} is not on it")]
    DevelopmentCookies {
        /// As given.
        origin: String,
    },
}
