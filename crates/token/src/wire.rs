//! How claims are spelled: one pass to write them, one pass to read them, strictly typed.

mod read;
mod write;

pub(crate) use read::{access, code, refresh, state};
pub(crate) use write::Claims;

/// The end of the year 9999: a date beyond it is no date.
const LAST_SECOND: u64 = 253_402_300_799;

/// What fits a JSON number without loss (RFC 8259, section 6).
const LARGEST: u64 = 1 << 53;

/// The names that our claims have, and those of RFC 7519 that we do not use: none is free for the application.
pub(crate) const RESERVED: [&str; 23] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "tenant",
    "sid",
    "auth_time",
    "amr",
    "acr",
    "born",
    "cnf",
    "rot",
    "ver",
    "seat",
    "session_started",
    "session_expiry",
    "remember",
    "dv",
    "data",
];
