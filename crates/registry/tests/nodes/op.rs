//! What nodes ask a server, what it answers, and how the ledger carries it out.

use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Batch, Claimed, CountOf, Counts, End, Ended, Entry, Fact, Ledger,
    Lost, NodeId, Once, Past, Rotate, Rotated, Standing, Touch,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};

/// An operation. Those that a ledger refuses while it recovers come first.
#[derive(Clone, Debug)]
pub(crate) enum Op {
    Admit(Admit),
    Rotate(Rotate),
    Advance(Advance),
    Touch(Vec<Touch>),
    Get(SessionId),
    Once(Once),
    Counts,
    End(End),
    Feed(Option<FeedPosition>),
    /// A node says that it is there, and asks for the proof that nobody else is the primary.
    Beat,
    Republish(Vec<Entry>),
    Restore(Vec<Lost>),
    Recovered,
}

#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Nothing was done: the registry is recovering.
    Recovering,
    Admitted(Admitted),
    Rotated(Rotated),
    Advanced(Advanced),
    Standing(Standing),
    Claimed(Claimed),
    Counts(Counts),
    Ended(Ended),
    Feed(Batch, Vec<Past>, Condition),
    /// The heartbeat was noted; so many replicas have everything up to it.
    Beat {
        acks: usize,
    },
    Told(Vec<Entry>),
    Done,
}

/// Whether a registry serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    Open,
    Recovering,
}

/// One operation, and who asks for it.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The node's own number of this call.
    pub(crate) id: u64,
    pub(crate) node: usize,
    /// Which life of the node; an answer to an earlier one is nobody's.
    pub(crate) life: u32,
    /// The latest epoch that the node knows of.
    pub(crate) known: u64,
    /// The latest instant of the registry that it saw.
    pub(crate) seen: Timestamp,
    pub(crate) op: Op,
}

impl Op {
    fn waits_for_recovery(&self) -> bool {
        !matches!(
            self,
            Self::End(_)
                | Self::Feed(_)
                | Self::Beat
                | Self::Republish(_)
                | Self::Restore(_)
                | Self::Recovered
                | Self::Counts
        )
    }

    /// Whether a reading alone, which changes something only where time has.
    pub(crate) fn is_reading(&self) -> bool {
        matches!(self, Self::Get(_) | Self::Feed(_) | Self::Counts)
    }

    pub(crate) fn carry_out(
        &self,
        ledger: &mut Ledger,
        node: usize,
        now: Timestamp,
        facts: &mut Vec<Fact>,
    ) -> Answer {
        if self.waits_for_recovery() && ledger.is_recovering(now) {
            return Answer::Recovering;
        }
        match self.clone() {
            Self::Admit(admit) => Answer::Admitted(ledger.admit(admit, now, facts)),
            Self::Rotate(rotate) => Answer::Rotated(ledger.rotate(rotate, now, facts)),
            Self::Advance(advance) => Answer::Advanced(ledger.advance_version(advance, now, facts)),
            Self::Touch(marks) => {
                ledger.touch(&marks, now, facts);
                Answer::Done
            }
            Self::Get(session) => Answer::Standing(ledger.get(&[session], now, facts).remove(0)),
            Self::Once(once) => Answer::Claimed(ledger.once(once, now, facts)),
            Self::Counts => Answer::Counts(ledger.counts(&CountOf::Site, now, facts)),
            Self::End(end) => Answer::Ended(ledger.end(end, now, facts)),
            Self::Feed(after) => feed(ledger, after, now, facts),
            Self::Beat => {
                ledger.heartbeat(name(node), now, facts);
                Answer::Beat { acks: 0 }
            }
            Self::Republish(entries) => Answer::Told(ledger.republish(&entries, now, facts)),
            Self::Restore(lost) => {
                ledger.restore_lost(lost, now, facts);
                Answer::Done
            }
            Self::Recovered => {
                ledger.recovered(name(node), now, facts);
                Answer::Done
            }
        }
    }
}

fn feed(ledger: &mut Ledger, after: Option<FeedPosition>, now: Timestamp, facts: &mut Vec<Fact>) -> Answer {
    let batch = ledger.entries_after(after, now, facts);
    let condition = if ledger.is_recovering(now) { Condition::Recovering } else { Condition::Open };
    Answer::Feed(batch, ledger.history().past.to_vec(), condition)
}

/// A node's name in the roster.
pub(crate) fn name(node: usize) -> NodeId {
    NodeId([node as u8; 16])
}
