//! Verified tokens, kept so that the same bytes again cost one look-up and one comparison.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use dashmap::DashMap;

use crate::claims::AccessClaims;
use crate::key::KeyId;
use crate::live::{Expect, Judgement, NotLive};
use crate::verify::Verified;

/// At most so many access tokens (10,000 by default, each as long as its caller lets it be), the oldest entry making
/// room for the next: when full it errs towards verifying a token again.
///
/// It holds a token good for as long as the ring that verified it is in use; time, issuer and audience are asked for
/// on each request through [`CachedToken::live`], so it never makes a token live longer. Only tokens whose signature
/// was verified come in.
#[derive(Debug)]
pub struct TokenCache {
    tokens: DashMap<Key, Arc<CachedToken>, ahash::RandomState>,
    /// The keys in the order in which they came, around and around.
    order: Box<[Mutex<Option<Key>>]>,
    next: AtomicUsize,
}

/// The last characters of a token, all of them its signature's.
type Key = [u8; 16];

/// An access token whose signature was verified.
#[derive(Debug)]
pub struct CachedToken {
    text: Box<str>,
    generation: u64,
    verified: Verified<AccessClaims>,
}

impl TokenCache {
    /// A cache of at most so many tokens.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            tokens: DashMap::default(),
            order: (0..capacity.max(1)).map(|_| Mutex::new(None)).collect(),
            next: AtomicUsize::new(0),
        }
    }

    /// The token, if these very bytes were verified by the ring of this [generation](crate::KeyRing::generation).
    pub fn get(&self, token: &str, generation: u64) -> Option<Arc<CachedToken>> {
        let cached = self.tokens.get(&key(token)?)?;
        (cached.generation == generation && *cached.text == *token).then(|| Arc::clone(&cached))
    }

    /// Keeps a token that the ring of this generation verified.
    pub fn insert(&self, token: &str, generation: u64, verified: Verified<AccessClaims>) -> Arc<CachedToken> {
        let cached = Arc::new(CachedToken { text: token.into(), generation, verified });
        if let Some(key) = key(token) {
            if self.tokens.insert(key, Arc::clone(&cached)).is_none() {
                self.make_room(key);
            }
        }
        cached
    }

    /// Takes the place of the oldest.
    fn make_room(&self, newest: Key) {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % self.order.len();
        let oldest = match self.order[place].lock() {
            Ok(mut slot) => slot.replace(newest),
            Err(poisoned) => poisoned.into_inner().replace(newest),
        };
        if let Some(oldest) = oldest.filter(|oldest| *oldest != newest) {
            self.tokens.remove(&oldest);
        }
    }

    /// How many tokens it holds.
    pub fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.tokens.is_empty()
    }
}

impl Default for TokenCache {
    fn default() -> Self {
        Self::with_capacity(10_000)
    }
}

impl CachedToken {
    /// Its claims, which may have expired.
    pub fn claims(&self) -> &AccessClaims {
        self.verified.claims()
    }

    /// The key that signed it.
    pub fn key_id(&self) -> &KeyId {
        self.verified.key_id()
    }

    /// Its claims, if they are live.
    ///
    /// # Errors
    ///
    /// [`NotLive`].
    pub fn live(&self, expect: &Expect<'_>) -> Result<&AccessClaims, NotLive<AccessClaims>> {
        match self.verified.is_live(expect) {
            Judgement::Live => Ok(self.claims()),
            Judgement::Expired => Err(NotLive::Expired(self.verified.clone())),
            Judgement::Foreign => Err(NotLive::Foreign),
        }
    }
}

fn key(token: &str) -> Option<Key> {
    token.as_bytes().last_chunk().copied()
}
