//! The key ring: which key signs, which ones still verify, which are gone for ever.

mod file;
mod jwks;
mod schedule;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::KeyRingError;
use crate::header::Headers;
use crate::id::Timestamp;
use crate::key::{Algorithm, Key, KeyId, Material};

pub use schedule::Schedule;

/// The keys of a site, as one immutable snapshot that is cheap to clone: a change makes another ring.
///
/// A key is *published* (in the JWKS, not signing), then *signing*, then *retiring* (it verifies only, until its last
/// token has expired), then gone. All keys of a ring are of one algorithm. A compromised key is
/// [removed](KeyRing::remove) at once, and remembered as removed for ever.
#[derive(Clone, Debug)]
pub struct KeyRing {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    algorithm: Algorithm,
    entries: Vec<Entry>,
    signer: usize,
    removed: BTreeMap<KeyId, Timestamp>,
    generation: u64,
}

/// A key and where it is in its life.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: Arc<Key>,
    pub(crate) headers: Arc<Headers>,
    pub(crate) state: KeyState,
    /// Since when it is in this state.
    pub(crate) since: Timestamp,
}

/// Where a key is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// In the JWKS, so that verifiers know it before it signs.
    Published,
    /// It signs new tokens.
    Signing,
    /// It verifies, until the last token that it signed has expired.
    Retiring,
}

impl KeyState {
    /// The state in one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Published => "published",
            Self::Signing => "signing",
            Self::Retiring => "retiring",
        }
    }
}

/// What may be told of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyInfo {
    /// Its name.
    pub id: KeyId,
    /// Its algorithm.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
    /// Since when.
    pub since: Timestamp,
}

impl KeyRing {
    /// A ring with one fresh key, which signs from now on.
    pub fn generate(algorithm: Algorithm, now: Timestamp) -> Self {
        let entry = Entry::fresh(algorithm, KeyState::Signing, now);
        Self::with(algorithm, vec![entry], BTreeMap::new())
    }

    /// A ring whose signing key comes from elsewhere: a PKCS#8 private key (RFC 5958) in PEM, Ed25519 or P-256.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Malformed`] if the text is no such PEM, [`KeyRingError::Material`] if the key is of another
    /// kind.
    pub fn from_pem(pem: &[u8], algorithm: Algorithm, now: Timestamp) -> Result<Self, KeyRingError> {
        use rustls_pki_types::PrivatePkcs8KeyDer;
        use rustls_pki_types::pem::PemObject as _;
        let der = PrivatePkcs8KeyDer::from_pem_slice(pem)
            .map_err(|_| KeyRingError::Malformed("no PKCS#8 private key in this PEM"))?;
        if algorithm == Algorithm::Hs256 {
            return Err(KeyRingError::Material("HS256".to_owned()));
        }
        let signing = der.secret_pkcs8_der().to_vec().into();
        let material = Material { signing, ..Material::generate(algorithm) };
        let key = Key::new(algorithm, material)?;
        Ok(Self::with(algorithm, vec![Entry::new(key, KeyState::Signing, now)], BTreeMap::new()))
    }

    fn with(algorithm: Algorithm, entries: Vec<Entry>, removed: BTreeMap<KeyId, Timestamp>) -> Self {
        static GENERATION: AtomicU64 = AtomicU64::new(1);
        let signer = entries.iter().position(|entry| entry.state == KeyState::Signing).unwrap_or(0);
        let generation = GENERATION.fetch_add(1, Ordering::Relaxed);
        Self { inner: Arc::new(Inner { algorithm, entries, signer, removed, generation }) }
    }

    /// The algorithm of all its keys.
    pub fn algorithm(&self) -> Algorithm {
        self.inner.algorithm
    }

    /// A number that no other ring of this process has: a cache of verified tokens compares it.
    pub fn generation(&self) -> u64 {
        self.inner.generation
    }

