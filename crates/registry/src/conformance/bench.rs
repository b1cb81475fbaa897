//! What the checks are made of: short words for what a node does.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};

use crate::clock::{Clock as _, ManualClock};
use crate::contract::{Batch, Registry};
use crate::fact::EndReason;
use crate::list::List;
use crate::op::{
    Activity, Admit, Admitted, CountOf, Counts, End, Ended, Full, OpId, Owner, Renewal, Rotate, Rotated,
    Seated, SessionRecord, Standing, Target, Touch,
};
use crate::rules::{Limits, Rules};

/// A registry under test, the clock that it reads, and a source of fresh ids.
pub(super) struct Bench {
    /// The registry.
    pub(super) registry: Arc<dyn Registry>,
    /// Its clock.
    pub(super) clock: ManualClock,
    drawn: AtomicU64,
}

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_mins(1);
/// The default of [`Rules::dangling_after`].
pub(super) const DANGLING: Duration = Duration::from_mins(30);

impl Bench {
    /// A fresh registry with the default rules.
    pub(super) async fn new(fresh: impl AsyncFn(ManualClock) -> Arc<dyn Registry>) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(1_800_000_000));
        let registry = fresh(clock.clone()).await;
        registry.configure(Rules::default());
        Self { registry, clock, drawn: AtomicU64::new(0) }
    }

    pub(super) fn limit(&self, limits: Limits) {
        self.registry.configure(Rules { limits, ..Rules::default() });
    }

    /// Sixteen bytes that were not drawn before.
    pub(super) fn draw(&self) -> [u8; 16] {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let scattered = u128::from(drawn + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        scattered.to_be_bytes()
    }

    pub(super) fn sid(&self) -> SessionId {
        SessionId::from_bytes(self.draw())
    }

    pub(super) fn login_of(&self, owner: Owner) -> Admit {
        Admit::new(self.sid(), owner)
    }

    pub(super) fn login(&self, subject: &str) -> Admit {
        self.login_of(Owner::new(subject))
    }

    pub(super) async fn admit(&self, admit: Admit) -> Admitted {
        self.registry.admit(admit).await.expect("admit answers")
    }

    pub(super) async fn seat(&self, admit: Admit) -> Seated {
        match self.admit(admit).await {
            Admitted::Seated(seated) => seated,
            other => panic!("a login for which there is a seat was answered {other:?}"),
        }
    }

    pub(super) async fn seated(&self, subject: &str) -> SessionRecord {
        self.seat(self.login(subject)).await.record
    }

    pub(super) async fn refused(&self, admit: Admit) -> Full {
        match self.admit(admit).await {
            Admitted::Full(full) => full,
            other => panic!("a login for which there is no seat was answered {other:?}"),
        }
    }

    pub(super) async fn rotate(&self, session: SessionId, token: Token) -> Rotated {
        self.rotate_as(session, token, Activity::Active).await
    }

    pub(super) async fn rotate_as(&self, session: SessionId, token: Token, activity: Activity) -> Rotated {
        let Token { id, parent, issued } = token;
        let rotate = Rotate { session, id, parent, issued, activity };
        self.registry.rotate(rotate).await.expect("rotate answers")
    }

    pub(super) async fn renewed(&self, session: SessionId, token: Token) -> Renewal {
        match self.rotate(session, token).await {
            Rotated::Renewed(renewal) => renewal,
            other => panic!("a refresh that gets a successor was answered {other:?}"),
        }
    }

    pub(super) async fn end(&self, target: Target, reason: EndReason) -> Ended {
        let end = End { id: OpId(self.draw()), target, reason };
        self.registry.end(end).await.expect("end answers")
    }

    pub(super) async fn touch(&self, session: SessionId, age: Duration) {
        self.registry.touch(vec![Touch { session, age }]).await.expect("touch answers");
    }

    pub(super) async fn standing(&self, session: SessionId) -> Standing {
        let mut standings = self.registry.get(vec![session]).await.expect("get answers");
        assert_eq!(standings.len(), 1, "get answers for each id");
        standings.remove(0)
    }

    pub(super) async fn lives(&self, session: SessionId) -> bool {
        matches!(self.standing(session).await, Standing::Live(..))
    }

    pub(super) async fn counts(&self, of: CountOf) -> Counts {
        self.registry.counts(of).await.expect("counts answers")
    }

    pub(super) async fn seats(&self) -> u64 {
        self.counts(CountOf::Site).await.seats
    }

    pub(super) async fn feed(&self, after: Option<FeedPosition>) -> Batch {
        self.registry.feed(after).await.expect("feed answers")
    }

    pub(super) async fn ids(&self, list: List) -> Vec<SessionId> {
        let page = self.registry.list(list).await.expect("list answers");
        page.sessions.into_iter().map(|(record, _)| record.id).collect()
    }

    /// The successor of a token, issued now.
    pub(super) fn token(&self, parent: RotationId, random: u32) -> Token {
        Token { id: RotationId::follow(parent, random), parent, issued: self.clock.now() }
    }
}

/// A refresh token, as the registry sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub(super) id: RotationId,
    pub(super) parent: RotationId,
    pub(super) issued: Timestamp,
}
