//! A secret on disk: read only if it is private, replaced whole or not at all, by one writer at a time.
//!
//! Knows bytes and paths, nothing about keys.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::KeyFileError;

/// Reads a secret file that only its owner can read.
pub(super) fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, KeyFileError> {
    // Asked before opening: opening a pipe would wait for its writer.
    let seen = fs::metadata(path).map_err(|source| unreadable(path, source))?;
    if !seen.is_file() {
        let found = if seen.is_dir() { "a directory" } else { "a pipe or device" };
        return Err(KeyFileError::NotAFile { path: path.into(), found });
    }
    let file = File::open(path).map_err(|source| unreadable(path, source))?;
    let opened = file.metadata().map_err(|source| unreadable(path, source))?;
    refuse_exposed(path, &opened)?;
    refuse_huge(path, opened.len())?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_BYTES as usize + 1));
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(|source| unreadable(path, source))?;
    refuse_huge(path, bytes.len() as u64)?;
    Ok(bytes)
}

/// Makes the folder of `path`, with mode 0700, if it is not there.
pub(super) fn make_folder(path: &Path) -> Result<(), KeyFileError> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder_of(path)).map_err(|source| KeyFileError::Write { path: path.into(), source })
}

/// The right to write one secret file: an advisory lock that every writer of this crate takes, in any process.
///
/// The lock is a file beside the secret (`keys.json.lock`), empty and never deleted, since a lock on a deleted
/// file excludes nobody. The operating system gives it back when its holder dies.
pub(super) struct WriteLock {
    /// Where the file really is: a symbolic link stays a link.
    path: PathBuf,
    _held: File,
}

impl WriteLock {
    /// Waits for the lock of `path`, whose folder must exist.
    pub(super) fn acquire(path: &Path) -> Result<Self, KeyFileError> {
        let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let held = Self::take(&path).map_err(|source| KeyFileError::Write { path: path.clone(), source })?;
        Ok(Self { path, _held: held })
    }

    fn take(path: &Path) -> io::Result<File> {
        let file = private().create(true).truncate(false).open(beside(path, ".lock"))?;
        keep_owner(path, &file)?;
        file.lock()?;
        Ok(file)
    }

    /// Makes the file, mode 0600; whatever is there already stays and is an error.
    pub(super) fn create(&self, bytes: &[u8]) -> Result<(), KeyFileError> {
        let linked = self.write_beside(bytes).and_then(|temporary| {
            // A link, unlike a rename, never replaces: a file that came from elsewhere in the meantime is safe.
            let linked = fs::hard_link(&temporary, &self.path);
            fs::remove_file(&temporary)?;
            linked?;
            sync_folder(&self.path)
        });
        linked.map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => KeyFileError::Exists { path: self.path.clone() },
            _ => KeyFileError::Write { path: self.path.clone(), source },
        })
    }

    /// Replaces the file: after a crash at any moment it holds the old bytes or the new ones.
    pub(super) fn replace(&self, bytes: &[u8]) -> Result<(), KeyFileError> {
        self.write_beside(bytes)
            .and_then(|temporary| fs::rename(temporary, &self.path))
            .and_then(|()| sync_folder(&self.path))
            .map_err(|source| KeyFileError::Write { path: self.path.clone(), source })
    }

    /// Writes a synced temporary file. Its name is fixed, so that what a crash left behind is cleared away here.
    fn write_beside(&self, bytes: &[u8]) -> io::Result<PathBuf> {
        let temporary = beside(&self.path, ".tmp");
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = private().create_new(true).open(&temporary)?;
        let written =
            keep_owner(&self.path, &file).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_all());
        match written {
            Ok(()) => Ok(temporary),
            // Half a secret helps nobody; the error that matters is the first one.
            Err(error) => fs::remove_file(&temporary).and(Err(error)),
        }
    }
}

/// Gives a new file to the owner of the one at `path`: an administrator's rotation must not lock the server out.
#[cfg(unix)]
fn keep_owner(path: &Path, new: &File) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};
    let Ok(old) = fs::metadata(path) else { return Ok(()) };
    if new.metadata()?.uid() == old.uid() { Ok(()) } else { fchown(new, Some(old.uid()), Some(old.gid())) }
}

/// Without owners there is nothing to keep.
#[cfg(not(unix))]
fn keep_owner(_: &Path, _: &File) -> io::Result<()> {
    Ok(())
}

fn unreadable(path: &Path, source: io::Error) -> KeyFileError {
    let path = path.to_owned();
    match source.kind() {
        ErrorKind::NotFound => KeyFileError::Missing { path },
        _ => KeyFileError::Read { path, source },
    }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), KeyFileError> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    match mode & 0o077 {
        0 => Ok(()),
        _ => Err(KeyFileError::Exposed { path: path.into(), mode }),
    }
}

/// Without mode bits the folder's access rules are the host's affair.
#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &fs::Metadata) -> Result<(), KeyFileError> {
    Ok(())
}

fn refuse_huge(path: &Path, size: u64) -> Result<(), KeyFileError> {
    if size > MAX_BYTES { Err(KeyFileError::TooLarge { path: path.into(), size }) } else { Ok(()) }
}

/// A file that only its owner can use, from its first instant.
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A rename is durable once its folder is.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// Where folders cannot be opened, the file system orders renames itself.
#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// A ring of a hundred keys and a thousand removed ones stays below this.
const MAX_BYTES: u64 = 1 << 18;
