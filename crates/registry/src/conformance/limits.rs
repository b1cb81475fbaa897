//! Limits: who gets a seat, who is refused, who makes room.

use std::time::Duration;

use countersign_token::RotationId;

use super::bench::{Bench, DANGLING, MINUTE, SECOND};
use crate::clock::Clock as _;
use crate::fact::{EndReason, News};
use crate::list::List;
use crate::op::{
    Activity, Admission, Admit, Admitted, Code, CountOf, Full, Holding, OnceId, Owner, Rotated, SeatState,
    SessionRecord, SetLimits, Standing, Target,
};
use crate::rules::{Limits, OnFull, Rules, Scope};

const SCOPES: [Scope; 3] = [Scope::User, Scope::Tenant, Scope::Site];

fn limited(scope: Scope, seats: u32, on_full: OnFull) -> Limits {
    match scope {
        Scope::User => Limits::none().per_user(seats, on_full),
        Scope::Tenant => Limits::none().per_tenant(seats, on_full),
        Scope::Site => Limits::none().per_site(seats, on_full),
    }
}

/// Owners that share exactly this scope.
fn owner(scope: Scope, number: u32) -> Owner {
    match scope {
        Scope::User => Owner::new(format!("ada of {scope:?}")).of_tenant("tenant of users"),
        Scope::Tenant => Owner::new(format!("user {number}")).of_tenant("acme"),
        Scope::Site => Owner::new(format!("user {number}")).of_tenant(format!("tenant {number}")),
    }
}

/// Fills two seats of a scope; the first of them was active last.
async fn filled(bench: &Bench, scope: Scope, on_full: OnFull) -> [SessionRecord; 2] {
    let _ = bench.end(Target::Everyone, EndReason::EndedByAdmin).await;
    bench.limit(limited(scope, 2, on_full));
    let oldest = bench.seat(bench.login_of(owner(scope, 1))).await.record;
    bench.clock.advance(SECOND);
    let newest = bench.seat(bench.login_of(owner(scope, 2))).await.record;
    bench.clock.advance(SECOND);
    bench.touch(oldest.id, Duration::ZERO).await;
    bench.clock.advance(SECOND);
    [oldest, newest]
}

fn check_full(full: &Full, scope: Scope, limit: u32, in_use: u64, on_full: OnFull) {
    let told = (full.scope, full.limit, full.in_use, full.on_full);
    assert_eq!(told, (scope, limit, in_use, on_full), "a refusal tells the scope that is full, and how full");
}

/// The rule `Refuse`: no newcomer, and nobody ends.
pub(super) async fn refuse_in_each_scope(bench: &Bench) {
    for scope in SCOPES {
        let sessions = filled(bench, scope, OnFull::Refuse).await;
        let full = bench.refused(bench.login_of(owner(scope, 3))).await;
        check_full(&full, scope, 2, 2, OnFull::Refuse);
        assert!(full.own.is_empty(), "only `Ask` lists sessions");
        for session in sessions {
            assert!(bench.lives(session.id).await, "a refusal ended a session");
        }
    }
}

async fn one_ends(bench: &Bench, scope: Scope, ends: &SessionRecord, stays: &SessionRecord) {
    let seated = bench.seat(bench.login_of(owner(scope, 3))).await;
    let news: Vec<News> = seated.entries.into_iter().map(|entry| entry.news).collect();
    assert_eq!(news, [News::Ended(ends.id, EndReason::Limit)], "in {scope:?}, the wrong session made room");
    assert_eq!(bench.standing(ends.id).await, Standing::Ended(Some(EndReason::Limit)));
    assert!(bench.lives(stays.id).await, "in {scope:?}, more ended than the newcomer needed");
    assert_eq!(bench.seats().await, 2, "in {scope:?}, the limit is not kept");
}

/// The rule `EndLeastRecent`: whoever was not active for longest makes room.
pub(super) async fn end_least_recent_in_each_scope(bench: &Bench) {
    for scope in SCOPES {
        let [oldest, newest] = filled(bench, scope, OnFull::EndLeastRecent).await;
        one_ends(bench, scope, &newest, &oldest).await;
    }
}

