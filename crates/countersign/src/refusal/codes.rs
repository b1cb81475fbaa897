//! The list of all codes.

use super::Refusal;

impl Refusal {
    /// Every [`code`](Self::code) that there is.
    pub const CODES: [&'static str; 26] = [
        "bad-request",
        "body-too-large",
        "cross-site",
        "dpop-invalid",
        "dpop-required",
        "headers-too-large",
        "internal",
        "login-failed",
        "method-not-allowed",
        "not-authenticated",
        "not-found",
        "refresh-reused",
        "registry-unavailable",
        "request-timeout",
        "session-ended",
        "sessions-limit",
        "state-conflict",
        "state-lost",
        "state-superseded",
        "state-too-large",
        "step-up-required",
        "token-expired",
        "token-invalid",
        "too-many-requests",
        "unsupported-media-type",
        "use-dpop-nonce",
    ];
}
