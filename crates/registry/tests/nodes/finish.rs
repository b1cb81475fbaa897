//! What lies between an operation's answer and its acknowledgement: the outbox, the proof, and then the client is told.

use std::time::Duration;

use countersign_registry::{
    Admission, Admitted, Advanced, Claimed, Digest, Entry, OnceId, Owner, Renewal, Rotated, Seated,
    SessionRecord, Target,
};
use countersign_token::{RotationId, SessionId, Timestamp};

use crate::bugs::Bug;
use crate::event::Event;
use crate::follow::Waiter;
use crate::op::Answer;
use crate::oracle::ended_by;
use crate::request::{Caller, RefreshToken, Tokens, Told};
use crate::serve::Then;
use crate::server::{Reply, Stamp};
use crate::setting::{Acknowledge, BOUND, LIFETIME};
use crate::world::World;

/// An operation that has been carried out, and is not acknowledged yet.
#[derive(Clone, Debug)]
pub(crate) struct Finish {
    pub(crate) caller: Caller,
    /// The epoch that it was carried out in.
    pub(crate) epoch: u64,
    pub(crate) stamp: Stamp,
    pub(crate) entries: Vec<Entry>,
    pub(crate) told: Told,
    pub(crate) done: Done,
}

/// What an acknowledgement promises.
#[derive(Clone, Debug)]
pub(crate) enum Done {
    Admission {
        record: Box<SessionRecord>,
        evicted: Vec<SessionId>,
    },
    Refresh {
        session: SessionId,
        called: u64,
    },
    /// Sessions ended, as a copy of a token was used.
    Caught {
        sessions: Vec<SessionId>,
    },
    End {
        target: Target,
        called: u64,
    },
    Update {
        session: SessionId,
        version: u64,
        key: Digest,
    },
    Claim {
        id: [u8; 32],
    },
}

impl World {
    /// Goes on after a call; [`None`]: nobody knows what became of it.
    pub(crate) fn go_on(&mut self, node: usize, then: Then, reply: Option<(usize, Reply)>) {
        if let Then::Proof = then {
            return self.proof(node, reply);
        }
        let reply = reply.map(|(_, reply)| reply);
        match then {
            Then::Read { asked } => self.read(node, asked, reply),
            Then::ToldAgain { epoch, past } => self.told_again(node, epoch, &past, reply),
            Then::Restored { epoch, past } => self.restored(node, epoch, &past, reply),
            Then::Recovered { epoch, past } => self.recovered(node, epoch, &past, reply),
            Then::Check { check } => self.standing(node, check, reply),
            Then::Counted { caller, called, owner, key } => {
                self.counted(node, caller, called, owner, key, reply);
            }
            Then::Login { caller, .. }
            | Then::Refresh { caller, .. }
            | Then::End { caller, .. }
            | Then::Update { caller, .. }
            | Then::Claim { caller, .. } => match reply {
                Some(Reply { answer: Answer::Recovering, .. }) | None => self.told(caller, Told::Unavailable),
                Some(reply) => self.carried_out(node, then, reply),
            },
            Then::Nothing | Then::Proof => {}
        }
    }

    fn counted(
        &mut self,
        node: usize,
        caller: Caller,
        called: u64,
        owner: Owner,
        key: Digest,
        reply: Option<Reply>,
    ) {
        match reply.map(|reply| reply.answer) {
            Some(Answer::Counts(counts)) if counts.seats < u64::from(self.setting.seats) => {
                self.admit(node, caller, called, owner, key, Admission::Exempt);
            }
            Some(Answer::Counts(_)) => self.told(caller, Told::Full),
            _ => self.told(caller, Told::Unavailable),
        }
    }

