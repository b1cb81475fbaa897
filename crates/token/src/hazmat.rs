//! Looking into tokens without verifying anything: for tools that show what somebody holds.
//!
//! Nothing here may decide anything. Whoever acts on what it shows believes a stranger.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use crate::error::TokenError;
use crate::unverified::Unverified;

/// What a token says of itself. **Nothing of it was verified.**
#[derive(Clone, Debug, PartialEq)]
pub struct Peeked {
    /// Its header.
    pub header: Value,
    /// Its claims; none if it is sealed, or they are no JSON.
    pub claims: Option<Value>,
}

/// Looks into a token without verifying anything.
///
/// # Errors
///
/// If it is not even shaped like a token.
pub fn peek(token: &str) -> Result<Peeked, TokenError> {
    let token = Unverified::parse(token, usize::MAX)?;
    let header = decode(token.header()).ok_or(TokenError::INVALID)?;
    Ok(Peeked { header, claims: decode(token.payload()) })
}

fn decode(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
