//! Some nodes' work on a registry, what was acknowledged of it, and what must be there afterwards.

use std::time::Duration;

use countersign_registry::{
    Activity, Admit, Admitted, Advance, Advanced, Base, Claim, Claimed, Clock as _, Effect, End, EndReason,
    ManualClock, Once, OnceId, OpId, Owner, Question, Reading, Registry, RegistryError, Rotate, Rotated,
    Rules, Standing, Target, Verdict, View,
};
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use futures_util::future::join_all;

use super::disk::Disk;
use crate::error::{Flaw, OpenError};
use crate::registry::{FileRegistry, Options};

pub(super) const START: Timestamp = Timestamp::from_secs(1_800_000_000);
const NEWCOMER: SessionId = SessionId::from_bytes([255; 16]);
const NODES: u8 = 5;
const ROUNDS: u8 = 6;

pub(super) fn open(disk: &Disk, clock: &ManualClock) -> Result<FileRegistry, OpenError> {
    let (disk, options) = (disk.clone(), Options::default().clock(clock.clone()));
    FileRegistry::start("disk".as_ref(), move || {
        let empty = redb::StorageBackend::len(&disk).map_err(Flaw::Io);
        let opened = match empty {
            Ok(0) => crate::recover::new(disk, &options),
            Ok(_) => crate::recover::existing(disk, &options),
            Err(flaw) => Err(flaw),
        };
        opened.map_err(|flaw| OpenError::of("disk".as_ref(), flaw))
    })
}

/// Whether something was asked for, and whether that was acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Known {
    #[default]
    NotAsked,
    Asked,
    Acknowledged,
}

/// One session, as its node knows it.
#[derive(Debug)]
struct Life {
    id: SessionId,
    owner: Owner,
    born: FeedPosition,
    admitted: Known,
    ended: Known,
    ended_at: Timestamp,
    current: RotationId,
    next: Option<RotationId>,
    exclusive: u64,
    may_be_exclusive: u64,
}

/// What happened to a registry.
#[derive(Debug, Default)]
pub(super) struct Witness {
    lives: Vec<Life>,
    claims: Vec<(OnceId, Known)>,
    position: FeedPosition,
    /// Calls whose effect is unknown, and calls that were refused without effect.
    pub(super) unknown: usize,
    pub(super) refused: usize,
    pub(super) acknowledged: usize,
}

impl Witness {
    fn note<T>(&mut self, answer: Result<T, RegistryError>) -> Option<T> {
        match &answer {
            Ok(_) => {
                assert_eq!(self.unknown + self.refused, 0, "a closed registry answered");
                self.acknowledged += 1;
            }
            Err(error) if error.effect == Effect::Unknown => {
                assert_eq!(self.refused, 0, "nothing can have happened any more");
                self.unknown += 1;
            }
            Err(_) => self.refused += 1,
        }
        answer.ok()
    }

    /// Several nodes log in, refresh, update, log out and end each other, all at once in each round.
    pub(super) async fn work(&mut self, registry: &FileRegistry, clock: &ManualClock) {
        for round in 0..ROUNDS {
            self.log_in(registry, round).await;
            self.claim(registry, round).await;
            clock.advance(Duration::from_secs(61));
            self.refresh(registry).await;
            self.update(registry).await;
            self.log_out(registry, round, clock.now()).await;
        }
    }

    async fn log_in(&mut self, registry: &FileRegistry, round: u8) {
        let owner = |node: u8| Owner::new(format!("user-{round}-{}", node / 2));
        let ids: Vec<_> =
            (0..NODES).map(|node| (SessionId::from_bytes([round * 16 + node; 16]), owner(node))).collect();
        let calls = ids.iter().map(|(id, owner)| registry.admit(Admit::new(*id, owner.clone())));
        for ((id, owner), answer) in ids.clone().into_iter().zip(join_all(calls).await) {
            let seated = match self.note(answer) {
                Some(Admitted::Seated(seated)) => Some(seated),
                Some(other) => panic!("{other:?}"),
                None => None,
            };
            self.lives.push(Life {
                id,
                owner,
                born: seated.as_ref().map_or(FeedPosition::default(), |seated| seated.record.born),
                admitted: if seated.is_some() { Known::Acknowledged } else { Known::Asked },
                ended: Known::NotAsked,
                ended_at: START,
                current: RotationId::NIL,
                next: None,
                exclusive: 0,
                may_be_exclusive: 0,
            });
        }
    }

    async fn claim(&mut self, registry: &FileRegistry, round: u8) {
        let id = OnceId([round; 32]);
        let once = Once { id, until: START.after(Duration::from_hours(24)), of: None, claim: Claim::UseUp };
        let known = match self.note(registry.once(once).await) {
            Some(Claimed::First) => Known::Acknowledged,
            Some(Claimed::Spent) => panic!("it was free"),
            None => Known::Asked,
        };
        self.claims.push((id, known));
    }

    fn usable(&self) -> Vec<usize> {
        let usable = |life: &Life| life.admitted == Known::Acknowledged && life.ended == Known::NotAsked;
        (0..self.lives.len()).filter(|n| usable(&self.lives[*n])).collect()
    }

