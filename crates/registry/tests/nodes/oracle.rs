//! The oracle: it knows the true time and what truly happened, and says when a promise was broken.

mod ends;
mod limits;
mod spells;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use countersign_registry::{Digest, Entry, News, OpId, Owner, Target};
use countersign_token::{RotationId, SessionId};

use self::spells::Spells;
use crate::request::Tokens;

#[derive(Debug)]
pub(crate) struct Oracle {
    /// What was broken first.
    pub(crate) red: Option<String>,
    lives: BTreeMap<SessionId, Life>,
    /// Sessions whose end was acknowledged not long ago.
    recent: Vec<SessionId>,
    /// Ends by owner, where they may be told again late.
    scoped: Vec<Scoped>,
    /// When an end was asked for first.
    ends: BTreeMap<[u8; 16], u64>,
    changes: Vec<Change>,
    spells: Spells,
    refusals: Vec<(u64, u64)>,
    /// Which update was acknowledged with a version, and by which node.
    versions: BTreeMap<(SessionId, u64), (Digest, Promise)>,
    claims: BTreeMap<[u8; 32], Promise>,
    seats: u32,
}

/// What the oracle knows of one session.
#[derive(Debug)]
struct Life {
    owner: Owner,
    admitted: Option<Promise>,
    /// What its client was given last.
    tokens: Option<Tokens>,
    /// Since when somebody wants it to end.
    cause: Option<u64>,
    ended: Option<Promise>,
    /// When an end that was told again hit it.
    hit: Option<u64>,
    /// When it was active for certain, and when it may have been.
    active: Vec<(u64, u64)>,
    maybe_active: Vec<u64>,
    rotation: Rotation,
    /// Whether its end came late, or may have.
    late: bool,
}

/// How far the rotation of its refresh tokens has come.
#[derive(Debug)]
struct Rotation {
    current: RotationId,
    /// How many histories there had been when it was rotated last.
    histories: usize,
    stolen: BTreeSet<u64>,
    /// What its client received after the last theft.
    fresh: BTreeSet<u64>,
    /// Since the client used one of them up, every copy gives itself away.
    decided: bool,
}

/// Something that was acknowledged.
#[derive(Clone, Copy, Debug)]
struct Promise {
    at: u64,
    /// By which node.
    node: usize,
    /// How many histories there had been.
    histories: usize,
    /// Whether it was carried out by a primary that was none any more.
    astray: bool,
}

/// An end by owner that was carried out.
#[derive(Debug)]
struct Scoped {
    target: Target,
    done: Promise,
}

/// A change of the registry's history: a fail-over, a restart, a loss.
#[derive(Debug)]
struct Change {
    at: u64,
    /// How far what was there before was lost.
    loss: Loss,
    /// Which nodes knew of an end that had been acknowledged.
    knew: BTreeMap<SessionId, Vec<usize>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    Tail,
    Everything,
}

impl Oracle {
    pub(crate) fn new(nodes: usize, seats: u32) -> Self {
        Self {
            red: None,
            lives: BTreeMap::new(),
            recent: Vec::new(),
            scoped: Vec::new(),
            ends: BTreeMap::new(),
            changes: Vec::new(),
            spells: Spells::new(nodes),
            refusals: Vec::new(),
            versions: BTreeMap::new(),
            claims: BTreeMap::new(),
            seats,
        }
    }

    /// A promise was broken.
    pub(crate) fn broken(&mut self, at: u64, what: impl FnOnce() -> String) {
        self.red.get_or_insert_with(|| format!("at {at}: {}", what()));
    }

    pub(crate) fn admission_called(&mut self, session: SessionId, owner: &Owner, called: u64) {
        let life = Life {
            owner: owner.clone(),
            admitted: None,
            tokens: None,
            cause: None,
            ended: None,
            hit: None,
            active: Vec::new(),
            maybe_active: vec![called],
            rotation: Rotation::new(),
            late: false,
        };
        self.lives.insert(session, life);
    }

    /// Somebody asks for an end: from now on it may happen. Tells when that was asked for first.
    pub(crate) fn end_called(&mut self, id: OpId, target: &Target, now: u64) -> u64 {
        self.may_end(target, now);
        *self.ends.entry(id.0).or_insert(now)
    }

    /// An end happens now, or from now on.
    fn may_end(&mut self, target: &Target, now: u64) {
        for (session, life) in &mut self.lives {
            if life.is_target(session, target) {
                life.cause.get_or_insert(now);
            }
        }
    }

    /// The registry's history is another from now on.
    pub(crate) fn changed(&mut self, at: u64, loss: Loss, knew: BTreeMap<SessionId, Vec<usize>>) {
        self.changes.push(Change { at, loss, knew });
    }

    /// How often the registry's history has changed.
    pub(crate) fn histories(&self) -> usize {
        self.changes.len()
    }

    pub(crate) fn health(&mut self, node: usize, healthy: bool, now: u64) {
        self.spells.note(node, healthy, now);
    }
}

impl Life {
    fn is_target(&self, session: &SessionId, target: &Target) -> bool {
        match target {
            Target::Sessions(ids) => ids.contains(session),
            Target::Owner(owner, except) => self.owner == *owner && Some(*session) != *except,
            _ => false,
        }
    }
}

impl Rotation {
    fn new() -> Self {
        Self {
            current: RotationId::NIL,
            histories: 0,
            stolen: BTreeSet::new(),
            fresh: BTreeSet::new(),
            decided: false,
        }
    }
}

/// The session that an entry ends.
pub(crate) fn ended_by(entry: &Entry) -> Option<SessionId> {
    match entry.news.told() {
        News::Ended(session, _) => Some(*session),
        _ => None,
    }
}
