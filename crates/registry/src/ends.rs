//! Ends by scope: whom one hits, and which of several must be kept so that nobody gets away.
//!
//! An end of an owner, a tenant or everyone hits the sessions that were born before it. One that was lost in a fail-over
//! is [told again](News::Again) at a new position; then sessions of each epoch compare with the position at which it was
//! told there, so that who logged in after it, in whatever epoch, is spared.

use countersign_token::{FeedPosition, SessionId};

use crate::fact::{EndReason, Entry, News};

/// The ends of one scope that must be kept, the last one apart, at most 16. One more, and all count as told for the first
/// time where they were told last: when full, it errs towards ending.
///
/// **Which must be kept.** An end *covers* another if it hits all that the other one hits, but for the session that it
/// spares. It makes the other one needless if it spares nobody or the same session; and two that cover it do, if they
/// spare different sessions. Of ends that were told once this leaves two: the last, and the last that spares
/// another session. Those told again may hit more of one epoch and less of another than the last one does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ends {
    last: ScopeEnd,
    others: Vec<ScopeEnd>,
}

const KEPT: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
struct ScopeEnd {
    /// Where it was told, the epochs ascending: `earlier`, then `position`.
    earlier: Box<[FeedPosition]>,
    position: FeedPosition,
    except: Option<SessionId>,
    reason: EndReason,
}

impl Ends {
    /// The end that an entry tells of, if it is one by scope.
    pub(crate) fn told(entry: &Entry) -> Option<Self> {
        let (except, reason) = match entry.news.told() {
            News::OwnerEnded(_, except, reason) => (*except, *reason),
            News::TenantEnded(_, reason) | News::EveryoneEnded(reason) => (None, *reason),
            _ => return None,
        };
        let earlier = entry.news.earlier().into();
        Some(Self {
            last: ScopeEnd { earlier, position: entry.position, except, reason },
            others: Vec::new(),
        })
    }

    /// An end of everyone who was born before an entry.
    pub(crate) fn before(entry: &Entry, reason: EndReason) -> Self {
        let last = ScopeEnd { earlier: Box::default(), position: entry.position, except: None, reason };
        Self { last, others: Vec::new() }
    }

    /// Where the last of them was told last.
    pub(crate) fn position(&self) -> FeedPosition {
        self.last.position
    }

    fn all(&self) -> impl Iterator<Item = &ScopeEnd> {
        std::iter::once(&self.last).chain(&self.others)
    }

    /// Why a session has ended, by the last of the ends that hit it.
    pub(crate) fn hit(&self, born: FeedPosition, session: &SessionId) -> Option<EndReason> {
        let hitting = self.all().filter(|end| end.except.as_ref() != Some(session) && end.hits(born));
        hitting.max_by_key(|end| end.position).map(|end| end.reason)
    }

    /// Whether something that was made at this position, and is no session, has died with one of them.
    pub(crate) fn hit_any(&self, born: FeedPosition) -> bool {
        self.all().any(|end| end.hits(born))
    }

    /// Both together.
    pub(crate) fn merge(mut self, more: Self) -> Self {
        for end in std::iter::once(more.last).chain(more.others) {
            self.take(end);
        }
        self
    }

    fn take(&mut self, end: ScopeEnd) {
        if end.is_needless(self.all()) {
            return;
        }
        let before =
            if end.position > self.last.position { std::mem::replace(&mut self.last, end) } else { end };
        self.others.push(before);
        // One after the other: of two that cover each other, one stays.
        for place in (0..self.others.len()).rev() {
            let end = self.others.swap_remove(place);
            if !end.is_needless(self.all()) {
                self.others.push(end);
            }
        }
        if self.others.len() >= KEPT {
            self.simplify();
        }
    }

    /// Counts all as told for the first time where they were told last.
    fn simplify(&mut self) {
        let others = std::mem::take(&mut self.others);
        self.last.earlier = Box::default();
        for end in others {
            self.take(ScopeEnd { earlier: Box::default(), ..end });
        }
    }
}

impl ScopeEnd {
    fn told_at(&self) -> impl Iterator<Item = FeedPosition> {
        self.earlier.iter().copied().chain([self.position])
    }

    /// It hits the sessions of this epoch that were born before this many entries.
    fn reach(&self, epoch: u64) -> u64 {
        match self.told_at().find(|position| position.epoch >= epoch) {
            Some(position) if position.epoch == epoch => position.seq,
            Some(_) => u64::MAX,
            None => 0,
        }
    }

    fn hits(&self, born: FeedPosition) -> bool {
        born.seq < self.reach(born.epoch)
    }

    fn covers(&self, other: &Self) -> bool {
        other.position.epoch <= self.position.epoch
            && self.told_at().all(|position| other.reach(position.epoch) <= position.seq)
    }

    fn is_needless<'a>(&self, among: impl Iterator<Item = &'a Self>) -> bool {
        let mut spared = among.filter(|end| end.covers(self)).map(|end| end.except);
        let Some(first) = spared.next() else { return false };
        first.is_none() || first == self.except || spared.any(|other| other != first)
    }
}

#[cfg(test)]
mod tests;
