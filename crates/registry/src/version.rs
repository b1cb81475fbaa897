//! The exclusive version of a session's state: compare, set, and recognise a repetition.

use countersign_token::Timestamp;

use crate::fact::{Fact, News};
use crate::ledger::Ledger;
use crate::op::{Advance, AdvanceMemo, Advanced, Base, UpdateMemo};

/// What an exclusive update comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Step {
    /// It wins, and leads to this version.
    To(u64),
    /// It had won before, and led to this version.
    Repeated(u64),
    /// It is too late; this version counts.
    Conflict(u64),
}

/// Compares and sets: `registry` is the registry's version, `last` its last update that had a key.
///
/// What counts is the highest version that anybody has proof of, so a registry that lost steps issues none twice.
pub fn step(registry: u64, last: Option<&UpdateMemo>, advance: &Advance) -> Step {
    if let (Some(last), Some(memo)) = (last, &advance.memo)
        && last.key == memo.key
    {
        return if is_repetition(last, memo) {
            Step::Repeated(last.exclusive)
        } else {
            Step::Conflict(registry)
        };
    }
    let counts = registry.max(advance.known);
    match advance.base {
        Base::Version(version) if version < counts => Step::Conflict(counts),
        Base::Version(version) => Step::To(version.saturating_add(1)),
        Base::Reset => Step::To(counts.saturating_add(1)),
    }
}

fn is_repetition(last: &UpdateMemo, memo: &AdvanceMemo) -> bool {
    last.old_state == memo.old_state && last.new_data == memo.new_data
}

impl Ledger {
    /// Raises the exclusive version of a session's state, if it is still the expected one.
    pub fn advance_version(&mut self, advance: Advance, now: Timestamp, facts: &mut Vec<Fact>) -> Advanced {
        let at = self.settle(now, facts);
        let Some(place) = self.store.find(advance.session) else {
            return Advanced::Ended(self.graves.reason(advance.session));
        };
        let last = self.store.extra(place).and_then(|extra| extra.last_update.as_deref());
        match step(self.store.exclusive(place), last, &advance) {
            Step::To(exclusive) => self.set_version(place, exclusive, advance.memo, facts),
            Step::Repeated(exclusive) => Advanced::Repeated { exclusive, at },
            Step::Conflict(exclusive) => Advanced::Conflict { exclusive },
        }
    }

    fn set_version(
        &mut self,
        place: u32,
        exclusive: u64,
        memo: Option<AdvanceMemo>,
        facts: &mut Vec<Fact>,
    ) -> Advanced {
        if let Some(AdvanceMemo { key, old_state, new_data }) = memo {
            let mut extra = self.store.extra(place).cloned().unwrap_or_default();
            extra.last_update = Some(Box::new(UpdateMemo { key, old_state, new_data, exclusive }));
            self.store.set_extra(place, extra);
        }
        self.store.set_exclusive(place, exclusive);
        self.tell(place, facts);
        let entry = self.announce(News::Floor(self.store.get(place).id, exclusive), facts);
        Advanced::Set { exclusive, at: self.now(), entries: vec![entry] }
    }
}
