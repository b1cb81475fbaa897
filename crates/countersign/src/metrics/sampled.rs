//! Timing of the hot path: a few requests, chosen at random, so that the others pay for one multiplication.

use std::cell::Cell;
use std::time::Instant;

use ::metrics::{Histogram, histogram};

use super::names::{VERIFY, VERIFY_PATHS, VERIFY_SAMPLE};

/// How an access token was judged, by its place in [`VERIFY_PATHS`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    Warm,
    Cold,
    Refused,
}

/// The histograms of the hot path, looked up once.
#[derive(Debug)]
pub(crate) struct VerifyTimes([Histogram; 3]);

/// A judgement under way; most are not timed.
#[must_use]
pub(crate) struct Timing(Option<Instant>);

impl VerifyTimes {
    pub(crate) fn new() -> Self {
        Self(VERIFY_PATHS.map(|path| histogram!(VERIFY, "path" => path)))
    }
}

impl Timing {
    #[inline]
    pub(crate) fn begin() -> Self {
        Self(is_chosen().then(Instant::now))
    }

    #[inline]
    pub(crate) fn end(self, times: &VerifyTimes, path: Path) {
        if let Some(began) = self.0 {
            times.0[path as usize].record(began.elapsed());
        }
    }
}

/// Whether this one is timed: one in [`VERIFY_SAMPLE`], by the upper bits of a linear congruential generator.
#[inline]
fn is_chosen() -> bool {
    thread_local!(static CHANCE: Cell<u32> = const { Cell::new(0) });
    CHANCE.with(|chance| {
        let next = chance.get().wrapping_mul(747_796_405).wrapping_add(2_891_336_453);
        chance.set(next);
        next < u32::MAX / VERIFY_SAMPLE
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_in_so_many_is_timed() {
        let chosen = (0..64_000).filter(|_| is_chosen()).count();
        assert!((900..1100).contains(&chosen), "{chosen} of 1000");
    }
}
