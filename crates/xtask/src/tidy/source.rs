//! Rules for source text: how long, how it opens, and what it must not name.

use super::Complaint;
use super::function::{Function, functions};

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 70;

/// A file that should be two.
pub(super) fn too_long(text: &str) -> Option<Complaint> {
    let lines = text.lines().count();
    (lines > FILE_LINES).then(|| (FILE_LINES + 1, format!("{lines} lines, above {FILE_LINES}")))
}

/// A module that does not open by saying what lives in it.
pub(super) fn undocumented_module(text: &str) -> Option<Complaint> {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let documented = first.starts_with("//!") || first.starts_with("#![doc");
    (!documented).then(|| (1, "opens without //!".to_owned()))
}

/// Absolute paths of somebody's machine.
pub(super) fn machine_paths(text: &str) -> Vec<Complaint> {
    let numbered = text.lines().enumerate();
    numbered.filter_map(|(index, line)| Some((index + 1, machine_path(line)?))).collect()
}

fn machine_path(line: &str) -> Option<String> {
    let homes = ["work", "root", "home", "Users"].map(|folder| format!("/{folder}/"));
    let found = homes.iter().find(|home| {
        // `a/home/b` and `https://host/home/` are not paths from a machine's root.
        line.match_indices(home.as_str()).any(|(at, _)| !line[..at].ends_with(is_part_of_a_path))
    })?;
    Some(format!("a path of one machine, {found}"))
}

fn is_part_of_a_path(c: char) -> bool {
    c.is_alphanumeric() || "._-~*}".contains(c)
}

/// Functions that should be several.
pub(super) fn long_functions(text: &str) -> Vec<Complaint> {
    let long = functions(text).into_iter().filter(|function| function.lines > FUNCTION_LINES);
    long.map(|function| {
        let Function { name, line, lines } = function;
        (line, format!("fn {name}: {lines} lines, above {FUNCTION_LINES}"))
    })
    .collect()
}
