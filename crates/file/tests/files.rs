//! Whatever is wrong with a registry's file has an error of its own, and loses nothing.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use countersign_file::{FileRegistry, OpenError, Options};
use countersign_registry::{
    Admit, Admitted, End, EndReason, ManualClock, OpId, Owner, Registry, Standing, Target, Touch,
};
use countersign_token::{SessionId, Timestamp};
use std::time::Duration;

const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const SESSIONS: u16 = 300;

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn id(n: u16) -> SessionId {
    SessionId::from_bytes(((u128::from(n) << 100) | u128::from(n)).to_be_bytes())
}

fn open(path: &Path, clock: &ManualClock) -> Result<FileRegistry, OpenError> {
    FileRegistry::open_with(path, Options::default().clock(clock.clone()))
}

/// Many sessions, every tenth of them ended.
fn fill(path: &Path) {
    let registry = open(path, &ManualClock::at(START)).unwrap();
    block_on(async {
        for n in 0..SESSIONS {
            let login = Admit::new(id(n), Owner::new(format!("user {n}")).of_tenant("acme"));
            assert!(matches!(registry.admit(login).await, Ok(Admitted::Seated(_))));
            if n % 10 == 0 {
                let target = Target::Sessions(vec![id(n)]);
                let end = End { id: OpId(*id(n).as_bytes()), target, reason: EndReason::Logout };
                assert_eq!(registry.end(end).await.unwrap().sessions, 1);
            }
        }
    });
}

fn is_whole(registry: &FileRegistry) -> bool {
    let ids = (0..SESSIONS).map(id).collect();
    let standings = block_on(registry.get(ids)).unwrap();
    standings.iter().zip(0..).all(|(standing, n)| match standing {
        Standing::Live(record, _) => n % 10 != 0 && record.id == id(n),
        Standing::Ended(reason) => n % 10 == 0 && *reason == Some(EndReason::Logout),
    })
}

#[test]
fn a_file_and_its_folder_are_private() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/sessions.redb");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    drop(open(&path, &ManualClock::at(START)).unwrap());
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no draft is left");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&path, &ManualClock::at(START)).unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn one_registry_has_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let first = open(&path, &ManualClock::at(START)).unwrap();
    let error = open(&path, &ManualClock::at(START)).unwrap_err();
    assert!(matches!(error, OpenError::Locked { .. }), "{error:?}");
    assert!(error.to_string().contains("in use by another process"), "{error}");
    drop(first);
    drop(open(&path, &ManualClock::at(START)).unwrap());
}

#[test]
fn of_many_that_make_it_one_gets_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let opened: Vec<_> = std::thread::scope(|scope| {
        let race = |_| scope.spawn(|| open(&path, &ManualClock::at(START)));
        (0..8).map(race).collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(opened.iter().filter(|registry| registry.is_ok()).count(), 1);
    let errors = opened.iter().filter_map(|registry| registry.as_ref().err());
    assert!(
        errors.clone().all(|error| matches!(error, OpenError::Locked { .. })),
        "{:?}",
        errors.collect::<Vec<_>>()
    );
}

#[test]
fn what_is_no_file_is_unusable() {
    let folder = tempfile::tempdir().unwrap();
    let below_a_file = folder.path().join("file/sessions.redb");
    fs::write(folder.path().join("file"), "x").unwrap();
    for path in [folder.path(), &below_a_file, Path::new("/dev/full"), Path::new("/proc/sessions.redb")] {
        let error = open(path, &ManualClock::at(START)).unwrap_err();
        assert!(matches!(error, OpenError::Unusable { .. }), "{}: {error:?}", path.display());
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
}

#[test]
fn a_damaged_file_is_refused_and_never_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let (path, damaged) = (folder.path().join("whole.redb"), folder.path().join("damaged.redb"));
    fill(&path);
    let whole = fs::read(&path).unwrap();
    let (mut refused, mut harmless) = (0, 0);
    let mut check = |what: String, bytes: &[u8]| {
        fs::write(&damaged, bytes).unwrap();
        match open(&damaged, &ManualClock::at(START)) {
            Ok(registry) => {
                assert!(is_whole(&registry), "{what}: opened, and something is missing");
                harmless += 1;
            }
            Err(error @ (OpenError::Corrupt { .. } | OpenError::Newer { .. })) => {
                // Nor does the next start, by a supervisor, take it for whole.
                let again = open(&damaged, &ManualClock::at(START)).unwrap_err();
                assert!(
                    matches!(again, OpenError::Corrupt { .. } | OpenError::Newer { .. }),
                    "{what}: {error:?}, {again:?}"
                );
                assert_eq!(fs::read(&damaged).unwrap().len(), bytes.len(), "{what}: it was replaced");
                refused += 1;
            }
            Err(error) => panic!("{what}: {error:?}"),
        }
    };
    check("nothing".into(), &whole);
    check("empty".into(), &[]);
    check("foreign".into(), b"SQLite format 3\0 and so on, which is no registry at all");
    for length in (1..whole.len()).step_by(whole.len() / 40) {
        check(format!("cut at {length}"), &whole[..length]);
    }
    let header = 0..320;
    let beyond = (320..whole.len()).step_by((whole.len() / 300) | 1);
    for offset in header.chain(beyond) {
        let mut bytes = whole.clone();
        bytes[offset] ^= 0x40;
        check(format!("byte {offset} of {}", whole.len()), &bytes);
    }
    assert!(refused > 60 && harmless > 10, "{refused} refused, {harmless} harmless");
}

#[test]
fn a_restart_forgets_nothing_whatever_the_clock_shows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    fill(&path);
    let clock = ManualClock::at(Timestamp::from_secs(1_000_000_000));
    let registry = open(&path, &clock).unwrap();
    assert!(is_whole(&registry));
    let login = Admit::new(SessionId::from_bytes([9; 16]), Owner::new("late"));
    let Ok(Admitted::Seated(seated)) = block_on(registry.admit(login)) else { panic!("no seat") };
    assert!(seated.at >= START, "the registry's time went back");
    drop(registry);
    assert!(is_whole(&open(&path, &ManualClock::at(START.after(Duration::from_mins(1)))).unwrap()));
}

