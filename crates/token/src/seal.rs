//! Sealed tokens: JWE with `dir` and `A256GCM` (RFC 7516), under a key derived for one purpose and one session.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf;

use crate::claims::CodeClaims;
use crate::error::{MintError, TokenError};
use crate::header::Kind;
use crate::id::{SessionId, Timestamp};
use crate::keyring::KeyRing;
use crate::unverified::Unverified;
use crate::wire::{self, Claims};

/// What a sealed token is for. The key is derived from it, so that a token opens for this purpose only.
pub(crate) struct Purpose<'a> {
    pub(crate) issuer: &'a str,
    /// Such as `session` or `visit`.
    pub(crate) kind: &'a str,
    /// The session; nothing for tokens of none.
    pub(crate) session: Option<&'a SessionId>,
}

impl Purpose<'_> {
    /// HKDF's `info` (RFC 5869): each part after its length, so that no two purposes spell the same.
    fn key(&self, secret: &hkdf::Prk) -> Option<LessSafeKey> {
        let session = self.session.map_or(&[][..], |session| session.as_bytes());
        let parts = [self.issuer.as_bytes(), self.kind.as_bytes(), session];
        let lengths = parts.map(|part| (part.len() as u64).to_be_bytes());
        let info = [&lengths[0], parts[0], &lengths[1], parts[1], &lengths[2], parts[2]];
        let key = secret.expand(&info, &AES_256_GCM).ok()?;
        Some(LessSafeKey::new(UnboundKey::from(key)))
    }
}

impl KeyRing {
    /// Seals a one-time code of a kind, for the issuer's own eyes.
    ///
    /// # Errors
    ///
    /// [`MintError`], hardly ever.
    pub fn mint_code(&self, kind: &str, claims: &CodeClaims, nonce: [u8; 12]) -> Result<String, MintError> {
        let kind = format!("code {kind}");
        let purpose = Purpose { issuer: &claims.issuer, kind: &kind, session: None };
        self.seal(Kind::Code, &purpose, claims, nonce)
    }

    /// Opens a one-time code of a kind.
    ///
    /// # Errors
    ///
    /// [`TokenError`]: not sealed by this ring for this kind and issuer, or expired.
    pub fn open_code(
        &self,
        token: &Unverified<'_>,
        kind: &str,
        issuer: &str,
        now: Timestamp,
    ) -> Result<CodeClaims, TokenError> {
        let kind = format!("code {kind}");
        let claims =
            self.open(Kind::Code, &Purpose { issuer, kind: &kind, session: None }, token, wire::code)?;
        if claims.issuer == issuer && now < claims.expires_at { Ok(claims) } else { Err(TokenError::INVALID) }
    }

    pub(crate) fn seal(
        &self,
        kind: Kind,
        purpose: &Purpose<'_>,
        claims: &impl Claims,
        nonce: [u8; 12],
    ) -> Result<String, MintError> {
        let signer = self.signer();
        let header = signer.headers.get(kind);
        let mut text = claims.to_json()?;
        let key = purpose.key(&signer.key.seal).ok_or(MintError::Unrepresentable)?;
        let tag = key
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(header), &mut text)
            .map_err(|_| MintError::Unrepresentable)?;
        let mut token = String::with_capacity(header.len() + text.len() * 4 / 3 + 48);
        token.push_str(header);
        token.push_str("..");
        URL_SAFE_NO_PAD.encode_string(nonce, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(&text, &mut token);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(tag.as_ref(), &mut token);
        Ok(token)
    }

    pub(crate) fn open<C>(
        &self,
        kind: Kind,
        purpose: &Purpose<'_>,
        token: &Unverified<'_>,
        read: impl FnOnce(&str) -> Result<C, TokenError>,
    ) -> Result<C, TokenError> {
        let entry = self.key_of(token.header(), kind)?;
        let Some(["", nonce, sealed, tag]) = token.sealed() else { return Err(TokenError::INVALID) };
        let mut iv = [0; 12];
        match URL_SAFE_NO_PAD.decode_slice(nonce, &mut iv) {
            Ok(12) => {}
            _ => return Err(TokenError::INVALID),
        }
        let mut text = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| TokenError::INVALID)?;
        let length = text.len();
        URL_SAFE_NO_PAD.decode_vec(tag, &mut text).map_err(|_| TokenError::INVALID)?;
        if text.len() != length + AES_256_GCM.tag_len() {
            return Err(TokenError::INVALID);
        }
        let key = purpose.key(&entry.key.seal).ok_or(TokenError::INVALID)?;
        let open = key
            .open_in_place(Nonce::assume_unique_for_key(iv), Aad::from(token.header()), &mut text)
            .map_err(|_| TokenError::INVALID)?;
        read(std::str::from_utf8(open).map_err(|_| TokenError::INVALID)?)
    }
}
