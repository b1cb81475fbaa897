//! Bugs, planted one at a time where a real implementation would make the mistake. Each must be found.

use std::collections::BTreeMap;

use countersign_registry::{
    Admitted, EndReason, Fact, Full, Holding, Ledger, Lost, News, OnFull, Owner, Renewal, Rotated, Scope,
    SessionRecord, Standing,
};
use countersign_token::{SessionId, Timestamp};

use crate::op::{Answer, Op, name};
use crate::setting::{Acknowledge, Kind, Policy, Proof, Setting};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Bug {
    /// Nothing compares the server's history with that of the data.
    NoFence,
    /// A node compares them as it reads the feed, not in each operation.
    FenceInTheClient,
    /// A reader goes on from its place in the epoch before.
    CursorKept,
    AgeFromTheReply,
    /// An answer counts as proof that it came from the primary.
    ProofByReading,
    /// It is not looked at how many replicas followed.
    WaitIgnored,
    /// That a server is named as the primary counts as if it were known at once.
    HearsayTrusted,
    /// An admission counts in one call and inserts in another.
    CheckThenInsert,
    /// Sessions that dangle or have expired are counted.
    CountWithoutSweep,
    /// Whoever finds the site full sweeps one of them, and refuses.
    DenialWithoutSweep,
    /// A session that makes room is not told of.
    EvictionUntold,
    /// An end by owner hits sessions by when they began.
    Instants,
    /// An end is acknowledged before it is on the issuer's disk.
    AcknowledgedBeforeSync,
    SyncErrorIgnored,
    /// A session is restored although it is known to have ended.
    RestoreOverEnd,
    /// Whoever refreshes the same token gets the same successor.
    SameSuccessor,
    NoRepublication,
    /// A new epoch serves before anyone has told what was lost.
    OpenTooEarly,
    /// The first node that has told all opens the epoch.
    RosterIgnored,
    /// A node that was left alone grants tokens that outlive what others remember.
    GrantsWhileStale,
    /// No republication either, but replicas are stopped instead of cut off: nothing is lost, so nothing is found.
    StoppedReplicas,
}

impl Bug {
    pub(crate) const ALL: [Self; 21] = [
        Self::NoFence,
        Self::FenceInTheClient,
        Self::CursorKept,
        Self::AgeFromTheReply,
        Self::ProofByReading,
        Self::WaitIgnored,
        Self::HearsayTrusted,
        Self::CheckThenInsert,
        Self::CountWithoutSweep,
        Self::DenialWithoutSweep,
        Self::EvictionUntold,
        Self::Instants,
        Self::AcknowledgedBeforeSync,
        Self::SyncErrorIgnored,
        Self::RestoreOverEnd,
        Self::SameSuccessor,
        Self::NoRepublication,
        Self::OpenTooEarly,
        Self::RosterIgnored,
        Self::GrantsWhileStale,
        Self::StoppedReplicas,
    ];

    /// A world in which the bug can show.
    pub(crate) fn suits(self, setting: Setting) -> Setting {
        let kind = |kind| Setting { kind, ..setting.clone() };
        let with_replicas = |kind| Setting { kind, servers: setting.servers.max(2), ..setting.clone() };
        let written = |setting| Setting { acknowledge: Acknowledge::Written, ..setting };
        match self {
            Self::NoFence | Self::FenceInTheClient | Self::NoRepublication | Self::OpenTooEarly => {
                written(with_replicas(Kind::FailOvers))
            }
            Self::RosterIgnored | Self::RestoreOverEnd => {
                let proof = Proof::Hearsay;
                written(Setting { nodes: 3, proof, ..with_replicas(Kind::FailOvers) })
            }
            Self::StoppedReplicas | Self::CursorKept => written(with_replicas(Kind::FailOvers)),
            Self::AgeFromTheReply => kind(Kind::Weather),
            Self::ProofByReading | Self::WaitIgnored => with_replicas(Kind::SplitBrain),
            Self::HearsayTrusted => written(Setting { proof: Proof::Hearsay, ..with_replicas(Kind::Frozen) }),
            Self::GrantsWhileStale => written(with_replicas(Kind::SplitBrain)),
            Self::CheckThenInsert => full(kind(Kind::Weather), OnFull::Refuse),
            Self::CountWithoutSweep | Self::DenialWithoutSweep => {
                let site = full(kind(Kind::Weather), OnFull::Refuse);
                Setting { sleepy: 10, acknowledge: Acknowledge::Written, ..site }
            }
            Self::EvictionUntold => {
                let policy = Policy::FailClosed;
                full(Setting { policy, ..kind(Kind::Weather) }, OnFull::EndLeastRecent)
            }
            Self::Instants | Self::SameSuccessor => kind(Kind::Weather),
            Self::AcknowledgedBeforeSync | Self::SyncErrorIgnored => written(with_replicas(Kind::Ambush)),
        }
    }

    pub(crate) fn keeps_silent(self) -> bool {
        matches!(self, Self::NoRepublication | Self::StoppedReplicas)
    }
}

/// A site that is full now and then.
fn full(setting: Setting, on_full: OnFull) -> Setting {
    let seats = setting.clients as u32 - 2;
    let mut rules = setting.rules;
    rules.limits = countersign_registry::Limits::none().per_site(seats, on_full);
    Setting { seats, rules, ..setting }
}

