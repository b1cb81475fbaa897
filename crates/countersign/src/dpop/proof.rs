//! A proof of a key (RFC 9449, section 4): from a header's text to a [`Proof`], by twelve checks in their order.
//! Pure: the instant, the request and the nonces are arguments. The only maker of [`Proof`].

use std::borrow::Cow;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{Timestamp, jose};

use super::key::{PublicKey, Thumbprint, decode, sha256};
use super::nonce::Slot;
use super::target::Target;

/// What a proof is held against.
pub(super) struct Expected<'a> {
    pub(super) method: &'a str,
    pub(super) target: Target<'a>,
    pub(super) now: Timestamp,
    /// How far its instant may be from now, either way.
    pub(super) window: Duration,
    /// When a nonce was made, if it is a good one.
    pub(super) nonce: &'a dyn Fn(&str) -> Option<Slot>,
    /// The access token that it comes with.
    pub(super) token: Option<&'a str>,
    /// The thumbprint of the key that it must be of.
    pub(super) key: Option<&'a str>,
}

/// That a client holds a key, for one request. Nothing else makes one but [`verify`].
#[derive(Clone, Copy, Debug)]
pub(crate) struct Proof {
    key: Thumbprint,
    id: [u8; 32],
    slot: Slot,
}

/// Which of the checks a proof does not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// 1: there is not exactly one, or it is no well-formed JWT.
    Shape = 1,
    /// 2: its `typ` is not `dpop+jwt`.
    Type,
    /// 3: its algorithm is none of ours, or not its key's.
    Algorithm,
    /// 4: its key is none, or more than a public one.
    Key,
    /// 5: the signature is not that key's.
    Signature,
    /// 6: a claim is missing, or not as it must be.
    Claims,
    /// 7: it is for another method.
    Method,
    /// 8: it is for another URI.
    Target,
    /// 9: its nonce is missing, old or unknown.
    Nonce,
    /// 10: it was made too long ago, or in the future.
    Time,
    /// 11: it is for another access token.
    Token,
    /// 12: the token is bound to another key.
    Binding,
}

impl Flaw {
    /// What the check is about, in a word.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Shape => "shape",
            Self::Type => "typ",
            Self::Algorithm => "alg",
            Self::Key => "jwk",
            Self::Signature => "signature",
            Self::Claims => "claims",
            Self::Method => "htm",
            Self::Target => "htu",
            Self::Nonce => "nonce",
            Self::Time => "iat",
            Self::Token => "ath",
            Self::Binding => "jkt",
        }
    }
}

/// The longest proof that is looked at, in bytes: many times what a proof of a long URI needs.
const LONGEST: usize = 4096;

/// The longest `jti`, in bytes.
const LONGEST_ID: usize = 128;

pub(super) fn verify(text: &str, expected: &Expected<'_>) -> Result<Proof, Flaw> {
    let [header, payload, signature] = cut(text).ok_or(Flaw::Shape)?;
    let header = json(header).ok_or(Flaw::Shape)?;
    let key = key_of(&header)?;
    let signed = &text[..text.len() - signature.len() - 1];
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Flaw::Shape)?;
    if !key.verifies(signed.as_bytes(), &signature) {
        return Err(Flaw::Signature);
    }
    let payload = json(payload).ok_or(Flaw::Shape)?;
    let claims = Claims::read(&payload)?;
    let key = key.thumbprint();
    let slot = claims.hold(expected, key)?;
    Ok(Proof { key, id: once(key, &claims.id), slot })
}

