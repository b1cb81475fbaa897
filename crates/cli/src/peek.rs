//! What a token says, taken apart without any trust. For showing and for explaining a refusal, never for deciding.

use countersign_token::hazmat;
use serde_json::{Map, Value};

use crate::error::Failure;

/// A token's readable parts.
#[derive(Debug)]
pub(crate) struct Peeked {
    /// The JOSE header.
    pub(crate) header: Map<String, Value>,
    /// The claims; none of a sealed token, which only its keys can open.
    pub(crate) claims: Option<Map<String, Value>>,
}

/// Takes a compact JWS (three parts, RFC 7515) or JWE (five parts, RFC 7516) apart.
pub(crate) fn peek(token: &str) -> Result<Peeked, Failure> {
    let parts = token.split('.').count();
    if parts != SIGNED && parts != SEALED {
        return Err(Failure::NoPeek(
            "it has neither three parts (signed) nor five (sealed) between its dots",
        ));
    }
    let peeked = hazmat::peek(token).ok().map(|peeked| (peeked.header, peeked.claims));
    match peeked {
        Some((Value::Object(header), Some(Value::Object(claims)))) if parts == SIGNED => {
            Ok(Peeked { header, claims: Some(claims) })
        }
        Some((Value::Object(header), _)) if parts == SEALED => Ok(Peeked { header, claims: None }),
        Some((Value::Object(_), _)) => Err(Failure::NoPeek("its claims are no JSON object in base64url")),
        _ => Err(Failure::NoPeek("its header is no JSON object in base64url")),
    }
}

const SIGNED: usize = 3;
const SEALED: usize = 5;

impl Peeked {
    /// A text member of the header, or nothing.
    pub(crate) fn header_text(&self, name: &str) -> &str {
        self.header.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// What the token calls itself.
    pub(crate) fn kind(&self) -> &'static str {
        let typ = self.header_text("typ").to_ascii_lowercase();
        match typ.strip_prefix("application/").unwrap_or(&typ) {
            "at+jwt" => "an access token",
            "rt+jwt" => "a refresh token",
            "st+jwt" => "a state token",
            "ct+jwt" => "a one-time code",
            _ => "no kind of token that Countersign mints",
        }
    }
}
