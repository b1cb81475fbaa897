//! Limits: never exceeded where that is promised, and nobody is refused for nobody.

use countersign_registry::conformance::checker::{History, Span, Violation};

use super::{Life, Oracle, Promise};
use crate::setting::{DANGLING, SKEW};

/// How far the registry's clock may be from the true one.
const MARGIN: u64 = 2 * SKEW;

impl Oracle {
    pub(crate) fn refused(&mut self, called: u64, answered: u64) {
        self.refusals.push((called, answered));
    }

    /// Whether more sessions were seated than there are seats.
    pub(crate) fn judge_limit(&mut self, now: u64) {
        let mut history = History::new(self.seats as usize);
        for (number, life) in self.lives.values().enumerate() {
            for (from, to) in life.definitely() {
                history.admitted(number as u128, Span { called: from, answered: from });
                history.left(number as u128, Span { called: to, answered: to });
            }
        }
        if let Err(violation) = history.verdict() {
            let seats = self.seats;
            self.broken(now, || format!("the limit of {seats} was exceeded: {violation:?}"));
        }
    }

    /// Whether somebody was refused while a seat was free.
    pub(crate) fn judge_refusals(&mut self, now: u64) {
        let mut history = History::new(self.seats as usize);
        for (number, life) in self.lives.values().enumerate() {
            for (from, to) in life.possibly(|promise| self.came_late(promise)) {
                history.admitted(number as u128, Span { called: from, answered: u64::MAX });
                history.left(number as u128, Span { called: to, answered: to });
            }
        }
        for &(called, answered) in &self.refusals {
            history.refused(Span { called, answered });
        }
        if let Err(Violation::Unjust { refusal, possibly }) = history.verdict() {
            let seats = self.seats;
            self.broken(now, || {
                format!("refused at {refusal:?}, while {possibly} of {seats} seats were taken")
            });
        }
    }
}

impl Life {
    /// When it held a seat for certain: since it was told so, until it may have dangled or ended.
    fn definitely(&self) -> Vec<(u64, u64)> {
        let over = self.cause.into_iter().chain(self.hit).min().unwrap_or(u64::MAX);
        let seated = |&(called, answered): &(u64, u64)| (answered, (called + DANGLING - MARGIN).min(over));
        merged(self.active.iter().map(seated))
    }

    /// When it may have held one: since it was asked for, until it must have dangled, or its end was acknowledged.
    fn possibly(&self, late: impl Fn(Promise) -> bool) -> Vec<(u64, u64)> {
        let over = self.ended.filter(|&ended| !self.late && !late(ended)).map_or(u64::MAX, |ended| ended.at);
        let seated = |&at: &u64| (at, (at + DANGLING + MARGIN).min(over));
        let seats = self.maybe_active.iter().map(seated);
        merged(seats)
    }
}

/// Spans that touch, as one.
fn merged(spans: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut spans: Vec<(u64, u64)> = spans.filter(|(from, to)| from < to).collect();
    spans.sort_unstable();
    let mut merged: Vec<(u64, u64)> = Vec::new();
    for (from, to) in spans {
        match merged.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    merged
}
