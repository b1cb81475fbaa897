//! The suite that checks an implementation of [`Registry`]: every operation, every rule of the ledger.
//!
//! It runs in the tests of a registry, on a clock that it moves by hand, and panics with the rule that is broken.
//!
//! ```
//! use std::sync::Arc;
//!
//! use countersign_registry::{MemoryRegistry, Registry, conformance};
//!
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
//! conformance::run(async |clock| Arc::new(MemoryRegistry::with_clock(clock)) as Arc<dyn Registry>).await;
//! # });
//! ```
#![expect(clippy::unchecked_time_subtraction, reason = "which constant is larger is plain to see")]

mod admission;
mod bench;
pub mod checker;
mod ends;
mod feed;
mod handoff;
mod limits;
mod listing;
mod once;
mod race;
mod rotation;
mod version;

use std::sync::Arc;

use self::bench::Bench;
pub use self::race::{Outcome, Race, race};
use crate::clock::ManualClock;
use crate::contract::Registry;

/// Runs each check on a fresh registry, which reads the clock that it is given.
pub async fn run(fresh: impl AsyncFn(ManualClock) -> Arc<dyn Registry>) {
    admissions(&fresh).await;
    lives(&fresh).await;
}

macro_rules! each {
    ($fresh:ident: $($check:path,)*) => {$(
        $check(&Bench::new($fresh).await).await;
    )*};
}

/// Who gets in.
async fn admissions(fresh: &impl AsyncFn(ManualClock) -> Arc<dyn Registry>) {
    each! {
        fresh:
        admission::a_login_is_remembered,
        admission::a_repetition_is_the_same_admission,
        admission::a_login_key_is_the_same_admission_while_it_lives,
        admission::a_repetition_of_a_dangling_login_takes_a_seat_or_is_refused,
        admission::what_has_ended_is_not_admitted_again,
        admission::a_replaced_session_ends_in_the_same_step,
        admission::a_refused_newcomer_replaces_nobody,
        admission::time_ends_sessions,
        limits::refuse_in_each_scope,
        limits::end_least_recent_in_each_scope,
        limits::end_oldest_in_each_scope,
        limits::ask_in_each_scope,
        limits::a_choice_is_atomic_and_used_once,
        limits::a_choice_dies_with_an_end,
        limits::the_narrowest_full_scope_is_named,
        limits::nobody_ends_for_a_newcomer_who_is_refused,
        limits::a_dangling_session_holds_no_seat,
        limits::a_returning_session_takes_a_seat_or_is_refused,
        limits::a_passive_return_takes_no_seat,
        limits::a_mark_gives_no_seat_back,
        limits::zero_closes_the_door_and_ends_nobody,
        limits::an_exempt_login_is_never_refused,
        limits::a_lowered_limit_ends_nobody,
        limits::a_lowered_limit_costs_as_many_as_the_newcomer_needs,
        limits::owners_of_one_name_in_two_tenants_are_two,
        limits::a_refusal_says_when_to_try_again,
        handoff::a_code_is_used_once_and_ends_nobody,
        handoff::a_refusal_leaves_the_code_usable,
        handoff::a_code_dies_with_its_giver,
        handoff::the_giver_is_told,
        handoff::a_giver_may_make_room_for_its_own_handoff,
    }
}

/// What becomes of those who are in.
async fn lives(fresh: &impl AsyncFn(ManualClock) -> Arc<dyn Registry>) {
    each! {
        fresh:
        rotation::a_token_used_up_last_may_be_repeated,
        rotation::an_early_refresh_keeps_its_token,
        rotation::a_refresh_goes_on,
        rotation::lost_steps_are_made_up,
        rotation::a_used_up_token_ends_the_session,
        rotation::the_other_successor_ends_the_session,
        rotation::reuse_is_judged_before_the_seat,
        rotation::reuse_ends_what_was_handed_off,
        rotation::an_ended_session_tells_why,
        version::one_of_two_updates_wins,
        version::a_repetition_is_recognised,
        version::what_the_node_knows_counts,
        version::a_reset_always_wins,
        ends::each_target_ends_its_own,
        ends::a_login_after_an_end_lives,
        ends::an_end_is_idempotent,
        ends::others_end_but_one,
        ends::a_foreign_session_is_not_ended,
        ends::a_removed_key_is_remembered,
        ends::reasons_are_kept_for_a_day,
        once::an_id_is_claimed_once,
        once::a_look_uses_nothing_up,
        once::an_expired_id_is_spent,
        once::an_id_dies_with_its_owner,
        feed::a_tail_follows_its_position,
        feed::a_stranger_gets_a_snapshot,
        feed::entries_are_forgotten_in_time,
        feed::an_idle_session_that_was_polled_is_told,
        feed::news_resolve,
        listing::sessions_are_listed_in_order,
        listing::filters_leave_out,
        listing::a_cursor_goes_on,
        listing::a_tally_agrees_with_the_list,
        listing::the_fullest_tenants_are_named,
        listing::counts_agree,
        listing::activity_moves_forward_only,
    }
}
