//! Logins: what is remembered, what is a repetition, what ends with them.

use std::sync::Arc;

use super::bench::{Bench, DANGLING, MINUTE, SECOND};
use crate::clock::Clock as _;
use crate::fact::{EndReason, News};
use crate::op::{Admit, Admitted, Digest, Holding, Lifetime, Owner, Repetition, SeatState, Standing, Target};
use crate::rules::{Limits, OnFull, Rules};

/// What a login says is what `get` tells, and it holds a seat.
pub(super) async fn a_login_is_remembered(bench: &Bench) {
    let owner = Owner::new("ada").of_tenant("acme");
    let admit = Admit {
        methods: Arc::from("pwd otp"),
        device: Some(Arc::from("Firefox on Linux")),
        auth_time: Some(bench.clock.now().before(MINUTE)),
        login_key: Some(Digest([1; 16])),
        lifetime: Lifetime::For(100 * MINUTE),
        ..bench.login_of(owner.clone())
    };
    let position = bench.feed(None).await.complete_to;
    let seated = bench.seat(admit.clone()).await;
    let record = seated.record;
    assert_eq!(seated.repetition, Repetition::First, "a new login is a first one");
    assert!(seated.entries.is_empty(), "a login that ends nobody is no news");
    assert_eq!((record.id, &record.owner), (admit.session, &owner), "a session is whose login it was");
    assert_eq!((&record.methods, &record.device), (&admit.methods, &admit.device));
    assert_eq!(
        (record.started_at, record.last_activity),
        (seated.at, seated.at),
        "a session starts at the login"
    );
    assert_eq!(Some(record.auth_time), admit.auth_time, "the instant of the proof is the caller's");
    assert_eq!(record.expires_at, seated.at.after(100 * MINUTE), "the lifetime counts from the login");
    assert_eq!((record.seat, record.born), (SeatState::Taken, position), "it is born at the feed's position");
    assert_eq!((record.exclusive, record.login_key), (0, admit.login_key));
    let known = bench.standing(admit.session).await;
    assert_eq!(known, Standing::Live(Box::new(record), Holding::Seat), "`get` tells what the login told");
}

/// A login whose answer was lost is repeated under its id without a second effect.
pub(super) async fn a_repetition_is_the_same_admission(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::Refuse));
    let admit = bench.login("ada");
    let first = bench.seat(admit.clone()).await;
    bench.clock.advance(SECOND);
    let again = bench.seat(admit).await;
    assert_eq!(again.repetition, Repetition::Again, "a login under a known id is a repetition");
    assert_eq!(again.record, first.record, "a repetition changes nothing");
    assert_eq!(bench.seats().await, 1, "a repetition costs no second seat");
}

/// A login with the key of an earlier one of its owner is that one, while it lives.
pub(super) async fn a_login_key_is_the_same_admission_while_it_lives(bench: &Bench) {
    let keyed = |subject: &str| Admit { login_key: Some(Digest([1; 16])), ..bench.login(subject) };
    let first = bench.seat(keyed("ada")).await.record;
    let again = bench.seat(keyed("ada")).await;
    assert_eq!(
        (again.repetition, again.record.id),
        (Repetition::Again, first.id),
        "the same key is the same login"
    );
    let other = bench.seat(keyed("bob")).await;
    assert_eq!(other.repetition, Repetition::First, "another owner's key is another key");
    let _ = bench.end(Target::Sessions(vec![first.id]), EndReason::Logout).await;
    let after = bench.seat(keyed("ada")).await;
    assert_eq!(after.repetition, Repetition::First, "the key of an ended session is free");
    let keyless = bench.seat(bench.login("ada")).await;
    assert_eq!(keyless.repetition, Repetition::First, "a login without a key repeats none");
}

