//! What a node tells again, and what it forgets.

use std::time::Duration;

use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};

use super::{FEW, Heard, SPENT};
use crate::fact::{EndReason, Entry, News};
use crate::op::{OnceId, Owner, SeatState, SessionRecord};
use crate::recovery::{History, Past};
use crate::retold::Lost;

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const MINUTE: Duration = Duration::from_mins(1);

fn at(epoch: u64, seq: u64) -> FeedPosition {
    FeedPosition { epoch, seq }
}

fn entry(epoch: u64, seq: u64) -> Entry {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&seq.to_le_bytes());
    let news = News::Ended(SessionId::from_bytes(id), EndReason::Logout);
    Entry { position: at(epoch, seq), at: NOW, until: NOW.after(5 * MINUTE), news }
}

fn again(entry: &Entry, epoch: u64, seq: u64) -> Entry {
    let news = News::Again(entry.position, Box::new(entry.news.clone()));
    Entry { position: at(epoch, seq), news, ..entry.clone() }
}

fn past(epoch: u64, seq: u64) -> Past {
    Past { last: at(epoch, seq), written: NOW, until: NOW.after(MINUTE) }
}

fn session(started_at: Timestamp, epoch: u64) -> SessionRecord {
    SessionRecord {
        id: SessionId::from_bytes([1; 16]),
        owner: Owner::new("ada"),
        started_at,
        auth_time: started_at,
        methods: "pwd".into(),
        device: None,
        expires_at: Timestamp::MAX,
        last_activity: started_at,
        seat: SeatState::Taken,
        born: at(epoch, 3),
        current: RotationId::NIL,
        exclusive: 0,
        last_update: None,
        login_key: None,
        handed_off_from: None,
    }
}

fn check_missing(entries: &[Entry], past: &[Past], epoch: u64, expected: &[Entry]) {
    let mut heard = Heard::new();
    heard.note(entries, 1);
    heard.note(entries, 1);
    assert_eq!(heard.missing(History { past, epoch }), expected, "after {past:?}");
}

#[test]
fn what_did_not_survive_is_missing() {
    let told = [entry(1, 4), entry(1, 5), entry(1, 6)];
    check_missing(&told, &[past(1, 4)], 2, &told[1..]);
    check_missing(&told, &[past(1, 6)], 2, &[]);
    check_missing(&told, &[], 1, &[]);
    // An epoch that this history never saw, and the data that was lost as a whole.
    check_missing(&[entry(3, 1)], &[past(1, 4), past(2, 9)], 4, &[entry(3, 1)]);
    check_missing(&told, &[], 2, &told);
    let long: Vec<Past> = (10..74).map(|epoch| past(epoch, 9)).collect();
    check_missing(&told, &long, 74, &[]);
    check_missing(&told, &long[1..], 74, &told);
}

#[test]
fn what_was_told_again_is_missing_only_if_all_of_it_is() {
    let first = entry(1, 5);
    let second = again(&first, 2, 3);
    let third = again(&second, 3, 7);
    let all = [first.clone(), second.clone(), third.clone()];
    check_missing(&all, &[past(1, 4), past(2, 2), past(3, 6)], 4, std::slice::from_ref(&third));
    check_missing(&all[..2], &[past(1, 4), past(2, 2), past(3, 6)], 4, std::slice::from_ref(&second));
    for known in [
        [past(1, 5), past(2, 2), past(3, 6)],
        [past(1, 4), past(2, 3), past(3, 6)],
        [past(1, 4), past(2, 2), past(3, 7)],
    ] {
        check_missing(&all, &known, 4, &[]);
    }
}

#[test]
fn an_end_that_an_epoch_began_with_spares_its_sessions() {
    let end = Entry { news: News::EveryoneEnded(EndReason::Logout), ..entry(1, 5) };
    let mut heard = Heard::new();
    heard.note(std::slice::from_ref(&end), 2);
    heard.settle(History { past: &[past(1, 5), past(2, 3)], epoch: 3 });
    let [told] = heard.missing(History { past: &[past(1, 4)], epoch: 4 }).try_into().unwrap();
    assert_eq!((told.position, told.news.earlier()), (at(3, 0), vec![at(1, 5), at(2, 0)]));
}

#[test]
fn what_was_written_since_is_restored() {
    let mut heard = Heard::new();
    heard.note_admission(&session(NOW, 1));
    heard.note_once(OnceId([1; 32]), NOW.after(MINUTE), 1, NOW);
    let lost = |written, epoch| heard.lost(History { past: &[Past { written, ..past(1, 3) }], epoch });
    let all = [Lost::Session(Box::new(session(NOW, 1))), Lost::Once(OnceId([1; 32]), NOW.after(MINUTE))];
    assert_eq!(lost(NOW, 2), all, "of the last instant, something may be lost");
    assert_eq!(lost(NOW.after(Duration::from_millis(1)), 2), []);
    assert_eq!(lost(NOW, 1), []);
}

#[test]
fn nothing_is_forgotten_before_it_was_told() {
    let mut heard = Heard::new();
    heard.settle(History { past: &[], epoch: 1 });
    heard.note(&[entry(1, 4)], 1);
    heard.note_admission(&session(NOW, 1));
    heard.note(&[entry(2, 1)], 2);
    heard.expire(NOW.after(1000 * MINUTE));
    let history = History { past: &[past(1, 3)], epoch: 2 };
    assert_eq!((heard.missing(history).len(), heard.lost(history).len()), (1, 1));
    heard.settle(History { past: &[], epoch: 2 });
    assert_eq!(heard.settled(), 2);
    heard.expire(NOW.after(1000 * MINUTE));
    assert_eq!((heard.missing(history).len(), heard.lost(history).len()), (0, 0));
}

#[test]
fn an_answer_that_comes_late_is_told_yet() {
    let mut heard = Heard::new();
    heard.settle(History { past: &[past(1, 3)], epoch: 2 });
    heard.note(&[], 2);
    assert_eq!(heard.settled(), 2);
    heard.note(&[entry(1, 4)], 1);
    assert_eq!(heard.settled(), 0);
}

#[test]
fn few_entries_are_kept_for_an_hour_and_many_until_they_cannot_matter() {
    let history = History { past: &[], epoch: 2 };
    let mut heard = Heard::new();
    heard.settle(History { past: &[], epoch: 1 });
    heard.note(&(0..FEW as u64 + 10).map(|seq| entry(1, seq)).collect::<Vec<_>>(), 1);
    heard.note(&[Entry { until: Timestamp::MAX, ..entry(1, 1 << 40) }], 1);
    heard.expire(NOW.after(5 * MINUTE));
    assert_eq!(heard.missing(history).len(), FEW + 1);
    heard.expire(NOW.after(60 * MINUTE));
    assert_eq!(heard.missing(history).len(), 1, "a removed key matters for ever");
}

#[test]
fn it_is_bounded() {
    let mut heard = Heard::new();
    for number in 0..SPENT as u64 + 10 {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_le_bytes());
        heard.note_once(OnceId(id), NOW.after(MINUTE), 1, NOW);
        heard.note_admission(&session(NOW, 1));
    }
    let lost = heard.lost(History { past: &[], epoch: 2 });
    assert_eq!(lost.len(), SPENT + super::ADMISSIONS);
}
