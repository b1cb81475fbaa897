//! The public keys, for verifiers elsewhere (RFC 7517).

use jsonwebtoken::jwk::{
    AlgorithmParameters, CommonParameters, EllipticCurve, EllipticCurveKeyParameters, EllipticCurveKeyType,
    Jwk, JwkSet, KeyAlgorithm, OctetKeyPairParameters, OctetKeyPairType, PublicKeyUse,
};

use super::KeyRing;
use crate::key::{Algorithm, Key};

impl KeyRing {
    /// The public keys: published, signing and retiring ones. Empty for a symmetric ring.
    pub fn jwks(&self) -> JwkSet {
        JwkSet { keys: self.entries().iter().filter_map(|entry| jwk(&entry.key)).collect() }
    }

    /// The same as JSON text.
    pub fn jwks_json(&self) -> String {
        serde_json::to_string(&self.jwks()).unwrap_or_default()
    }
}

fn jwk(key: &Key) -> Option<Jwk> {
    let (x, y) = key.coordinates()?;
    let algorithm = match y {
        None => AlgorithmParameters::OctetKeyPair(OctetKeyPairParameters {
            key_type: OctetKeyPairType::OctetKeyPair,
            curve: EllipticCurve::Ed25519,
            x,
        }),
        Some(y) => AlgorithmParameters::EllipticCurve(EllipticCurveKeyParameters {
            key_type: EllipticCurveKeyType::EC,
            curve: EllipticCurve::P256,
            x,
            y,
        }),
    };
    let common = CommonParameters {
        public_key_use: Some(PublicKeyUse::Signature),
        key_algorithm: Some(match key.algorithm {
            Algorithm::EdDsa => KeyAlgorithm::EdDSA,
            Algorithm::Es256 => KeyAlgorithm::ES256,
            Algorithm::Hs256 => KeyAlgorithm::HS256,
        }),
        key_id: Some(key.id.to_string()),
        ..CommonParameters::default()
    };
    Some(Jwk { common, algorithm })
}
