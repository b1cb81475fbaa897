//! What can be wrong with a registry's file, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

/// A registry's file could not be opened. None of the sessions in it was touched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process (or another registry of this one) has it open.
    #[error("{} is in use by another process: one registry file belongs to one process", path.display())]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// Its contents are damaged, or it is no registry file.
    #[error(
        "{} is damaged, or is no session registry: restore it from a backup, or move it away to begin with an empty \
         registry, which logs everyone out",
        path.display()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What was found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A newer version of this software wrote it.
    #[error("{} has format {found}, this build reads up to {known}: use a newer build", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u64,
        /// The newest format that this build reads.
        known: u64,
    },
    /// The disk has no room for it.
    #[error("no space left for {}", path.display())]
    NoSpace {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It cannot be read or written: its permissions, its directory, its disk.
    #[error("{} cannot be opened for reading and writing", path.display())]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl OpenError {
    pub(crate) fn io(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace { path, source },
            _ => Self::Unusable { path, source },
        }
    }

    pub(crate) fn corrupt(path: &Path, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Corrupt { path: path.to_owned(), source: source.into() }
    }

    pub(crate) fn of(path: &Path, flaw: Flaw) -> Self {
        match flaw {
            Flaw::Locked => Self::Locked { path: path.to_owned() },
            Flaw::Io(source) => Self::io(path, source),
            Flaw::Newer(found) => Self::Newer { path: path.to_owned(), found, known: crate::record::FORMAT },
            Flaw::Corrupt(source) => Self::corrupt(path, source),
        }
    }
}

/// What is wrong with a file, whichever it is.
#[derive(Debug)]
pub(crate) enum Flaw {
    Locked,
    Io(io::Error),
    Newer(u64),
    Corrupt(Box<dyn std::error::Error + Send + Sync>),
}

impl Flaw {
    pub(crate) fn corrupt(what: &'static str) -> Self {
        Self::Corrupt(what.into())
    }
}

impl<E: Into<redb::Error>> From<E> for Flaw {
    fn from(error: E) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => Self::Locked,
            // A file that ends too early, or is none of redb's.
            redb::Error::Io(error)
                if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
            {
                Self::Corrupt(error.into())
            }
            redb::Error::Io(error) => Self::Io(error),
            other => Self::Corrupt(other.into()),
        }
    }
}
