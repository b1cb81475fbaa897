//! The one table of refusals: what a request is refused with, by code, status and sentence. How a refusal looks on
//! the wire is in [`problem`](crate::problem).

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use countersign_registry::{EndReason, RegistryError};
use http::StatusCode;

use crate::dpop::DpopNonce;
pub(crate) use crate::problem::ProblemStyle;

mod bad_request;
mod codes;
mod limit;

pub use bad_request::BadRequest;
pub use limit::{ChoiceCode, LimitRefusal};

/// Why a request was refused: every outcome that is not a success, and its wire form.
///
/// Each has one `code` that programs act on; a `detail` is for people. Nothing internal is in either.
///
/// ```
/// # use countersign::Refusal;
/// assert_eq!(Refusal::TokenExpired.code(), "token-expired");
/// assert_eq!(Refusal::TokenExpired.status(), 401);
/// ```
#[non_exhaustive]
#[derive(Clone, Debug)]
pub enum Refusal {
    /// An object that is not there, or is not the asking user's.
    NotFound,
    /// The path knows other methods.
    MethodNotAllowed {
        /// These, as the `Allow` header lists them.
        allow: &'static str,
    },
    /// A body that is not `application/json`.
    UnsupportedMediaType,
    /// Headers over 32 kB.
    HeadersTooLarge,
    /// Malformed credentials, headers, parameters or body.
    BadRequest(BadRequest),
    /// An unsafe request from another site.
    CrossSite,
    /// A body over its limit.
    BodyTooLarge,
    /// A body that did not arrive in time.
    RequestTimeout,
    /// The application did not accept a login.
    LoginFailed,
    /// No credential came, or only a visit's state.
    NotAuthenticated,
    /// A token that we did not issue for this.
    TokenInvalid,
    /// An access token of ours that has expired: refresh and retry.
    TokenExpired,
    /// The session has ended, for this reason if it is still known.
    SessionEnded(Option<EndReason>),
    /// The registry is out of reach, or the view too old.
    RegistryUnavailable,
    /// The refresh token was copied, and its session has just been ended.
    RefreshReused,
    /// A proof of the session's key is missing, or of any key where the site demands one (RFC 9449).
    DpopRequired {
        /// What the proof must carry.
        nonce: DpopNonce,
    },
    /// A proof that proves nothing here: malformed, of another key, for another request, or used before (RFC 9449).
    DpopInvalid,
    /// A proof without the nonce that proofs must carry by now (RFC 9449, section 8): repeat with a new proof.
    UseDpopNonce {
        /// What the proof must carry.
        nonce: DpopNonce,
    },
    /// The authentication is too old or too weak (RFC 9470).
    StepUpRequired {
        /// How old it may be; [`Duration::MAX`]: the age does not matter.
        max_age: Duration,
        /// Which levels would do; empty: any.
        acr_values: Vec<String>,
    },
    /// The session's data does not fit its budget.
    StateTooLarge {
        /// The bytes it has.
        size: usize,
        /// The bytes it may have.
        limit: usize,
    },
    /// The state is older than an exclusive update allows, or missing, and the newer one may be on its way.
    StateSuperseded,
    /// The state cannot be had any more; the application must reset it.
    StateLost,
    /// An exclusive update lost the race.
    StateConflict,
    /// No seat.
    SessionsLimit(Box<LimitRefusal>),
    /// A rate limit.
    TooManyRequests {
        /// When to come back.
        retry_after: Duration,
    },
    /// A fault of the server, which its log explains.
    Internal,
}

