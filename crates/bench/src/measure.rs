//! Interleaving and medians: absolute times drift from one second to the next, ratios of neighbours do not.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// How much is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// All of it in under two minutes.
    Quick,
    /// In under fifteen.
    Full,
}

impl Effort {
    /// One of two figures.
    pub(crate) fn pick<T>(self, quick: T, full: T) -> T {
        match self {
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

/// One of the things that are measured side by side.
pub(crate) struct Lane<'a> {
    operations: u32,
    run: Box<dyn FnMut() + 'a>,
}

impl<'a> Lane<'a> {
    /// An operation, so cheap that only so many of them together can be timed.
    pub(crate) fn new<T>(operations: u32, mut operation: impl FnMut() -> T + 'a) -> Self {
        let run = move || {
            for _ in 0..operations {
                black_box(operation());
            }
        };
        Self { operations, run: Box::new(run) }
    }

    fn time(&mut self) -> f64 {
        let started = Instant::now();
        (self.run)();
        nanos(started.elapsed()) / f64::from(self.operations)
    }
}

/// Runs the lanes in turn, A B C A B C …, after one turn that does not count.
pub(crate) fn interleave<const N: usize>(rounds: u32, mut lanes: [Lane<'_>; N]) -> [Series; N] {
    let mut series = [const { Series(Vec::new()) }; N];
    for lane in &mut lanes {
        lane.time();
    }
    for _ in 0..rounds {
        for (lane, series) in lanes.iter_mut().zip(&mut series) {
            series.push(lane.time());
        }
    }
    series
}

/// What was measured in each round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Series(Vec<f64>);

impl Series {
    /// The next round's figure.
    pub(crate) fn push(&mut self, value: f64) {
        self.0.push(value);
    }

    /// All of another's figures too.
    pub(crate) fn extend(&mut self, values: impl IntoIterator<Item = f64>) {
        self.0.extend(values);
    }

    /// The value that half of the rounds stay below.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value that this share of the rounds stays below; no number without rounds.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().saturating_sub(1);
        #[expect(clippy::cast_precision_loss, clippy::cast_sign_loss, reason = "a place in a list")]
        let place = (last as f64 * share).round() as usize;
        sorted.get(place).copied().unwrap_or(f64::NAN)
    }

    /// Round by round, this one divided by the other.
    pub(crate) fn over(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(this, other)| this / other).collect())
    }

    /// Round by round, this one without the other.
    pub(crate) fn less(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(this, other)| this - other).collect())
    }
}

/// A duration in nanoseconds.
pub(crate) fn nanos(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let series = Series(vec![5.0, 1.0, 4.0, 2.0, 3.0]);
        let seen = [0.0, 0.1, 0.5, 0.99, 1.0].map(|share| format!("{}", series.quantile(share)));
        assert_eq!(seen, ["1", "1", "3", "5", "5"]);
        assert!(Series::default().median().is_nan());
    }

    #[test]
    fn ratios_are_taken_between_neighbours() {
        // The machine is three times as slow in the second round, for both.
        let (slow, quick) = (Series(vec![2.0, 6.0, 2.0]), Series(vec![1.0, 3.0, 1.0]));
        assert_eq!(slow.over(&quick).0, [2.0, 2.0, 2.0]);
    }

    #[test]
    fn lanes_take_turns() {
        let turns = std::cell::RefCell::new(String::new());
        let lane = |name| {
            Lane::new(2, {
                let turns = &turns;
                move || turns.borrow_mut().push(name)
            })
        };
        let [a, b] = interleave(2, [lane('a'), lane('b')]);
        assert_eq!(turns.into_inner(), "aabbaabbaabb");
        assert_eq!((a.0.len(), b.0.len()), (2, 2));
    }
}
