//! One key: its material, prebuilt for use, and its name.

use std::borrow::Borrow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use ring::{hkdf, hmac};
use zeroize::Zeroizing;

use crate::error::KeyRingError;

/// The algorithm of a ring's signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Algorithm {
    /// Ed25519 (RFC 8037), minted as `EdDSA`. Tokens that call it `Ed25519` (RFC 9864) are accepted too.
    #[default]
    EdDsa,
    /// ECDSA on P-256 with SHA-256 (RFC 7518, section 3.4).
    Es256,
    /// HMAC with SHA-256 (RFC 7518, section 3.2), for a single service.
    Hs256,
}

impl Algorithm {
    /// The name in a JOSE header (RFC 7518, RFC 8037).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Es256 => "ES256",
            Self::Hs256 => "HS256",
        }
    }

    /// Whether a header may call this algorithm so.
    pub(crate) fn is_called(self, name: &str) -> bool {
        name == self.as_str() || (self == Self::EdDsa && name == "Ed25519")
    }

    /// The length of its signatures, in bytes.
    pub(crate) const fn signature_len(self) -> usize {
        match self {
            Self::EdDsa | Self::Es256 => 64,
            Self::Hs256 => 32,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no algorithm of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not one of EdDSA, ES256, HS256")]
pub struct ParseAlgorithmError;

impl FromStr for Algorithm {
    type Err = ParseAlgorithmError;

    fn from_str(text: &str) -> Result<Self, ParseAlgorithmError> {
        [Self::EdDsa, Self::Es256, Self::Hs256]
            .into_iter()
            .find(|algorithm| algorithm.is_called(text))
            .ok_or(ParseAlgorithmError)
    }
}

/// The name of a key: its RFC 7638 thumbprint, or for a symmetric key a digest that tells nothing of it.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(Arc<str>);

impl KeyId {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for KeyId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for KeyId {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({})", self.0)
    }
}

/// What a key is made of: PKCS#8 for an asymmetric one, 32 to 64 bytes for a symmetric one; and the secret that
/// state tokens are sealed with.
#[derive(Clone)]
pub(crate) struct Material {
    pub(crate) signing: Zeroizing<Vec<u8>>,
    pub(crate) seal: Zeroizing<[u8; 32]>,
}

impl Material {
    /// Fresh material.
    ///
    /// # Panics
    ///
    /// If the operating system has no randomness: no key may be made then.
    #[expect(clippy::expect_used, reason = "no key may be made without randomness")]
    #[expect(clippy::disallowed_methods, reason = "key generation is where randomness belongs")]
    pub(crate) fn generate(algorithm: Algorithm) -> Self {
        let random = SystemRandom::new();
        let signing = match algorithm {
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random).map(|pkcs8| pkcs8.as_ref().to_vec()),
            Algorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(ES256, &random).map(|pkcs8| pkcs8.as_ref().to_vec())
            }
            Algorithm::Hs256 => {
                let mut secret = vec![0; 32];
                random.fill(&mut secret).map(|()| secret)
            }
        };
        let mut seal = [0; 32];
        random.fill(&mut seal).expect("the operating system has random bytes");
        let signing = signing.expect("the operating system has random bytes");
        Self { signing: Zeroizing::new(signing), seal: Zeroizing::new(seal) }
    }
}

/// A key, ready for use.
pub(crate) struct Key {
    pub(crate) id: KeyId,
    pub(crate) algorithm: Algorithm,
    pub(crate) material: Material,
    pub(crate) seal: hkdf::Prk,
    pair: Pair,
}

enum Pair {
    EdDsa(Ed25519KeyPair),
    Es256(EcdsaKeyPair, SystemRandom),
    Hs256(hmac::Key),
}

const ES256: &signature::EcdsaSigningAlgorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;

/// Separates the secrets that are derived from a ring's material from all others.
const SALT: &[u8] = b"countersign seal v1";

