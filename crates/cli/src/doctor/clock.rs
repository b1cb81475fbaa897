//! Whether two clocks agree.

use super::finding::Findings;
use crate::time::Instant;

/// What a request may take, and a header without fractions of a second leaves open.
const CLOSE: u64 = 5;
/// How far the clocks of nodes may be apart on a shared registry.
const SKEW: u64 = 60;

/// Compares this machine's clock with another's.
pub(crate) fn compare(
    check: &'static str,
    whose: &str,
    here: Instant,
    there: Instant,
    findings: &mut Findings,
) {
    let apart = here.as_secs().abs_diff(there.as_secs());
    let says = format!("the clocks of this machine and of {whose} are {apart} seconds apart");
    match apart {
        0..=CLOSE => findings.ok(check, format!("the clocks of this machine and of {whose} agree")),
        apart if apart <= SKEW => {
            findings.warn(check, says, "synchronise both with NTP; tokens allow for a minute between nodes");
        }
        _ => findings.fault(
            check,
            says,
            "synchronise both with NTP: beyond --clock-skew, nodes refuse each other's fresh tokens",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    #[test]
    fn a_minute_may_be_between_clocks() {
        for (apart, verdict) in [
            (0, Verdict::Ok),
            (-5, Verdict::Ok),
            (6, Verdict::Warning),
            (-60, Verdict::Warning),
            (61, Verdict::Fault),
        ] {
            let at = |secs| Instant::from_secs(secs).unwrap();
            let mut findings = Findings::default();
            compare("clock", "the server", at(1_800_000_000), at(1_800_000_000 + apart), &mut findings);
            assert_eq!(findings.found()[0].verdict, verdict, "{apart}");
        }
    }
}