/// What a primary with a bug does to operations on their way to the ledger and back.
#[derive(Debug)]
pub(crate) struct Faked {
    bug: Option<Bug>,
    /// Sessions that it believes to be seated, and since when.
    seated: BTreeMap<SessionId, (Owner, Timestamp)>,
    risen: BTreeMap<SessionId, SessionRecord>,
}

impl Faked {
    pub(crate) fn new(bug: Option<Bug>) -> Self {
        Self { bug, seated: BTreeMap::new(), risen: BTreeMap::new() }
    }

    pub(crate) fn after_fence(&mut self, ledger: &mut Ledger, now: Timestamp) {
        if self.bug == Some(Bug::OpenTooEarly) {
            all_recovered(ledger, now);
        }
    }

    pub(crate) fn carry_out(
        &mut self,
        op: &Op,
        ledger: &mut Ledger,
        node: usize,
        now: Timestamp,
        facts: &mut Vec<Fact>,
    ) -> Answer {
        match (self.bug, op) {
            (Some(Bug::RosterIgnored), Op::Recovered) => all_recovered(ledger, now),
            (Some(Bug::RestoreOverEnd), Op::Restore(lost)) => self.raise_the_dead(lost, ledger, now),
            (Some(Bug::CountWithoutSweep | Bug::DenialWithoutSweep), Op::Admit(_)) => {
                if let Some(full) = self.deny(ledger, now) {
                    return Answer::Admitted(Admitted::Full(full));
                }
            }
            _ => {}
        }
        let answer = op.carry_out(ledger, node, now, facts);
        self.twist(op, answer, now)
    }

    fn twist(&mut self, op: &Op, mut answer: Answer, now: Timestamp) -> Answer {
        match (self.bug, op, &mut answer) {
            (Some(Bug::CountWithoutSweep | Bug::DenialWithoutSweep), _, answer) => self.count(answer, now),
            (Some(Bug::EvictionUntold), _, Answer::Feed(batch, ..)) => {
                batch.entries.retain(|entry| !matches!(entry.news.told(), News::Ended(_, EndReason::Limit)));
            }
            (Some(Bug::RestoreOverEnd), Op::Rotate(rotate), Answer::Rotated(Rotated::Ended(_))) => {
                if let Some(record) = self.risen.get_mut(&rotate.session) {
                    record.current = rotate.id;
                    let renewal = Renewal { record: record.clone(), seat: Holding::Seat, at: now };
                    return Answer::Rotated(Rotated::Renewed(renewal));
                }
            }
            (Some(Bug::RestoreOverEnd), Op::Get(session), Answer::Standing(Standing::Ended(_))) => {
                if let Some(record) = self.risen.get(session) {
                    return Answer::Standing(Standing::Live(Box::new(record.clone()), Holding::Seat));
                }
            }
            _ => {}
        }
        answer
    }

    fn raise_the_dead(&mut self, lost: &[Lost], ledger: &mut Ledger, now: Timestamp) {
        for lost in lost {
            if let Lost::Session(record) = lost
                && matches!(ledger.get(&[record.id], now, &mut Vec::new())[0], Standing::Ended(Some(_)))
            {
                self.risen.insert(record.id, (**record).clone());
            }
        }
    }

    fn deny(&mut self, ledger: &Ledger, now: Timestamp) -> Option<Full> {
        let (rules, limit) = (ledger.rules(), ledger.rules().limits.site?);
        let in_use = self.seated.len() as u64;
        if in_use < limit.seats.into() {
            return None;
        }
        let stale = |since: Timestamp| now.since(since) >= rules.dangling_after;
        let first = self.seated.iter().find(|(_, (_, since))| stale(*since)).map(|(id, _)| *id);
        if let Some(first) = first.filter(|_| self.bug == Some(Bug::DenialWithoutSweep)) {
            self.seated.remove(&first);
        }
        Some(Full {
            scope: Scope::Site,
            limit: limit.seats,
            in_use,
            on_full: limit.on_full,
            retry_after: None,
            own: Vec::new(),
            position: ledger.position(),
            at: now,
        })
    }

    fn seat(&mut self, record: &SessionRecord, now: Timestamp) {
        self.seated.insert(record.id, (record.owner.clone(), now));
    }

    fn count(&mut self, answer: &Answer, now: Timestamp) {
        match answer {
            Answer::Admitted(Admitted::Seated(seated)) => {
                self.seat(&seated.record, now);
            }
            Answer::Rotated(Rotated::Renewed(renewal) | Rotated::Kept(renewal)) => {
                self.seat(&renewal.record, now);
            }
            Answer::Ended(ended) => {
                for entry in &ended.entries {
                    match entry.news.told() {
                        News::Ended(session, _) => {
                            self.seated.remove(session);
                        }
                        News::OwnerEnded(owner, except, _) => {
                            self.seated.retain(|id, (of, _)| of != owner || Some(*id) == *except);
                        }
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
}

fn all_recovered(ledger: &mut Ledger, now: Timestamp) {
    for node in 0..8 {
        ledger.recovered(name(node), now, &mut Vec::new());
    }
}