fn cut(text: &str) -> Option<[&str; 3]> {
    let mut parts = text.split('.').filter(|_| text.len() <= LONGEST);
    let three = [parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(three)
}

/// The JSON of a part. base64url has one spelling.
fn json(part: &str) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// Members of a header that would change what it means (RFC 7515, RFC 7797, RFC 7516), or name a key elsewhere.
const FORBIDDEN: [&str; 7] = ["crit", "b64", "zip", "enc", "jku", "x5u", "x5c"];

/// The key that a header carries, if the header is a proof's.
fn key_of(header: &str) -> Result<PublicKey, Flaw> {
    let [typ, alg, jwk] = jose::members(header, ["typ", "alg", "jwk"]).map_err(|_| Flaw::Shape)?;
    if jose::members(header, FORBIDDEN).map_err(|_| Flaw::Shape)?.iter().any(Option::is_some) {
        return Err(Flaw::Shape);
    }
    let typ = string(typ, Flaw::Type)?;
    if !jose::is_media_type(&typ, "dpop+jwt") {
        return Err(Flaw::Type);
    }
    let alg = string(alg, Flaw::Algorithm)?;
    if !["ES256", "EdDSA", "Ed25519"].contains(&&*alg) {
        return Err(Flaw::Algorithm);
    }
    let key = jwk.and_then(PublicKey::read).ok_or(Flaw::Key)?;
    if key.algorithms().contains(&&*alg) { Ok(key) } else { Err(Flaw::Algorithm) }
}

fn string(value: Option<&str>, flaw: Flaw) -> Result<Cow<'_, str>, Flaw> {
    jose::string(value.ok_or(flaw)?).map_err(|_| flaw)
}

/// What a proof claims.
struct Claims<'a> {
    id: Cow<'a, str>,
    method: Cow<'a, str>,
    target: Cow<'a, str>,
    made: Timestamp,
    nonce: Option<&'a str>,
    token: Option<&'a str>,
}

impl<'a> Claims<'a> {
    fn read(payload: &'a str) -> Result<Self, Flaw> {
        let [id, method, target, made, nonce, token] =
            jose::members(payload, ["jti", "htm", "htu", "iat", "nonce", "ath"]).map_err(|_| Flaw::Shape)?;
        let id = string(id, Flaw::Claims)?;
        if !(1..=LONGEST_ID).contains(&id.len()) {
            return Err(Flaw::Claims);
        }
        Ok(Self {
            id,
            method: string(method, Flaw::Claims)?,
            target: string(target, Flaw::Claims)?,
            made: made.and_then(instant).ok_or(Flaw::Claims)?,
            nonce,
            token,
        })
    }

    /// Holds it against the request, the clock and the key that the token is bound to.
    fn hold(&self, expected: &Expected<'_>, key: Thumbprint) -> Result<Slot, Flaw> {
        if self.method != expected.method {
            return Err(Flaw::Method);
        }
        if !expected.target.is(&self.target) {
            return Err(Flaw::Target);
        }
        let nonce = string(self.nonce, Flaw::Nonce)?;
        let slot = (expected.nonce)(&nonce).ok_or(Flaw::Nonce)?;
        let apart = self.made.since(expected.now).max(expected.now.since(self.made));
        if apart > expected.window {
            return Err(Flaw::Time);
        }
        if let Some(token) = expected.token
            && decode(&string(self.token, Flaw::Token)?) != Some(sha256(token.as_bytes()))
        {
            return Err(Flaw::Token);
        }
        match expected.key {
            Some(bound) if bound != key.to_string() => Err(Flaw::Binding),
            _ => Ok(slot),
        }
    }
}

/// A NumericDate (RFC 7519, section 2), which may have a fraction.
fn instant(value: &str) -> Option<Timestamp> {
    /// 9999-12-31T23:59:59Z.
    const LAST_SECOND: f64 = 253_402_300_799.0;
    if !value.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let secs = value.parse::<f64>().ok().filter(|secs| (0.0..=LAST_SECOND).contains(secs))?;
    #[expect(clippy::cast_sign_loss, reason = "it was just found not to be negative")]
    Some(Timestamp::from_millis((secs * 1000.0) as u64))
}

/// What is used up with a proof: its id, of this key. Never its text, which has other spellings that are as good
/// (ECDSA's s and n - s).
fn once(key: Thumbprint, id: &str) -> [u8; 32] {
    let mut bytes = b"countersign dpop v1".to_vec();
    bytes.extend_from_slice(&key.0);
    bytes.extend_from_slice(id.as_bytes());
    sha256(&bytes)
}

impl Proof {
    /// The key that is proved.
    pub(crate) fn key(&self) -> Thumbprint {
        self.key
    }

    /// What is used up with it.
    pub(super) fn id(&self) -> [u8; 32] {
        self.id
    }

    /// What is used up where tokens are given for it: a route that has used the proof up may then log in again with it.
    pub(super) fn id_of_beginning(&self) -> [u8; 32] {
        sha256(&self.id)
    }

    /// When its nonce was made.
    pub(super) fn slot(&self) -> Slot {
        self.slot
    }
}
