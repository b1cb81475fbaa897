//! Rotations form one chain, a copy gives itself away, and what happens once happens once.

use countersign_registry::{Digest, Entry, News, Rotate, Rotated, Target};
use countersign_token::SessionId;

use super::{Oracle, Promise, Scoped};
use crate::op::{Answer, Call, Op};
use crate::request::RefreshToken;
use crate::server::{Reply, Stamp};
use crate::world::World;

impl Oracle {
    /// A client's token was copied; or a thief received one more.
    pub(crate) fn stolen(&mut self, session: SessionId, token: RefreshToken, first: bool) {
        let Some(life) = self.life(session) else { return };
        life.rotation.stolen.insert(token.id.to_bits());
        if first {
            life.rotation.fresh.clear();
            life.rotation.decided = false;
        }
    }

    /// A client received a token.
    pub(crate) fn received(&mut self, session: SessionId, token: RefreshToken) {
        let Some(life) = self.life(session) else { return };
        let id = token.id.to_bits();
        if !life.rotation.stolen.contains(&id) {
            life.rotation.fresh.insert(id);
        }
    }

    /// Ends are told again, and may hit who is there by now.
    fn told_again(&mut self, again: &[Entry], now: u64) {
        for entry in again {
            let News::OwnerEnded(owner, except, _) = entry.news.told() else { continue };
            let target = Target::Owner(owner.clone(), *except);
            for (_, life) in self.lives.iter_mut().filter(|(id, life)| life.is_target(id, &target)) {
                life.hit.get_or_insert(now);
            }
        }
    }

    /// A session is used: perhaps it is active.
    pub(crate) fn active(&mut self, session: SessionId, now: u64) {
        if let Some(life) = self.life(session) {
            life.maybe_active.push(now);
        }
    }
}

impl World {
    /// A server carries an operation out.
    pub(crate) fn happened(&mut self, call: &Call, reply: &Reply) {
        self.tally.fences += usize::from(reply.fenced);
        self.tell(|| format!("node {} epoch {} {:?} => {:?}", call.node, reply.epoch, call.op, reply.answer));
        match (&call.op, &reply.answer) {
            (_, Answer::Recovering) => self.tally.recovering += 1,
            (Op::Rotate(rotate), Answer::Rotated(rotated)) => self.judge_rotation(rotate, rotated, reply),
            (Op::Admit(_), Answer::Admitted(countersign_registry::Admitted::Seated(seated))) => {
                self.oracle.active(seated.record.id, self.now);
                let evicted: Vec<SessionId> = seated.entries.iter().filter_map(super::ended_by).collect();
                let now = self.now;
                for session in evicted {
                    if let Some(life) = self.oracle.life(session) {
                        life.cause.get_or_insert(now);
                    }
                }
            }
            (Op::End(end), _) => {
                let Stamp { histories, astray } = reply.stamp;
                let done = Promise { at: self.now, node: call.node, histories, astray };
                self.oracle.may_end(&end.target, self.now);
                self.oracle.scoped.push(Scoped { target: end.target.clone(), done });
            }
            (Op::Republish(_), Answer::Told(again)) => self.oracle.told_again(again, self.now),
            (Op::Touch(marks), _) => {
                for mark in marks {
                    self.oracle.active(mark.session, self.now);
                }
            }
            _ => {}
        }
    }

    fn judge_rotation(&mut self, rotate: &Rotate, rotated: &Rotated, reply: &Reply) {
        let (now, session) = (self.now, rotate.session);
        let histories = self.oracle.changes.len();
        let Some(life) = self.oracle.lives.get_mut(&session) else { return };
        life.maybe_active.push(now);
        let rotation = &mut life.rotation;
        let honest = rotation.stolen.is_empty();
        let changed = rotation.histories != histories;
        let record = match rotated {
            Rotated::Kept(renewal) | Rotated::Renewed(renewal) => &renewal.record,
            Rotated::Reused(_) => {
                life.cause.get_or_insert(now);
                if honest {
                    self.oracle
                        .broken(now, || format!("the honest client of {session} was taken for a thief"));
                }
                return;
            }
            Rotated::Full(_) | Rotated::Ended(_) => return,
        };
        if reply.stamp.astray {
            return;
        }
        let (before, current) = (rotation.current, record.current);
        // Where steps were lost, a copy that is ahead of the registry counts as one of them, until the next exchange.
        let ahead = histories > 0 && rotate.id.generation() > before.generation();
        let copy = rotation.stolen.contains(&rotate.id.to_bits()) && rotation.decided && !changed && !ahead;
        let astray =
            honest && !changed && current != before && (rotate.parent != before || rotate.id != current);
        let used_up = current == rotate.id && current != before;
        rotation.decided = !changed && !ahead && rotation.decided
            || used_up && !honest && rotation.fresh.contains(&rotate.id.to_bits());
        (rotation.current, rotation.histories) = (current, histories);
        if copy {
            self.oracle.broken(now, || format!("a copy of a token of {session} still works"));
        }
        if astray {
            self.oracle.broken(now, || format!("{session} went from {before} to {current}"));
        }
    }

    pub(super) fn update_acknowledged(
        &mut self,
        session: SessionId,
        version: u64,
        key: Digest,
        promise: Promise,
    ) {
        let place = (session, version);
        let Some(&(first, before)) = self.oracle.versions.get(&place) else {
            self.oracle.versions.insert(place, (key, promise));
            return;
        };
        if first == key || self.pardons(before, promise) {
            return;
        }
        self.oracle.broken(self.now, || format!("version {version} of {session} was acknowledged twice"));
    }

    pub(super) fn claim_acknowledged(&mut self, id: [u8; 32], promise: Promise) {
        let Some(before) = self.oracle.claims.insert(id, promise) else { return };
        if !self.pardons(before, promise) {
            self.oracle.broken(self.now, || format!("a one-time id worked twice: at {} too", before.at));
        }
    }

    /// Whether what happened once may have been lost, so that it happens again.
    fn pardons(&mut self, before: Promise, again: Promise) -> bool {
        let excused = self.may_excuse() && (again.astray || self.oracle.came_late(before));
        self.tally.lost_claims += usize::from(excused);
        excused
    }
}
