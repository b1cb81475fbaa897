//! Verified tokens, kept so that the same bytes again cost one look-up and one comparison.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use dashmap::DashMap;

use crate::claims::{AccessClaims, Audience};
use crate::key::KeyId;
use crate::live::{Expect, Judgement, NotLive};
use crate::memo::Memo;
use crate::verify::Verified;

/// At most so many access tokens (10,000 by default, each as long as its caller lets it be), the oldest entry making
/// room for the next: when full it errs towards verifying a token again.
///
/// It holds a token good for as long as the ring that verified it is in use; time, issuer and audience are asked for
/// on each request through [`CachedToken::live`], so it never makes a token live longer. Only tokens whose signature
/// was verified come in.
pub struct TokenCache {
    tokens: DashMap<Key, Kept, ahash::RandomState>,
    /// The keys in the order in which they came, around and around.
    order: Box<[Mutex<Option<Key>>]>,
    next: AtomicUsize,
    /// Whom the first token was from and for. Nearly all are: they share its memory, which stays in the processor's.
    common: OnceLock<(Arc<str>, Audience)>,
}

/// The last characters of a token, all of them its signature's.
type Key = [u8; 16];

/// The bytes that were verified lie next to their key: a look-up reads them and the claims at the same time.
struct Kept {
    text: Box<str>,
    generation: u64,
    token: Arc<CachedToken>,
}

/// An access token whose signature was verified.
pub struct CachedToken {
    verified: Verified<AccessClaims>,
    memo: Memo,
}

impl TokenCache {
    /// A cache of at most so many tokens.
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            tokens: DashMap::default(),
            order: (0..capacity.max(1)).map(|_| Mutex::new(None)).collect(),
            next: AtomicUsize::new(0),
            common: OnceLock::new(),
        }
    }

    /// The token, if these very bytes were verified by the ring of this [generation](crate::KeyRing::generation).
    pub fn get(&self, token: &str, generation: u64) -> Option<Arc<CachedToken>> {
        let kept = self.tokens.get(&key(token)?)?;
        (kept.generation == generation && *kept.text == *token).then(|| Arc::clone(&kept.token))
    }

    /// Keeps a token that the ring of this generation verified.
    pub fn insert(
        &self,
        token: &str,
        generation: u64,
        mut verified: Verified<AccessClaims>,
    ) -> Arc<CachedToken> {
        self.share(verified.claims_mut());
        let cached = Arc::new(CachedToken { verified, memo: Memo::default() });
        if let Some(key) = key(token) {
            let kept = Kept { text: token.into(), generation, token: Arc::clone(&cached) };
            if self.tokens.insert(key, kept).is_none() {
                self.make_room(key);
            }
        }
        cached
    }

    fn share(&self, claims: &mut AccessClaims) {
        let (issuer, audience) =
            self.common.get_or_init(|| (Arc::clone(&claims.identity.issuer), claims.audience.clone()));
        if claims.identity.issuer == *issuer {
            claims.identity.issuer = Arc::clone(issuer);
        }
        if claims.audience == *audience {
            claims.audience = audience.clone();
        }
    }

    /// Takes the place of the oldest.
    fn make_room(&self, newest: Key) {
        let place = self.next.fetch_add(1, Ordering::Relaxed) % self.order.len();
        let oldest = self.order[place].lock().unwrap_or_else(PoisonError::into_inner).replace(newest);
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

impl fmt::Debug for TokenCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCache({} of {})", self.len(), self.order.len())
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
    pub fn live(&self, expect: &Expect<'_>) -> Result<&AccessClaims, NotLive<&Verified<AccessClaims>>> {
        match self.verified.is_live(expect) {
            Judgement::Live => Ok(self.claims()),
            Judgement::Expired => Err(NotLive::Expired(&self.verified)),
            Judgement::Foreign => Err(NotLive::Foreign),
        }
    }

    /// What a host remembers about this token for as long as it is kept: one value of each type, made when it is
    /// first asked for. Threads that ask at the same time may both make it; all get the same.
    ///
    /// It is forgotten with the token, at any time: nothing may depend on it but speed.
    pub fn memo<T: Any + Send + Sync>(&self, init: impl FnOnce() -> T) -> &T {
        self.memo.get_or_init(init)
    }
}

impl fmt::Debug for CachedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedToken").field("verified", &self.verified).finish_non_exhaustive()
    }
}

fn key(token: &str) -> Option<Key> {
    token.as_bytes().last_chunk().copied()
}