    fn carried_out(&mut self, node: usize, then: Then, reply: Reply) {
        let Reply { epoch, answer, at, stamp, .. } = reply;
        let place = (epoch, stamp);
        let finish = |caller, entries, told, done| Finish { caller, epoch, stamp, entries, told, done };
        match (then, answer) {
            (Then::Login { caller, called, .. }, Answer::Admitted(admitted)) => {
                self.admitted(node, caller, called, admitted, place);
            }
            (Then::Refresh { caller, called, tokens }, Answer::Rotated(rotated)) => {
                self.rotated(node, caller, called, tokens, rotated, place);
            }
            // A registry of an earlier epoch does not know the session: what it says of it is no answer.
            (Then::End { caller, born, .. }, Answer::Ended(_)) if born.epoch > epoch => {
                self.told(caller, Told::Unavailable);
            }
            (Then::End { caller, called, target, .. }, Answer::Ended(ended)) => {
                self.finish(node, finish(caller, ended.entries, Told::Done, Done::End { target, called }));
            }
            (Then::Update { caller, tokens, key }, Answer::Advanced(advanced)) => {
                let done = |version| Done::Update { session: tokens.session, version, key };
                match advanced {
                    Advanced::Set { exclusive, entries, .. } => {
                        self.finish(node, finish(caller, entries, Told::Updated(exclusive), done(exclusive)));
                    }
                    Advanced::Repeated { exclusive, .. } => {
                        let told = Told::Updated(exclusive);
                        self.finish(node, finish(caller, Vec::new(), told, done(exclusive)));
                    }
                    Advanced::Conflict { exclusive } => self.told(caller, Told::Conflict(exclusive)),
                    Advanced::Ended(_) => self.told(caller, unknown(&tokens, epoch)),
                }
            }
            (Then::Claim { caller, id, until }, Answer::Claimed(Claimed::First)) => {
                self.nodes[node].memory.heard.note_once(OnceId(id), until, epoch, at);
                self.finish(node, finish(caller, Vec::new(), Told::Claimed, Done::Claim { id }));
            }
            (Then::Claim { caller, .. }, _) => self.told(caller, Told::Spent),
            _ => {}
        }
    }

    fn admitted(
        &mut self,
        node: usize,
        caller: Caller,
        called: u64,
        admitted: Admitted,
        (epoch, stamp): (u64, Stamp),
    ) {
        match admitted {
            Admitted::Seated(Seated { record, at, entries, .. }) => {
                let parent = record.current;
                let refresh = self.successor(record.id, parent, at);
                let (session, version) = (record.id, record.exclusive);
                let evicted = entries.iter().filter_map(ended_by).collect();
                let (since, expires) = (record.started_at, self.expiry(at));
                let (born, owner) = (record.born, record.owner.clone());
                let tokens = Tokens { session, owner, born, since, expires, refresh, version };
                let done = Done::Admission { record: Box::new(record), evicted };
                let told = Told::LoggedIn(tokens);
                self.finish(node, Finish { caller, epoch, stamp, entries, told, done });
            }
            Admitted::Full(_) => {
                self.refused(called, stamp);
                self.told(caller, Told::Full);
            }
            _ => self.told(caller, Told::Unavailable),
        }
    }

    fn rotated(
        &mut self,
        node: usize,
        caller: Caller,
        called: u64,
        tokens: Tokens,
        rotated: Rotated,
        (epoch, stamp): (u64, Stamp),
    ) {
        let session = tokens.session;
        let refreshed = |expires, refresh| Told::Refreshed(Tokens { expires, refresh, ..tokens.clone() });
        let mut done = Done::Refresh { session, called };
        let (told, entries) = match rotated {
            Rotated::Renewed(Renewal { record, at, .. }) => {
                let refresh = self.successor(session, record.current, at);
                (refreshed(self.expiry(at), refresh), Vec::new())
            }
            Rotated::Kept(Renewal { at, .. }) => (refreshed(self.expiry(at), tokens.refresh), Vec::new()),
            Rotated::Full(_) => {
                self.refused(called, stamp);
                return self.told(caller, Told::Full);
            }
            Rotated::Reused(entries) => {
                done = Done::Caught { sessions: entries.iter().filter_map(ended_by).collect() };
                (Told::Ended, entries)
            }
            Rotated::Ended(_) => return self.told(caller, unknown(&tokens, epoch)),
        };
        self.finish(node, Finish { caller, epoch, stamp, entries, told, done });
    }

