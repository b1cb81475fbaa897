//! What nodes tell after a fail-over, on both.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_registry::{CountOf, EndReason, Entry, Lost, News, NodeId, OnceId, SeatState, SessionRecord};
use countersign_token::{FeedPosition, RotationId};
use proptest::test_runner::TestCaseError;

use crate::pair::{HAPPENED, Pair};
use crate::step::{self, MINUTE, owner, sid};

type Done = Result<(), TestCaseError>;

fn node(number: u8) -> NodeId {
    NodeId([number + 1; 16])
}

impl Pair {
    pub(crate) async fn heartbeat(&mut self, number: u8) -> Done {
        self.both(
            |ledger, now, facts| ledger.heartbeat(node(number), now, facts),
            async |registry| registry.recovery().heartbeat(node(number)).await,
            |answer| answer,
        )
        .await
    }

    pub(crate) async fn recovered(&mut self, number: u8) -> Done {
        self.both(
            |ledger, now, facts| ledger.recovered(node(number), now, facts),
            async |registry| registry.recovery().recovered(node(number)).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }

    pub(crate) async fn republish(&mut self, told: Vec<step::Told>) -> Done {
        let entries: Vec<Entry> = told.into_iter().map(|told| self.heard(&told)).collect();
        let again = self
            .both(
                |ledger, now, facts| ledger.republish(&entries, now, facts),
                async |registry| registry.recovery().republish(&entries).await,
                |answer| answer,
            )
            .await?;
        HAPPENED[1].fetch_add(again.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    pub(crate) async fn restore(&mut self, lost: Vec<step::Lost>) -> Done {
        let lost: Vec<Lost> = lost.into_iter().map(|lost| self.lost(&lost)).collect();
        let restored = AtomicU64::new(0);
        self.both(
            |ledger, now, facts| {
                let before = ledger.counts(&CountOf::Site, now, facts).sessions;
                ledger.restore_lost(lost.clone(), now, facts);
                let after = ledger.counts(&CountOf::Site, now, facts).sessions;
                restored.fetch_add(after - before, Ordering::Relaxed);
            },
            async |registry| registry.recovery().restore(&lost).await,
            |answer| answer,
        )
        .await?;
        HAPPENED[2].fetch_add(restored.into_inner(), Ordering::Relaxed);
        Ok(())
    }

    /// A position that there was, or one behind it that this history does not know.
    fn behind(&self, (number, entries): (usize, u8)) -> FeedPosition {
        let position = self.position(number);
        FeedPosition { seq: position.seq + u64::from(entries), ..position }
    }

    fn heard(&mut self, told: &step::Told) -> Entry {
        let reason = [EndReason::Logout, EndReason::RefreshReused][usize::from(told.session % 2)];
        let except = told.kind.is_multiple_of(2).then(|| sid(told.session));
        let news = match told.kind {
            0..3 => News::Ended(sid(told.session), reason),
            3 | 4 => News::OwnerEnded(owner(told.owner), except, reason),
            5 => News::TenantEnded("acme".into(), reason),
            6 => News::EveryoneEnded(reason),
            7 => News::KeyRemoved(format!("key {}", told.owner).into()),
            _ => News::Floor(sid(told.session), u64::from(told.owner) + 1),
        };
        let position = self.behind(told.at);
        let before = told.before.map(|before| self.behind(before));
        let before = before.filter(|before| before.epoch < position.epoch);
        // At one position, one thing was told.
        let news = self.told.entry(before.unwrap_or(position)).or_insert(news).clone();
        let news = match before {
            Some(before) => News::Again(before, Box::new(news)),
            None => news,
        };
        Entry { position, at: self.now(), until: self.now().after(5 * MINUTE), news }
    }

    fn lost(&self, lost: &step::Lost) -> Lost {
        if lost.once {
            return Lost::Once(OnceId([lost.session % 4; 32]), self.now().after(MINUTE));
        }
        let started_at = self.now().before(Duration::from_secs(lost.age.into()));
        Lost::Session(Box::new(SessionRecord {
            id: sid(lost.session),
            owner: owner(lost.owner),
            started_at,
            auth_time: started_at.before(u32::from(lost.owner % 2) * MINUTE),
            methods: "pwd".into(),
            device: lost.seat.then(|| "Firefox".into()),
            expires_at: started_at.after(u32::from(lost.age % 40 + 1) * MINUTE),
            last_activity: started_at,
            seat: if lost.seat { SeatState::Taken } else { SeatState::GivenUp },
            born: self.behind(lost.born),
            current: RotationId::NIL,
            exclusive: u64::from(lost.owner),
            last_update: None,
            login_key: None,
            handed_off_from: lost.parent.map(sid),
        }))
    }
}
