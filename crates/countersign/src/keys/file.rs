//! A key ring in a file: opened, watched for changes, and changed by one process at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign_token::{Algorithm, KeyRing, KeyRingError, Timestamp};
use ring::digest::{Digest, SHA256, digest};

use super::KeyFileError;
use super::disk::{self, WriteLock};

/// A key ring's file, and the ring that was last seen in it.
///
/// The file holds secrets: it is made with mode 0600, refused when others may read it, and replaced atomically. A
/// lock beside it (`keys.json.lock`) keeps servers and the command line from overwriting each other's changes.
/// Every method but [`KeyFile::ring`] reads or writes files, which blocks for a moment.
#[derive(Debug)]
pub struct KeyFile {
    path: PathBuf,
    ring: Arc<KeyRing>,
    /// Of the bytes that `ring` was read from: times and sizes can stay the same over a change.
    content: Digest,
}

impl KeyFile {
    /// Opens a file that must be there.
    ///
    /// # Errors
    ///
    /// Every case of [`KeyFileError`] that reading can have.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, KeyFileError> {
        let path = path.into();
        let (ring, content) = read(&path)?;
        Ok(Self { path, ring: Arc::new(ring), content })
    }

    /// Opens a file, or makes it (mode 0600, its folder 0700) with a new key for `algorithm`, signing from `now`.
    ///
    /// Processes that do so at once end up with the same ring.
    ///
    /// # Errors
    ///
    /// Those of [`KeyFile::open`] and [`KeyFile::create`], and [`KeyFileError::WrongAlgorithm`] when the file signs
    /// by another algorithm.
    pub fn open_or_create(
        path: impl Into<PathBuf>,
        algorithm: Algorithm,
        now: Timestamp,
    ) -> Result<Self, KeyFileError> {
        let path = path.into();
        let opened = match Self::open(&path) {
            Err(KeyFileError::Missing { .. }) => Self::create_or_open(path, algorithm, now),
            opened => opened,
        }?;
        opened.expect_algorithm(algorithm)
    }

    fn create_or_open(path: PathBuf, algorithm: Algorithm, now: Timestamp) -> Result<Self, KeyFileError> {
        match Self::create(&path, &KeyRing::generate(algorithm, now)) {
            // Another process was faster: its ring is the one.
            Err(KeyFileError::Exists { .. }) => Self::open(path),
            created => created,
        }
    }

    fn expect_algorithm(self, wanted: Algorithm) -> Result<Self, KeyFileError> {
        let found = self.ring.algorithm();
        if found == wanted {
            Ok(self)
        } else {
            Err(KeyFileError::WrongAlgorithm { path: self.path, found, wanted })
        }
    }

    /// Writes a ring to a file that must not be there yet.
    ///
    /// # Errors
    ///
    /// [`KeyFileError::Exists`] if something is there, [`KeyFileError::Write`] if the folder cannot be written.
    pub fn create(path: impl Into<PathBuf>, ring: &KeyRing) -> Result<Self, KeyFileError> {
        let path = path.into();
        disk::make_folder(&path)?;
        WriteLock::acquire(&path)?.create(&ring.to_json())?;
        Self::open(path)
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The ring that was last read from the file, or written to it.
    pub fn ring(&self) -> &Arc<KeyRing> {
        &self.ring
    }

    /// Reads the file again: its ring if the content has changed since.
    ///
    /// # Errors
    ///
    /// Those of [`KeyFile::open`]; the ring seen last stays.
    pub fn reload(&mut self) -> Result<Option<&Arc<KeyRing>>, KeyFileError> {
        let bytes = disk::read(&self.path)?;
        let content = digest(&SHA256, &bytes);
        if content.as_ref() == self.content.as_ref() {
            return Ok(None);
        }
        self.ring = Arc::new(parse(&self.path, &bytes)?);
        self.content = content;
        Ok(Some(&self.ring))
    }

    /// Reads the file, lets `change` make another ring of it, and writes that, all under the lock. `None` leaves
    /// the file as it is. Answers the ring that the file holds now.
    ///
    /// # Errors
    ///
    /// Those of [`KeyFile::open`]; [`KeyFileError::Refused`] with the error of `change`; [`KeyFileError::Write`].
    /// After an error the file holds what it held before.
    pub fn update(
        &mut self,
        change: impl FnOnce(&KeyRing) -> Result<Option<KeyRing>, KeyRingError>,
    ) -> Result<&Arc<KeyRing>, KeyFileError> {
        let lock = WriteLock::acquire(&self.path)?;
        self.reload()?;
        if let Some(changed) = change(&self.ring).map_err(KeyFileError::Refused)? {
            let bytes = changed.to_json();
            lock.replace(&bytes)?;
            self.content = digest(&SHA256, &bytes);
            self.ring = Arc::new(changed);
        }
        Ok(&self.ring)
    }
}

fn read(path: &Path) -> Result<(KeyRing, Digest), KeyFileError> {
    let bytes = disk::read(path)?;
    Ok((parse(path, &bytes)?, digest(&SHA256, &bytes)))
}

fn parse(path: &Path, bytes: &[u8]) -> Result<KeyRing, KeyFileError> {
    KeyRing::from_json(bytes).map_err(|source| match recognise(bytes) {
        Some((found, advice)) => KeyFileError::NotARing { path: path.into(), found, advice },
        None => KeyFileError::Malformed { path: path.into(), source },
    })
}

/// Says what else people take for a key ring.
fn recognise(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    let text = std::str::from_utf8(bytes).ok()?.trim_start();
    let json = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text).unwrap_or_default();
    if text.is_empty() {
        Some(("nothing", "delete it to have new keys made, or put a backup back"))
    } else if text.starts_with("-----BEGIN") {
        Some(("a PEM file", "make a ring of its key with `countersign keys generate --from-pem`"))
    } else if json.contains_key("kty") {
        Some(("a single JSON Web Key", "make a ring with `countersign keys generate`"))
    } else if !json.contains_key("version") && json.contains_key("keys") {
        Some(("a JWK set", "that is what verifiers get; the ring it was made from has the private keys"))
    } else {
        None
    }
}
