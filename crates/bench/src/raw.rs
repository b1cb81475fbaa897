//! The signature alone, by ring with prebuilt keys: the limit that nothing on ring can beat.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{Algorithm, KeyRing};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair,
    KeyPair as _, UnparsedPublicKey,
};
use serde_json::Value;

use crate::Outcome;

/// A ring's signing key, without the ring.
pub(crate) struct Raw {
    key: Key,
    /// What a verifier holds: the secret of an HMAC, or the public key.
    verifying: Vec<u8>,
}

enum Key {
    Hmac(hmac::Key),
    Ed(Ed25519KeyPair),
    Ec(EcdsaKeyPair, SystemRandom),
}

impl Raw {
    /// Takes the key out of the ring's file.
    pub(crate) fn of(ring: &KeyRing) -> Outcome<Self> {
        let file: Value = serde_json::from_slice(&ring.to_json())?;
        let private = file["keys"][0]["private"].as_str().ok_or("a ring without a key")?;
        let private = URL_SAFE_NO_PAD.decode(private)?;
        let opaque = |error: ring::error::KeyRejected| error.to_string();
        let key = match ring.algorithm() {
            Algorithm::Hs256 => Key::Hmac(hmac::Key::new(hmac::HMAC_SHA256, &private)),
            Algorithm::EdDsa => Key::Ed(Ed25519KeyPair::from_pkcs8(&private).map_err(opaque)?),
            Algorithm::Es256 => {
                let random = SystemRandom::new();
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private, &random);
                Key::Ec(pair.map_err(opaque)?, random)
            }
        };
        let verifying = match &key {
            Key::Hmac(_) => private,
            Key::Ed(pair) => pair.public_key().as_ref().to_vec(),
            Key::Ec(pair, _) => pair.public_key().as_ref().to_vec(),
        };
        Ok(Self { key, verifying })
    }

    /// The secret of an HMAC, or the public key.
    pub(crate) fn verifying(&self) -> &[u8] {
        &self.verifying
    }

    /// Whether the signature is this key's.
    #[inline]
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.key {
            Key::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Key::Ed(_) => {
                UnparsedPublicKey::new(&ED25519, &self.verifying).verify(message, signature).is_ok()
            }
            Key::Ec(..) => {
                let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.verifying);
                key.verify(message, signature).is_ok()
            }
        }
    }

    /// A signature; its first byte stands for it, so that the compiler keeps it.
    #[inline]
    pub(crate) fn sign(&self, message: &[u8]) -> Option<u8> {
        match &self.key {
            Key::Hmac(key) => hmac::sign(key, message).as_ref().first().copied(),
            Key::Ed(pair) => pair.sign(message).as_ref().first().copied(),
            Key::Ec(pair, random) => pair.sign(random, message).ok()?.as_ref().first().copied(),
        }
    }
}