    /// What a primary says that is none any more counts for its own side.
    fn refused(&mut self, called: u64, stamp: Stamp) {
        self.tally.refusals += 1;
        if !stamp.astray {
            self.oracle.refused(called, self.now);
        }
    }

    /// The refresh token after `parent`: another one in each answer.
    fn successor(&mut self, session: SessionId, parent: RotationId, issued: Timestamp) -> RefreshToken {
        let random = match self.bug {
            Some(Bug::SameSuccessor) => u32::from(session.as_bytes()[0]) ^ parent.to_bits() as u32,
            _ => self.random.next() as u32,
        };
        RefreshToken { id: RotationId::follow(parent, random), parent, issued }
    }

    /// An access token lives up to a twentieth shorter, so that not all clients refresh at once.
    fn expiry(&mut self, at: Timestamp) -> Timestamp {
        let shorter = self.random.below(LIFETIME / 20);
        at.after(Duration::from_millis(LIFETIME - shorter))
    }

    /// First the disk.
    fn finish(&mut self, node: usize, finish: Finish) {
        if finish.entries.is_empty() {
            return self.written(node, finish);
        }
        let batch = self.nodes[node].disk.write(&finish.entries);
        let life = self.nodes[node].life;
        let time = 1 + self.random.below(8);
        self.plan(time, Event::Synced { node, life, batch });
        if self.bug == Some(Bug::AcknowledgedBeforeSync) {
            return self.written(node, finish);
        }
        self.syncing.insert((node, batch), finish);
    }

    pub(crate) fn synced(&mut self, node: usize, batch: u64) {
        let synced = self.nodes[node].disk.sync(batch);
        let Some(finish) = self.syncing.remove(&(node, batch)) else { return };
        if synced.is_err() && self.bug != Some(Bug::SyncErrorIgnored) {
            self.tally.sync_errors += 1;
            return self.told(finish.caller, Told::Unavailable);
        }
        self.written(node, finish);
    }

    /// Then the replicas, where they are waited for.
    fn written(&mut self, node: usize, finish: Finish) {
        if self.setting.acknowledge == Acknowledge::Replicated {
            return self.prove(node, Waiter::Operation(finish));
        }
        self.acknowledge(node, finish);
    }

    pub(crate) fn replicated(&mut self, node: usize, finish: Finish, kept: bool) {
        if kept {
            return self.acknowledge(node, finish);
        }
        self.tally.unreplicated += 1;
        if let Done::Admission { record, .. } = &finish.done {
            self.take_back(node, record.id);
        }
        self.told(finish.caller, Told::Unavailable);
    }

    /// Then it is promised, and the client is told. A node that does not know whether others have gone on without it
    /// grants no access: what it grants would outlive what the others remember.
    fn acknowledge(&mut self, node: usize, finish: Finish) {
        if let Done::Admission { record, .. } = &finish.done {
            self.nodes[node].memory.heard.note_admission(record);
        }
        let fresh = self.nodes[node].age(self.now).is_some_and(|age| age <= BOUND);
        let grants = matches!(finish.told, Told::LoggedIn(_) | Told::Refreshed(_));
        if grants && !fresh && self.bug != Some(Bug::GrantsWhileStale) {
            self.tally.ungranted += 1;
            return self.told(finish.caller, Told::Unavailable);
        }
        self.acknowledged(node, &finish);
        self.told(finish.caller, finish.told);
    }
}

/// What a client is told whose session the registry does not know. One that was born in a later epoch than the registry is
/// in has not ended: somebody else is the primary.
fn unknown(tokens: &Tokens, epoch: u64) -> Told {
    if tokens.born.epoch > epoch { Told::Unavailable } else { Told::Ended }
}
