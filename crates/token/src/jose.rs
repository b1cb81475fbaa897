//! Reading JOSE objects that are not ours as strictly as our own: for proofs of clients' keys and the like.
//!
//! ```
//! use countersign_token::jose;
//!
//! let [alg, jwk] = jose::members(r#"{"alg": "ES256", "typ": "JWT"}"#, ["alg", "jwk"])?;
//! assert_eq!((alg, jwk), (Some(r#""ES256""#), None));
//! assert_eq!(jose::string(alg.unwrap_or_default())?, "ES256");
//! assert!(jose::members(r#"{"alg": "ES256", "alg": "none"}"#, ["alg"]).is_err());
//! # Ok::<(), countersign_token::TokenError>(())
//! ```

use crate::error::TokenError;
use crate::json::{self, Name};

pub use crate::header::is_media_type;
pub use crate::json::string;

/// The members of a JSON object that have these names, each as the text that spells its value.
///
/// # Errors
///
/// If the text is no JSON object, or an object in it, at any depth, has two members of one name.
pub fn members<'a, const N: usize>(
    text: &'a str,
    names: [&str; N],
) -> Result<[Option<&'a str>; N], TokenError> {
    let mut found = [None; N];
    json::members(text, |name, value| {
        let Some(at) = names.iter().position(|known| *known == name) else { return Ok(Name::Unknown) };
        match found[at].replace(value) {
            None => Ok(Name::Kept),
            Some(_) => Err(TokenError::INVALID),
        }
    })?;
    Ok(found)
}

/// The elements of a JSON array, each as the text that spells it.
///
/// # Errors
///
/// If the text is no JSON array.
pub fn elements(text: &str) -> Result<Vec<&str>, TokenError> {
    let mut found = Vec::new();
    json::elements(text, |element| {
        found.push(element);
        Ok(())
    })?;
    Ok(found)
}
