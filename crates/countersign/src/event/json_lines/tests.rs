//! Lines are as the documentation shows them; a queue that is full holds nobody up, and drops are told.

use std::sync::{Condvar, Mutex};
use std::time::Duration;

use countersign_registry::{EndReason, ManualClock, Owner, Repetition, Scope};
use countersign_token::SessionId;
use serde_json::{Value, json};

use super::*;
use crate::event::{Actor, EndScope};
use crate::unusual::Finding;

const AT: Timestamp = Timestamp::from_secs(1_800_000_000);

fn session(byte: u8) -> SessionId {
    SessionId::from_bytes([byte; 16])
}

/// One of each event, and of its kinds that look different.
fn all() -> Vec<SessionEvent> {
    [lives(), ends(), refusals(), findings(), faults()].concat()
}

/// What happens to sessions that live.
fn lives() -> Vec<SessionEvent> {
    vec![
        SessionEvent::Started {
            session: session(1),
            owner: Owner::new("alice").of_tenant("acme"),
            device: Some("Firefox on Linux".into()),
            repetition: Repetition::First,
        },
        SessionEvent::Started {
            session: session(1),
            owner: Owner::new("alice"),
            device: None,
            repetition: Repetition::Again,
        },
        SessionEvent::LimitReached { owner: Owner::new("alice"), scope: Scope::Site, limit: 3 },
        SessionEvent::Refreshed {
            session: session(1),
            owner: Owner::new("alice"),
            device: Some("Firefox on Linux".into()),
        },
        SessionEvent::SeatRefused {
            session: session(1),
            owner: Owner::new("alice"),
            scope: Scope::User,
            limit: 3,
        },
        SessionEvent::RefreshReused { session: session(1), owner: Owner::new("alice") },
    ]
}

/// How sessions end.
fn ends() -> Vec<SessionEvent> {
    vec![
        SessionEvent::Ended {
            session: session(1),
            owner: Some(Owner::new("alice")),
            reason: EndReason::Logout,
            by: Actor::User(session(1)),
        },
        SessionEvent::Ended { session: session(1), owner: None, reason: EndReason::Limit, by: Actor::Rule },
        SessionEvent::EndedMany {
            scope: EndScope::User(Owner::new("alice").of_tenant("acme")),
            sessions: 4,
            reason: EndReason::EndedByAdmin,
            by: Actor::Administrator(Owner::new("admin")),
        },
        SessionEvent::EndedMany {
            scope: EndScope::Others(Owner::new("alice"), session(1)),
            sessions: 2,
            reason: EndReason::EndedByUser,
            by: Actor::User(session(1)),
        },
        SessionEvent::EndedMany {
            scope: EndScope::Tenant("acme".into()),
            sessions: 40,
            reason: EndReason::EndedByAdmin,
            by: Actor::Host,
        },
        SessionEvent::EndedMany {
            scope: EndScope::Site,
            sessions: 500,
            reason: EndReason::EndedByAdmin,
            by: Actor::Host,
        },
        SessionEvent::EndedMany {
            scope: EndScope::Key("2026-07".into()),
            sessions: 0,
            reason: EndReason::KeyRemoved,
            by: Actor::Rule,
        },
    ]
}

/// What is refused, or goes elsewhere.
fn refusals() -> Vec<SessionEvent> {
    vec![
        SessionEvent::DataUnreadable { session: Some(session(1)), version: 2 },
        SessionEvent::HandedOver {
            session: session(1),
            to: session(2),
            owner: Owner::new("alice"),
            device: Some("Safari on iPhone".into()),
        },
        SessionEvent::Refused { code: "token-invalid", session: None },
        SessionEvent::Refused { code: "step-up-required", session: Some(session(1)) },
        SessionEvent::ProofRefused { check: "nonce" },
    ]
}

/// What is unusual.
fn findings() -> Vec<SessionEvent> {
    vec![
        SessionEvent::Unusual {
            finding: Finding::RefreshReused { session: session(1), owner: Owner::new("alice") },
        },
        SessionEvent::Unusual {
            finding: Finding::DeviceChanged {
                session: session(1),
                owner: Owner::new("alice"),
                was: "Firefox on Linux".into(),
                is: Some("curl".into()),
            },
        },
        SessionEvent::Unusual {
            finding: Finding::SessionRefusedOften {
                session: session(1),
                owner: Owner::new("alice"),
                refusals: 30,
                within: Duration::from_mins(1),
            },
        },
        SessionEvent::Unusual {
            finding: Finding::Refusals { refusals: 300, within: Duration::from_mins(1) },
        },
        SessionEvent::Unusual {
            finding: Finding::ForgedTokens { tokens: 50, within: Duration::from_mins(1) },
        },
    ]
}

/// What goes wrong, and keys.
fn faults() -> Vec<SessionEvent> {
    vec![
        SessionEvent::RegistryFailed { operation: "admit", detail: "no answer within 10s".to_owned() },
        SessionEvent::MintFailed { detail: "a claim of the application has a reserved name".to_owned() },
        SessionEvent::KeysChanged,
        SessionEvent::KeysFailed { detail: "keys.json: permission denied".to_owned() },
        SessionEvent::MarksDropped { marks: 3 },
    ]
}

