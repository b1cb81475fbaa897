//! A ring as text: versioned JSON, with the secrets in it.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Entry, KeyRing, KeyState};
use crate::error::KeyRingError;
use crate::id::Timestamp;
use crate::key::{Algorithm, Key, KeyId, Material};

/// The version of the text that this build writes, and the only one it reads.
const VERSION: u64 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u64,
    algorithm: String,
    keys: Vec<KeyText>,
    #[serde(default)]
    removed: BTreeMap<String, u64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyText {
    kid: String,
    state: StateText,
    /// Milliseconds since the Unix epoch.
    since: u64,
    /// PKCS#8 (RFC 5958), or the octets of a symmetric key, in base64url.
    private: Zeroizing<String>,
    /// The 32 octets that state tokens are sealed with, in base64url.
    seal: Zeroizing<String>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StateText {
    Published,
    Signing,
    Retiring,
}

/// What every version of the text says.
#[derive(Deserialize)]
struct Versioned {
    version: u64,
}

impl KeyRing {
    /// The ring of a text that [`to_json`](KeyRing::to_json) wrote.
    ///
    /// # Errors
    ///
    /// [`KeyRingError`] says what is wrong, and shows no secret.
    pub fn from_json(text: &[u8]) -> Result<Self, KeyRingError> {
        let versioned: Versioned = serde_json::from_slice(text)
            .map_err(|_| KeyRingError::Malformed("no JSON object with a version"))?;
        if versioned.version != VERSION {
            return Err(KeyRingError::Version(versioned.version));
        }
        let document: Document = serde_json::from_slice(text)
            .map_err(|_| KeyRingError::Malformed("members are missing or unknown"))?;
        let algorithm =
            document.algorithm.parse().map_err(|_| KeyRingError::Malformed("an unknown algorithm"))?;
        let entries = document.keys.iter().map(|key| read(algorithm, key)).collect::<Result<Vec<_>, _>>()?;
        let removed: BTreeMap<_, _> = document
            .removed
            .iter()
            .map(|(kid, at)| (KeyId::from(kid.as_str()), Timestamp::from_millis(*at)))
            .collect();
        check(&entries, &removed)?;
        Ok(Self::with(algorithm, entries, removed))
    }

    /// The ring as text, with the secrets in it: for a file that only its owner reads.
    pub fn to_json(&self) -> Zeroizing<Vec<u8>> {
        let document = Document {
            version: VERSION,
            algorithm: self.algorithm().to_string(),
            keys: self.entries().iter().map(write).collect(),
            removed: self.removed().map(|(kid, at)| (kid.to_string(), at.as_millis())).collect(),
        };
        let mut text = serde_json::to_vec_pretty(&document).unwrap_or_default();
        text.push(b'\n');
        Zeroizing::new(text)
    }
}

fn read(algorithm: Algorithm, text: &KeyText) -> Result<Entry, KeyRingError> {
    let unusable = || KeyRingError::Material(text.kid.clone());
    let signing = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.private.as_bytes()).map_err(|_| unusable())?);
    let mut seal = Zeroizing::new([0; 32]);
    match URL_SAFE_NO_PAD.decode_slice(text.seal.as_bytes(), &mut *seal) {
        Ok(32) => {}
        _ => return Err(unusable()),
    }
    let key = Key::new(algorithm, Material { signing, seal }).map_err(|_| other_kind(algorithm, text))?;
    if key.id.as_str() != text.kid {
        return Err(KeyRingError::WrongId(text.kid.clone()));
    }
    let state = match text.state {
        StateText::Published => KeyState::Published,
        StateText::Signing => KeyState::Signing,
        StateText::Retiring => KeyState::Retiring,
    };
    Ok(Entry::new(key, state, Timestamp::from_millis(text.since)))
}

/// Tells a key of another algorithm from one that is of none.
fn other_kind(algorithm: Algorithm, text: &KeyText) -> KeyRingError {
    let usable_as = |other: Algorithm| {
        let signing = Zeroizing::new(URL_SAFE_NO_PAD.decode(text.private.as_bytes()).unwrap_or_default());
        Key::new(other, Material { signing, seal: Zeroizing::new([0; 32]) }).is_ok()
    };
    let others =
        [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Hs256].into_iter().filter(|a| *a != algorithm);
    if others.into_iter().any(usable_as) {
        KeyRingError::Mixed(text.kid.clone())
    } else {
        KeyRingError::Material(text.kid.clone())
    }
}

fn check(entries: &[Entry], removed: &BTreeMap<KeyId, Timestamp>) -> Result<(), KeyRingError> {
    for (at, entry) in entries.iter().enumerate() {
        let id = &entry.key.id;
        if entries[..at].iter().any(|other| other.key.id == *id) {
            return Err(KeyRingError::Twice(id.to_string()));
        }
        if removed.contains_key(id) {
            return Err(KeyRingError::Removed(id.to_string()));
        }
    }
    match entries.iter().filter(|entry| entry.state == KeyState::Signing).count() {
        1 => Ok(()),
        signers => Err(KeyRingError::Signers(signers)),
    }
}

fn write(entry: &Entry) -> KeyText {
    KeyText {
        kid: entry.key.id.to_string(),
        state: match entry.state {
            KeyState::Published => StateText::Published,
            KeyState::Signing => StateText::Signing,
            KeyState::Retiring => StateText::Retiring,
        },
        since: entry.since.as_millis(),
        private: Zeroizing::new(URL_SAFE_NO_PAD.encode(&*entry.key.material.signing)),
        seal: Zeroizing::new(URL_SAFE_NO_PAD.encode(*entry.key.material.seal)),
    }
}
