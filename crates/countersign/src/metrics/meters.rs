//! What the framework's own code counts.

use std::time::Duration;

use ::metrics::{
    Counter, Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use countersign_registry::{Counts, EndReason};

use super::names::{
    EVENTS_DROPPED, LOGIN_OUTCOMES, LOGINS, MARKS_DROPPED, REFRESH_OUTCOMES, REFRESHES, REFUSALS,
    REGISTRY_CALL, REVOCATION_PROPAGATION, SEATS_IN_USE, SESSIONS_ACTIVE, SESSIONS_ENDED, UNUSUAL, VERIFY,
    VIEW_AGE,
};
use super::sampled::VerifyTimes;
use crate::event::SessionEvent;
use crate::refusal::Refusal;
use crate::unusual::Finding;

/// Describes all, and begins every series of a closed list at 0, so that its first increase is seen as one.
pub(crate) fn begin() -> VerifyTimes {
    describe();
    for outcome in LOGIN_OUTCOMES.into_iter().chain(["sessions-limit", "registry-unavailable"]) {
        counter!(LOGINS, "outcome" => outcome).increment(0);
    }
    for outcome in REFRESH_OUTCOMES.into_iter().chain(["refresh-reused", "registry-unavailable"]) {
        counter!(REFRESHES, "outcome" => outcome).increment(0);
    }
    for reason in
        EndReason::ALL.into_iter().filter(|reason| !matches!(reason, EndReason::Idle | EndReason::Expired))
    {
        counter!(SESSIONS_ENDED, "reason" => reason.as_str()).increment(0);
    }
    for code in Refusal::CODES {
        counter!(REFUSALS, "code" => code).increment(0);
    }
    for finding in Finding::NAMES {
        counter!(UNUSUAL, "finding" => finding).increment(0);
    }
    counter!(MARKS_DROPPED).increment(0);
    events_dropped().increment(0);
    VerifyTimes::new()
}

pub(crate) fn login(outcome: &'static str) {
    counter!(LOGINS, "outcome" => outcome).increment(1);
}

pub(crate) fn refresh(outcome: &'static str) {
    counter!(REFRESHES, "outcome" => outcome).increment(1);
}

/// Counts what an event tells.
pub(crate) fn event(event: &SessionEvent) {
    match event {
        SessionEvent::Ended { reason, .. } => {
            counter!(SESSIONS_ENDED, "reason" => reason.as_str()).increment(1);
        }
        SessionEvent::EndedMany { reason, sessions, .. } => {
            counter!(SESSIONS_ENDED, "reason" => reason.as_str()).increment(*sessions);
        }
        SessionEvent::Refused { code, .. } => counter!(REFUSALS, "code" => *code).increment(1),
        SessionEvent::Unusual { finding } => counter!(UNUSUAL, "finding" => finding.name()).increment(1),
        SessionEvent::MarksDropped { marks } => counter!(MARKS_DROPPED).increment(*marks),
        _ => {}
    }
}

pub(crate) fn counts(counts: Counts) {
    // Beyond 2^53 a gauge may round; that many sessions there are not.
    #[expect(clippy::cast_precision_loss)]
    let [sessions, seats] = [counts.sessions as f64, counts.seats as f64];
    gauge!(SESSIONS_ACTIVE).set(sessions);
    gauge!(SEATS_IN_USE).set(seats);
}

pub(crate) fn view_age(age: Duration) {
    gauge!(VIEW_AGE).set(age);
}

pub(crate) fn propagated(after: Duration) {
    histogram!(REVOCATION_PROPAGATION).record(after);
}

pub(crate) fn call(operation: &'static str, outcome: &'static str, took: Duration) {
    histogram!(REGISTRY_CALL, "operation" => operation, "outcome" => outcome).record(took);
}

pub(crate) fn events_dropped() -> Counter {
    counter!(EVENTS_DROPPED)
}

fn describe() {
    describe_gauge!(SESSIONS_ACTIVE, Unit::Count, "Live sessions of the site, dangling ones included.");
    describe_gauge!(SEATS_IN_USE, Unit::Count, "Seats of the site in use.");
    describe_counter!(LOGINS, Unit::Count, "Logins, by outcome.");
    describe_counter!(REFRESHES, Unit::Count, "Refreshes, by outcome.");
    describe_counter!(SESSIONS_ENDED, Unit::Count, "Sessions that somebody or a rule ended, by reason.");
    describe_counter!(REFUSALS, Unit::Count, "Refused requests, by the code of their problem document.");
    describe_counter!(UNUSUAL, Unit::Count, "Unusual activity, by finding.");
    describe_histogram!(
        REVOCATION_PROPAGATION,
        Unit::Seconds,
        "From the registry's instant of an end until this node's view has it."
    );
    describe_gauge!(VIEW_AGE, Unit::Seconds, "The age of this node's view of revocations.");
    describe_histogram!(VERIFY, Unit::Seconds, "Judging an access token; one request in 64 is timed.");
    describe_histogram!(REGISTRY_CALL, Unit::Seconds, "Calls of the registry, by operation and outcome.");
    describe_counter!(EVENTS_DROPPED, Unit::Count, "Lines of events and records that found no room.");
    describe_counter!(MARKS_DROPPED, Unit::Count, "Marks of activity that found no room.");
}
