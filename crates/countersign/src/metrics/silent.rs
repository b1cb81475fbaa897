//! Nothing is counted without the feature `metrics`: the same names, and no code behind them.

#![allow(clippy::unused_self, reason = "the shape of those that count")]

use std::time::Duration;

use crate::event::SessionEvent;

#[derive(Debug)]
pub(crate) struct Counter;

#[derive(Debug)]
pub(crate) struct VerifyTimes;

pub(crate) struct Timing;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Path {
    Warm,
    Cold,
    Refused,
}

pub(crate) fn begin() -> VerifyTimes {
    VerifyTimes
}

pub(crate) fn login(_outcome: &'static str) {}

pub(crate) fn refresh(_outcome: &'static str) {}

pub(crate) fn event(_event: &SessionEvent) {}

pub(crate) fn propagated(_after: Duration) {}

pub(crate) fn call(_operation: &'static str, _outcome: &'static str, _took: Duration) {}

impl Counter {
    pub(crate) fn increment(&self, _by: u64) {}
}

impl Timing {
    #[inline]
    pub(crate) fn begin() -> Self {
        Self
    }

    #[inline]
    pub(crate) fn end(self, _times: &VerifyTimes, _path: Path) {}
}

pub(crate) fn events_dropped() -> Counter {
    Counter
}
