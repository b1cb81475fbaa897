//! Tags: what shows that a message is from a node of this site, without storing anything.

use ring::{hkdf, hmac};

use crate::keyring::KeyRing;

impl KeyRing {
    /// A tag over a message (HMAC-SHA-256), under a secret of the signing key's that is derived for this issuer and
    /// purpose. Whoever has the ring can [check](KeyRing::has_tagged) it, and nobody else can make it.
    ///
    /// ```
    /// # use countersign_token::*;
    /// let ring = KeyRing::generate(Algorithm::EdDsa, Timestamp::ZERO);
    /// let tag = ring.tag("https://shop.example", "nonce", b"message");
    /// assert!(ring.has_tagged("https://shop.example", "nonce", b"message", &tag));
    /// assert!(!ring.has_tagged("https://shop.example", "another purpose", b"message", &tag));
    /// ```
    pub fn tag(&self, issuer: &str, purpose: &str, message: &[u8]) -> [u8; 32] {
        let tag = hmac::sign(&key(&self.signer().key.seal, issuer, purpose), message);
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        bytes
    }

    /// Whether a key of this ring made the tag, the signing one or another. Compares in constant time.
    pub fn has_tagged(&self, issuer: &str, purpose: &str, message: &[u8], tag: &[u8]) -> bool {
        let made_by = |secret: &hkdf::Prk| hmac::verify(&key(secret, issuer, purpose), message, tag).is_ok();
        made_by(&self.signer().key.seal) || self.entries().iter().any(|entry| made_by(&entry.key.seal))
    }
}

/// HKDF's `info` (RFC 5869): each part after its length, so that no two purposes spell the same.
#[expect(clippy::expect_used, reason = "HKDF makes a key of the length of its hash from any info")]
fn key(secret: &hkdf::Prk, issuer: &str, purpose: &str) -> hmac::Key {
    let parts = [b"tag", issuer.as_bytes(), purpose.as_bytes()];
    let lengths = parts.map(|part| (part.len() as u64).to_be_bytes());
    let info = [&lengths[0], parts[0], &lengths[1], parts[1], &lengths[2], parts[2]];
    secret.expand(&info, hmac::HMAC_SHA256).map(hmac::Key::from).expect("a key of 32 bytes")
}
