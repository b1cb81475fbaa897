//! Whatever jsonwebtoken refuses, we refuse, on signed tokens that are odd in every way that we could think of. (It
//! does not know the name `Ed25519` of RFC 9864; that aside.)

use countersign_token::Algorithm;
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{DecodingKey, EncodingKey, Validation};
use proptest::prelude::*;
use ring::hmac;
use ring::signature::{ECDSA_P256_SHA256_FIXED, ED25519, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::forge::{self, ISSUER, Signer, judge};

/// What it refuses, and what it accepts, on plain tokens: without this the property below would say nothing.
#[test]
fn the_oracle_works() {
    for signer in forge::ALGORITHMS.map(Signer::new) {
        assert!(accepts(&signer, &signer.access_with(&json!({}))), "{}", signer.algorithm);
        for changes in [
            json!({ "exp": 1 }),
            json!({ "aud": "other" }),
            json!({ "iss": "other" }),
            json!({ "exp": null }),
        ] {
            assert!(!accepts(&signer, &signer.access_with(&changes)), "{} {changes}", signer.algorithm);
        }
        let good = signer.access_with(&json!({}));
        assert!(!accepts(&signer, &good[..good.len() - 4]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_it_refuses_we_refuse(
        algorithm in prop::sample::select(&[Algorithm::Hs256, Algorithm::Hs256, Algorithm::EdDsa, Algorithm::Es256][..]),
        header in header(),
        payload in payload(),
        spelling in spelling(),
    ) {
        let signer = signer(algorithm);
        let header = header.replace("ALG", algorithm.as_str()).replace("KID", &signer.kid);
        let token = spelling.token(signer, &header, &payload);
        let verdict = judge(&signer.ring, "access", &token);
        if verdict == "live" {
            prop_assert!(accepts(signer, &token), "we accept and it does not: {}.{}", header, payload);
        }
    }
}

/// How a token is put together.
#[derive(Clone, Debug)]
enum Spelling {
    Plain,
    /// Spaces around JSON.
    Spaced,
    /// Padding in one part; signed like that, so that only the spelling is wrong.
    Padded(usize),
    /// One more part, or one less.
    Parts(usize),
    /// One byte of the signature.
    Flipped(usize),
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![
        12 => Just(Spelling::Plain),
        2 => Just(Spelling::Spaced),
        1 => (0_usize..3).prop_map(Spelling::Padded),
        1 => (0_usize..6).prop_map(Spelling::Parts),
        1 => (0_usize..40).prop_map(Spelling::Flipped),
    ]
}

impl Spelling {
    fn token(&self, signer: &Signer, header: &str, payload: &str) -> String {
        let plain = || signer.sign(header, payload);
        match *self {
            Self::Plain => plain(),
            Self::Spaced => signer.sign(&format!(" {header}\n"), &format!("\t{payload} ")),
            Self::Padded(0) => signer
                .sign_encoded(&(forge::encode(header.as_bytes()) + "="), &forge::encode(payload.as_bytes())),
            Self::Padded(1) => signer
                .sign_encoded(&forge::encode(header.as_bytes()), &(forge::encode(payload.as_bytes()) + "=")),
            Self::Padded(_) => plain() + "=",
            Self::Parts(count) => plain().split('.').cycle().take(count).collect::<Vec<_>>().join("."),
            Self::Flipped(at) => {
                let mut token = plain().into_bytes();
                let at = token.len() - 1 - at;
                token[at] = if token[at] == b'A' { b'B' } else { b'A' };
                String::from_utf8(token).unwrap()
            }
        }
    }
}

fn header() -> impl Strategy<Value = String> {
    const ODD: &[&str] = &[
        r#"{"alg":"none","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"NONE","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"HS512","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"ES384","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":["ALG"],"typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":null,"typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"ALG","alg":"ALG","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"ALG","\u0061lg":"none","typ":"at+jwt","kid":"KID"}"#,
        r#"{"alg":"ALG","typ":5,"kid":"KID"}"#,
        r#"{"alg":"ALG","typ":"application/at+JWT","kid":"KID"}"#,
        r#"{"alg":"ALG","typ":"at+jwt","kid":["KID"]}"#,
        r#"{"alg":"ALG","typ":"at+jwt","kid":"KID","crit":["exp"]}"#,
        r#"{"alg":"ALG","typ":"at+jwt","kid":"KID","crit":[]}"#,
        r#"{"alg":"ALG","typ":"at+jwt","kid":"KID","jwk":{"kty":"oct","k":"AAAA"}}"#,
        r#"{"alg":"ALG","typ":"at+jwt","kid":"KID"} x"#,
        r#"["ALG"]"#,
        "null",
        "",
        "{",
    ];
    let good = r#"{"alg":"ALG","typ":"at+jwt","kid":"KID"}"#;
    prop_oneof![6 => Just(good.to_owned()), 4 => prop::sample::select(ODD).prop_map(str::to_owned).boxed()]
        .prop_map(|header: String| header)
}

/// Good claims in which up to three are replaced, doubled or added, as text.
fn payload() -> impl Strategy<Value = String> {
    prop::collection::vec((name(), value(), 0..3), 0..=3).prop_map(|changes| {
        let claims = forge::access_claims();
        let mut members: Vec<(String, String)> = claims
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.clone(), value.to_string()))
            .collect();
        for (name, value, how) in changes {
            match how {
                0 => members.retain(|member| member.0 != name),
                1 => members.retain_mut(|member| {
                    if member.0 == name {
                        member.1.clone_from(&value);
                    }
                    true
                }),
                _ => members.push((name, value)),
            }
        }
        let members: Vec<String> =
            members.iter().map(|(name, value)| format!(r#""{name}":{value}"#)).collect();
        format!("{{{}}}", members.join(","))
    })
}

fn name() -> impl Strategy<Value = String> {
    const NAMES: &[&str] = &[
        "iss",
        "sub",
        "aud",
        "exp",
        "iat",
        "nbf",
        "jti",
        "amr",
        "born",
        "ver",
        "seat",
        "cnf",
        "acr",
        "tenant",
        "role",
        "rôle",
        "\\u0065xp",
        "\\ud800",
        "__proto__",
        "",
    ];
    prop::sample::select(NAMES).prop_map(str::to_owned)
}

fn value() -> impl Strategy<Value = String> {
    const VALUES: &[&str] = &[
        "null",
        "true",
        "false",
        "0",
        "-0",
        "-1",
        "1",
        "1.5",
        "4000000000.25",
        "1e400",
        "1e30",
        "1e9",
        "9007199254740993",
        "18446744073709551615",
        "18446744073709551616",
        "253402300800",
        "0x1",
        "01",
        "+1",
        ".5",
        "NaN",
        "Infinity",
        "\"\"",
        "\"4000000000\"",
        "\"https://shop.example\"",
        "\"https://shop.example/\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "[]",
        "{}",
        "[null]",
        "[\"https://shop.example\"]",
        "[[\"https://shop.example\"]]",
        "[\"https://shop.example\",1]",
        "{\"a\":1,\"a\":2}",
        "{\"a\":{\"b\":[1,2,{\"c\":null}]}}",
        "[1,]",
        "/**/1",
        "'a'",
        "{\"jkt\":\"0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I\"}",
    ];
    prop::sample::select(VALUES).prop_map(str::to_owned)
}

fn signer(algorithm: Algorithm) -> &'static Signer {
    static SIGNERS: std::sync::OnceLock<[Signer; 3]> = std::sync::OnceLock::new();
    let all = SIGNERS.get_or_init(|| forge::ALGORITHMS.map(Signer::new));
    all.iter().find(|signer| signer.algorithm == algorithm).unwrap()
}

fn accepts(signer: &Signer, token: &str) -> bool {
    // It fails only when another test of this binary installed it first, which is the same one.
    let _ = PROVIDER.install_default();
    let (algorithm, key) = match signer.algorithm {
        Algorithm::EdDsa => (jsonwebtoken::Algorithm::EdDSA, DecodingKey::from_ed_der(&signer.verifying)),
        Algorithm::Es256 => (jsonwebtoken::Algorithm::ES256, DecodingKey::from_ec_der(&signer.verifying)),
        Algorithm::Hs256 => (jsonwebtoken::Algorithm::HS256, DecodingKey::from_secret(&signer.verifying)),
    };
    let mut validation = Validation::new(algorithm);
    validation.leeway = 0;
    validation.validate_nbf = true;
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}

/// jsonwebtoken brings no cryptography of its own here.
static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    key_utils: KeyUtils::new_unimplemented(),
};

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the provider's signature")]
fn no_signer(_: &jsonwebtoken::Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the provider's signature")]
fn verifier(algorithm: &jsonwebtoken::Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    Ok(Box::new(RingVerifier { algorithm: *algorithm, key: key.try_get_as_bytes()?.to_vec() }))
}

struct RingVerifier {
    algorithm: jsonwebtoken::Algorithm,
    key: Vec<u8>,
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> jsonwebtoken::Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let verified = match self.algorithm {
            jsonwebtoken::Algorithm::EdDSA => {
                UnparsedPublicKey::new(&ED25519, &self.key).verify(message, signature)
            }
            jsonwebtoken::Algorithm::ES256 => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.key).verify(message, signature)
            }
            _ => hmac::verify(&hmac::Key::new(hmac::HMAC_SHA256, &self.key), message, signature),
        };
        verified.map_err(|_| signature::Error::new())
    }
}
