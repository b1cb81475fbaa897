//! Which ends are kept: those whom a naive list of all of them would hit, and no more than the bound.

use std::time::Duration;

use countersign_token::{FeedPosition, SessionId, Timestamp};
use proptest::prelude::*;

use super::{Ends, KEPT};
use crate::fact::{EndReason, Entry, News};

const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn at(epoch: u64, seq: u64) -> FeedPosition {
    FeedPosition { epoch, seq }
}

fn session(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

/// An end of one owner, told at these positions, the first of them first.
fn told(positions: &[FeedPosition], except: Option<u8>) -> Entry {
    let owner = crate::Owner::new("ada");
    let mut news = News::OwnerEnded(owner, except.map(session), EndReason::Logout);
    for position in &positions[..positions.len() - 1] {
        news = News::Again(*position, Box::new(news));
    }
    let position = positions[positions.len() - 1];
    Entry { position, at: NOW, until: NOW.after(Duration::from_mins(5)), news }
}

/// As the documentation of [`News::Again`] says it.
fn hits(position: FeedPosition, news: &News, born: FeedPosition, id: SessionId) -> bool {
    match news {
        News::Again(first, before) if born.epoch <= first.epoch => hits(*first, before, born, id),
        News::OwnerEnded(_, except, _) if *except == Some(id) => false,
        News::Again(_, before) => born < position && hits(position, before, at(0, 0), id),
        _ => born < position,
    }
}

fn positions() -> impl Strategy<Value = Vec<FeedPosition>> {
    let seq = || prop::option::weighted(0.6, 1..8_u64);
    (seq(), seq(), seq(), 1..8_u64).prop_map(|(one, two, three, four)| {
        let earlier =
            [(1, one), (2, two), (3, three)].into_iter().filter_map(|(epoch, seq)| Some(at(epoch, seq?)));
        let all: Vec<FeedPosition> = earlier.collect();
        if all.is_empty() { vec![at(4, four)] } else { all }
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn they_hit_whom_a_list_of_all_would_hit(
        drawn in prop::collection::vec((positions(), prop::option::of(0..3_u8)), 1..12),
    ) {
        let entries: Vec<Entry> = drawn.iter().map(|(positions, except)| told(positions, *except)).collect();
        let kept = entries.iter().filter_map(Ends::told).reduce(Ends::merge).unwrap();
        for (epoch, seq, id) in (0..6).flat_map(|epoch| (0..9).flat_map(move |seq| (0..4).map(move |id| (epoch, seq, id)))) {
            let (born, id) = (at(epoch, seq), session(id));
            let expected = entries.iter().any(|entry| hits(entry.position, &entry.news, born, id));
            let found = kept.hit(born, &id).is_some();
            prop_assert_eq!(found, expected, "{:?} {:?} {:?}", born, id, kept);
            let dead = entries.iter().any(|entry| hits(entry.position, &entry.news, born, session(9)));
            prop_assert_eq!(kept.hit_any(born), dead);
        }
    }
}

#[test]
fn ends_that_were_told_once_are_two_at_most() {
    let entries = (1..100).map(|seq| told(&[at(1, seq)], Some((seq % 7) as u8)));
    let kept = entries.filter_map(|entry| Ends::told(&entry)).reduce(Ends::merge).unwrap();
    assert_eq!(kept.others.len(), 1);
}

#[test]
fn one_too_many_ends_more_and_never_less() {
    // None of these makes another needless: what hits more of the first epoch hits less of the second.
    let entries: Vec<Entry> = (1..60).map(|n| told(&[at(1, n), at(2, 100 - n)], None)).collect();
    let mut kept: Option<Ends> = None;
    for (count, entry) in entries.iter().enumerate() {
        let more = Ends::told(entry).unwrap();
        let ends = kept.take().map_or(more.clone(), |known| known.merge(more));
        assert!(ends.all().count() <= KEPT);
        for told in &entries[..=count] {
            for (born, id) in [(at(1, 0), 1), (at(1, 30), 1), (at(2, 30), 2), (at(2, 99), 3)] {
                let must = hits(told.position, &told.news, born, session(id));
                assert!(!must || ends.hit(born, &session(id)).is_some(), "{born:?} got away");
            }
        }
        assert_eq!(ends.hit(at(2, 100), &session(1)), None, "who logged in since is not concerned");
        kept = Some(ends);
    }
}
