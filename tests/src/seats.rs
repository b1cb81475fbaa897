//! The checker of limits: from what clients saw of their calls, and from nothing else, it tells whether a limit was
//! ever exceeded and whether each refusal was true.
//!
//! A session holds a seat *definitely* from the answer that gave it one until its release is asked for or it could
//! dangle at the earliest; *possibly* from the asking until the release is answered or it must dangle.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// From the moment a call was made to the moment it was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Asked.
    pub from: Instant,
    /// Answered.
    pub to: Instant,
}

impl Span {
    /// The same call, where its token tells the registry's instant in milliseconds: most of a login goes by before
    /// the registry is asked. Never longer than what the client saw.
    pub fn around(self, issued_ms: u64) -> Self {
        let issued = UNIX_EPOCH + Duration::from_millis(issued_ms);
        let ago = SystemTime::now().duration_since(issued).unwrap_or_default();
        let at = Instant::now().checked_sub(ago).unwrap_or(self.from);
        let (from, to) = (at.checked_sub(SLACK).unwrap_or(self.from), at + SLACK);
        Self { from: from.clamp(self.from, self.to), to: to.clamp(self.from, self.to) }
    }
}

/// What a race for seats looked like from outside.
pub struct Seats {
    limit: usize,
    dangling_after: Duration,
    lifetime: Duration,
    sessions: Vec<Session>,
    refusals: Vec<(Span, Option<usize>)>,
}

#[derive(Default)]
struct Session {
    activity: Vec<Span>,
    release: Option<Span>,
}

/// A server's clock has milliseconds.
const SLACK: Duration = Duration::from_millis(5);
/// An end may be rounded down to the seconds of tokens.
const SECOND: Duration = Duration::from_secs(1);

impl Seats {
    /// For a site of so many seats, whose sessions dangle and end after these times.
    pub fn new(limit: usize, dangling_after: Duration, lifetime: Duration) -> Self {
        Self { limit, dangling_after, lifetime, sessions: Vec::new(), refusals: Vec::new() }
    }

    /// A login was admitted: its number.
    pub fn admitted(&mut self, call: Span) -> usize {
        self.sessions.push(Session { activity: vec![call], release: None });
        self.sessions.len() - 1
    }

    /// A session was refreshed, so it holds a seat (again).
    pub fn refreshed(&mut self, session: usize, call: Span) {
        self.sessions[session].activity.push(call);
    }

    /// A session logged out.
    pub fn released(&mut self, session: usize, call: Span) {
        self.sessions[session].release = Some(call);
    }

    /// A login, or the refresh of that session, was refused.
    pub fn refused(&mut self, call: Span, session: Option<usize>) {
        self.refusals.push((call, session));
    }

    /// So many were admitted, so many refused.
    pub fn tally(&self) -> (usize, usize) {
        (self.sessions.len(), self.refusals.len())
    }

    /// Judges the whole race.
    ///
    /// # Errors
    /// What was wrong, in words.
    pub fn check(&self) -> Result<(), String> {
        let definite = steps(self.sessions.iter().flat_map(|session| self.definite(session)));
        if let Some((_, most)) = definite.iter().find(|(_, count)| *count > self.limit) {
            return Err(format!("{most} sessions held the {} seats at one moment", self.limit));
        }
        let possible = steps(self.sessions.iter().flat_map(|session| self.possible(session)));
        match self.refusals.iter().position(|refusal| !self.justified(refusal, &possible)) {
            Some(at) => Err(format!("refusal {at} of {} came while a seat was free", self.refusals.len())),
            None => Ok(()),
        }
    }

    fn definite(&self, session: &Session) -> Vec<Span> {
        let began = session.activity.first().map(|call| call.from);
        let ends = began.map(|began| began + self.lifetime.saturating_sub(SECOND));
        let held = session.activity.iter().map(|call| {
            let dangles = call.from + self.dangling_after.saturating_sub(SLACK);
            let released = session.release.map(|release| release.from);
            Span { from: call.to, to: earliest(dangles, [ends, released]) }
        });
        merge(held.collect())
    }

    fn possible(&self, session: &Session) -> Vec<Span> {
        let began = session.activity.first().map(|call| call.to);
        let ends = began.map(|began| began + self.lifetime + SLACK);
        let held = session.activity.iter().map(|call| {
            let dangles = call.to + self.dangling_after + SLACK;
            let released = session.release.map(|release| release.to);
            Span { from: call.from, to: earliest(dangles, [ends, released]) }
        });
        merge(held.collect())
    }