/// A repeated login would let a session that dangles in without a seat: so it takes one, or is refused.
pub(super) async fn a_repetition_of_a_dangling_login_takes_a_seat_or_is_refused(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::Refuse));
    let admit = bench.login("ada");
    bench.seat(admit.clone()).await;
    bench.clock.advance(DANGLING);
    let other = bench.seated("bob").await;
    bench.refused(admit.clone()).await;
    let _ = bench.end(Target::Sessions(vec![other.id]), EndReason::Logout).await;
    let again = bench.seat(admit).await;
    assert_eq!((again.repetition, again.record.last_activity), (Repetition::Again, bench.clock.now()));
    assert_eq!(bench.seats().await, 1, "it has its seat again");
}

/// No login brings an ended session back to life, nor makes one that has expired.
pub(super) async fn what_has_ended_is_not_admitted_again(bench: &Bench) {
    let ended = bench.login("ada");
    bench.seat(ended.clone()).await;
    let _ = bench.end(Target::Sessions(vec![ended.session]), EndReason::EndedByAdmin).await;
    let again = bench.admit(ended.clone()).await;
    assert!(
        matches!(again, Admitted::Ended(Some(EndReason::EndedByAdmin))),
        "an ended id came back: {again:?}"
    );

    let orphan = Admit { handed_off_from: Some(ended.session), ..bench.login("ada") };
    let orphan = bench.admit(orphan).await;
    assert!(
        matches!(orphan, Admitted::Ended(Some(_))),
        "a session was handed off from an ended one: {orphan:?}"
    );

    let late = Admit { lifetime: Lifetime::Until(bench.clock.now()), ..bench.login("ada") };
    let late = bench.admit(late).await;
    assert!(
        matches!(late, Admitted::Ended(Some(EndReason::Expired))),
        "a session was born expired: {late:?}"
    );
    assert_eq!(bench.counts(crate::CountOf::Site).await.sessions, 0);
}

/// A replaced session is counted without its seat and ends with the admission, told by the feed.
pub(super) async fn a_replaced_session_ends_in_the_same_step(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::Refuse));
    let old = bench.seated("ada").await;
    let new = bench.seat(Admit { replaces: Some(old.id), ..bench.login("bob") }).await;
    assert_eq!(
        bench.standing(old.id).await,
        Standing::Ended(Some(EndReason::Replaced)),
        "the old one has ended"
    );
    assert!(bench.lives(new.record.id).await);
    let news: Vec<News> = new.entries.into_iter().map(|entry| entry.news).collect();
    assert_eq!(news, [News::Ended(old.id, EndReason::Replaced)], "the admission tells what the feed says");
}

/// A refused login leaves the session that it would have replaced.
pub(super) async fn a_refused_newcomer_replaces_nobody(bench: &Bench) {
    bench.limit(Limits::none().per_user(1, OnFull::Refuse).per_site(9, OnFull::Refuse));
    let old = bench.seated("ada").await;
    bench.seated("bob").await;
    bench.refused(Admit { replaces: Some(old.id), ..bench.login("bob") }).await;
    assert!(bench.lives(old.id).await, "a refusal ended the session that it would have replaced");
}

/// The absolute end and the idle timeout end sessions to the millisecond, and are told apart.
pub(super) async fn time_ends_sessions(bench: &Bench) {
    let millisecond = SECOND / 1000;
    let rules = Rules { idle_timeout: 60 * MINUTE, ..Rules::default() };
    bench.registry.configure(rules);
    let long = bench.seated("ada").await;
    let short = bench.seat(Admit { lifetime: Lifetime::For(40 * MINUTE), ..bench.login("ada") }).await.record;
    bench.clock.advance(40 * MINUTE - millisecond);
    assert!(bench.lives(short.id).await, "a session ended before its time");
    bench.clock.advance(millisecond);
    assert_eq!(bench.standing(short.id).await, Standing::Ended(Some(EndReason::Expired)));
    bench.clock.advance(20 * MINUTE - millisecond);
    assert!(bench.lives(long.id).await, "a session idled before its time");
    bench.clock.advance(millisecond);
    assert_eq!(bench.standing(long.id).await, Standing::Ended(Some(EndReason::Idle)));
}
