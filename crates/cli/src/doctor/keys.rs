//! The key file: who can read it, and whether its keys come and go as they should.

use std::path::Path;
use std::sync::Arc;

use countersign::keys::{KeyFile, KeyFileError, PUBLISH_AHEAD, SIGN_FOR};
use countersign_token::{KeyInfo, KeyRing, KeyState, Timestamp};

use super::finding::Findings;
use crate::output::counted;
use crate::time::Instant;

/// How late a server may be with what its schedule asks for.
const LATE: std::time::Duration = std::time::Duration::from_hours(1);

/// Checks the file, and hands out its ring.
pub(crate) fn check(path: &Path, now: Instant, findings: &mut Findings) -> Option<Arc<KeyRing>> {
    let file = match KeyFile::open(path) {
        Ok(file) => file,
        Err(error) => {
            findings.fault("keys.file", error.to_string(), advice(&error));
            return None;
        }
    };
    findings.ok("keys.file", format!("{} is a key ring that only its owner can read", path.display()));
    folder(path, findings);
    let ring = Arc::clone(file.ring());
    ages(&ring, now.timestamp(), findings);
    let removed = ring.removed().count() as u64;
    if removed > 0 {
        let says = format!("the file remembers {} for ever, so keep it", counted(removed, "removed key"));
        findings.ok("keys.removed", says);
    }
    Some(ring)
}

fn advice(error: &KeyFileError) -> &'static str {
    match error {
        KeyFileError::Missing { .. } => {
            "name the file that the servers use, or make one with `countersign keys generate`"
        }
        KeyFileError::Exposed { .. } => "run chmod 600 on it; if anyone may have read it, replace its keys",
        KeyFileError::Read { .. } => "run the doctor as the user that the server runs as",
        _ => "put a backup of the file back, or make new keys at another path, which logs everyone out",
    }
}

/// Who may write the folder may replace the file.
#[cfg(unix)]
fn folder(path: &Path, findings: &mut Findings) {
    use std::os::unix::fs::PermissionsExt as _;
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let Some(metadata) = real.parent().and_then(|folder| folder.metadata().ok()) else { return };
    let mode = metadata.permissions().mode();
    // With the sticky bit, others cannot replace what is not theirs.
    if mode & 0o022 != 0 && mode & 0o1000 == 0 {
        findings.warn(
            "keys.folder",
            format!(
                "others than its owner may write the folder of the key file (mode {:04o})",
                mode & 0o7777
            ),
            "run chmod 700 on the folder: whoever can replace the file can be anyone",
        );
    }
}

#[cfg(not(unix))]
fn folder(_: &Path, _: &mut Findings) {}

fn ages(ring: &KeyRing, now: Timestamp, findings: &mut Findings) {
    let of = |state| ring.keys().filter(move |key| key.state == state).collect::<Vec<KeyInfo>>();
    let (signing, published) = (of(KeyState::Signing), of(KeyState::Published));
    let Some(signer) = signing.first() else { return };
    let age = now.since(signer.since);
    let days = counted(age.as_secs() / 86_400, "day");
    let rotate = "see that a server runs which may write the file; `countersign keys rotate` publishes a successor now";
    if signer.since > now {
        let says =
            format!("the key {} signs from an instant on that this machine has not reached", signer.id);
        findings.warn("keys.signing", says, "set this machine's clock, or that of the one that made the key");
    } else if age > SIGN_FOR + LATE {
        let (says, due) =
            (format!("the key {} has signed for {days}", signer.id), SIGN_FOR.as_secs() / 86_400);
        findings.warn("keys.signing", format!("{says}, and was due to retire after {due}"), rotate);
    } else {
        findings.ok("keys.signing", format!("the key {} has signed for {days}", signer.id));
    }
    match published.first() {
        Some(next) => findings.ok("keys.successor", format!("its successor {} is published", next.id)),
        None if age > SIGN_FOR.saturating_sub(PUBLISH_AHEAD) + LATE => {
            let says = "no successor is published, so that services which verify would not know it in time";
            findings.warn("keys.successor", says, rotate);
        }
        None => findings.ok("keys.successor", "no successor is due yet"),
    }
}
