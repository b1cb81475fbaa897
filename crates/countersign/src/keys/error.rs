//! What can go wrong with a key file: each case names the file and says what to do about it.

use std::io;
use std::path::PathBuf;

use countersign_token::{Algorithm, KeyRingError};

/// A key file that cannot be used, or could not be written.
///
/// No message contains key material. While a server runs, none of these takes its keys away: it goes on with the
/// ring that it has.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is no file at this path.
    #[error("there is no key file at {}: make one with `countersign keys generate --out {}`", path.display(), path.display())]
    Missing {
        /// The file that was asked for.
        path: PathBuf,
    },
    /// A new ring was to be made where one is already.
    #[error("{} exists already and was not touched: choose another path", path.display())]
    Exists {
        /// The file that is there.
        path: PathBuf,
    },
    /// The path names a directory, a pipe or a device.
    #[error("{} is {found}, not a file: name the key file itself", path.display())]
    NotAFile {
        /// The path that was asked for.
        path: PathBuf,
        /// What is there instead: "a directory", "a pipe or device".
        found: &'static str,
    },
    /// Others than its owner may read or write the file.
    #[error(
        "the key file {} has mode {mode:04o}, so others than its owner can use the keys: run `chmod 600 {}`, \
         and if anyone may have read it, replace the keys (`countersign keys rotate --now`, then `countersign keys remove`)",
        path.display(), path.display()
    )]
    Exposed {
        /// The file with the loose mode.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file so large that it cannot be a key ring.
    #[error("{} has {size} bytes, far more than any key ring: is it the right file?", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size in bytes.
        size: u64,
    },
    /// The file holds something else than a key ring, and we can tell what.
    #[error("{} holds {found}, not a key ring: {advice}", path.display())]
    NotARing {
        /// The file.
        path: PathBuf,
        /// What it holds, such as "a PEM file".
        found: &'static str,
        /// What to do about it.
        advice: &'static str,
    },
    /// The file is damaged, or not a key ring at all.
    #[error(
        "{} cannot be used: {source}; put a backup back, or make new keys at another path (everyone logs in again)",
        path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What the key ring found wrong.
        source: KeyRingError,
    },
    /// The ring signs by another algorithm than the one asked for.
    #[error("the keys in {} are for {found}, but {wanted} was asked for: ask for {found}, or name another key file", path.display())]
    WrongAlgorithm {
        /// The file.
        path: PathBuf,
        /// What its keys are for.
        found: Algorithm,
        /// What was asked for.
        wanted: Algorithm,
    },
    /// The ring refused the change, and stays as it is.
    #[error("the keys were not changed: {0}")]
    Refused(#[source] KeyRingError),
    /// The operating system could not read the file.
    #[error("cannot read the key file {}: {source}; it must be readable for the user that runs this", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The operating system could not write the file, its folder or its lock. The old file is whole.
    #[error(
        "cannot write the key file {}: {source}; its folder must be writable for the user that runs this \
         (the old keys are untouched)",
        path.display()
    )]
    Write {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}