/// The rule `EndOldest`: whoever started first makes room.
pub(super) async fn end_oldest_in_each_scope(bench: &Bench) {
    for scope in SCOPES {
        let [oldest, newest] = filled(bench, scope, OnFull::EndOldest).await;
        one_ends(bench, scope, &oldest, &newest).await;
    }
}

/// The rule `Ask`: a refusal lists the owner's own sessions that hold a seat, the least recently active first.
pub(super) async fn ask_in_each_scope(bench: &Bench) {
    for scope in SCOPES {
        let [oldest, newest] = filled(bench, scope, OnFull::Ask).await;
        let full = bench.refused(bench.login_of(owner(scope, 1))).await;
        check_full(&full, scope, 2, 2, OnFull::Ask);
        let own: Vec<_> = full.own.iter().map(|record| record.id).collect();
        let expected = if scope == Scope::User { vec![newest.id, oldest.id] } else { vec![oldest.id] };
        assert_eq!(
            own, expected,
            "in {scope:?}, `Ask` lists the owner's own sessions, the least recent first"
        );
        assert!(
            bench.lives(oldest.id).await && bench.lives(newest.id).await,
            "`Ask` ended a session by itself"
        );
    }
}

fn choosing(bench: &Bench, owner: &Owner, full: &Full, end: countersign_token::SessionId) -> Admit {
    let (id, until) = (OnceId([7; 32]), full.at.after(5 * MINUTE));
    let code = Code { id, until, born: full.position, end: Some(end) };
    Admit { code: Some(code), ..bench.login_of(owner.clone()) }
}

/// A choice ends the chosen session and takes its seat in one step, once; a refusal leaves its code usable.
pub(super) async fn a_choice_is_atomic_and_used_once(bench: &Bench) {
    let limits = Limits::none().per_user(1, OnFull::Ask).per_site(2, OnFull::Refuse);
    bench.limit(limits);
    let ada = Owner::new("ada");
    let mine = bench.seat(bench.login_of(ada.clone())).await.record;
    let foreign = bench.seated("bob").await;
    let full = bench.refused(bench.login_of(ada.clone())).await;

    for not_mine in [foreign.id, bench.sid()] {
        let gone = bench.admit(choosing(bench, &ada, &full, not_mine)).await;
        assert!(matches!(gone, Admitted::ChoiceGone), "a choice of what is not the owner's: {gone:?}");
    }
    bench.limit(Limits { site: Limits::none().per_site(1, OnFull::Refuse).site, ..limits });
    let refused = bench.refused(choosing(bench, &ada, &full, mine.id)).await;
    assert_eq!(refused.scope, Scope::Site);
    assert!(bench.lives(mine.id).await && bench.lives(foreign.id).await, "a refused choice ended a session");

    bench.limit(limits);
    let choice = choosing(bench, &ada, &full, mine.id);
    let seated = bench.seat(choice.clone()).await;
    assert_eq!(bench.standing(mine.id).await, Standing::Ended(Some(EndReason::EndedByUser)));
    let again = bench.seat(choice).await;
    assert_eq!(again.record, seated.record, "a choice whose answer was lost is repeated by its id");
    let spent = bench.admit(choosing(bench, &ada, &full, seated.record.id)).await;
    assert!(matches!(spent, Admitted::CodeSpent), "a code was used twice: {spent:?}");
}

