//! Rules for `Cargo.toml`: versions in one place, each with a reason.

use super::Complaint;

/// Dependencies of the workspace without a comment that says what they are for.
///
/// Our own crates (with a `path`) explain themselves.
pub(super) fn unexplained_dependencies(text: &str) -> Vec<Complaint> {
    entries(text, |section| section == "workspace.dependencies")
        .filter(|(_, entry)| !entry.contains("path =") && comment_of(entry).is_none())
        .map(|(line, entry)| (line, format!("{} is here for no stated reason", name_of(entry))))
        .collect()
}

/// Dependencies of a member that state a version of their own.
pub(super) fn stray_versions(text: &str) -> Vec<Complaint> {
    entries(text, |section| section.ends_with("dependencies"))
        // A path alone is this workspace: a crate that names itself to test with a feature of its own.
        .filter(|(_, entry)| !entry.contains("workspace = true") && !is_path_alone(entry))
        .map(|(line, entry)| (line, format!("{} belongs in [workspace.dependencies]", name_of(entry))))
        .collect()
}

/// The `name = …` lines of the wanted sections, with their numbers.
fn entries(text: &str, wanted: fn(&str) -> bool) -> impl Iterator<Item = (usize, &str)> {
    let mut inside = false;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let line = line.trim();
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = wanted(section);
            return None;
        }
        let starts_an_entry = line.starts_with(|c: char| c.is_ascii_alphanumeric()) && line.contains('=');
        (inside && starts_an_entry).then_some((index + 1, line))
    })
}

fn name_of(entry: &str) -> &str {
    entry.split(['=', '.', ' ']).next().unwrap_or(entry)
}

fn is_path_alone(entry: &str) -> bool {
    entry.contains("path =") && !entry.contains("version =")
}

/// The words after a `#` outside of quotes.
fn comment_of(entry: &str) -> Option<&str> {
    let mut quoted = false;
    let at = entry.find(|c: char| {
        quoted ^= c == '"';
        c == '#' && !quoted
    })?;
    Some(entry[at + 1..].trim()).filter(|words| !words.is_empty())
}
