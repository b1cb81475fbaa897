//! The flows that need the registry: each prepares one operation, asks once, and turns the outcome into what the
//! client receives.

mod choice;
mod code;
mod end;
mod handoff;
mod login;
mod mint;
mod refresh;
mod update;

pub(crate) use choice::{ChoiceForm, admit_choice};
pub(crate) use end::{end, end_sessions, farewell};
pub(crate) use handoff::{HandoffForm, LIFE as HANDOFF_LIFE, hand_off, offer, redeem};
pub(crate) use login::{Login, login};
pub(crate) use refresh::{Client, hold, refresh, renew};
pub(crate) use update::{Presented, carry_session, carry_visit, exclusive, plain, read_visit, reset, visit};

use std::future::Future;
use std::ops::RangeInclusive;
use std::time::Duration;

use countersign_registry::RegistryError;

use crate::call::{self, Missed};
use crate::refusal::Refusal;
use crate::sessions::Inner;

/// How long one call of the registry may take, at most and at least. In between it is a quarter of the race window:
/// less than the third after which a client gives up its exchange.
const DEADLINE: RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(10);

/// The same for a call that another one follows in the same exchange: both together are less than that third.
const BRIEF_DEADLINE: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(4);

/// Asks the registry once, with a deadline.
pub(crate) async fn ask<T>(
    inner: &Inner,
    operation: &'static str,
    call: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, Refusal> {
    let deadline = (inner.config.policy.race_window / 4).clamp(*DEADLINE.start(), *DEADLINE.end());
    within(inner, deadline, operation, call).await
}

/// Asks the registry for something that must be known before it is asked again.
pub(crate) async fn ask_first<T>(
    inner: &Inner,
    operation: &'static str,
    call: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, Refusal> {
    let deadline =
        (inner.config.policy.race_window / 15).clamp(*BRIEF_DEADLINE.start(), *BRIEF_DEADLINE.end());
    within(inner, deadline, operation, call).await
}

async fn within<T>(
    inner: &Inner,
    deadline: Duration,
    operation: &'static str,
    call: impl Future<Output = Result<T, RegistryError>>,
) -> Result<T, Refusal> {
    call::call(inner, operation, deadline, call).await.map_err(|Missed| Refusal::RegistryUnavailable)
}