/// A choice code dies with an end of its subject, its tenant or the site, and with time.
pub(super) async fn a_choice_dies_with_an_end(bench: &Bench) {
    let ada = Owner::new("ada").of_tenant("acme");
    let ends = [
        (Target::Owner(ada.clone(), None), true),
        (Target::Tenant("acme".into()), true),
        (Target::Everyone, true),
        (Target::Owner(Owner::new("ada"), None), false),
        (Target::Tenant("other".into()), false),
    ];
    for (target, dies) in ends {
        bench.limit(Limits::none().per_user(1, OnFull::Ask));
        let _ = bench.end(Target::Owner(ada.clone(), None), EndReason::Logout).await;
        bench.seat(bench.login_of(ada.clone())).await;
        let full = bench.refused(bench.login_of(ada.clone())).await;
        let _ = bench.end(target.clone(), EndReason::Logout).await;
        bench.clock.advance(4 * MINUTE);
        let answer = bench.admit(choosing(bench, &ada, &full, bench.sid())).await;
        assert_eq!(
            matches!(answer, Admitted::CodeSpent),
            dies,
            "after {target:?} a code was answered {answer:?}"
        );
        bench.clock.advance(MINUTE);
        let late = bench.admit(choosing(bench, &ada, &full, bench.sid())).await;
        assert!(matches!(late, Admitted::CodeSpent), "an expired code was answered {late:?}");
    }
}

/// Of several full scopes the narrowest is named.
pub(super) async fn the_narrowest_full_scope_is_named(bench: &Bench) {
    let refuse = OnFull::Refuse;
    bench.limit(Limits::none().per_user(1, refuse).per_tenant(2, refuse).per_site(3, refuse));
    let of_acme = |name: &str| Owner::new(name).of_tenant("acme");
    for owner in [of_acme("ada"), of_acme("bob"), Owner::new("eve")] {
        bench.seat(bench.login_of(owner)).await;
    }
    for (owner, scope) in
        [(of_acme("ada"), Scope::User), (of_acme("cy"), Scope::Tenant), (Owner::new("cy"), Scope::Site)]
    {
        assert_eq!(bench.refused(bench.login_of(owner)).await.scope, scope);
    }
}

/// All scopes are planned before anybody ends.
pub(super) async fn nobody_ends_for_a_newcomer_who_is_refused(bench: &Bench) {
    let (ada, bob) = (Owner::new("ada").of_tenant("acme"), Owner::new("bob").of_tenant("acme"));
    let session = bench.seat(bench.login_of(ada.clone())).await.record;
    bench.seat(bench.login_of(bob)).await;
    bench.limit(Limits::none().per_user(1, OnFull::EndOldest).per_tenant(1, OnFull::Refuse));
    let full = bench.refused(bench.login_of(ada.clone())).await;
    check_full(&full, Scope::Tenant, 1, 1, OnFull::Refuse);
    assert!(bench.lives(session.id).await, "a refused newcomer ended a session");

    bench.limit(Limits::none().per_user(1, OnFull::EndOldest).per_site(2, OnFull::Refuse));
    let seated = bench.seat(bench.login_of(ada)).await;
    assert_eq!(seated.entries.len(), 1, "the seat that the user's rule frees counts in the site too");
}

/// A session that was not active for `dangling_after` holds no seat, to the millisecond, and lives on.
pub(super) async fn a_dangling_session_holds_no_seat(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::EndOldest));
    let idle = bench.seated("ada").await;
    bench.clock.advance(DANGLING - SECOND / 1000);
    assert_eq!(bench.seats().await, 1);
    bench.clock.advance(SECOND / 1000);
    assert_eq!(bench.seats().await, 0, "a dangling session holds a seat");
    let seated = bench.seat(bench.login("bob")).await;
    assert!(seated.entries.is_empty(), "a session ended to make room where an empty seat was");
    assert!(
        matches!(bench.standing(idle.id).await, Standing::Live(_, Holding::Nothing)),
        "it lives on without a seat"
    );
}

/// A dangling session that is refreshed takes a seat in the same step; without one, nothing changes, and nobody ends.
pub(super) async fn a_returning_session_takes_a_seat_or_is_refused(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::EndOldest));
    let idle = bench.seated("ada").await;
    let token = bench.token(RotationId::NIL, 1);
    bench.clock.advance(DANGLING);
    let other = bench.seated("bob").await;
    let rotated = bench.rotate(idle.id, token).await;
    let Rotated::Full(full) = rotated else { panic!("there is no seat to come back to: {rotated:?}") };
    check_full(&full, Scope::Site, 1, 1, OnFull::EndOldest);
    assert!(bench.lives(other.id).await, "a returning session ended another");
    let Standing::Live(record, _) = bench.standing(idle.id).await else {
        panic!("a refused return ended its session")
    };
    assert_eq!(
        (record.current, record.last_activity),
        (RotationId::NIL, idle.last_activity),
        "a refusal changed it"
    );

    let _ = bench.end(Target::Sessions(vec![other.id]), EndReason::Logout).await;
    let renewal = bench.renewed(idle.id, token).await;
    assert_eq!((renewal.seat, bench.seats().await), (Holding::Seat, 1), "it takes a seat again");
    bench.clock.advance(DANGLING);
    assert_eq!(bench.seats().await, 0, "and gives it up again");
}

