//! Where sessions are remembered: whether it keeps them, who may read them, what its clock says.

use std::path::Path;

use countersign_registry::CountOf;
use countersign_valkey::{OpenError, Options, ValkeyRegistry};

use super::clock;
use super::finding::{Finding, Findings, Verdict};
use crate::error::{Failure, causes};
use crate::output::counted;
use crate::sessions::{Direct, Place, Store, open_file, open_valkey};
use crate::time::Instant;

/// How long a server may take to say how it is set.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);

pub(crate) async fn check(store: &Store, findings: &mut Findings) -> Result<(), Failure> {
    match store.place()? {
        None => {}
        Some(Place::File(path)) => file(&path, store, findings).await,
        Some(Place::Valkey(url)) => server(&url, store, findings).await,
    }
    Ok(())
}

async fn file(path: &Path, store: &Store, findings: &mut Findings) {
    // Opening it would make it private, and a doctor changes nothing.
    if is_exposed(path, findings) {
        return;
    }
    match open_file(path, store.dangling_after) {
        Ok(direct) => contents(&direct, "every page of it was checked", findings).await,
        Err(Failure::Held(_)) => {
            findings.ok(
                "registry.file",
                format!("{} is held by a running process, as it should be", path.display()),
            );
        }
        Err(failure) => findings.fault(
            "registry.file",
            failure.to_string(),
            "name the file that the server uses; a damaged one is restored from a backup",
        ),
    }
}

/// It names persons, so it is its owner's only.
#[cfg(unix)]
fn is_exposed(path: &Path, findings: &mut Findings) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = path.metadata().map_or(0, |metadata| metadata.permissions().mode() & 0o777);
    // Nobody else may do anything with it.
    if mode.trailing_zeros() >= 6 {
        return false;
    }
    let says =
        format!("others than its owner can read {}, which names persons (mode {mode:04o})", path.display());
    findings.fault("registry.file", says, "run chmod 600 on it");
    true
}

#[cfg(not(unix))]
fn is_exposed(_: &Path, _: &mut Findings) -> bool {
    false
}

async fn server(url: &str, store: &Store, findings: &mut Findings) {
    match ValkeyRegistry::examine(url, Options::default().deadline(PATIENCE)).await {
        Err(error) => {
            findings.fault(
                "registry.server",
                causes(&error),
                "see that it runs, and that the address and password are right",
            );
            return;
        }
        Ok(fitness) => {
            for (sentences, verdict) in
                [(&fitness.faults, Verdict::Fault), (&fitness.doubts, Verdict::Warning)]
            {
                for sentence in sentences {
                    findings.add(setting(sentence, verdict));
                }
            }
            if fitness.faults.is_empty() && fitness.doubts.is_empty() {
                findings.ok("registry.settings", "its settings keep every session and every end");
            }
        }
    }
    match open_valkey(url, &store.domain).await {
        Ok(direct) => contents(&direct, "it answers", findings).await,
        Err(OpenError::Empty { domain, .. }) => findings.warn(
            "registry.contents",
            format!("there is no session registry named {domain:?}, so no node has used it"),
            "start a node, or name the limit domain with --domain",
        ),
        Err(error) => findings.fault("registry.contents", causes(&error), "see what its log says"),
    }
}

/// A sentence of the registry's own, whose last part is what to do.
fn setting(sentence: &str, verdict: Verdict) -> Finding {
    let end = sentence.rfind("; ").or_else(|| sentence.rfind(": "));
    let (says, change) =
        end.map_or((sentence, "see docs/VALKEY.md"), |at| (&sentence[..at], &sentence[at + 2..]));
    Finding { check: "registry.settings", verdict, says: says.to_owned(), change: Some(change.to_owned()) }
}

async fn contents(direct: &Direct, how: &str, findings: &mut Findings) {
    let asked = async {
        let counts = direct.registry.counts(CountOf::Site).await?;
        Ok::<_, countersign_registry::RegistryError>((counts, direct.registry.feed(None).await?))
    };
    match asked.await {
        Ok((counts, feed)) => {
            let (sessions, seats) = (counted(counts.sessions, "session"), counted(counts.seats, "seat"));
            findings.ok("registry.contents", format!("{how}: {sessions}, {seats} in use"));
            clock::compare("registry.clock", "the registry", Instant::now(), feed.at.into(), findings);
        }
        Err(error) => findings.fault("registry.contents", causes(&error), "see what its server's log says"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_sentence_is_what_to_do() {
        for (sentence, says, change) in [
            ("it is a replica; name the primary", "it is a replica", "name the primary"),
            ("with a, b: set `c`", "with a, b", "set `c`"),
            ("odd", "odd", "see docs/VALKEY.md"),
        ] {
            let finding = setting(sentence, Verdict::Fault);
            assert_eq!((&*finding.says, finding.change.as_deref()), (says, Some(change)));
        }
    }
}