    /// Its keys, the oldest first.
    pub fn keys(&self) -> impl Iterator<Item = KeyInfo> + '_ {
        self.inner.entries.iter().map(|entry| KeyInfo {
            id: entry.key.id.clone(),
            algorithm: entry.key.algorithm,
            state: entry.state,
            since: entry.since,
        })
    }

    /// The names of removed keys, and when each was removed.
    pub fn removed(&self) -> impl Iterator<Item = (&KeyId, Timestamp)> + '_ {
        self.inner.removed.iter().map(|(id, at)| (id, *at))
    }

    /// Whether a key was removed.
    pub fn is_removed(&self, id: &KeyId) -> bool {
        self.inner.removed.contains_key(id)
    }

    /// The ring with a fresh key that signs at once; the one that signed until now retires. For an emergency: no
    /// verifier elsewhere knows the new key yet.
    #[must_use]
    pub fn rotate_now(&self, now: Timestamp) -> Self {
        let mut entries = self.inner.entries.clone();
        retire(&mut entries, now);
        entries.push(Entry::fresh(self.inner.algorithm, KeyState::Signing, now));
        Self::with(self.inner.algorithm, entries, self.inner.removed.clone())
    }

    /// The ring without a key, from now on and for ever: whatever it signed is refused. If it was the signing key,
    /// a published one takes over, or a fresh one.
    ///
    /// # Errors
    ///
    /// [`KeyRingError::Unknown`] if the ring neither has nor had such a key.
    pub fn remove(&self, id: &KeyId, now: Timestamp) -> Result<Self, KeyRingError> {
        if self.is_removed(id) {
            return Ok(self.clone());
        }
        if !self.inner.entries.iter().any(|entry| entry.key.id == *id) {
            return Err(KeyRingError::Unknown(id.to_string()));
        }
        Ok(self.without(id, now))
    }

    /// The ring that remembers a key as removed, whether it had it or not: the feed says so. [`None`] if it knew.
    pub fn mark_removed(&self, id: &KeyId, now: Timestamp) -> Option<Self> {
        (!self.is_removed(id)).then(|| self.without(id, now))
    }

    fn without(&self, id: &KeyId, now: Timestamp) -> Self {
        let mut removed = self.inner.removed.clone();
        removed.insert(id.clone(), now);
        let mut entries = self.inner.entries.clone();
        entries.retain(|entry| entry.key.id != *id);
        if !entries.iter().any(|entry| entry.state == KeyState::Signing) {
            match entries.iter_mut().find(|entry| entry.state == KeyState::Published) {
                Some(next) => (next.state, next.since) = (KeyState::Signing, now),
                None => entries.push(Entry::fresh(self.inner.algorithm, KeyState::Signing, now)),
            }
        }
        Self::with(self.inner.algorithm, entries, removed)
    }

    pub(crate) fn signer(&self) -> &Entry {
        &self.inner.entries[self.inner.signer]
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.inner.entries
    }

    pub(crate) fn removed_name(&self, kid: &str) -> bool {
        self.inner.removed.contains_key(kid)
    }
}

impl Entry {
    pub(crate) fn new(key: Key, state: KeyState, since: Timestamp) -> Self {
        let headers = Headers::of(key.algorithm, &key.id);
        Self { headers: Arc::new(headers), key: Arc::new(key), state, since }
    }

    #[expect(clippy::expect_used, reason = "what was just generated is well-formed")]
    fn fresh(algorithm: Algorithm, state: KeyState, now: Timestamp) -> Self {
        let key = Key::new(algorithm, Material::generate(algorithm)).expect("fresh key material is usable");
        Self::new(key, state, now)
    }
}

fn retire(entries: &mut [Entry], now: Timestamp) {
    for entry in entries.iter_mut().filter(|entry| entry.state == KeyState::Signing) {
        // Should the clock have been set back since, it has signed until then at least.
        (entry.state, entry.since) = (KeyState::Retiring, now.max(entry.since));
    }
}
