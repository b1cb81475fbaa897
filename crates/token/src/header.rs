//! JOSE headers: prebuilt for minting, recognised as bytes when verifying, read strictly when they are spelled
//! another way.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::error::TokenError;
use crate::json::{self, Name};
use crate::key::{Algorithm, KeyId};
use crate::keyring::{Entry, KeyRing};

/// The kinds of token, each with its own media type: one never passes for another (RFC 8725, section 3.11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// RFC 9068.
    Access,
    Refresh,
    SignedState,
    SealedState,
    /// A one-time code.
    Code,
}

const KINDS: [Kind; 5] = [Kind::Access, Kind::Refresh, Kind::SignedState, Kind::SealedState, Kind::Code];

/// The content encryption of sealed tokens (RFC 7518, section 5.3), with a key of their own (`dir`, section 4.5).
const SEAL: &str = "A256GCM";

/// More bytes than any spelling of our headers needs.
const LONGEST: usize = 512;

impl Kind {
    pub(crate) const fn media_type(self) -> &'static str {
        match self {
            Self::Access => "at+jwt",
            Self::Refresh => "rt+jwt",
            Self::SignedState | Self::SealedState => "st+jwt",
            Self::Code => "ct+jwt",
        }
    }

    pub(crate) const fn is_sealed(self) -> bool {
        matches!(self, Self::SealedState | Self::Code)
    }
}

/// The encoded headers of one key's tokens.
#[derive(Debug)]
pub(crate) struct Headers([String; 5]);

impl Headers {
    pub(crate) fn of(algorithm: Algorithm, kid: &KeyId) -> Self {
        Self(KINDS.map(|kind| {
            let typ = kind.media_type();
            let text = if kind.is_sealed() {
                format!(r#"{{"alg":"dir","enc":"{SEAL}","typ":"{typ}","kid":"{kid}"}}"#)
            } else {
                format!(r#"{{"alg":"{algorithm}","typ":"{typ}","kid":"{kid}"}}"#)
            };
            URL_SAFE_NO_PAD.encode(text)
        }))
    }

    pub(crate) fn get(&self, kind: Kind) -> &str {
        &self.0[kind as usize]
    }
}

impl KeyRing {
    /// The key that an encoded header names, if the header is one for this kind of token.
    pub(crate) fn key_of(&self, header: &str, kind: Kind) -> Result<&Entry, TokenError> {
        match self.entries().iter().find(|entry| entry.headers.get(kind) == header) {
            Some(entry) => Ok(entry),
            None => self.key_of_other_spelling(header, kind),
        }
    }

    fn key_of_other_spelling(&self, header: &str, kind: Kind) -> Result<&Entry, TokenError> {
        // A stranger's header costs no allocation: what does not fit here is none of ours.
        let mut bytes = [0; LONGEST];
        let length = URL_SAFE_NO_PAD.decode_slice(header, &mut bytes).map_err(|_| TokenError::INVALID)?;
        let text = std::str::from_utf8(&bytes[..length]).map_err(|_| TokenError::INVALID)?;
        let header = Header::read(text)?;
        if !header.is_of(kind) {
            return Err(TokenError::INVALID);
        }
        if self.removed_name(&header.kid) {
            return Err(TokenError::KEY_REMOVED);
        }
        let named = |entry: &&Entry| entry.key.id.as_str() == header.kid;
        let entry = self.entries().iter().find(named).ok_or(TokenError::INVALID)?;
        if header.names(entry.key.algorithm, kind) { Ok(entry) } else { Err(TokenError::INVALID) }
    }
}

/// All that a header may say.
pub(crate) struct Header<'a> {
    pub(crate) alg: Cow<'a, str>,
    pub(crate) typ: Cow<'a, str>,
    pub(crate) kid: Cow<'a, str>,
    pub(crate) enc: Option<Cow<'a, str>>,
}

impl<'a> Header<'a> {
    /// Reads a header. Any other member (`crit`, `jku`, `jwk`, `x5u`, `b64`, …) refuses it.
    pub(crate) fn read(text: &'a str) -> Result<Self, TokenError> {
        let (mut alg, mut typ, mut kid, mut enc) = (None, None, None, None);
        json::members(text, |name, value| {
            let slot = match name {
                "alg" => &mut alg,
                "typ" => &mut typ,
                "kid" => &mut kid,
                "enc" => &mut enc,
                _ => return Err(TokenError::INVALID),
            };
            match slot.replace(json::string(value)?) {
                None => Ok(Name::Kept),
                Some(_) => Err(TokenError::INVALID),
            }
        })?;
        match (alg, typ, kid) {
            (Some(alg), Some(typ), Some(kid)) => Ok(Self { alg, typ, kid, enc }),
            _ => Err(TokenError::INVALID),
        }
    }

    /// Whether it is a header of this kind of token, whatever key it names.
    fn is_of(&self, kind: Kind) -> bool {
        let enc = if kind.is_sealed() { Some(SEAL) } else { None };
        self.enc.as_deref() == enc && is_media_type(&self.typ, kind.media_type())
    }

    fn names(&self, algorithm: Algorithm, kind: Kind) -> bool {
        if kind.is_sealed() { self.alg == "dir" } else { algorithm.is_called(&self.alg) }
    }
}

/// Whether a `typ` names this media type: without regard to case, `application/` implied (RFC 7515, section 4.1.9).
pub fn is_media_type(typ: &str, expected: &str) -> bool {
    const APPLICATION: &str = "application/";
    let typ = match typ.split_at_checked(APPLICATION.len()) {
        Some((start, rest)) if start.eq_ignore_ascii_case(APPLICATION) => rest,
        _ => typ,
    };
    typ.eq_ignore_ascii_case(expected)
}
