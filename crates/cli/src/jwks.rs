//! Verification with public keys alone, as any service without a key ring does it (RFC 7515, RFC 7517).

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey, VerificationAlgorithm};
use serde::Deserialize;

use crate::error::Failure;
use crate::peek::Peeked;
use crate::reason::{Candidate, Facts, Reason, Wanted, header_fault};

/// The public keys of a set that can verify our tokens.
pub(crate) struct PublicKeys(Vec<PublicKey>);

struct PublicKey {
    kid: String,
    algorithm: &'static str,
    verification: &'static dyn VerificationAlgorithm,
    bytes: Vec<u8>,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl PublicKeys {
    /// Reads a JWK set; keys of kinds that we never sign with are passed over.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let text = fs::read(path).map_err(|source| Failure::Read { path: path.into(), source })?;
        let set: Set = serde_json::from_slice(&text).map_err(|_| Failure::NoJwks(path.into()))?;
        let keys: Vec<_> = set.keys.into_iter().filter_map(usable).collect();
        if keys.is_empty() { Err(Failure::EmptyJwks(path.into())) } else { Ok(Self(keys)) }
    }

    /// Signature, header, then what the token says.
    pub(crate) fn verify(&self, token: &str, peeked: &Peeked, wanted: &Wanted) -> Result<Facts, Reason> {
        let candidates: Vec<_> = self
            .0
            .iter()
            .map(|key| Candidate { kid: key.kid.clone(), algorithm: key.algorithm.into() })
            .collect();
        if let Some(fault) = header_fault(peeked, wanted.kind, &candidates) {
            return Err(fault);
        }
        let key = self.0.iter().find(|key| key.kid == peeked.header_text("kid"));
        let signed = token.rsplit_once('.').and_then(|(message, signature)| {
            let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
            let key = UnparsedPublicKey::new(key?.verification, &key?.bytes);
            key.verify(message.as_bytes(), &signature).ok()
        });
        let claims = signed.and(peeked.claims.as_ref()).ok_or_else(bad_signature)?;
        let facts = Facts::of(claims)?;
        facts.unmet(wanted).map_or(Ok(facts), Err)
    }
}

/// Nothing else is wrong with it.
pub(crate) fn bad_signature() -> Reason {
    Reason::new(
        "bad-signature",
        "the key that it names did not sign this text: it is forged, or was changed on its way",
    )
}

fn usable(jwk: Jwk) -> Option<PublicKey> {
    let decode = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
    let x = decode(jwk.x)?;
    let (algorithm, verification, bytes): (_, &'static dyn VerificationAlgorithm, _) =
        match jwk.crv.as_deref()? {
            "Ed25519" => ("EdDSA", &ED25519, x),
            // An uncompressed point (SEC 1, section 2.3.3).
            "P-256" => ("ES256", &ECDSA_P256_SHA256_FIXED, [vec![4], x, decode(jwk.y)?].concat()),
            _ => return None,
        };
    Some(PublicKey { kid: jwk.kid?, algorithm, verification, bytes })
}
