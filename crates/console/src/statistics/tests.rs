//! The counters, by a clock moved by hand.

use std::time::Duration;

use super::*;

const START: Timestamp = Timestamp::from_secs(1_795_780_800); // 2026-11-27T12:00:00Z, on no boundary of a day

fn counts(seats: u64, sessions: u64) -> Counts {
    Counts { sessions, seats }
}

#[test]
fn days_have_their_names() {
    let check = |secs, expect| assert_eq!(calendar::day(Timestamp::from_secs(secs)), expect);
    check(0, "1970-01-01");
    check(951_782_400, "2000-02-29");
    check(951_868_800, "2000-03-01");
    check(1_709_164_800, "2024-02-29");
    check(1_735_689_599, "2024-12-31");
    check(1_735_689_600, "2025-01-01");
    check(4_107_542_400, "2100-03-01");
    assert_eq!(calendar::month(Timestamp::from_secs(1_735_689_599)), "2024-12");
}

#[test]
fn what_happens_is_counted_where_it_belongs() {
    let mut statistics = Statistics::default();
    statistics.count(Count::Login, START);
    statistics.count(Count::Login, START.after(Duration::from_secs(59)));
    statistics.sample(counts(2, 3), START);
    statistics.sample(counts(1, 1), START.after(Duration::from_secs(1)));
    statistics.count(Count::End(EndReason::Idle), START.after(Duration::from_secs(61)));
    let points = statistics.points(Span::Hour, START.after(Duration::from_secs(61)));
    assert_eq!(points.len(), 60);
    let [(before, first), (_, second)] = points[58..] else { panic!("two points") };
    assert_eq!(before, START, "a step begins on the minute");
    assert_eq!((first.logins, first.seats, first.sessions), (2, 2, 3), "the most at a time");
    assert_eq!(second.ends.iter().sum::<u32>(), 1);
    assert_eq!(statistics.total(Span::Day, START, |point| point.logins), 2);
}

#[test]
fn what_is_too_old_is_forgotten() {
    let mut statistics = Statistics::default();
    statistics.count(Count::Login, START);
    let later = START.after(Duration::from_hours(1));
    assert_eq!(statistics.total(Span::Hour, later, |point| point.logins), 0, "nothing was written since");
    statistics.count(Count::Login, later);
    assert_eq!(statistics.total(Span::Hour, later, |point| point.logins), 1);
    assert_eq!(statistics.total(Span::Day, later, |point| point.logins), 2);
    let far = START.after(Duration::from_hours(24 * 400));
    statistics.count(Count::Login, far);
    assert_eq!(statistics.total(Span::Month, far, |point| point.logins), 1);
}

#[test]
fn a_clock_that_is_set_back_loses_nothing() {
    let mut statistics = Statistics::default();
    statistics.count(Count::Refusal, START);
    statistics.count(Count::Refusal, START.before(Duration::from_hours(2)));
    assert_eq!(statistics.total(Span::Hour, START, |point| point.refusals), 2);
    statistics.sample(counts(5, 5), START);
    statistics.sample(counts(9, 9), START.before(Duration::from_hours(24)));
    let marks: Vec<_> = statistics.peaks(Period::Day).iter().map(|peak| (&*peak.of, peak.seats)).collect();
    assert_eq!(marks, [("2026-11-27", 9)]);
}

#[test]
fn marks_are_of_days_and_months() {
    let mut statistics = Statistics::default();
    for (hours, seats) in [(0, 3), (1, 7), (2, 5), (24, 4), (24 * 7, 6)] {
        statistics.sample(counts(seats, seats + 1), START.after(Duration::from_hours(hours)));
    }
    let marks = |period| {
        let marks = statistics.peaks(period).iter();
        marks.map(|peak| (peak.of.clone(), peak.seats, peak.sessions)).collect::<Vec<_>>()
    };
    let mark = |of: &str, seats| (of.to_owned(), seats, seats + 1);
    assert_eq!(marks(Period::Day), [mark("2026-11-27", 7), mark("2026-11-28", 4), mark("2026-12-04", 6)]);
    assert_eq!(marks(Period::Month), [mark("2026-11", 7), mark("2026-12", 6)]);
}

#[test]
fn how_long_sessions_lasted_falls_into_classes() {
    let mut statistics = Statistics::default();
    for secs in [0, 60, 61, 3600, 15 * 86_400] {
        let started = START.before(Duration::from_secs(secs));
        statistics.count_end(EndReason::Logout, Some(started), START);
    }
    statistics.count_end(EndReason::Logout, None, START);
    let classes: Vec<_> = statistics.lasted().classes().filter(|(_, sessions)| *sessions > 0).collect();
    assert_eq!(classes, [(Some(60), 2), (Some(300), 1), (Some(3600), 1), (None, 1)]);
}

#[test]
fn logins_are_told_by_day() {
    let mut statistics = Statistics::default();
    for hours in [0, 11, 12, 13] {
        statistics.count(Count::Login, START.after(Duration::from_hours(hours)));
    }
    let days = statistics.logins_by_day(START.after(Duration::from_hours(13)));
    assert!(days.len() >= 31, "a month");
    assert_eq!(days[days.len() - 2..], [("2026-11-27".to_owned(), 2), ("2026-11-28".to_owned(), 2)]);
}

#[test]
fn they_survive_a_restart_and_stay_within_their_bound() {
    let mut statistics = Statistics::default();
    for hour in 0..24 * 800 {
        let now = START.after(Duration::from_hours(hour));
        statistics.count(Count::Login, now);
        statistics.sample(counts(hour, hour), now);
    }
    for minute in 0..10_000 {
        statistics.count(
            Count::Forged,
            START.after(Duration::from_hours(24 * 800)).after(Duration::from_mins(minute)),
        );
    }
    let kept = serde_json::to_vec(&statistics).unwrap();
    let restored: Statistics = serde_json::from_slice(&kept).unwrap();
    assert_eq!(restored, statistics);
    let end = START.after(Duration::from_hours(24 * 800 + 10_000 / 60 + 1));
    assert!(restored.is_sound(end));
    assert!(!restored.is_sound(START), "of a time to come: a clock was wrong, or somebody else wrote it");
    let forged = String::from_utf8(kept).unwrap().replacen("\"of\":\"20", "\"of\":\"=20", 1);
    let forged: Statistics = serde_json::from_str(&forged).unwrap();
    assert!(!forged.is_sound(end));
    let points = 60 + 288 + 31 * 24;
    let marks = (400 + 120) * (size_of::<Peak>() + 16);
    assert!(points * size_of::<Point>() + marks + 1024 < BYTES);
    assert_eq!(restored.peaks(Period::Day).iter().count(), 400);
    assert_eq!(restored.points(Span::Hour, START.after(Duration::from_hours(24 * 1000))).len(), 60);
}