/// A passive refresh keeps a seat that is held, takes none, and is no activity.
pub(super) async fn a_passive_return_takes_no_seat(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::Refuse));
    let session = bench.seated("ada").await;
    let token = bench.token(RotationId::NIL, 1);
    bench.clock.advance(DANGLING / 2);
    for held in [Holding::Seat, Holding::Nothing] {
        let rotated = bench.rotate_as(session.id, token, Activity::Passive).await;
        let Rotated::Renewed(renewal) = rotated else { panic!("a passive refresh was answered {rotated:?}") };
        assert_eq!(renewal.seat, held, "a passive refresh tells whether a seat is held");
        assert_eq!(renewal.record.last_activity, session.last_activity, "a passive refresh is no activity");
        bench.clock.advance(DANGLING / 2);
    }
    let Standing::Live(record, Holding::Nothing) = bench.standing(session.id).await else {
        panic!("it holds no seat")
    };
    assert_eq!(record.seat, SeatState::GivenUp);
    bench.seated("bob").await;
    let rotated = bench.rotate_as(session.id, token, Activity::Passive).await;
    assert!(matches!(rotated, Rotated::Renewed(_)), "a passive refresh needs no seat: {rotated:?}");
    assert!(matches!(bench.rotate(session.id, token).await, Rotated::Full(_)), "an active one does");
}

/// A mark of activity prolongs a seat, and never gives one back: not even one that was made in time but came late.
pub(super) async fn a_mark_gives_no_seat_back(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::Refuse));
    let prolonged = bench.seated("ada").await;
    bench.clock.advance(DANGLING / 2);
    bench.touch(prolonged.id, SECOND).await;
    bench.clock.advance(DANGLING - 2 * SECOND);
    assert_eq!(bench.seats().await, 1, "a mark prolongs a seat");
    bench.clock.advance(2 * SECOND);
    let other = bench.seated("bob").await;
    for age in [4 * SECOND, Duration::ZERO] {
        bench.touch(prolonged.id, age).await;
        assert_eq!(bench.seats().await, 1, "a mark of {age:?} ago gave a seat back beyond the limit");
    }
    let Standing::Live(record, Holding::Nothing) = bench.standing(prolonged.id).await else {
        panic!("it has no seat")
    };
    assert_eq!(record.last_activity, bench.clock.now(), "a late mark counts for the idle timeout");
    let _ = bench.end(Target::Sessions(vec![other.id]), EndReason::Logout).await;
    assert_eq!(bench.seats().await, 0, "a marked session without a seat sits in none");
}

/// A limit of 0 refuses newcomers and those who come back; no rule ends anybody for it.
pub(super) async fn zero_closes_the_door_and_ends_nobody(bench: &Bench) {
    let session = bench.seated("ada").await;
    for on_full in [OnFull::Refuse, OnFull::EndLeastRecent, OnFull::EndOldest, OnFull::Ask] {
        bench.limit(Limits::none().per_site(0, on_full));
        let full = bench.refused(bench.login("ada")).await;
        check_full(&full, Scope::Site, 0, 1, on_full);
        assert!(bench.lives(session.id).await, "a closed door ended a session by {on_full:?}");
    }
    let renewed = bench.rotate(session.id, bench.token(RotationId::NIL, 1)).await;
    assert!(matches!(renewed, Rotated::Kept(_)), "who sits inside stays: {renewed:?}");
    bench.clock.advance(DANGLING);
    let back = bench.rotate(session.id, bench.token(RotationId::NIL, 1)).await;
    assert!(matches!(back, Rotated::Full(_)), "the door is closed for who comes back: {back:?}");
}

