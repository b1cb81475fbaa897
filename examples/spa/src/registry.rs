//! `--registry URL`: where the server remembers its sessions.

use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where the server remembers its sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In memory: a restart logs everyone out.
    Memory,
    /// In a file, which one process at a time may use.
    File(PathBuf),
    /// On Valkey or Redis, by its URL, which many processes may use.
    Server(String),
}

/// A registry's URL that this build cannot use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PlaceError {
    /// A scheme that nobody knows.
    #[error(
        "{0:?} is no registry; use memory:, file:PATH, redis://HOST:PORT, redis+sentinel://HOST,HOST/SERVICE or \
         redis+cluster://HOST,HOST (rediss with TLS)"
    )]
    Unknown(String),
    /// `file:` and nothing behind it.
    #[error("file: needs a path, such as file:./countersign-data/registry.redb")]
    NoPath,
    /// `memory:` and something behind it.
    #[error("memory: takes nothing behind it, and {0:?} was given")]
    NotEmpty(String),
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(url: &str) -> Result<Self, PlaceError> {
        let (scheme, rest) = url.split_once(':').ok_or_else(|| PlaceError::Unknown(url.to_owned()))?;
        match scheme {
            "memory" if rest.is_empty() => Ok(Self::Memory),
            "memory" => Err(PlaceError::NotEmpty(rest.to_owned())),
            "file" => path(rest),
            "redis" | "redis+cluster" | "redis+sentinel" | "rediss" | "rediss+cluster"
            | "rediss+sentinel" => Ok(Self::Server(url.to_owned())),
            _ => Err(PlaceError::Unknown(scheme.to_owned())),
        }
    }
}

/// `file:relative`, `file:/absolute` and `file:///absolute`.
fn path(rest: &str) -> Result<Place, PlaceError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() { Err(PlaceError::NoPath) } else { Ok(Place::File(path.into())) }
}

/// Makes the folder of a file that holds secrets or personal data, for its owner only. One that is there already
/// keeps its mode.
pub(crate) fn make_folder_of(file: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, expect: impl Into<Result<Place, PlaceError>>) {
        assert_eq!(url.parse(), expect.into(), "{url:?}");
    }

    #[test]
    fn urls_name_places() {
        check("memory:", Ok(Place::Memory));
        check("file:./data/registry.redb", Ok(Place::File("./data/registry.redb".into())));
        check("file:/var/lib/registry.redb", Ok(Place::File("/var/lib/registry.redb".into())));
        check("file:///var/lib/registry.redb", Ok(Place::File("/var/lib/registry.redb".into())));
        for kind in ["", "+cluster", "+sentinel"] {
            for scheme in ["redis", "rediss"] {
                let url = format!("{scheme}{kind}://node:secret@localhost");
                check(&url, Ok(Place::Server(url.clone())));
            }
        }
    }

    #[test]
    fn what_is_no_registry_is_named_without_its_secrets() {
        check("file:", Err(PlaceError::NoPath));
        check("memory:x", Err(PlaceError::NotEmpty("x".to_owned())));
        check("postgres://node:secret@localhost", Err(PlaceError::Unknown("postgres".to_owned())));
        check("", Err(PlaceError::Unknown(String::new())));
    }
}
