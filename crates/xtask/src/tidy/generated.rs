//! Which files a tool made: those that `.gitattributes` marks `linguist-generated`. Nobody reads them as source.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders whose files are made by a tool.
pub(super) struct Generated {
    folders: Vec<PathBuf>,
}

/// Where a file comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Origin {
    Written,
    Generated,
}

impl Generated {
    pub(super) fn read(root: &Path) -> io::Result<Self> {
        match fs::read_to_string(root.join(".gitattributes")) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::parse("")),
            Err(error) => Err(error),
        }
    }

    /// Understands whole folders, `/folder/** linguist-generated`, and nothing else of git's patterns.
    pub(super) fn parse(attributes: &str) -> Self {
        Self { folders: attributes.lines().filter_map(folder).collect() }
    }

    pub(super) fn origin(&self, name: &Path) -> Origin {
        let generated = self.folders.iter().any(|folder| name.starts_with(folder));
        if generated { Origin::Generated } else { Origin::Written }
    }
}

fn folder(line: &str) -> Option<PathBuf> {
    let (pattern, attributes) = line.split_once(char::is_whitespace)?;
    let marked = attributes.split_whitespace().any(|attribute| attribute == "linguist-generated");
    let folder = pattern.strip_prefix('/')?.strip_suffix("/**")?;
    marked.then(|| folder.into())
}
