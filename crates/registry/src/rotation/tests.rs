//! The table of rotation, row by row and bound by bound.

use std::time::Duration;

use countersign_token::{RotationId, Timestamp};

use super::{Presented, Verdict, judge};

const WINDOW: Duration = Duration::from_mins(1);
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn id(generation: u64, random: u64) -> RotationId {
    RotationId::from_bits(generation << 32 | random)
}

fn check(current: RotationId, id: RotationId, parent: RotationId, age_ms: u64, expected: Verdict) {
    let issued = NOW.before(Duration::from_millis(age_ms));
    let verdict = judge(current, Presented { id, parent, issued }, WINDOW, NOW);
    assert_eq!(verdict, expected, "{id:?} of {parent:?}, {age_ms} ms old, at {current:?}");
}

#[test]
fn every_row_of_the_table() {
    let (nil, parent, current) = (RotationId::NIL, id(4, 1), id(5, 1));
    let (young, old) = (59_999, 60_000);
    for age in [0, young, old, u64::MAX] {
        check(current, current, parent, age, Verdict::Renew { current });
        check(current, parent, id(3, 1), age, Verdict::Reused);
        check(current, id(5, 2), parent, age, Verdict::Reused);
        check(current, id(5, 2), id(4, 2), age, Verdict::Reused);
        check(current, id(1, 1), nil, age, Verdict::Reused);
    }
    let next = id(6, 1);
    check(current, next, current, young, Verdict::Keep { current });
    check(current, next, current, old, Verdict::Renew { current: next });
    for (lost, parent) in [(id(6, 2), id(5, 2)), (id(9, 1), id(8, 1))] {
        check(current, lost, parent, young, Verdict::Keep { current: parent });
        check(current, lost, parent, old, Verdict::Renew { current: lost });
    }
    check(nil, id(1, 1), nil, young, Verdict::Keep { current: nil });
    check(nil, id(1, 1), nil, old, Verdict::Renew { current: id(1, 1) });
}

#[test]
fn a_token_of_the_future_is_young() {
    let presented = Presented { id: id(1, 1), parent: RotationId::NIL, issued: Timestamp::MAX };
    let verdict = judge(RotationId::NIL, presented, WINDOW, NOW);
    assert_eq!(verdict, Verdict::Keep { current: RotationId::NIL });
}
