//! Key files on a real file system: modes, races, reloads, and everything that is not a key file.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::Duration;

use countersign_token::{Algorithm, KeyId, KeyRing, KeyState, Schedule, Timestamp};
use tempfile::TempDir;

use super::{KeyChangeCause, KeyFile, KeyFileError, Keys};

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);
const LATER: Timestamp = Timestamp::from_secs(1_790_000_060);

const SCHEDULE: Schedule = Schedule {
    publish_ahead: Duration::from_hours(24),
    sign_for: Duration::from_hours(30 * 24),
    longest_token: Duration::from_hours(14 * 24),
};

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data").join("keys.json");
    (folder, path)
}

fn created(path: &Path) -> KeyFile {
    KeyFile::open_or_create(path, Algorithm::EdDsa, NOW).unwrap()
}

/// The key that signs.
fn signer(ring: &KeyRing) -> KeyId {
    ring.keys().find(|key| key.state == KeyState::Signing).unwrap().id
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::MetadataExt::mode(&fs::metadata(path).unwrap()) & 0o7777
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
}

/// Writes a file as an administrator with an editor would: in place.
fn overwrite(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
}

/// A folder in the place of the temporary file: nothing can be written, not even by root.
fn block_writes(path: &Path) -> PathBuf {
    let obstacle = path.with_file_name("keys.json.tmp");
    fs::create_dir(&obstacle).unwrap();
    obstacle
}

#[cfg(unix)]
#[test]
fn what_is_made_is_for_its_owner_alone() {
    let (_folder, path) = folder();
    let mut file = created(&path);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&path), 0o600);
    file.update(|ring| Ok(Some(ring.rotate_now(LATER)))).unwrap();
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&path.with_file_name("keys.json.lock")), 0o600);
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 2, "only the ring and its lock remain");
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_use_is_refused() {
    for exposed in [0o644, 0o640, 0o604, 0o660, 0o602, 0o601] {
        let (_folder, path) = folder();
        let mut file = created(&path);
        set_mode(&path, exposed);
        let error = KeyFile::open(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::Exposed { mode, .. } if mode == exposed), "{error}");
        assert!(error.to_string().contains(&format!("chmod 600 {}", path.display())), "{error}");
        assert!(file.reload().is_err());
        assert!(file.update(|ring| Ok(Some(ring.rotate_now(LATER)))).is_err());
        set_mode(&path, 0o400);
        assert!(KeyFile::open(&path).is_ok());
    }
}

