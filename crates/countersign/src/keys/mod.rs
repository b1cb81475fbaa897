//! Where keys live while a server runs: a ring in memory, followed from and saved to a file. What a ring is and how
//! keys rotate is the token crate's affair.

mod disk;
mod error;
mod file;
mod pace;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use countersign_token::{KeyId, KeyRing, KeyRingError, KeyState, Schedule, Timestamp};

pub use error::KeyFileError;
pub use file::KeyFile;
pub use pace::{PUBLISH_AHEAD, SIGN_FOR};

/// The keys of a running server.
///
/// Readers take the [current](Keys::current) ring without waiting. Whoever changes it goes one after the other.
/// A removed key stays removed: not even an older file brings it back.
#[derive(Debug)]
pub struct Keys {
    current: ArcSwap<KeyRing>,
    home: Mutex<Home>,
}

/// Where the ring is kept beyond this process.
#[derive(Debug)]
enum Home {
    /// Nowhere: it dies with the process.
    Memory,
    /// In a file, which others change too.
    File {
        file: KeyFile,
        /// The file's ring when it was last taken over.
        followed: Arc<KeyRing>,
    },
}

/// What became of the ring.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyChange {
    /// Why the ring is another one.
    pub cause: KeyChangeCause,
    /// Keys that are removed as of this change: the registry's feed must hear of each.
    pub removed: Vec<KeyId>,
}

/// Why a ring changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyChangeCause {
    /// The file was changed by someone else: another process, or an administrator.
    Reloaded,
    /// This process changed it: the schedule published, promoted or dropped a key, or one was removed.
    Changed,
}

impl Keys {
    /// Keys that live in memory only, for tests and for rings that come from elsewhere.
    pub fn from_ring(ring: KeyRing) -> Self {
        Self { current: ArcSwap::from_pointee(ring), home: Mutex::new(Home::Memory) }
    }

    /// The ring that signs and verifies now.
    pub fn current(&self) -> Arc<KeyRing> {
        self.current.load_full()
    }

    /// The same as [`Keys::current`] without touching a shared counter. Do not hold it across an `.await`.
    pub fn load(&self) -> Guard<Arc<KeyRing>> {
        self.current.load()
    }

    /// Follows the file if it has changed, else does what the schedule asks for at `now`. One of them at a time: a
    /// host calls this every few seconds, where blocking is allowed.
    ///
    /// # Errors
    ///
    /// The file cannot be read, parsed or written. The ring stays as it is and goes on working, and the next call
    /// tries again.
    pub fn tick(&self, now: Timestamp, schedule: &Schedule) -> Result<Option<KeyChange>, KeyFileError> {
        let mut home = self.home();
        if let Some(change) = self.follow(&mut home)? {
            return Ok(Some(change));
        }
        if self.is_saved(&home) && self.load().advance(now, schedule).is_none() {
            return Ok(None);
        }
        self.change(&mut home, |ring| Ok(ring.advance(now, schedule)))
    }

    /// Removes a key at once and for ever: whatever it signed is worth nothing from now on. The removal holds in
    /// this process even after an error.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Refused`] if the ring has no such key; else the removal could not be saved, which each
    /// [`Keys::tick`] tries again.
    pub fn remove(&self, kid: &KeyId, now: Timestamp) -> Result<Option<KeyChange>, KeyFileError> {
        let mut home = self.home();
        let removed = self.change(&mut home, |ring| ring.remove(kid, now).map(Some));
        self.forget(kid, now, removed)
    }

    /// Lets the published key sign from now on (and publishes the next when that is due), or a fresh one where none is
    /// published.
    ///
    /// # Errors
    ///
    /// The ring could not be saved, and stays as it is.
    pub fn rotate(&self, now: Timestamp) -> Result<Option<KeyChange>, KeyFileError> {
        let mut home = self.home();
        self.change(&mut home, |ring| Ok(Some(signing_another(ring, now))))
    }

    /// Remembers that a key was removed elsewhere, known here or not. Answers whether that was news.
    ///
    /// # Errors
    ///
    /// The removal holds in this process, but could not be saved; each [`Keys::tick`] tries again.
    pub fn mark_removed(&self, kid: &KeyId, now: Timestamp) -> Result<bool, KeyFileError> {
        if self.load().is_removed(kid) {
            return Ok(false);
        }
        let mut home = self.home();
        let marked = self.change(&mut home, |ring| Ok(ring.mark_removed(kid, now)));
        self.forget(kid, now, marked).map(|change| change.is_some())
    }

