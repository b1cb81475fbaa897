//! The file itself: where it lies, how it is made, who may read it.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use redb::backends::FileBackend;

use crate::error::OpenError;

/// What lies at a path.
pub(crate) enum Place {
    /// A file.
    Existing(FileBackend),
    /// Nothing yet.
    New(NewFile),
}

/// Looks for the file, and makes its directory where there is none.
pub(crate) fn find(path: &Path) -> Result<Place, OpenError> {
    let failed = |error| OpenError::io(path, error);
    match OpenOptions::new().read(true).write(true).open(path) {
        Ok(file) => {
            keep_private(path, &file).map_err(failed)?;
            Ok(Place::Existing(backend(path, file)?))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_directories(directory(path)).map_err(failed)?;
            NewFile::make(path).map(Place::New).map_err(failed)
        }
        Err(error) => Err(failed(error)),
    }
}

fn backend(path: &Path, file: File) -> Result<FileBackend, OpenError> {
    FileBackend::new(file).map_err(|error| OpenError::of(path, error.into()))
}

/// It names persons, so it is its owner's only.
fn keep_private(path: &Path, file: &File) -> io::Result<()> {
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        tracing::warn!(path = %path.display(), "others could read the registry; it is private now");
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// A file in the making, under another name: its own name never stands for something half made.
pub(crate) struct NewFile {
    path: PathBuf,
    draft: PathBuf,
    file: File,
}

/// Tells drafts of one process apart.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

impl NewFile {
    fn make(path: &Path) -> io::Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        let nth = DRAFTS.fetch_add(1, Ordering::Relaxed);
        name.push(format!(".new-{}-{nth}", std::process::id()));
        let draft = path.with_file_name(name);
        match fs::remove_file(&draft) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&draft)?;
        Ok(Self { path: path.to_owned(), draft, file })
    }

    /// What the registry is to be made in.
    pub(crate) fn backend(&self) -> Result<FileBackend, OpenError> {
        let file = self.file.try_clone().map_err(|error| OpenError::io(&self.path, error))?;
        backend(&self.path, file)
    }

    /// Gives the finished file its name, for good. `false`: someone else was quicker.
    pub(crate) fn settle(self) -> Result<bool, OpenError> {
        self.link().map_err(|error| OpenError::io(&self.path, error))
    }

    fn link(&self) -> io::Result<bool> {
        // A link, since a rename would replace another's registry.
        match fs::hard_link(&self.draft, &self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
            other => other?,
        }
        fs::remove_file(&self.draft)?;
        sync_directory(directory(&self.path))?;
        Ok(true)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        // Only there if it never got its name.
        let _ = fs::remove_file(&self.draft);
    }
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// Makes a directory and those above it, and sees to it that they survive a power cut.
fn make_directories(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    make_directories(directory(path))?;
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    sync_directory(directory(path))
}

fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}
