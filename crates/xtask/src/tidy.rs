//! `cargo xtask tidy`: the house rules that no other tool knows.

mod blank;
mod function;
mod generated;
mod manifest;
mod source;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use self::generated::{Generated, Origin};
use crate::step::Failure;

/// Folders that hold nothing of ours.
const NOT_OURS: [&str; 5] = [".git", "target", "node_modules", "build", "countersign-data"];

/// Source files, by extension, whose length is limited.
const SOURCE: [&str; 8] = ["rs", "mjs", "js", "ts", "tsx", "css", "html", "lua"];

/// Reads every file of ours and reports each broken rule.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let unreadable = |error| Failure::new(format!("cannot read the tree: {error}"));
    let files = files_below(root).map_err(unreadable)?;
    let generated = Generated::read(root).map_err(unreadable)?;
    let mut complaints = Vec::new();
    for path in &files {
        // What is not text holds no rule of ours.
        if let Ok(text) = fs::read_to_string(path) {
            let name = path.strip_prefix(root).unwrap_or(path);
            let origin = generated.origin(name);
            complaints.extend(complaints_about(name, &text, origin));
        }
    }
    for complaint in &complaints {
        println!("{complaint}");
    }
    match complaints.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("{count} untidy places in {} files", files.len()))),
    }
}

/// Every broken rule in one file, as `path:line: what`.
fn complaints_about(name: &Path, text: &str, origin: Origin) -> Vec<String> {
    let mut found = source::machine_paths(text);
    let extension = name.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    if SOURCE.contains(&extension) && origin == Origin::Written {
        found.extend(source::too_long(text));
    }
    if extension == "rs" {
        found.extend(source::undocumented_module(text));
        found.extend(source::long_functions(text));
    }
    if name == Path::new("Cargo.toml") {
        found.extend(manifest::unexplained_dependencies(text));
    } else if name.file_name().is_some_and(|file| file == "Cargo.toml") {
        found.extend(manifest::stray_versions(text));
    }
    found.iter().map(|(line, what)| format!("{}:{line}: {what}", name.display())).collect()
}

/// A line number, from 1, and what is wrong there.
type Complaint = (usize, String);

fn files_below(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if NOT_OURS.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            match entry.file_type()? {
                kind if kind.is_dir() => folders.push(entry.path()),
                kind if kind.is_file() => files.push(entry.path()),
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}