impl Refusal {
    /// The word that programs act on.
    pub const fn code(&self) -> &'static str {
        self.row().0
    }

    /// The HTTP status.
    pub const fn status(&self) -> StatusCode {
        self.row().1
    }

    /// The gRPC status, which is 16 (unauthenticated), 7 (permission denied), 8 (resource exhausted) or 14
    /// (unavailable: the same call may succeed later).
    ///
    /// Those that would have a closer word elsewhere (not found, invalid argument, aborted) are 7 where repeating
    /// the call is useless, 14 where it is not, and 8 where something is too large.
    pub const fn grpc_status(&self) -> u8 {
        self.row().2
    }

    /// The kind of refusal in a few words.
    pub const fn title(&self) -> &'static str {
        self.row().3
    }

    #[rustfmt::skip]
    const fn row(&self) -> (&'static str, StatusCode, u8, &'static str) {
        match self {
            Self::NotFound => ("not-found", StatusCode::NOT_FOUND, DENIED, "Not found"),
            Self::MethodNotAllowed { .. } => ("method-not-allowed", StatusCode::METHOD_NOT_ALLOWED, DENIED, "Method not allowed"),
            Self::UnsupportedMediaType => ("unsupported-media-type", StatusCode::UNSUPPORTED_MEDIA_TYPE, DENIED, "Unsupported media type"),
            Self::HeadersTooLarge => ("headers-too-large", StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, EXHAUSTED, "Headers too large"),
            Self::BadRequest(_) => ("bad-request", StatusCode::BAD_REQUEST, DENIED, "Bad request"),
            Self::CrossSite => ("cross-site", StatusCode::FORBIDDEN, DENIED, "Request from another site"),
            Self::BodyTooLarge => ("body-too-large", StatusCode::PAYLOAD_TOO_LARGE, EXHAUSTED, "Body too large"),
            Self::RequestTimeout => ("request-timeout", StatusCode::REQUEST_TIMEOUT, UNAVAILABLE, "Request timeout"),
            Self::LoginFailed => ("login-failed", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Login failed"),
            Self::NotAuthenticated => ("not-authenticated", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Not authenticated"),
            Self::TokenInvalid => ("token-invalid", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Token invalid"),
            Self::TokenExpired => ("token-expired", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Token expired"),
            Self::SessionEnded(_) => ("session-ended", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Session ended"),
            Self::RegistryUnavailable => ("registry-unavailable", StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE, "Sessions unavailable"),
            Self::RefreshReused => ("refresh-reused", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Refresh token reused"),
            Self::DpopRequired { .. } => ("dpop-required", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "DPoP proof required"),
            Self::DpopInvalid => ("dpop-invalid", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "DPoP proof invalid"),
            Self::UseDpopNonce { .. } => ("use-dpop-nonce", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "DPoP nonce required"),
            Self::StepUpRequired { .. } => ("step-up-required", StatusCode::UNAUTHORIZED, UNAUTHENTICATED, "Authentication required again"),
            Self::StateTooLarge { .. } => ("state-too-large", StatusCode::PAYLOAD_TOO_LARGE, EXHAUSTED, "State too large"),
            Self::StateSuperseded => ("state-superseded", StatusCode::CONFLICT, UNAVAILABLE, "State superseded"),
            Self::StateLost => ("state-lost", StatusCode::CONFLICT, DENIED, "State lost"),
            Self::StateConflict => ("state-conflict", StatusCode::CONFLICT, UNAVAILABLE, "State conflict"),
            Self::SessionsLimit(_) => ("sessions-limit", StatusCode::TOO_MANY_REQUESTS, EXHAUSTED, "Too many sessions"),
            Self::TooManyRequests { .. } => ("too-many-requests", StatusCode::TOO_MANY_REQUESTS, EXHAUSTED, "Too many requests"),
            Self::Internal => ("internal", StatusCode::INTERNAL_SERVER_ERROR, UNAVAILABLE, "Internal error"),
        }
    }

    /// What happened, as a sentence for people.
    pub fn detail(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::NotFound => "There is nothing here, or it is not yours.",
            Self::MethodNotAllowed { .. } => "This path knows other methods only.",
            Self::UnsupportedMediaType => "The body must be application/json.",
            Self::HeadersTooLarge => "The headers are larger than 32 kB.",
            Self::BadRequest(cause) => return cause.detail(),
            Self::CrossSite => "This request came from another site, or it cannot be told that it did not.",
            Self::BodyTooLarge => "The body is larger than it may be.",
            Self::RequestTimeout => "The body did not arrive in time.",
            Self::LoginFailed => "The name or the password is wrong.",
            Self::NotAuthenticated => "Nobody is logged in here.",
            Self::TokenInvalid => "The token is not valid here.",
            Self::TokenExpired => "The access token has expired.",
            Self::SessionEnded(reason) => ended(*reason),
            Self::RegistryUnavailable => "Sessions cannot be checked at the moment. Please try again later.",
            Self::RefreshReused => "The session was ended because its refresh token had been copied.",
            Self::DpopRequired { .. } => "A proof of the client's key (DPoP) is needed here.",
            Self::DpopInvalid => "The proof of the client's key (DPoP) is not valid here.",
            Self::UseDpopNonce { .. } => "The proof of the client's key (DPoP) must carry the current nonce.",
            Self::StepUpRequired { .. } => "Please log in again to do this.",
            Self::StateTooLarge { size, limit } => {
                return Cow::Owned(format!("The session's data has {size} bytes, and {limit} is the limit."));
            }
            Self::StateSuperseded => "The session's data is older than its last exclusive update.",
            Self::StateLost => "The session's data is lost and has to be reset.",
            Self::StateConflict => "The session's data was changed at the same time. Please try again.",
            Self::SessionsLimit(limit) => return limit.detail(),
            Self::TooManyRequests { .. } => "Too many requests. Please try again later.",
            Self::Internal => "Something went wrong here. Please try again later.",
        })
    }

    /// The nonce that the client's next proof must carry, where that is why it was refused.
    pub(crate) fn dpop_nonce(&self) -> Option<&DpopNonce> {
        match self {
            Self::DpopRequired { nonce } | Self::UseDpopNonce { nonce } => Some(nonce),
            _ => None,
        }
    }

    /// After how many seconds to come back, where that is known: whole ones, and never 0.
    pub(crate) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::RegistryUnavailable => Some(1),
            Self::SessionsLimit(limit) => limit.retry_after.map(whole_secs),
            Self::TooManyRequests { retry_after } => Some(whole_secs(*retry_after)),
            _ => None,
        }
    }
}

const DENIED: u8 = 7;
const EXHAUSTED: u8 = 8;
const UNAVAILABLE: u8 = 14;
const UNAUTHENTICATED: u8 = 16;

const fn ended(reason: Option<EndReason>) -> &'static str {
    match reason {
        None => "The session has ended.",
        Some(EndReason::Logout) => "The session has ended: its user logged out.",
        Some(EndReason::EndedByUser) => "The session has ended: its user ended it from another session.",
        Some(EndReason::EndedByAdmin) => "The session has ended: an administrator ended it.",
        Some(EndReason::Limit) => "The session has ended: it made room for another one.",
        Some(EndReason::Replaced) => "The session has ended: another one took its place.",
        Some(EndReason::RefreshReused) => "The session has ended: its refresh token had been copied.",
        Some(EndReason::Idle) => "The session has ended: it was not used for too long.",
        Some(EndReason::Expired) => "The session has ended: its time is over.",
        Some(EndReason::KeyRemoved) => "The session has ended: the key of its tokens was removed.",
    }
}

/// Rounded up, so that a client that obeys is not early.
fn whole_secs(duration: Duration) -> u64 {
    let up = u64::from(duration.subsec_nanos() > 0);
    duration.as_secs().saturating_add(up).max(1)
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.code())
    }
}

impl std::error::Error for Refusal {}

impl From<BadRequest> for Refusal {
    fn from(cause: BadRequest) -> Self {
        Self::BadRequest(cause)
    }
}

/// Whatever went wrong there is for the log, not for the client.
impl From<RegistryError> for Refusal {
    fn from(_: RegistryError) -> Self {
        Self::RegistryUnavailable
    }
}

#[cfg(test)]
mod tests;
