//! Somebody who logs in, comes back, updates their state and leaves, through any of the nodes; and what they hold when it
//! is over.

use std::sync::Arc;

use countersign_registry::conformance::checker::{Span, Stopwatch};
use countersign_registry::{
    Activity, Admit, Admitted, Advance, AdvanceMemo, Advanced, Base, Digest, End, EndReason, OpId, Owner,
    Registry as _, Rotate, Rotated, SessionRecord, Target,
};
use countersign_token::{RotationId, SessionId, Timestamp};

use crate::service::{Node, answered};

/// A source of ids that differ.
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0xd134_2543_de82_ef95))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb) >> 3
    }

    pub(crate) fn bytes(&mut self) -> [u8; 16] {
        (u128::from(self.number()) << 64 | u128::from(self.number())).to_be_bytes()
    }

    pub(crate) fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.number() as usize % all.len()]
    }
}

/// A session as its client holds it.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    pub(crate) session: SessionRecord,
    /// The refresh token.
    id: RotationId,
    parent: RotationId,
    issued: Timestamp,
    /// The exclusive version of the state.
    pub(crate) exclusive: u64,
}

/// What the registry said to a login.
pub(crate) enum Login {
    In(Box<Held>),
    Full,
    /// No answer; the id is not used again, since it may have been taken back.
    Lost,
}

/// Whether a login that got no answer is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    UntilAnswered,
    Never,
}

/// Logs in, as the session that is told, and says when.
pub(crate) async fn log_in(
    nodes: &[Arc<Node>],
    draw: &mut Draw,
    watch: &Stopwatch,
    repeat: Repeat,
) -> (SessionId, Login, Span) {
    let session = SessionId::from_bytes(draw.bytes());
    let owner = Owner::new(format!("user {}", draw.number() % 40));
    let admit = Admit::new(session, owner);
    let first = draw.number();
    let ask = watch.time_async(async {
        match repeat {
            Repeat::UntilAnswered => {
                let ask = async |before| node(nodes, first, before).registry.admit(admit.clone()).await;
                Some(answered("a login was tried", ask).await)
            }
            Repeat::Never => node(nodes, first, 0).registry.admit(admit).await.ok(),
        }
    });
    let (answer, span) = ask.await;
    let login = match answer {
        Some(Admitted::Seated(seated)) => {
            let id = RotationId::follow(RotationId::NIL, draw.number() as u32);
            let (parent, issued) = (RotationId::NIL, seated.at);
            Login::In(Box::new(Held { session: seated.record, id, parent, issued, exclusive: 0 }))
        }
        Some(Admitted::Full(_)) => Login::Full,
        Some(other) => panic!("a login was answered {other:?}"),
        None => Login::Lost,
    };
    (session, login, span)
}

/// The node of this turn: a call that is repeated goes to the next one.
fn node(nodes: &[Arc<Node>], first: u64, before: usize) -> &Node {
    &nodes[(first as usize).wrapping_add(before) % nodes.len()]
}

impl Held {
    fn rotate(&self) -> Rotate {
        Rotate {
            session: self.session.id,
            id: self.id,
            parent: self.parent,
            issued: self.issued,
            activity: Activity::Active,
        }
    }

    /// Refreshes. Whether the session still lives.
    pub(crate) async fn refresh(&mut self, nodes: &[Arc<Node>], draw: &mut Draw) -> Result<(), String> {
        let first = draw.number();
        let ask = async |before| node(nodes, first, before).registry.rotate(self.rotate()).await;
        match answered("a refresh was tried", ask).await {
            Rotated::Renewed(renewal) => {
                self.parent = self.id;
                self.id = RotationId::follow(self.id, draw.number() as u32);
                self.issued = renewal.at;
                Ok(())
            }
            Rotated::Kept(_) => Ok(()),
            other => Err(format!("a refresh was answered {other:?}")),
        }
    }

    /// Updates the state so that nobody can replay the old one. One that was under way while the servers failed may have
    /// to be done anew: then `false`.
    pub(crate) async fn update(&mut self, nodes: &[Arc<Node>], draw: &mut Draw) -> Result<bool, String> {
        let digest = |draw: &mut Draw| Digest(draw.bytes());
        let memo = AdvanceMemo { key: digest(draw), old_state: digest(draw), new_data: digest(draw) };
        let base = Base::Version(self.exclusive);
        let advance = Advance { session: self.session.id, base, known: self.exclusive, memo: Some(memo) };
        let node = draw.one_of(nodes);
        match answered("an update was tried", async |_| node.registry.advance_version(advance).await).await {
            Advanced::Set { exclusive, entries, .. } => {
                node.learn(&entries);
                self.exclusive = exclusive;
                Ok(true)
            }
            Advanced::Repeated { exclusive, .. } => {
                self.exclusive = exclusive;
                Ok(true)
            }
            Advanced::Conflict { exclusive } => {
                self.exclusive = exclusive;
                Ok(false)
            }
            Advanced::Ended(why) => Err(format!("an update was told that the session had ended: {why:?}")),
        }
    }

    /// Leaves, and says when.
    pub(crate) async fn log_out(&self, nodes: &[Arc<Node>], draw: &mut Draw, watch: &Stopwatch) -> Span {
        let target = Target::Sessions(vec![self.session.id]);
        let end = End { id: OpId(draw.bytes()), target, reason: EndReason::Logout };
        let node = draw.one_of(nodes);
        let ask = answered("a logout was tried", async |_| node.registry.end(end.clone()).await);
        let (ended, span) = watch.time_async(ask).await;
        node.learn(&ended.entries);
        span
    }

    /// Whether the refresh token still works, as a thief would try it.
    pub(crate) async fn works(&self, node: &Node) -> bool {
        let answer =
            answered("a refresh token was tried", async |_| node.registry.rotate(self.rotate()).await);
        matches!(answer.await, Rotated::Renewed(_) | Rotated::Kept(_))
    }

    /// Whether the state before the last exclusive update can be brought back.
    pub(crate) async fn can_be_replayed(&self, node: &Node) -> bool {
        let Some(old) = self.exclusive.checked_sub(1) else { return false };
        let advance = Advance { session: self.session.id, base: Base::Version(old), known: 0, memo: None };
        let answer =
            answered("an old state was tried", async |_| node.registry.advance_version(advance).await);
        matches!(answer.await, Advanced::Set { .. } | Advanced::Repeated { .. })
    }
}