/// Tells whoever adds an event to give an example of it above.
fn has_example(event: &SessionEvent) {
    match event {
        SessionEvent::Started { .. }
        | SessionEvent::LimitReached { .. }
        | SessionEvent::Refreshed { .. }
        | SessionEvent::SeatRefused { .. }
        | SessionEvent::RefreshReused { .. }
        | SessionEvent::Ended { .. }
        | SessionEvent::EndedMany { .. }
        | SessionEvent::DataUnreadable { .. }
        | SessionEvent::HandedOver { .. }
        | SessionEvent::Refused { .. }
        | SessionEvent::ProofRefused { .. }
        | SessionEvent::Unusual { .. }
        | SessionEvent::RegistryFailed { .. }
        | SessionEvent::MintFailed { .. }
        | SessionEvent::KeysChanged
        | SessionEvent::KeysFailed { .. }
        | SessionEvent::MarksDropped { .. } => {}
    }
}

/// A writer whose disk is full or slow for as long as a test wants.
#[derive(Clone, Default)]
struct Disk(Arc<(Mutex<State>, Condvar)>);

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    full: bool,
    stuck: bool,
    at_work: bool,
}

impl Disk {
    fn set(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.0.0.lock().unwrap());
        self.0.1.notify_all();
    }

    fn wait_until_at_work(&self) {
        drop(self.0.1.wait_while(self.0.0.lock().unwrap(), |state| !state.at_work).unwrap());
    }

    fn lines(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.0.lock().unwrap().bytes.clone()).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.0.0.lock().unwrap();
        state.at_work = true;
        self.0.1.notify_all();
        let mut state = self.0.1.wait_while(state, |state| state.stuck).unwrap();
        if state.full {
            // Half a line went out before.
            state.bytes.extend(&bytes[..bytes.len() / 2]);
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lines(disk: &Disk, room: usize) -> JsonLines {
    JsonLines::with(disk.clone(), room, ManualClock::at(AT)).unwrap()
}

#[test]
fn each_event_has_the_line_that_is_promised() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../../tests/vectors/event-lines.json")).unwrap();
    let promised: Vec<&str> =
        vectors["lines"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let disk = Disk::default();
    let lines = lines(&disk, 100);
    for event in all() {
        has_example(&event);
        lines.note(&event);
    }
    lines.dropped.note(7);
    lines.flush();
    let written = disk.lines();
    assert!(written == promised, "written:\n{}", written.join("\n"));
}

#[test]
fn each_finding_has_a_name_and_an_example() {
    let names = all().into_iter().filter_map(|event| match event {
        SessionEvent::Unusual { finding } => Some(finding.name()),
        _ => None,
    });
    assert_eq!(names.collect::<Vec<_>>(), Finding::NAMES);
}

#[test]
fn the_documentation_shows_these_lines() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../../tests/vectors/event-lines.json")).unwrap();
    let page = include_str!("../../../../../docs/OBSERVABILITY.md");
    for line in vectors["lines"].as_array().unwrap() {
        assert!(page.contains(line.as_str().unwrap()), "{line} is not in docs/OBSERVABILITY.md");
    }
}

#[test]
fn a_stuck_writer_holds_nobody_up_and_what_was_dropped_is_counted() {
    let disk = Disk::default();
    disk.set(|state| state.stuck = true);
    let lines = lines(&disk, 2);
    lines.note(&SessionEvent::KeysChanged);
    disk.wait_until_at_work();
    for marks in 0..5 {
        lines.note(&SessionEvent::MarksDropped { marks });
    }
    assert_eq!(lines.dropped(), 3);
    disk.set(|state| state.stuck = false);
    lines.flush();
    let told: Vec<Value> = disk.lines().iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    let names: Vec<_> = told.iter().map(|line| line["event"].as_str().unwrap()).collect();
    assert_eq!(names.iter().filter(|name| **name == "marks-dropped").count(), 2, "{names:?}");
    let dropped = told
        .iter()
        .filter(|line| line["event"] == "events-dropped")
        .map(|line| line["events"].as_u64().unwrap());
    assert_eq!(dropped.sum::<u64>(), 3);
}

#[test]
fn a_full_disk_loses_lines_and_tells_how_many_when_it_has_room() {
    let disk = Disk::default();
    let lines = lines(&disk, 100);
    disk.set(|state| state.full = true);
    for _ in 0..2 {
        lines.note(&SessionEvent::KeysChanged);
        lines.flush();
    }
    assert_eq!(lines.dropped(), 2);
    disk.set(|state| state.full = false);
    lines.note(&SessionEvent::MarksDropped { marks: 1 });
    lines.flush();
    let written = disk.lines();
    let whole: Vec<Value> = written.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(
        whole.iter().map(|line| (&line["event"], &line["events"])).collect::<Vec<_>>(),
        [(&json!("marks-dropped"), &Value::Null), (&json!("events-dropped"), &json!(2))],
        "{written:?}"
    );
}

#[test]
fn a_hosts_record_is_stamped_like_an_event() {
    let disk = Disk::default();
    let lines = lines(&disk, 10);
    lines.record(&json!({ "who": "admin", "why": "<b>\n" })).unwrap();
    assert!(lines.record(&["no object"]).is_err());
    lines.flush();
    assert_eq!(disk.lines(), [r#"{"at_ms":1800000000000,"who":"admin","why":"<b>\n"}"#]);
}

#[test]
fn the_last_handle_gone_everything_is_written() {
    let disk = Disk::default();
    let lines = lines(&disk, 10);
    disk.set(|state| state.stuck = true);
    lines.note(&SessionEvent::KeysChanged);
    disk.wait_until_at_work();
    lines.note(&SessionEvent::KeysChanged);
    drop(lines);
    disk.set(|state| state.stuck = false);
    let (state, changed) = &*disk.0;
    let is_short = |state: &mut State| state.bytes.split(|byte| *byte == b'\n').count() < 3;
    drop(changed.wait_timeout_while(state.lock().unwrap(), Duration::from_mins(1), is_short).unwrap());
    assert_eq!(disk.lines().len(), 2);
}
