//! Sealed tokens that must not open: other headers, other parts, other purposes. Sealed here on ring alone.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;
use serde_json::json;

use crate::attacks::List;
use crate::forge::{self, ALGORITHMS, ISSUER, Signer, state_claims};

const SESSION: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

/// The purpose that a key is derived for: issuer, kind, session.
type Purpose<'a> = (&'a str, &'a str, &'a [u8]);

const OURS: Purpose<'static> = (ISSUER, "session", &SESSION);
const CHOICE: Purpose<'static> = (ISSUER, "code choice", b"");

impl List {
    /// State: the plaintext is good each time, what surrounds it is not.
    pub(crate) fn sealed(&mut self) {
        for signer in ALGORITHMS.map(Signer::new) {
            let mut bad = |name: &str, token: String| {
                self.add(&signer, &format!("sealed state: {name}"), "sealed state", token, "invalid");
            };
            let header = header(&signer, "st+jwt");
            let good = seal(&header, OURS, &state_claims().to_string());
            for (name, header) in headers(&header) {
                bad(&name, seal(&header, OURS, &state_claims().to_string()));
            }
            for (name, token) in respelled(&good) {
                bad(name, token);
            }
            for (name, purpose) in [
                ("under another issuer's key", ("https://evil.example", "session", &SESSION[..])),
                ("under another session's key", (ISSUER, "session", &[9; 16])),
                ("under a visit's key", (ISSUER, "visit", b"")),
                ("under a code's key", CHOICE),
            ] {
                bad(name, seal(&header, purpose, &state_claims().to_string()));
            }
            for (name, changes) in [
                ("of another session, under ours", json!({ "sid": "AAAAAAAAAAAAAAAAAAAAAA" })),
                ("of a visit, under ours", json!({ "sid": null })),
                ("of another issuer, under ours", json!({ "iss": "https://evil.example" })),
                ("for somebody else", json!({ "aud": "https://evil.example" })),
                ("expired", json!({ "exp": 1_800_000_000 })),
            ] {
                bad(name, seal(&header, OURS, &forge::changed(state_claims(), &changes).to_string()));
            }
            let signed = signer.sign(&signer.header("st+jwt"), &state_claims().to_string());
            bad("signed instead", signed);
            self.add(&signer, "sealed state as access", "access", good.clone(), "invalid");
            self.add(&signer, "sealed state as signed state", "signed state", good, "invalid");
        }
    }

    /// One-time codes of another kind or issuer, expired, or no codes at all.
    pub(crate) fn codes(&mut self) {
        for signer in ALGORITHMS.map(Signer::new) {
            let claims = json!({ "iss": ISSUER, "exp": 4_000_000_000_u64, "data": ["code"] });
            let (header, state) = (header(&signer, "ct+jwt"), header(&signer, "st+jwt"));
            for (name, token) in [
                ("of another kind", seal(&header, (ISSUER, "code handoff", b""), &claims.to_string())),
                ("of a longer kind", seal(&header, (ISSUER, "code choices", b""), &claims.to_string())),
                (
                    "of another issuer's key",
                    seal(&header, ("https://evil", "code choice", b""), &claims.to_string()),
                ),
                ("of another typ", seal(&state, CHOICE, &claims.to_string())),
                (
                    "expired",
                    seal(
                        &header,
                        CHOICE,
                        &forge::changed(claims.clone(), &json!({ "exp": 1_800_000_000 })).to_string(),
                    ),
                ),
                (
                    "of another issuer",
                    seal(
                        &header,
                        CHOICE,
                        &forge::changed(claims.clone(), &json!({ "iss": "x" })).to_string(),
                    ),
                ),
                ("signed instead", signer.sign(&signer.header("ct+jwt"), &claims.to_string())),
                ("that is a state", seal(&state, OURS, &state_claims().to_string())),
            ] {
                self.add(&signer, &format!("a code {name}"), "code", token, "invalid");
            }
        }
    }

    pub(crate) fn good_seals(&mut self) {
        for signer in ALGORITHMS.map(Signer::new) {
            let state = seal(&header(&signer, "st+jwt"), OURS, &state_claims().to_string());
            self.add(&signer, "sealed state", "sealed state", state, "live");
            let claims = json!({ "iss": ISSUER, "exp": 4_000_000_000_u64, "data": ["code"] });
            let code = seal(&header(&signer, "ct+jwt"), CHOICE, &claims.to_string());
            self.add(&signer, "code", "code", code, "live");
        }
    }
}

