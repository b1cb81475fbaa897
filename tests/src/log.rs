//! What a server says: kept by run, read for its address, and searched for what must not stand there.

use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// The output of one run.
#[derive(Clone)]
pub(crate) struct Log(PathBuf);

impl Log {
    pub(crate) fn new(folder: &Path) -> Self {
        let run = std::fs::read_dir(folder).map_or(0, Iterator::count);
        Self(folder.join(format!("run-{run}")))
    }

    pub(crate) fn create(&self, ending: &str) -> File {
        File::create(self.0.with_extension(ending)).expect("a log file")
    }

    pub(crate) fn read(&self) -> String {
        let part = |ending| std::fs::read_to_string(self.0.with_extension(ending)).unwrap_or_default();
        part("out") + &part("err")
    }

    pub(crate) fn address(&self) -> Option<SocketAddr> {
        let out = std::fs::read_to_string(self.0.with_extension("out")).ok()?;
        let (_, rest) = out.split_once("listening on http://")?;
        rest.split_once('\n')?.0.trim().parse().ok()
    }
}

/// Builds of redb with debug assertions panic where a file is damaged, and the file registry answers for it.
pub(crate) fn has_panicked(output: &str) -> bool {
    output.lines().any(|line| line.contains("panicked at") && !line.contains("/redb-"))
}

/// Whether anything begins as a token does, and has not the length of a session's id, which may begin so by chance.
fn has_token(output: &str) -> bool {
    const ID: usize = 22;
    let outside = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
    output.split(outside).any(|word| word.starts_with("eyJ") && word.len() != ID)
}

/// Demands that no token, password or key of the ring stands in a server's output.
///
/// # Panics
/// If one does.
pub fn assert_no_secret(output: &str, keys: &Path) {
    assert!(!has_token(output), "a token stands in the log: {output}");
    for (what, text) in [("a password", "correct horse"), ("a canary", "canary")] {
        assert!(!output.contains(text), "{what} stands in the log: {output}");
    }
    let ring = std::fs::read(keys).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    for secret in ring.map(|ring| secrets(&ring)).unwrap_or_default() {
        assert!(!output.contains(&secret), "a key stands in the log: {output}");
    }
}

/// The private members of a key ring.
fn secrets(ring: &Value) -> Vec<String> {
    match ring {
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| match value.as_str() {
                Some(text) if matches!(name.as_str(), "private" | "seal") => vec![text.to_owned()],
                _ => secrets(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(secrets).collect(),
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn check(output: &str, leaks: bool) {
        let folder = TempDir::new().unwrap();
        let keys = folder.path().join("keys.json");
        std::fs::write(&keys, r#"{"keys": [{"kid": "public", "private": "c2VjcmV0", "seal": "c2VhbA"}]}"#)
            .unwrap();
        let searched = std::panic::catch_unwind(|| assert_no_secret(output, &keys));
        assert_eq!(searched.is_err(), leaks, "{output}");
    }

    #[test]
    fn leaks_are_found() {
        for leak in [
            "token=eyJhbGci",
            "Bearer eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.eyJzdWIiOiJhIn0.c2ln",
            "password: correct horse",
            "got canary-1",
            "key c2VjcmV0",
            "seal c2VhbA",
        ] {
            check(leak, true);
        }
        check("kid public, subject alice, session eyJ2Kx0pQ3mVt8sLrW5fZg", false);
    }
}