    async fn refresh(&mut self, registry: &FileRegistry) {
        let usable = self.usable();
        for n in &usable {
            let life = &mut self.lives[*n];
            life.next = Some(RotationId::follow(life.current, 7));
        }
        let calls = usable.iter().map(|n| {
            let Life { id: session, current: parent, next, .. } = self.lives[*n];
            registry.rotate(Rotate {
                session,
                id: next.unwrap(),
                parent,
                issued: START,
                activity: Activity::Active,
            })
        });
        let answers = join_all(calls).await;
        for (n, answer) in usable.into_iter().zip(answers) {
            match self.note(answer) {
                Some(Rotated::Renewed(renewal)) => {
                    let life = &mut self.lives[n];
                    assert_eq!(Some(renewal.record.current), life.next);
                    (life.current, life.next) = (renewal.record.current, None);
                }
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
    }

    async fn update(&mut self, registry: &FileRegistry) {
        let usable = self.usable();
        let calls = usable.iter().map(|n| {
            let Life { id: session, exclusive, .. } = self.lives[*n];
            registry.advance_version(Advance {
                session,
                base: Base::Version(exclusive),
                known: exclusive,
                memo: None,
            })
        });
        let answers = join_all(calls).await;
        for (n, answer) in usable.into_iter().zip(answers) {
            self.lives[n].may_be_exclusive += 1;
            match self.note(answer) {
                Some(Advanced::Set { exclusive, .. }) => {
                    self.lives[n].exclusive = exclusive;
                    self.lives[n].may_be_exclusive = exclusive;
                }
                Some(other) => panic!("{other:?}"),
                None => {}
            }
        }
    }

    /// One session each by itself, and the sessions of one owner together.
    async fn log_out(&mut self, registry: &FileRegistry, round: u8, now: Timestamp) {
        let usable = self.usable();
        let alone = Target::Sessions(usable.iter().take(2).map(|n| self.lives[*n].id).collect());
        let owner = usable.last().map_or(Owner::new("nobody"), |n| self.lives[*n].owner.clone());
        let calls = [(alone, 1), (Target::Owner(owner, None), 2)].map(|(target, nth)| {
            let end = End { id: OpId([round * 4 + nth; 16]), target, reason: EndReason::Logout };
            (end.target.clone(), registry.end(end))
        });
        let (targets, calls): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
        let answers = join_all(calls).await;
        for (target, answer) in targets.into_iter().zip(answers) {
            let known = match self.note(answer) {
                Some(ended) => {
                    self.position = self.position.max(ended.position);
                    Known::Acknowledged
                }
                None => Known::Asked,
            };
            for life in &mut self.lives {
                let hit = match &target {
                    Target::Sessions(sessions) => sessions.contains(&life.id),
                    Target::Owner(owner, _) => *owner == life.owner,
                    _ => false,
                };
                if hit && life.ended != Known::Acknowledged {
                    (life.ended, life.ended_at) = (known, now);
                }
            }
        }
    }

    /// Everything that was acknowledged is there, and the registry goes on from it.
    pub(super) async fn check(&self, registry: &FileRegistry) {
        self.check_again(registry).await;
        let newcomer = Admit::new(NEWCOMER, Owner::new("newcomer"));
        assert!(matches!(registry.admit(newcomer).await, Ok(Admitted::Seated(_))));
    }

    /// Everything that was acknowledged is still there.
    pub(super) async fn check_again(&self, registry: &FileRegistry) {
        let view = View::new();
        let batch = registry.feed(None).await.unwrap();
        assert!(batch.complete_to >= self.position, "the feed went back");
        let now = Reading { boot: Duration::ZERO, wall: batch.at };
        let _ = view.load(&batch, now, batch.at);
        let ids = self.lives.iter().map(|life| life.id).collect();
        let standings = registry.get(ids).await.unwrap();
        for (life, standing) in self.lives.iter().zip(standings) {
            life.check(&standing, &view, batch.at);
        }
        for (id, known) in &self.claims {
            let until = START.after(Duration::from_hours(24));
            let again = registry.once(Once { id: *id, until, of: None, claim: Claim::UseUp }).await.unwrap();
            assert!(
                *known != Known::Acknowledged || again == Claimed::Spent,
                "a one-time id was claimed twice"
            );
        }
    }
}

impl Life {
    fn check(&self, standing: &Standing, view: &View, now: Timestamp) {
        let question = Question {
            session: &self.id,
            born: self.born,
            subject: &self.owner.subject,
            tenant: None,
            kid: "k",
        };
        match standing {
            Standing::Live(record, _) => {
                assert!(self.ended != Known::Acknowledged, "what was ended passes again: {self:?}");
                assert!(
                    record.current == self.current || Some(record.current) == self.next,
                    "{self:?} {record:?}"
                );
                assert!(record.exclusive >= self.exclusive, "{self:?} {record:?}");
                assert!(record.exclusive <= self.may_be_exclusive, "{self:?} {record:?}");
            }
            Standing::Ended(reason) => {
                assert!(
                    self.ended != Known::NotAsked || self.admitted != Known::Acknowledged,
                    "logged out by accident: {self:?}"
                );
                if self.ended == Known::Acknowledged {
                    assert_eq!(*reason, Some(EndReason::Logout));
                }
            }
        }
        // While an access token of it may live.
        let tokens_live = now < self.ended_at.after(Rules::default().entry_life());
        if self.ended == Known::Acknowledged && tokens_live {
            assert_eq!(view.judge(&question), Verdict::Ended(EndReason::Logout), "{self:?}");
        }
        if *standing != Standing::Ended(Some(EndReason::Logout)) && self.admitted == Known::Acknowledged {
            assert_eq!(view.judge(&question), Verdict::Clear, "{self:?}");
        }
    }
}
