//! A client's public key, as its proof carries it: read strictly, and never more than a public key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::jose;
use ring::digest::{SHA256, digest};
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};

/// A public key that proofs may be made with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum PublicKey {
    /// A point of P-256, uncompressed: 4, x, y.
    Es256([u8; 65]),
    Ed25519([u8; 32]),
}

/// The RFC 7638 thumbprint of a public key (SHA-256), which a bound token carries as `cnf.jkt`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Thumbprint(pub(super) [u8; 32]);

/// The members of a private or symmetric key (RFC 7518, section 6; RFC 8037).
const PRIVATE: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];

impl PublicKey {
    /// Reads a JWK (RFC 7517). None if it is no public key of ours, says that it is for something else, or is weak.
    pub(super) fn read(jwk: &str) -> Option<Self> {
        if jose::members(jwk, PRIVATE).ok()?.iter().any(Option::is_some) {
            return None;
        }
        let [kty, crv, x, y, purpose, operations] =
            jose::members(jwk, ["kty", "crv", "x", "y", "use", "key_ops"]).ok()?;
        let is_for_signatures = purpose.is_none_or(|purpose| is(purpose, "sig"))
            && operations.is_none_or(|all| {
                jose::elements(all).is_ok_and(|all| all.iter().any(|operation| is(operation, "verify")))
            });
        if !is_for_signatures {
            return None;
        }
        let key = match (&*jose::string(kty?).ok()?, &*jose::string(crv?).ok()?, y) {
            ("EC", "P-256", Some(y)) => {
                let mut point = [4; 65];
                point[1..33].copy_from_slice(&bytes(x?)?);
                point[33..].copy_from_slice(&bytes(y)?);
                Self::Es256(point)
            }
            ("OKP", "Ed25519", None) => Self::Ed25519(bytes(x?).filter(|point| !is_weak(point))?),
            _ => return None,
        };
        let alg = jose::members(jwk, ["alg"]).ok()?[0];
        alg.is_none_or(|alg| key.algorithms().iter().any(|own| is(alg, own))).then_some(key)
    }

    /// What a header may call the algorithm of this key (RFC 7518, RFC 8037, RFC 9864).
    pub(super) fn algorithms(&self) -> &'static [&'static str] {
        match self {
            Self::Es256(_) => &["ES256"],
            Self::Ed25519(_) => &["EdDSA", "Ed25519"],
        }
    }

    /// Whether the signature is this key's over the message. A point that is not on its curve verifies nothing.
    pub(super) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(message, signature).is_ok()
            }
            Self::Ed25519(point) => {
                UnparsedPublicKey::new(&ED25519, point).verify(message, signature).is_ok()
            }
        }
    }

    pub(super) fn thumbprint(&self) -> Thumbprint {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let canonical = match self {
            Self::Es256(point) => {
                let (x, y) = (text(&point[1..33]), text(&point[33..]));
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#)
            }
            Self::Ed25519(point) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(point)),
        };
        Thumbprint(sha256(canonical.as_bytes()))
    }
}

/// Whether a JSON value is this string.
fn is(value: &str, expect: &str) -> bool {
    jose::string(value).is_ok_and(|value| value == expect)
}

/// The 32 bytes of a coordinate, in its one spelling.
fn bytes(value: &str) -> Option<[u8; 32]> {
    decode(&jose::string(value).ok()?)
}

/// 32 bytes in base64url, in their one spelling.
pub(super) fn decode(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    (URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) == Ok(bytes.len())).then_some(bytes)
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut short = [0; 32];
    short.copy_from_slice(digest(&SHA256, bytes).as_ref());
    short
}

/// Whether an Ed25519 point is one of the eight of small order, for which anybody can sign, or is spelled in a way
/// that RFC 8032 (section 5.1.3) does not allow.
fn is_weak(point: &[u8; 32]) -> bool {
    let mut y = *point;
    y[31] &= 0x7f;
    let beyond_field = y[0] >= 0xed && y[1..31].iter().all(|byte| *byte == 0xff) && y[31] == 0x7f;
    beyond_field || SMALL_ORDER.contains(&y)
}

/// The y coordinates of the points whose order divides 8.
const SMALL_ORDER: [[u8; 32]; 5] = [
    [0; 32],
    first(0x01, 0x00, 0x00),
    first(0xec, 0xff, 0x7f),
    [
        0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5,
        0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05,
    ],
    [
        0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a,
        0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a,
    ],
];

const fn first(first: u8, middle: u8, last: u8) -> [u8; 32] {
    let mut y = [middle; 32];
    (y[0], y[31]) = (first, last);
    y
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}