    /// Takes a changed file's ring over, without losing a removal that only this process knows of.
    fn follow(&self, home: &mut Home) -> Result<Option<KeyChange>, KeyFileError> {
        let Home::File { file, followed } = home else { return Ok(None) };
        file.reload()?;
        if Arc::ptr_eq(followed, file.ring()) {
            return Ok(None);
        }
        *followed = Arc::clone(file.ring());
        let merged = keep_removals(followed, &self.load()).map_or_else(|| Arc::clone(followed), Arc::new);
        Ok(Some(self.adopt(&merged, KeyChangeCause::Reloaded)))
    }

    /// Changes the ring where it lives, then here.
    fn change(
        &self,
        home: &mut Home,
        change: impl FnOnce(&KeyRing) -> Result<Option<KeyRing>, KeyRingError>,
    ) -> Result<Option<KeyChange>, KeyFileError> {
        let current = self.current();
        let changed = match home {
            Home::Memory => change(&current).map_err(KeyFileError::Refused)?.map(Arc::new),
            Home::File { file, followed } => {
                let saved = file.update(|on_disk| {
                    let merged = keep_removals(on_disk, &current);
                    Ok(change(merged.as_ref().unwrap_or(on_disk))?.or(merged))
                })?;
                *followed = Arc::clone(saved);
                Some(Arc::clone(saved))
            }
        };
        let news = changed.filter(|ring| !Arc::ptr_eq(ring, &current));
        Ok(news.map(|ring| self.adopt(&ring, KeyChangeCause::Changed)))
    }

    /// Sees to it that a key which should be gone is gone here, though its removal could not be saved.
    fn forget<T>(
        &self,
        kid: &KeyId,
        now: Timestamp,
        saved: Result<T, KeyFileError>,
    ) -> Result<T, KeyFileError> {
        if let Err(error) = &saved
            && !matches!(error, KeyFileError::Refused(_))
            && let Some(ring) = self.load().mark_removed(kid, now)
        {
            self.current.store(Arc::new(ring));
        }
        saved
    }

    fn adopt(&self, ring: &Arc<KeyRing>, cause: KeyChangeCause) -> KeyChange {
        let before = self.current.swap(Arc::clone(ring));
        let news = ring.removed().filter(|(kid, _)| !before.is_removed(kid));
        KeyChange { cause, removed: news.map(|(kid, _)| kid.clone()).collect() }
    }

    /// Whether the file holds what this process works with.
    fn is_saved(&self, home: &Home) -> bool {
        match home {
            Home::Memory => true,
            Home::File { file, .. } => Arc::ptr_eq(file.ring(), &self.load()),
        }
    }

    /// A panic in a change leaves the ring as it was, so what it poisoned is still whole.
    fn home(&self) -> MutexGuard<'_, Home> {
        self.home.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<KeyRing> for Keys {
    fn from(ring: KeyRing) -> Self {
        Self::from_ring(ring)
    }
}

impl From<KeyFile> for Keys {
    fn from(file: KeyFile) -> Self {
        let ring = Arc::clone(file.ring());
        let home = Home::File { file, followed: Arc::clone(&ring) };
        Self { current: ArcSwap::new(ring), home: Mutex::new(home) }
    }
}

fn signing_another(ring: &KeyRing, now: Timestamp) -> KeyRing {
    let published = ring.keys().any(|key| key.state == KeyState::Published);
    ring.advance(now, &PROMOTE_ONLY).filter(|_| published).unwrap_or_else(|| ring.rotate_now(now))
}

/// A schedule by which a published key is due to sign at once, and no retiring one is forgotten.
const PROMOTE_ONLY: Schedule =
    Schedule { publish_ahead: Duration::ZERO, sign_for: Duration::ZERO, longest_token: Duration::MAX };

/// `ring` with all that `other` knows to be removed; `None` if it knows all of that already.
fn keep_removals(ring: &KeyRing, other: &KeyRing) -> Option<KeyRing> {
    other.removed().fold(None, |merged: Option<KeyRing>, (kid, at)| {
        let marked = merged.as_ref().unwrap_or(ring).mark_removed(kid, at);
        marked.or(merged)
    })
}