#[test]
fn a_lost_file_is_another_history() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let feed = |at| block_on(open(&path, &ManualClock::at(at)).unwrap().feed(None)).unwrap();
    let first = feed(START);
    assert_eq!(feed(START.after(Duration::from_secs(1))).complete_to, first.complete_to, "a restart goes on");
    fs::remove_file(&path).unwrap();
    let second = feed(START.after(Duration::from_secs(2)));
    assert!(second.complete_to.epoch > first.complete_to.epoch);
    assert_eq!(second.entries.len(), 1, "everyone of the lost one has ended");
}

#[test]
fn marks_are_written_by_flush_and_by_leaving() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    fill(&path);
    let at = |seconds| START.after(Duration::from_secs(seconds));
    let activity = |registry: &FileRegistry| match &block_on(registry.get(vec![id(1)])).unwrap()[0] {
        Standing::Live(record, _) => record.last_activity,
        Standing::Ended(reason) => panic!("{reason:?}"),
    };
    let registry = open(&path, &ManualClock::at(at(100))).unwrap();
    let mark = |registry: &FileRegistry| {
        block_on(registry.touch(vec![Touch { session: id(1), age: Duration::ZERO }]))
    };
    mark(&registry).unwrap();
    block_on(registry.flush()).unwrap();
    drop(registry);
    let registry = open(&path, &ManualClock::at(at(200))).unwrap();
    assert_eq!(activity(&registry), at(100));
    mark(&registry).unwrap();
    drop(registry);
    assert_eq!(activity(&open(&path, &ManualClock::at(at(300))).unwrap()), at(200));
}

#[test]
fn marks_are_written_however_many_ask() {
    let folder = tempfile::tempdir().unwrap();
    let (path, copy) = (folder.path().join("sessions.redb"), folder.path().join("copy.redb"));
    fill(&path);
    let marked = START.after(Duration::from_secs(10));
    let registry = open(&path, &ManualClock::at(marked)).unwrap();
    block_on(registry.touch(vec![Touch { session: id(1), age: Duration::ZERO }])).unwrap();
    // What another process would find if this one were killed now.
    let written = || {
        fs::copy(&path, &copy).unwrap();
        let copy = open(&copy, &ManualClock::at(marked)).ok()?;
        match block_on(copy.get(vec![id(1)])).unwrap().remove(0) {
            Standing::Live(record, _) => Some(record.last_activity == marked),
            Standing::Ended(reason) => panic!("{reason:?}"),
        }
    };
    let begun = std::time::Instant::now();
    while written() != Some(true) {
        for _ in 0..500 {
            drop(block_on(registry.get(vec![id(1)])).unwrap());
        }
        assert!(begun.elapsed() < Duration::from_mins(1), "the mark is still in memory only");
    }
}

#[test]
fn what_is_past_leaves_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sessions.redb");
    let clock = ManualClock::at(START);
    let registry = open(&path, &clock).unwrap();
    let day = |n: u16| {
        for session in (0..SESSIONS).map(|m| id(n * SESSIONS + m)) {
            let login = Admit::new(session, Owner::new("ada"));
            assert!(matches!(block_on(registry.admit(login)), Ok(Admitted::Seated(_))));
            let target = Target::Sessions(vec![session]);
            let end = End { id: OpId(*session.as_bytes()), target, reason: EndReason::Logout };
            assert_eq!(block_on(registry.end(end)).unwrap().sessions, 1);
        }
        clock.advance(Duration::from_hours(25));
        fs::metadata(&path).unwrap().len()
    };
    let first = day(0).max(day(1));
    let last = (2..8).map(day).max().unwrap();
    assert!(last <= first, "{last} bytes after {first}: what is past stays");
}
