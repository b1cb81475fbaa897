//! A token's shape, before anything of it is believed.

use crate::error::TokenError;

/// A token in the compact serialisation, cut at its dots: nothing of it has been verified.
#[derive(Clone, Copy)]
pub struct Unverified<'a> {
    text: &'a str,
    first_dot: usize,
    last_dot: usize,
}

impl<'a> Unverified<'a> {
    /// Looks at a text of at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// If it is longer, or cannot be a token for want of dots.
    pub fn parse(text: &'a str, limit: usize) -> Result<Self, TokenError> {
        if text.len() > limit {
            return Err(TokenError::TOO_LONG);
        }
        let first_dot = text.find('.').ok_or(TokenError::INVALID)?;
        let last_dot = text.rfind('.').filter(|last| *last > first_dot).ok_or(TokenError::INVALID)?;
        Ok(Self { text, first_dot, last_dot })
    }

    pub(crate) fn header(&self) -> &'a str {
        &self.text[..self.first_dot]
    }

    /// What a signature is over (RFC 7515, section 5.1).
    pub(crate) fn signed(&self) -> &'a [u8] {
        &self.text.as_bytes()[..self.last_dot]
    }

    /// The payload of a signed token. With a dot in it, it decodes as nothing.
    pub(crate) fn payload(&self) -> &'a str {
        &self.text[self.first_dot + 1..self.last_dot]
    }

    pub(crate) fn signature(&self) -> &'a str {
        &self.text[self.last_dot + 1..]
    }

    /// The parts of a sealed token after its header: encrypted key, nonce, ciphertext, tag (RFC 7516, section 7.1).
    pub(crate) fn sealed(&self) -> Option<[&'a str; 4]> {
        let mut parts = self.text[self.first_dot + 1..].split('.');
        let four = [parts.next()?, parts.next()?, parts.next()?, parts.next()?];
        parts.next().is_none().then_some(four)
    }
}

impl std::fmt::Debug for Unverified<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Unverified({} bytes)", self.text.len())
    }
}