fn header(signer: &Signer, typ: &str) -> String {
    json!({ "alg": "dir", "enc": "A256GCM", "typ": typ, "kid": signer.kid }).to_string()
}

/// Headers that are not ours, each authenticated by its seal.
fn headers(good: &str) -> Vec<(String, String)> {
    let replaced = [
        ("dir", "none"),
        ("dir", "A256KW"),
        ("dir", "PBES2-HS256+A128KW"),
        ("dir", "EdDSA"),
        ("dir", "HS256"),
        ("A256GCM", "A128GCM"),
        ("A256GCM", "A256CBC-HS512"),
        ("A256GCM", "none"),
        ("st+jwt", "at+jwt"),
        ("st+jwt", "JWT"),
    ];
    let added = [
        r#""zip":"DEF""#,
        r#""p2c":2147483647"#,
        r#""crit":["exp"]"#,
        r#""epk":{}"#,
        r#""cty":"JWT""#,
        r#""enc":"A256GCM""#,
    ];
    let replaced = replaced.map(|(from, to)| (format!("{to} for {from}"), good.replace(from, to)));
    let added =
        added.map(|member| (format!("header has {member}"), good.replacen('{', &format!("{{{member},"), 1)));
    let missing = ("no enc".to_owned(), good.replace(r#""enc":"A256GCM","#, ""));
    replaced.into_iter().chain(added).chain([missing]).collect()
}

/// The parts of a good token, changed.
fn respelled(good: &str) -> Vec<(&'static str, String)> {
    let parts: Vec<&str> = good.split('.').collect();
    let [header, _, nonce, sealed, tag] = parts[..] else { panic!("five parts") };
    let without = |text: &str| text[..text.len() - 4].to_owned();
    vec![
        ("an encrypted key", format!("{header}.AAAA.{nonce}.{sealed}.{tag}")),
        ("a shorter tag", format!("{header}..{nonce}.{sealed}.{}", without(tag))),
        ("a longer tag", format!("{header}..{nonce}.{sealed}.{tag}AA")),
        ("no tag", format!("{header}..{nonce}.{sealed}.")),
        (
            "the tag's beginning with the text",
            format!("{header}..{nonce}.{sealed}{}.{}", &tag[..4], &tag[4..]),
        ),
        ("a shorter nonce", format!("{header}..{}.{sealed}.{tag}", without(nonce))),
        ("a longer nonce", format!("{header}..{nonce}AAAA.{sealed}.{tag}")),
        ("another nonce", format!("{header}..AAAAAAAAAAAAAAAA.{sealed}.{tag}")),
        ("a shorter text", format!("{header}..{nonce}.{}.{tag}", without(sealed))),
        ("no text", format!("{header}..{nonce}..{tag}")),
        ("three parts", format!("{header}.{sealed}.{tag}")),
        ("four parts", format!("{header}.{nonce}.{sealed}.{tag}")),
        ("six parts", format!("{good}.{tag}")),
        ("a thousand parts", format!("{header}{}", ".".repeat(999))),
        ("padding", format!("{good}=")),
    ]
}

struct Length;

impl hkdf::KeyType for Length {
    fn len(&self) -> usize {
        32
    }
}

fn seal(header: &str, (issuer, kind, session): Purpose<'_>, text: &str) -> String {
    let parts = [issuer.as_bytes(), kind.as_bytes(), session];
    let info: Vec<u8> =
        parts.iter().flat_map(|part| [&(part.len() as u64).to_be_bytes()[..], part].concat()).collect();
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, b"countersign seal v1").extract(&[7; 32]);
    let mut key = [0; 32];
    secret.expand(&[&info], Length).unwrap().fill(&mut key).unwrap();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &key).unwrap());
    let header = URL_SAFE_NO_PAD.encode(header);
    let mut sealed = text.as_bytes().to_vec();
    let tag = key.seal_in_place_separate_tag(
        Nonce::assume_unique_for_key([3; 12]),
        Aad::from(&header),
        &mut sealed,
    );
    let [nonce, sealed, tag] = [&[3; 12][..], &sealed, tag.unwrap().as_ref()].map(forge::encode);
    format!("{header}..{nonce}.{sealed}.{tag}")
}
