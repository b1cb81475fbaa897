//! Ends: what was acknowledged as ended is refused everywhere, in time and for ever; and nobody else is.

use std::collections::BTreeMap;

use countersign_registry::Target;
use countersign_token::SessionId;

use super::{Change, Life, Loss, Oracle, Promise};
use crate::finish::{Done, Finish};
use crate::node::Node;
use crate::request::{Tokens, Told};
use crate::serve::Trust;
use crate::setting::{Acknowledge, BOUND, LIFETIME, SKEW};
use crate::world::World;

/// How long before a fail-over a node must have been well to be waited for.
const KNOWN: u64 = 13_000;
/// How long a recovery takes at most.
const RECOVERED: u64 = 10_000;

impl Oracle {
    /// Whether what was promised may have been lost for now: the history changed, and whoever knows was not there since.
    pub(super) fn is_excused(&self, promise: Promise, session: Option<SessionId>, now: u64) -> bool {
        let change = self.changes_since(promise).take_while(|change| change.at <= now).last();
        let since = match (change, promise.astray) {
            (Some(change), _) => change.at.max(if promise.astray { promise.at } else { 0 }),
            (None, true) => promise.at,
            (None, false) => return false,
        };
        let knew = session.zip(change).and_then(|(session, change)| change.knew.get(&session));
        let mut knew = knew.into_iter().flatten().copied().chain([promise.node]);
        !knew.any(|node| self.did_its_part(node, since, now))
    }

    fn changes_since(&self, promise: Promise) -> impl Iterator<Item = &Change> {
        self.changes.iter().skip(promise.histories)
    }

    /// Whether an end may have come late, before now.
    pub(super) fn came_late(&self, promise: Promise) -> bool {
        let mut changes = self.changes_since(promise).map(|change| change.at).chain([promise.at]);
        changes.any(|since| self.is_excused(promise, None, since + RECOVERED))
    }

    /// Whether a node had what it needs to tell again what a change of the history lost.
    fn did_its_part(&self, node: usize, change: u64, now: u64) -> bool {
        self.spells.was_well(node, change.saturating_sub(KNOWN), now.min(change + RECOVERED))
            || self.spells.had_one(node, change, now)
    }

    fn end(&mut self, session: SessionId, promise: Promise) {
        if let Some(life) = self.lives.get_mut(&session)
            && life.ended.is_none()
        {
            life.ended = Some(promise);
            life.cause.get_or_insert(promise.at);
            self.recent.push(session);
        }
    }

    /// Sessions that ended a short while ago, and how they can be asked for.
    pub(crate) fn recently_ended(&self) -> impl Iterator<Item = (SessionId, &Tokens)> {
        self.recent.iter().filter_map(|id| Some((*id, self.lives.get(id)?.tokens.as_ref()?)))
    }

    pub(super) fn life(&mut self, session: SessionId) -> Option<&mut Life> {
        self.lives.get_mut(&session)
    }
}

impl World {
    /// An acknowledgement leaves a node.
    pub(crate) fn acknowledged(&mut self, node: usize, finish: &Finish) {
        let Finish { stamp, told, done, .. } = finish;
        let promise = Promise { at: self.now, node, histories: stamp.histories, astray: stamp.astray };
        match done {
            Done::Admission { record, evicted } => {
                if let Told::LoggedIn(tokens) = told {
                    self.tally.admissions += 1;
                    self.admission_acknowledged(record.id, tokens, promise);
                }
                self.tally.evictions += evicted.len();
                for &session in evicted {
                    self.oracle.end(session, promise);
                }
            }
            Done::Refresh { session, called } => {
                self.tally.refreshes += 1;
                self.refresh_acknowledged(*session, *called, told, promise);
            }
            Done::Caught { sessions } => {
                self.tally.caught += 1;
                for &session in sessions {
                    self.oracle.end(session, promise);
                }
            }
            Done::End { target, called } => {
                self.tally.ends += 1;
                let hit = |(session, life): (&SessionId, &Life)| {
                    let before = life.admitted.is_some_and(|admitted| admitted.at < *called);
                    (before && life.is_target(session, target)).then_some(*session)
                };
                let hit: Vec<SessionId> = self.oracle.lives.iter().filter_map(hit).collect();
                for session in hit {
                    self.oracle.end(session, promise);
                }
                self.spring_ambush(node);
            }
            Done::Update { session, version, key } => {
                self.tally.updates += 1;
                self.update_acknowledged(*session, *version, *key, promise);
            }
            Done::Claim { id } => {
                self.tally.claims += 1;
                self.claim_acknowledged(*id, promise);
            }
        }
    }

    fn admission_acknowledged(&mut self, session: SessionId, tokens: &Tokens, promise: Promise) {
        let now = self.now;
        let Some(life) = self.oracle.life(session) else { return };
        life.admitted.get_or_insert(promise);
        life.tokens.get_or_insert_with(|| tokens.clone());
        // A repetition is no activity: what counts is when it was asked for first.
        life.active.push((life.maybe_active[0], now));
    }