/// An exempt login takes a seat and is never refused, and ends nobody.
pub(super) async fn an_exempt_login_is_never_refused(bench: &Bench) {
    bench.limit(Limits::none().per_site(1, OnFull::EndOldest));
    bench.seated("ada").await;
    let exempt = Admit { admission: Admission::Exempt, ..bench.login("root") };
    let seated = bench.seat(exempt.clone()).await;
    assert!(seated.entries.is_empty(), "an exempt login ended a session");
    assert_eq!(bench.seats().await, 2, "an exempt login takes a seat");
    bench.limit(Limits::none().per_site(0, OnFull::Refuse));
    bench.seat(Admit { session: bench.sid(), ..exempt }).await;
}

/// A limit that is lowered while the registry runs ends nobody, and refuses newcomers.
pub(super) async fn a_lowered_limit_ends_nobody(bench: &Bench) {
    for subject in ["ada", "bob", "cy"] {
        bench.seated(subject).await;
    }
    let limits = Limits::none().per_site(1, OnFull::Refuse);
    bench.registry.set_limits(SetLimits { limits }).await.expect("set_limits answers");
    assert_eq!(bench.seats().await, 3, "a lowered limit ended a session");
    check_full(&bench.refused(bench.login("eve")).await, Scope::Site, 1, 3, OnFull::Refuse);
}

/// Where more sit than the limit allows, as many make room as the newcomer needs.
pub(super) async fn a_lowered_limit_costs_as_many_as_the_newcomer_needs(bench: &Bench) {
    let mut sessions = Vec::new();
    for subject in ["ada", "bob", "cy", "dee"] {
        sessions.push(bench.seated(subject).await.id);
        bench.clock.advance(SECOND);
    }
    bench.limit(Limits::none().per_site(2, OnFull::EndOldest));
    let seated = bench.seat(bench.login("eve")).await;
    let ended: Vec<News> = seated.entries.into_iter().map(|entry| entry.news).collect();
    let expected: Vec<News> = sessions[..3].iter().map(|&id| News::Ended(id, EndReason::Limit)).collect();
    assert_eq!(ended, expected, "the oldest make room, as many as needed, in order");
}

/// Two subjects of one name in different tenants are two people.
pub(super) async fn owners_of_one_name_in_two_tenants_are_two(bench: &Bench) {
    bench.limit(Limits::none().per_user(1, OnFull::Refuse));
    for owner in
        [Owner::new("ada"), Owner::new("ada").of_tenant("acme"), Owner::new("ada").of_tenant("other")]
    {
        bench.seat(bench.login_of(owner.clone())).await;
        bench.refused(bench.login_of(owner.clone())).await;
        assert_eq!(bench.ids(List::of(owner.clone())).await.len(), 1);
        assert_eq!(bench.counts(CountOf::Owner(owner)).await.seats, 1);
    }
}

/// A refusal says when the next seat would fall free: when a session dangles, idles or expires.
pub(super) async fn a_refusal_says_when_to_try_again(bench: &Bench) {
    let limits = Limits::none().per_site(2, OnFull::Refuse);
    bench.registry.configure(Rules { limits, ..Rules::default() });
    bench.seated("ada").await;
    bench.clock.advance(10 * MINUTE);
    bench.seated("bob").await;
    let told = bench.refused(bench.login("cy")).await.retry_after;
    assert!(
        told.is_none_or(|told| told == DANGLING - 10 * MINUTE),
        "the next seat falls free later: {told:?}"
    );
    let short = Limits::none().per_site(1, OnFull::Refuse);
    bench.registry.set_limits(SetLimits { limits: short }).await.expect("set_limits answers");
    let told = bench.refused(bench.login("cy")).await.retry_after;
    assert!(told.is_none_or(|told| told == DANGLING), "two seats must fall free first: {told:?}");
}
