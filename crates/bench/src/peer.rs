//! jsonwebtoken on ring: what most Rust services verify tokens with. It brings no cryptography of its own here, since
//! both of its own providers pull in what this workspace bans.

use countersign_token::Algorithm;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{DecodingKey, EncodingKey, Validation};
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde::Deserialize;

use crate::raw::Raw;
use crate::token::ISSUER;

/// A verifier with everything prebuilt that it lets its caller prebuild.
pub(crate) struct Peer {
    key: DecodingKey,
    validation: Validation,
}

/// The claims as an application would write them down.
#[derive(Deserialize)]
#[expect(dead_code, reason = "they are read from a token, for the time it takes")]
pub(crate) struct Claims {
    iss: String,
    sub: String,
    aud: String,
    exp: u64,
    iat: u64,
    jti: String,
    client_id: String,
    sid: String,
    auth_time: u64,
    amr: Vec<String>,
    born: [u64; 2],
    session_started: u64,
    session_expiry: u64,
}

impl Peer {
    /// For one key.
    pub(crate) fn new(algorithm: Algorithm, key: &Raw) -> Self {
        // It fails only where it was installed before, which is the same one.
        let _ = PROVIDER.install_default();
        let key = key.verifying();
        let (algorithm, key) = match algorithm {
            Algorithm::EdDsa => (jsonwebtoken::Algorithm::EdDSA, DecodingKey::from_ed_der(key)),
            Algorithm::Es256 => (jsonwebtoken::Algorithm::ES256, DecodingKey::from_ec_der(key)),
            Algorithm::Hs256 => (jsonwebtoken::Algorithm::HS256, DecodingKey::from_secret(key)),
        };
        let mut validation = Validation::new(algorithm);
        validation.leeway = 0;
        validation.set_issuer(&[ISSUER]);
        validation.set_audience(&[ISSUER]);
        validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        Self { key, validation }
    }

    /// The claims, if the token is good.
    pub(crate) fn decode(&self, token: &str) -> Option<Claims> {
        jsonwebtoken::decode(token, &self.key, &self.validation).ok().map(|data| data.claims)
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "jsonwebtoken calls it so")]
fn no_signer(_: &jsonwebtoken::Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "jsonwebtoken calls it so")]
fn verifier(algorithm: &jsonwebtoken::Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    let key = key.try_get_as_bytes()?;
    let key = match algorithm {
        jsonwebtoken::Algorithm::EdDSA => Key::Ed(key.to_vec()),
        jsonwebtoken::Algorithm::ES256 => Key::Ec(key.to_vec()),
        _ => Key::Hmac(hmac::Key::new(hmac::HMAC_SHA256, key)),
    };
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key }))
}

struct RingVerifier {
    algorithm: jsonwebtoken::Algorithm,
    key: Key,
}

enum Key {
    Ed(Vec<u8>),
    Ec(Vec<u8>),
    Hmac(hmac::Key),
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match &self.key {
            Key::Ed(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Key::Ec(key) => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key).verify(message, signature),
            Key::Hmac(key) => hmac::verify(key, message, signature),
        };
        verified.map_err(|_| signature::Error::new())
    }
}