    /// Whether at some moment of the call all seats may have been taken, by others than the refused session.
    fn justified(&self, (call, own): &(Span, Option<usize>), possible: &[(Instant, usize)]) -> bool {
        let own = own.map(|own| self.possible(&self.sessions[own])).unwrap_or_default();
        let full = |(at, count): (Instant, usize)| {
            let at = at.max(call.from);
            count - usize::from(own.iter().any(|span| span.from <= at && at < span.to)) >= self.limit
        };
        let first = possible.partition_point(|(at, _)| *at <= call.from).saturating_sub(1);
        self.limit == 0 || possible[first..].iter().take_while(|(at, _)| *at <= call.to).copied().any(full)
    }
}

fn earliest(first: Instant, others: [Option<Instant>; 2]) -> Instant {
    others.into_iter().flatten().fold(first, Instant::min)
}

/// Spans of one session that touch are one: it holds one seat however often it is told so.
fn merge(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.from < span.to);
    spans.sort_by_key(|span| span.from);
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.from <= last.to => last.to = last.to.max(span.to),
            _ => merged.push(span),
        }
    }
    merged
}

/// How many there are from each moment on. Where one ends as another begins, the end counts first.
fn steps(spans: impl Iterator<Item = Span>) -> Vec<(Instant, usize)> {
    let mut changes: Vec<_> = spans.flat_map(|span| [(span.from, true), (span.to, false)]).collect();
    changes.sort_unstable();
    let mut count = 0;
    let count_on = |(at, begins)| {
        count = if begins { count + 1 } else { count - 1 };
        (at, count)
    };
    changes.into_iter().map(count_on).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Moments in milliseconds.
    fn race(limit: usize, tell: impl FnOnce(&mut Seats, &dyn Fn(u64, u64) -> Span)) -> Result<(), String> {
        let start = Instant::now();
        let at = |ms| start + Duration::from_millis(ms);
        let mut seats = Seats::new(limit, Duration::from_secs(1), Duration::from_secs(10));
        tell(&mut seats, &|from, to| Span { from: at(from), to: at(to) });
        seats.check()
    }

    #[test]
    fn one_over_is_seen() {
        let two = race(1, |seats, span| {
            seats.admitted(span(0, 10));
            seats.admitted(span(5, 20));
        });
        assert!(two.is_err());
    }

    #[test]
    fn a_release_or_a_dangling_spell_frees_the_seat() {
        let released = race(1, |seats, span| {
            let first = seats.admitted(span(0, 10));
            seats.released(first, span(20, 30));
            seats.admitted(span(25, 40));
        });
        assert_eq!(released, Ok(()));
        let dangling = race(1, |seats, span| {
            seats.admitted(span(0, 10));
            seats.admitted(span(1000, 1010));
        });
        assert_eq!(dangling, Ok(()));
    }

    #[test]
    fn a_refresh_keeps_the_seat_and_counts_once() {
        let kept = race(2, |seats, span| {
            let first = seats.admitted(span(0, 10));
            seats.refreshed(first, span(500, 510));
            seats.admitted(span(600, 610));
        });
        assert_eq!(kept, Ok(()));
        let over = race(1, |seats, span| {
            let first = seats.admitted(span(0, 10));
            seats.refreshed(first, span(500, 510));
            seats.admitted(span(1400, 1410));
        });
        assert!(over.is_err());
    }

    #[test]
    fn a_refusal_needs_a_full_moment() {
        let full = race(1, |seats, span| {
            seats.admitted(span(0, 10));
            seats.refused(span(500, 510), None);
        });
        assert_eq!(full, Ok(()));
        let free = race(1, |seats, span| {
            let first = seats.admitted(span(0, 10));
            seats.released(first, span(20, 30));
            seats.refused(span(500, 510), None);
        });
        assert!(free.is_err());
        let dangling = race(1, |seats, span| {
            seats.admitted(span(0, 10));
            seats.refused(span(1100, 1200), None);
        });
        assert!(dangling.is_err());
    }

    #[test]
    fn nobody_is_refused_for_their_own_seat() {
        let own = race(1, |seats, span| {
            let first = seats.admitted(span(0, 10));
            seats.refused(span(500, 510), Some(first));
        });
        assert!(own.is_err());
    }
}
