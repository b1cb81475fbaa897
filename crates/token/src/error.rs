//! Errors, by whose fault it is. What a token's bearer could learn from one is nothing.

use std::fmt;

/// A token is no good.
///
/// It says no more to its bearer; [`kind`](TokenError::kind) tells the verifier what it must tell apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TokenError(TokenErrorKind);

impl TokenError {
    pub(crate) const INVALID: Self = Self(TokenErrorKind::Invalid);
    pub(crate) const KEY_REMOVED: Self = Self(TokenErrorKind::KeyRemoved);
    pub(crate) const TOO_LONG: Self = Self(TokenErrorKind::TooLong);

    /// What the verifier must tell apart.
    pub const fn kind(self) -> TokenErrorKind {
        self.0
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the token is invalid")
    }
}

impl fmt::Debug for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenError({:?})", self.0)
    }
}

impl std::error::Error for TokenError {}

/// The kinds of [`TokenError`] that a verifier must tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenErrorKind {
    /// Malformed, of another kind, of an unknown key, or its signature is wrong: one answer for all.
    Invalid,
    /// It names a key that was removed. Decided by the name alone, before any cryptography.
    KeyRemoved,
    /// It is longer than the caller looks at.
    TooLong,
}

/// A token cannot be minted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MintError {
    /// A claim of the application has a name that is taken.
    #[error("the claim {0:?} is reserved")]
    ReservedClaim(String),
    /// A claim cannot be written as JSON, or the key cannot sign.
    #[error("the token cannot be made")]
    Unrepresentable,
}

/// Keys cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyRingError {
    /// The text is no key ring.
    #[error("not a key ring: {0}")]
    Malformed(&'static str),
    /// The key ring was written by a later version of this library.
    #[error("a key ring of version {0}, which this build cannot read")]
    Version(u64),
    /// A key is not of the ring's algorithm: a ring never mixes symmetric and asymmetric keys.
    #[error("the key {0} is not of the ring's algorithm")]
    Mixed(String),
    /// Key material of the wrong form or length, or whose halves do not belong together.
    #[error("the key material of {0} is unusable")]
    Material(String),
    /// The `kid` is not that of the key.
    #[error("the kid {0} is not that of its key")]
    WrongId(String),
    /// Two keys of one `kid`.
    #[error("the kid {0} is there twice")]
    Twice(String),
    /// The ring has no key that signs, or several.
    #[error("a key ring has exactly one signing key, this one has {0}")]
    Signers(usize),
    /// No such key.
    #[error("the ring has no key {0}")]
    Unknown(String),
    /// A removed key would come back.
    #[error("the key {0} was removed, for ever")]
    Removed(String),
}