#[test]
fn sixteen_that_create_at_once_share_one_ring() {
    for _ in 0..20 {
        let (_folder, path) = folder();
        let start = Barrier::new(16);
        let signers: HashSet<KeyId> = thread::scope(|scope| {
            let create = || {
                start.wait();
                signer(created(&path).ring())
            };
            let threads: Vec<_> = (0..16).map(|_| scope.spawn(create)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(signers.len(), 1);
        assert_eq!(signer(KeyFile::open(&path).unwrap().ring()), *signers.iter().next().unwrap());
    }
}

#[test]
fn no_change_of_many_writers_is_lost() {
    let (_folder, path) = folder();
    created(&path);
    let start = Barrier::new(16);
    thread::scope(|scope| {
        for writer in 0..16 {
            let (path, start) = (&path, &start);
            scope.spawn(move || {
                let mut file = KeyFile::open(path).unwrap();
                start.wait();
                let kid = KeyId::from(format!("gone-{writer}").as_str());
                file.update(|ring| Ok(ring.mark_removed(&kid, LATER))).unwrap();
            });
        }
    });
    assert_eq!(KeyFile::open(&path).unwrap().ring().removed().count(), 16);
}

#[test]
fn a_ring_is_created_only_where_nothing_is() {
    let (_folder, path) = folder();
    let first = created(&path);
    let error = KeyFile::create(&path, &KeyRing::generate(Algorithm::EdDsa, NOW)).unwrap_err();
    assert!(matches!(error, KeyFileError::Exists { .. }), "{error}");
    assert_eq!(signer(KeyFile::open(&path).unwrap().ring()), signer(first.ring()));
}

#[test]
fn another_algorithm_than_the_file_has_is_refused() {
    let (_folder, path) = folder();
    created(&path);
    let error = KeyFile::open_or_create(&path, Algorithm::Hs256, NOW).unwrap_err();
    assert!(matches!(error, KeyFileError::WrongAlgorithm { found: Algorithm::EdDsa, .. }), "{error}");
}

#[test]
fn every_bad_file_is_named_and_nothing_replaces_it() {
    let check = |bytes: &[u8], expect: &str| {
        let (_folder, path) = folder();
        let mut file = created(&path);
        overwrite(&path, bytes);
        for error in [
            KeyFile::open(&path).unwrap_err(),
            KeyFile::open_or_create(&path, Algorithm::EdDsa, NOW).unwrap_err(),
            file.reload().unwrap_err(),
            file.update(|ring| Ok(Some(ring.rotate_now(LATER)))).unwrap_err(),
        ] {
            let message = error.to_string();
            assert!(message.contains(&path.display().to_string()), "{message}");
            assert!(message.contains(expect), "{message}");
            assert!(!message.contains("c2VjcmV0"), "{message}");
        }
        assert_eq!(fs::read(&path).unwrap(), bytes);
    };
    check(b"", "holds nothing");
    check(b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n", "holds a PEM file");
    check(br#"{"kty":"OKP","crv":"Ed25519","d":"c2VjcmV0"}"#, "holds a single JSON Web Key");
    check(br#"{"keys":[]}"#, "holds a JWK set");
    check(br#"{"version":1,"keys":"c2VjcmV0"}"#, "cannot be used: not a key ring");
    check(br#"["c2VjcmV0"]"#, "cannot be used: not a key ring");
    check(b"c2VjcmV0", "cannot be used: not a key ring");
    check(b"\xff\xfe\x00", "cannot be used: not a key ring");
    check(&vec![b' '; 300_000], "300000 bytes");
    let whole = KeyRing::generate(Algorithm::EdDsa, NOW).to_json();
    check(&whole[..whole.len() / 2], "cannot be used: not a key ring");
}

#[test]
fn what_is_no_file_is_said_to_be_none() {
    let (folder, path) = folder();
    let missing = KeyFile::open(&path).unwrap_err();
    assert!(matches!(missing, KeyFileError::Missing { .. }), "{missing}");
    assert!(missing.to_string().contains("countersign keys generate"), "{missing}");
    let directory = KeyFile::open_or_create(folder.path(), Algorithm::EdDsa, NOW).unwrap_err();
    assert!(directory.to_string().contains("is a directory"), "{directory}");
    overwrite(&folder.path().join("file"), b"");
    let below_a_file = KeyFile::open_or_create(folder.path().join("file/keys.json"), Algorithm::EdDsa, NOW);
    assert!(below_a_file.is_err());
}

#[cfg(unix)]
#[test]
fn a_link_stays_a_link() {
    let (folder, path) = folder();
    created(&path);
    let link = folder.path().join("link.json");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let mut file = KeyFile::open(&link).unwrap();
    file.update(|ring| Ok(Some(ring.rotate_now(LATER)))).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(signer(KeyFile::open(&path).unwrap().ring()), signer(file.ring()));
}

#[test]
fn what_a_crash_left_behind_is_cleared_away() {
    let (_folder, path) = folder();
    let mut file = created(&path);
    overwrite(&path.with_file_name("keys.json.tmp"), b"half");
    file.update(|ring| Ok(Some(ring.rotate_now(LATER)))).unwrap();
    assert!(!path.with_file_name("keys.json.tmp").exists());
    assert_eq!(signer(KeyFile::open(&path).unwrap().ring()), signer(file.ring()));
}

#[test]
fn a_server_follows_its_file() {
    let (_folder, path) = folder();
    let keys = Keys::from(created(&path));
    assert_eq!(keys.tick(NOW, &SCHEDULE).unwrap(), None);

    let mut elsewhere = KeyFile::open(&path).unwrap();
    elsewhere.update(|ring| Ok(Some(ring.rotate_now(LATER)))).unwrap();
    let change = keys.tick(LATER, &SCHEDULE).unwrap().unwrap();
    assert_eq!((change.cause, change.removed), (KeyChangeCause::Reloaded, vec![]));
    assert_eq!(signer(&keys.current()), signer(elsewhere.ring()));
    assert_eq!(keys.tick(LATER, &SCHEDULE).unwrap(), None);

    let removed = signer(&keys.current());
    elsewhere.update(|ring| ring.remove(&removed, LATER).map(Some)).unwrap();
    let change = keys.tick(LATER, &SCHEDULE).unwrap().unwrap();
    assert_eq!(change.removed, vec![removed.clone()], "the feed must hear of it");
    assert!(keys.current().is_removed(&removed));
}

#[test]
fn a_bad_reload_keeps_the_ring_and_is_mended_by_a_good_file() {
    let (_folder, path) = folder();
    let keys = Keys::from(created(&path));
    let before = keys.current();
    let good = fs::read(&path).unwrap();
    overwrite(&path, &good[..good.len() / 2]);
    for _ in 0..2 {
        assert!(matches!(keys.tick(NOW, &SCHEDULE), Err(KeyFileError::Malformed { .. })));
        assert!(Arc::ptr_eq(&before, &keys.current()));
    }
    fs::remove_file(&path).unwrap();
    assert!(matches!(keys.tick(NOW, &SCHEDULE), Err(KeyFileError::Missing { .. })));
    assert!(Arc::ptr_eq(&before, &keys.current()));

    KeyFile::create(&path, &before.rotate_now(LATER)).unwrap();
    assert!(keys.tick(LATER, &SCHEDULE).unwrap().is_some());
    assert_ne!(signer(&keys.current()), signer(&before));
}

#[test]
fn an_old_file_brings_no_removed_key_back() {
    let (_folder, path) = folder();
    let keys = Keys::from(created(&path));
    let old_file = fs::read(&path).unwrap();
    let compromised = signer(&keys.current());
    keys.remove(&compromised, LATER).unwrap();
    assert_ne!(signer(&keys.current()), compromised);

    overwrite(&path, &old_file);
    let change = keys.tick(LATER, &SCHEDULE).unwrap().unwrap();
    assert_eq!((change.cause, change.removed), (KeyChangeCause::Reloaded, vec![]));
    assert!(keys.current().is_removed(&compromised));
    assert_ne!(signer(&keys.current()), compromised);

    // The next tick mends the file too, so that a restart cannot bring the key back either.
    assert!(keys.tick(LATER, &SCHEDULE).unwrap().is_some());
    assert!(KeyFile::open(&path).unwrap().ring().is_removed(&compromised));
    assert_eq!(keys.tick(LATER, &SCHEDULE).unwrap(), None);
}

#[test]
fn a_removal_that_cannot_be_saved_holds_here_and_is_saved_later() {
    let (_folder, path) = folder();
    let keys = Keys::from(created(&path));
    let compromised = signer(&keys.current());
    let obstacle = block_writes(&path);
    assert!(matches!(keys.remove(&compromised, LATER), Err(KeyFileError::Write { .. })));
    assert!(keys.current().is_removed(&compromised));
    assert!(matches!(keys.tick(LATER, &SCHEDULE), Err(KeyFileError::Write { .. })));
    assert!(!KeyFile::open(&path).unwrap().ring().is_removed(&compromised));

    fs::remove_dir(obstacle).unwrap();
    keys.tick(LATER, &SCHEDULE).unwrap();
    assert!(KeyFile::open(&path).unwrap().ring().is_removed(&compromised));
}

#[test]
fn a_rotation_that_cannot_be_saved_waits() {
    let (_folder, path) = folder();
    let keys = Keys::from(created(&path));
    let before = keys.current();
    let due = NOW.after(SCHEDULE.sign_for);
    let obstacle = block_writes(&path);
    assert!(matches!(keys.tick(due, &SCHEDULE), Err(KeyFileError::Write { .. })));
    assert!(Arc::ptr_eq(&before, &keys.current()), "never a key that no other process can know");

    fs::remove_dir(obstacle).unwrap();
    assert_eq!(keys.tick(due, &SCHEDULE).unwrap().unwrap().cause, KeyChangeCause::Changed);
    assert_eq!(*KeyFile::open(&path).unwrap().ring().to_json(), *keys.current().to_json());
}

#[test]
fn of_two_servers_on_one_file_one_rotates() {
    let (_folder, path) = folder();
    let (one, other) = (Keys::from(created(&path)), Keys::from(created(&path)));
    let due = NOW.after(SCHEDULE.sign_for);
    thread::scope(|scope| {
        for keys in [&one, &other] {
            scope.spawn(|| keys.tick(due, &SCHEDULE).unwrap());
        }
    });
    one.tick(due, &SCHEDULE).unwrap();
    other.tick(due, &SCHEDULE).unwrap();
    assert_eq!(*one.current().to_json(), *other.current().to_json());
}

/// Each hears of it by the feed, and none makes a key that the others do not know.
#[test]
fn of_eight_servers_on_one_file_all_sign_with_one_key_after_a_removal() {
    let (_folder, path) = folder();
    let servers: Vec<_> = (0..8).map(|_| Keys::from(created(&path))).collect();
    let compromised = signer(&servers[0].current());
    thread::scope(|scope| {
        for keys in &servers {
            scope.spawn(|| keys.mark_removed(&compromised, LATER).unwrap());
        }
    });
    let fresh = signer(&servers[0].current());
    assert_ne!(fresh, compromised);
    assert!(servers.iter().all(|keys| signer(&keys.current()) == fresh));
    assert_eq!(signer(KeyFile::open(&path).unwrap().ring()), fresh);
}

#[test]
fn a_removal_heard_of_elsewhere_is_news_once() {
    let (_folder, path) = folder();
    for keys in [Keys::from(created(&path)), Keys::from(KeyRing::generate(Algorithm::Hs256, NOW))] {
        let kid = signer(&keys.current());
        let unknown = KeyId::from("never-seen");
        for (kid, news) in [(&kid, true), (&kid, false), (&unknown, true), (&unknown, false)] {
            assert_eq!(keys.mark_removed(kid, LATER).unwrap(), news);
            assert!(keys.current().is_removed(kid));
        }
        let error = keys.remove(&KeyId::from("no such key"), LATER).unwrap_err();
        assert!(matches!(error, KeyFileError::Refused(_)), "{error}");
    }
    assert_eq!(KeyFile::open(&path).unwrap().ring().removed().count(), 2);
}

#[test]
fn a_ring_in_memory_follows_the_schedule_too() {
    let keys = Keys::from_ring(KeyRing::generate(Algorithm::Es256, NOW));
    assert_eq!(keys.tick(NOW, &SCHEDULE).unwrap(), None);
    let change = keys.tick(NOW.after(SCHEDULE.sign_for), &SCHEDULE).unwrap().unwrap();
    assert_eq!(change.cause, KeyChangeCause::Changed);
}

#[test]
fn debug_shows_no_secret() {
    let (_folder, path) = folder();
    let keys = Keys::from(created(&path));
    let debug = format!("{keys:?}");
    let json: serde_json::Value = serde_json::from_slice(&keys.current().to_json()).unwrap();
    let mut secrets = vec![];
    collect_secrets(&json, &mut secrets);
    assert!(!secrets.is_empty());
    for secret in secrets {
        assert!(!debug.contains(&secret), "{debug}");
    }
}

/// Every text of the file that is no key id and long enough to be a secret.
fn collect_secrets(json: &serde_json::Value, secrets: &mut Vec<String>) {
    match json {
        serde_json::Value::Array(items) => items.iter().for_each(|item| collect_secrets(item, secrets)),
        serde_json::Value::Object(members) => {
            for (name, value) in members {
                match value {
                    serde_json::Value::String(text) if name != "kid" && text.len() >= 40 => {
                        secrets.push(text.clone());
                    }
                    nested => collect_secrets(nested, secrets),
                }
            }
        }
        _ => {}
    }
}