impl Key {
    #[expect(clippy::disallowed_methods, reason = "ECDSA signatures draw their nonce themselves")]
    pub(crate) fn new(algorithm: Algorithm, material: Material) -> Result<Self, KeyRingError> {
        let unusable = |_| KeyRingError::Material(algorithm.to_string());
        let pair = match algorithm {
            Algorithm::EdDsa => {
                Pair::EdDsa(Ed25519KeyPair::from_pkcs8_maybe_unchecked(&material.signing).map_err(unusable)?)
            }
            Algorithm::Es256 => {
                let random = SystemRandom::new();
                Pair::Es256(
                    EcdsaKeyPair::from_pkcs8(ES256, &material.signing, &random).map_err(unusable)?,
                    random,
                )
            }
            Algorithm::Hs256 if (32..=64).contains(&material.signing.len()) => {
                Pair::Hs256(hmac::Key::new(hmac::HMAC_SHA256, &material.signing))
            }
            Algorithm::Hs256 => return Err(KeyRingError::Material(algorithm.to_string())),
        };
        let seal = hkdf::Salt::new(hkdf::HKDF_SHA256, SALT).extract(&*material.seal);
        Ok(Self { id: name(&pair), algorithm, material, seal, pair })
    }

    /// Signs, and returns the signature's length.
    pub(crate) fn sign(&self, message: &[u8], signature: &mut [u8; 64]) -> Option<usize> {
        match &self.pair {
            Pair::EdDsa(pair) => signature.copy_from_slice(pair.sign(message).as_ref()),
            Pair::Es256(pair, random) => signature.copy_from_slice(pair.sign(random, message).ok()?.as_ref()),
            Pair::Hs256(key) => signature[..32].copy_from_slice(hmac::sign(key, message).as_ref()),
        }
        Some(self.algorithm.signature_len())
    }

    /// Whether the signature is this key's over the message. HMACs are compared in constant time.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.pair {
            Pair::EdDsa(pair) => {
                let key = signature::UnparsedPublicKey::new(&signature::ED25519, pair.public_key());
                key.verify(message, signature).is_ok()
            }
            Pair::Es256(pair, _) => {
                let key =
                    signature::UnparsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, pair.public_key());
                key.verify(message, signature).is_ok()
            }
            Pair::Hs256(key) => hmac::verify(key, message, signature).is_ok(),
        }
    }

    /// The public coordinates, in base64url: x, and y on P-256. None for a symmetric key.
    pub(crate) fn coordinates(&self) -> Option<(String, Option<String>)> {
        coordinates(&self.pair)
    }
}

fn coordinates(pair: &Pair) -> Option<(String, Option<String>)> {
    match pair {
        Pair::EdDsa(pair) => Some((URL_SAFE_NO_PAD.encode(pair.public_key()), None)),
        Pair::Es256(pair, _) => {
            // An uncompressed point: 4, x, y.
            let point = pair.public_key().as_ref();
            Some((URL_SAFE_NO_PAD.encode(&point[1..33]), Some(URL_SAFE_NO_PAD.encode(&point[33..]))))
        }
        Pair::Hs256(_) => None,
    }
}

fn name(pair: &Pair) -> KeyId {
    let digest =
        |text: &str| URL_SAFE_NO_PAD.encode(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()));
    let text = match (pair, coordinates(pair)) {
        (_, Some((x, None))) => digest(&format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{x}"}}"#)),
        (_, Some((x, Some(y)))) => digest(&format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)),
        (Pair::Hs256(key), None) => {
            URL_SAFE_NO_PAD.encode(&hmac::sign(key, b"countersign kid v1").as_ref()[..16])
        }
        _ => String::new(),
    };
    KeyId(text.into())
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key")
            .field("id", &self.id)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8037, appendix A.3: the thumbprint of its key.
    #[test]
    fn a_thumbprint_is_that_of_the_rfc() {
        let seed = URL_SAFE_NO_PAD.decode("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A").unwrap();
        let pair = Pair::EdDsa(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap());
        assert_eq!(name(&pair).as_str(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    }

    #[test]
    fn each_algorithm_signs_what_it_verifies() {
        for algorithm in [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256] {
            let key = Key::new(algorithm, Material::generate(algorithm)).unwrap();
            let mut signature = [0; 64];
            let len = key.sign(b"message", &mut signature).unwrap();
            assert!(key.verify(b"message", &signature[..len]), "{algorithm}");
            assert!(!key.verify(b"massage", &signature[..len]), "{algorithm}");
            assert_eq!(algorithm.as_str().parse(), Ok(algorithm));
        }
    }
}
