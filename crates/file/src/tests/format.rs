//! The bytes on disk are a promise: files of this version stay readable, newer ones are refused.

use std::fmt::Debug;

use countersign_registry::{EndReason, ManualClock, News, Owner, SeatState, SessionRecord};
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use redb::{Database, TableDefinition};

use super::disk::{Disk, Fault};
use super::script::{START, open};
use crate::OpenError;
use crate::error::Flaw;
use crate::record::{Done, Entry, Gone, Record, Used, decode, encode};

fn check<R: Record + PartialEq + Debug>(record: &R, bytes: &str) {
    let written =
        encode(record).unwrap().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    assert_eq!(written, bytes, "version 1 is written in another way");
    let read: Vec<u8> =
        (0..bytes.len()).step_by(2).map(|n| u8::from_str_radix(&bytes[n..n + 2], 16).unwrap()).collect();
    assert_eq!(decode::<R>(&read).unwrap(), *record, "version 1 is read in another way");
    for length in 0..read.len() {
        assert!(decode::<R>(&read[..length]).is_err(), "{length} bytes are no record");
    }
    assert!(decode::<R>(&[&read[..], &[0]].concat()).is_err(), "a tail is no part of a record");
    assert!(matches!(decode::<R>(&[&[2], &read[1..]].concat()), Err(Flaw::Newer(2))));
}

fn session() -> SessionRecord {
    SessionRecord {
        id: SessionId::from_bytes([1; 16]),
        owner: Owner::new("ada").of_tenant("acme"),
        started_at: Timestamp::from_millis(1),
        auth_time: Timestamp::from_millis(2),
        methods: "pwd otp".into(),
        device: Some("Firefox".into()),
        expires_at: Timestamp::from_millis(300),
        last_activity: Timestamp::from_millis(4),
        seat: SeatState::Taken,
        born: FeedPosition { epoch: 5, seq: 6 },
        current: RotationId::follow(RotationId::NIL, 7),
        exclusive: 8,
        last_update: None,
        login_key: None,
        handed_off_from: None,
    }
}

#[test]
fn records_keep_their_bytes() {
    check(&session(), SESSION);
    check(&Gone { reason: EndReason::Logout }, "0100");
    check(&Gone { reason: EndReason::KeyRemoved }, "0108");
    let entry = |news| Entry { at: Timestamp::from_millis(1), until: Timestamp::from_millis(2), news };
    check(&entry(News::EveryoneEnded(EndReason::Expired)), "0101020307");
    check(
        &entry(News::Floor(SessionId::from_bytes([9; 16]), 3)),
        "010102050909090909090909090909090909090903",
    );
    // Kinds of news that came later are numbered after those of older files.
    check(&entry(News::HandedOver(SessionId::from_bytes([9; 16]), Some("iPad".into()))), HANDED_OVER);
    let again =
        News::Again(FeedPosition { epoch: 1, seq: 2 }, Box::new(News::EveryoneEnded(EndReason::Expired)));
    check(&entry(again), "0101020701020307");
    check(&Done { position: FeedPosition { epoch: 1, seq: 2 }, entries: 3, sessions: 4 }, "0101020304");
    check(&Used, "01");
}

const SESSION: &str = concat!(
    "01",
    "01010101010101010101010101010101", // its id
    "0104",
    "61636d65", // acme
    "03",
    "616461", // ada
    "0102",
    "07",
    "707764206f7470", // pwd otp
    "0107",
    "46697265666f78", // Firefox
    "ac0204000506",   // when it ends, its activity, its seat, when it was born
    "8780808010",     // its rotation
    "08000000",
);

const HANDED_OVER: &str =
    concat!("01", "0102", "06", "09090909090909090909090909090909", "01", "04", "69506164");

#[test]
fn a_newer_file_is_refused() {
    let clock = ManualClock::at(START);
    let disk = Disk::new(Fault::None);
    drop(open(&disk, &clock).unwrap());
    let bytes = disk.seen();
    let check = |name: &str, value: u64| {
        let disk = Disk::holding(bytes.clone(), Fault::None);
        let database = Database::builder().create_with_backend(disk.clone()).unwrap();
        let transaction = database.begin_write().unwrap();
        let table = TableDefinition::<&str, u64>::new("meta");
        transaction.open_table(table).unwrap().insert(name, value).unwrap();
        transaction.commit().unwrap();
        drop(database);
        open(&disk, &clock).unwrap_err()
    };
    let error = check("format", 2);
    assert!(matches!(error, OpenError::Newer { found: 2, known: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("use a newer build"), "{error}");
    assert!(matches!(check("format", 0), OpenError::Corrupt { .. }));
}

#[test]
fn a_foreign_database_is_no_registry() {
    let disk = Disk::new(Fault::None);
    let database = Database::builder().create_with_backend(disk.clone()).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TableDefinition::<u64, u64>::new("numbers")).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = open(&disk, &ManualClock::at(START)).unwrap_err();
    assert!(matches!(error, OpenError::Corrupt { .. }), "{error:?}");
    assert!(error.to_string().contains("restore it from a backup"), "{error}");
}