    fn refresh_acknowledged(&mut self, session: SessionId, called: u64, told: &Told, promise: Promise) {
        let Told::Refreshed(tokens) = told else { return };
        let now = self.now;
        let Some(life) = self.oracle.life(session) else { return };
        life.tokens = Some(tokens.clone());
        life.active.push((called, now));
        let Some(ended) = life.ended.filter(|ended| ended.at < called) else { return };
        if self.may_excuse() && promise.astray {
            self.tally.split_refreshes += 1;
        } else if !self.forgives(ended, session) {
            self.oracle.broken(now, || format!("{session} was refreshed after its end at {}", ended.at));
        }
    }

    /// Whether anything may be lost or late: where two things fail at once, and nothing waits for the replicas.
    pub(super) fn may_excuse(&self) -> bool {
        self.setting.acknowledge == Acknowledge::Written && !self.setting.single_faults()
    }

    /// Whether an end may be late.
    fn forgives(&mut self, ended: Promise, session: SessionId) -> bool {
        let excused = self.may_excuse() && self.oracle.is_excused(ended, Some(session), self.now);
        if excused
            && let Some(life) = self.oracle.life(session)
            && !std::mem::replace(&mut life.late, true)
        {
            self.tally.late_ends += 1;
        }
        excused
    }

    /// A node serves a request.
    pub(crate) fn accepted(&mut self, node: usize, tokens: &Tokens, trust: Trust) {
        self.tally.served += 1;
        let (now, session) = (self.now, tokens.session);
        let Some(ended) = self.oracle.life(session).and_then(|life| life.ended) else { return };
        let late = match trust {
            Trust::View => now > ended.at + BOUND,
            Trust::Registry { asked } => asked > ended.at,
            Trust::Expiry => false,
        };
        if late && !self.forgives(ended, session) {
            let what =
                || format!("node {node} served {session}, by {trust:?}, which had ended at {}", ended.at);
            self.oracle.broken(now, what);
        }
    }

    /// What a node believes of its view's age is compared with what its view lacks.
    pub(crate) fn look_at(&mut self, node: usize) {
        let here = &self.nodes[node];
        if !here.up || here.frozen > self.now {
            return;
        }
        let Some(age) = here.age(self.now) else { return };
        let time = here.time(self.now);
        let unknown = |(_, tokens): &(SessionId, &Tokens)| time < tokens.expires && !here.knows_end(tokens);
        let lacking: Vec<SessionId> =
            self.oracle.recently_ended().filter(unknown).map(|(session, _)| session).collect();
        for session in lacking {
            let Some(ended) = self.oracle.life(session).and_then(|life| life.ended) else { continue };
            if age < self.now - ended.at && !self.forgives(ended, session) {
                let what = || {
                    format!(
                        "node {node} claims an age of {age}, and lacks the end of {session} at {}",
                        ended.at
                    )
                };
                self.oracle.broken(self.now, what);
            }
        }
    }

    pub(crate) fn look(&mut self) {
        self.plan(500, crate::event::Event::Look);
        let now = self.now;
        let Oracle { recent, lives, .. } = &mut self.oracle;
        // Later its access tokens have expired, and views forget it.
        let young =
            |session: &SessionId| lives[session].ended.is_some_and(|end| now < end.at + LIFETIME - 3 * SKEW);
        recent.retain(young);
        (0..self.nodes.len()).for_each(|node| self.look_at(node));
    }

    /// A client is told that its session has ended.
    pub(crate) fn judge_turned_out(&mut self, session: SessionId) {
        let now = self.now;
        let Some(life) = self.oracle.lives.get(&session) else { return };
        if life.cause.is_some() {
            return;
        }
        if self.is_lost(life) {
            self.tally.lost_sessions += 1;
        } else if self.is_hit_late(session, life) {
            self.tally.late_hits += 1;
        } else {
            self.oracle.broken(now, || format!("{session} was logged out for no reason"));
        }
    }

    /// Whether a session may be lost: with its node, or in a total loss.
    fn is_lost(&self, life: &Life) -> bool {
        let Some(admitted) = life.admitted.filter(|_| self.may_excuse()) else {
            return false;
        };
        let total = |change: &Change| change.loss == Loss::Everything && admitted.at <= change.at;
        self.oracle.changes.iter().any(total) || self.oracle.came_late(admitted)
    }

    /// Whether an end by owner, older than the session, was told again after it, by a node that had been away. It hits who
    /// is there by then: no clock tells which came first.
    fn is_hit_late(&self, session: SessionId, life: &Life) -> bool {
        let Some(admitted) = life.admitted.filter(|_| !self.setting.single_faults()) else { return false };
        self.oracle.scoped.iter().any(|end| {
            matches!(end.target, Target::Owner(..))
                && life.is_target(&session, &end.target)
                && self.oracle.is_excused(end.done, None, admitted.at)
        })
    }

    /// Which nodes know of the ends that were acknowledged.
    pub(crate) fn who_knows(&self) -> BTreeMap<SessionId, Vec<usize>> {
        let knows = |tokens: &Tokens| {
            let awake = |(_, node): &(usize, &Node)| node.up && node.knows_end(tokens);
            self.nodes.iter().enumerate().filter(awake).map(|(node, _)| node).collect()
        };
        self.oracle.recently_ended().map(|(session, tokens)| (session, knows(tokens))).collect()
    }
}
