//! The checker finds what is wrong, and nothing else.

use super::{History, Span, Violation};

fn span(called: u64, answered: u64) -> Span {
    Span { called, answered }
}

#[test]
fn overlapping_calls_excuse_a_registry() {
    let mut history = History::new(1);
    history.admitted(1, span(0, 10));
    history.left(1, span(20, 30));
    // The second may have come after the first had left, and before the third was refused.
    history.admitted(2, span(15, 25));
    history.refused(span(5, 12));
    history.refused(span(26, 27));
    assert_eq!(history.verdict(), Ok(()));
}

#[test]
fn one_too_many_is_found() {
    let mut history = History::new(2);
    for session in 0..3 {
        history.admitted(
            session,
            span(2 * u64::try_from(session).unwrap(), 2 * u64::try_from(session).unwrap() + 1),
        );
    }
    assert_eq!(history.verdict(), Err(Violation::Exceeded { at: 5, definitely: 3 }));
    history.left(0, span(4, 9));
    assert_eq!(history.verdict(), Ok(()), "the first may have left before the third came");
    history.left(0, span(6, 9));
    assert_eq!(history.verdict(), Err(Violation::Exceeded { at: 5, definitely: 3 }));
}

#[test]
fn an_unjust_refusal_is_found() {
    let mut history = History::new(1);
    history.refused(span(0, 1));
    assert_eq!(history.verdict(), Err(Violation::Unjust { refusal: span(0, 1), possibly: 0 }));

    let mut history = History::new(2);
    history.admitted(1, span(0, 1));
    history.admitted(2, span(2, 3));
    history.left(2, span(4, 5));
    history.refused(span(5, 7));
    assert_eq!(history.verdict(), Ok(()), "the second may have left at 5");
    history.refused(span(6, 7));
    assert_eq!(history.verdict(), Err(Violation::Unjust { refusal: span(6, 7), possibly: 1 }));
}

#[test]
fn a_session_may_come_back() {
    let mut history = History::new(1);
    history.admitted(1, span(0, 1));
    history.left(1, span(2, 3));
    history.admitted(2, span(4, 5));
    history.left(2, span(6, 7));
    history.admitted(1, span(8, 9));
    history.refused(span(10, 11));
    assert_eq!(history.verdict(), Ok(()));
    history.admitted(2, span(12, 13));
    assert_eq!(history.verdict(), Err(Violation::Exceeded { at: 13, definitely: 2 }));
}
