//! Steps as operations, on both.

use std::time::Duration;

use countersign_registry::{
    Activity, Admission, Admit, Admitted, Advance, AdvanceMemo, Base, Claim, Clock as _, Code, CountOf,
    Digest, End, EndReason, Ended, Filter, Holding, Lifetime, List, Once, OnceId, OpId, Order, Registry as _,
    Rotate, Rotated, SetLimits, Target, Touch, Whose,
};
use countersign_token::{RotationId, Timestamp};
use proptest::test_runner::TestCaseError;

use crate::pair::Pair;
use crate::step::{MINUTE, SESSIONS, Step, limits, owner, sid};
use crate::support::START;

type Told = Result<(), TestCaseError>;

impl Pair {
    pub(crate) async fn step(&mut self, step: Step) -> Told {
        match step {
            Step::Wait(millis) => self.clock.advance(Duration::from_millis(millis.into())),
            Step::Back(millis) => {
                self.clock.set(self.clock.now().before(Duration::from_millis(millis.into())));
            }
            Step::Family(first) => self.family(first).await?,
            Step::Admit { .. } | Step::Redeem { .. } => self.admit(self.login(step)).await?,
            Step::Rotate { session, token, age, passive } => {
                self.rotate(session, token, age, passive).await?;
            }
            Step::Advance { session, base, known, memo } => {
                self.advance(session, base, known, memo).await?;
            }
            Step::Touch(marks) => self.touch(marks).await?,
            Step::End { id, target, one, owner: of, reason } => self.end(id, target, one, of, reason).await?,
            Step::Once { id, minutes, of, claim } => self.once(id, minutes, of, claim).await?,
            Step::List { whose, holding, inactive, started, limit } => {
                self.list(whose, holding, inactive, started, limit).await?;
            }
            Step::Counts(of) => self.counts(of).await?,
            Step::Feed(after) => self.feed(after.map(|number| self.position(number))).await?,
            Step::Limits(of) => self.limit(SetLimits { limits: limits(of) }).await?,
            Step::Fence => self.fence().await?,
            Step::Lose => self.lose().await?,
            Step::Heartbeat(node) => self.heartbeat(node).await?,
            Step::Republish(told) => self.republish(told).await?,
            Step::Restore(lost) => self.restore(lost).await?,
            Step::Recovered(node) => self.recovered(node).await?,
        }
        self.look_around().await
    }

    async fn family(&mut self, first: u8) -> Told {
        let [giver, middle, last] = [0, 1, 2].map(|place| sid((first + place) % SESSIONS));
        for (session, parent) in [(giver, None), (middle, Some(giver)), (last, Some(middle))] {
            self.admit(Admit { handed_off_from: parent, ..Admit::new(session, owner(first)) }).await?;
        }
        self.end(200 + first, 0, (first + 1) % SESSIONS, first, 0).await
    }

    fn login(&self, step: Step) -> Admit {
        let other = |number: Option<u8>| number.map(|number| sid(number % SESSIONS));
        match step {
            Step::Admit { session, owner: of, life, plain, replaces, key, parent, exempt } => {
                let mut admit = Admit::new(sid(session), owner(of));
                admit.lifetime = Lifetime::For(MINUTE * u32::from(life));
                admit.admission = if exempt { Admission::Exempt } else { Admission::Limited };
                if plain {
                    return admit;
                }
                if life % 5 == 0 {
                    admit.lifetime = Lifetime::Until(START.after(MINUTE * u32::from(life)));
                }
                Admit {
                    replaces: other(replaces),
                    login_key: key.map(|key| Digest([key % 3; 16])),
                    handed_off_from: other(parent),
                    auth_time: key.map(|key| START.before(MINUTE * u32::from(key))),
                    device: parent.map(|_| "Firefox on Linux".into()),
                    ..admit
                }
            }
            Step::Redeem { session, owner: of, end, parent, code, minutes, born } => {
                let until = self.now().after(MINUTE * u32::from(minutes));
                let code = Code { id: OnceId([code; 32]), until, born: self.position(born), end: other(end) };
                let handed_off_from = other(parent);
                Admit { code: Some(code), handed_off_from, ..Admit::new(sid(session), owner(of)) }
            }
            other => panic!("{other:?} is no login"),
        }
    }

    async fn advance(&mut self, session: u8, base: u8, known: u8, memo: Option<(u8, u8)>) -> Told {
        let digest = |byte| Digest([byte; 16]);
        let memo = memo.map(|(key, data)| AdvanceMemo {
            key: digest(key % 2),
            old_state: digest(7),
            new_data: digest(data % 2),
        });
        let base = if base == 4 { Base::Reset } else { Base::Version(base.into()) };
        let advance = Advance { session: sid(session), base, known: known.into(), memo };
        self.both_when_open(
            |ledger, now, facts| ledger.advance_version(advance, now, facts),
            async |registry| registry.advance_version(advance).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }

    async fn touch(&mut self, marks: Vec<(u8, u16)>) -> Told {
        let mark =
            |(session, age): (u8, u16)| Touch { session: sid(session), age: Duration::from_secs(age.into()) };
        let marks: Vec<Touch> = marks.into_iter().map(mark).collect();
        self.both_when_open(
            |ledger, now, facts| ledger.touch(&marks, now, facts),
            async |registry| registry.touch(marks.clone()).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }

    async fn once(&mut self, id: u8, minutes: u8, of: Option<(u8, usize)>, claim: Claim) -> Told {
        let until = self.now().after(MINUTE * u32::from(minutes));
        let of = of.map(|(number, born)| (owner(number), self.position(born)));
        let once = Once { id: OnceId([id; 32]), until, of, claim };
        self.both_when_open(
            |ledger, now, facts| ledger.once(once.clone(), now, facts),
            async |registry| registry.once(once.clone()).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }

    async fn counts(&mut self, of: u8) -> Told {
        let of = match of {
            5 => CountOf::Tenant("acme".into()),
            6 => CountOf::Tenant("".into()),
            number => CountOf::Owner(owner(number)),
        };
        self.both(
            |ledger, now, facts| ledger.counts(&of, now, facts),
            async |registry| registry.counts(of.clone()).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }

    async fn limit(&mut self, limits: SetLimits) -> Told {
        self.both_when_open(
            |ledger, now, facts| {
                // A script carries out first what time has brought.
                ledger.settle(now, facts);
                ledger.set_limits(limits);
            },
            async |registry| registry.set_limits(limits).await,
            |answer| answer,
        )
        .await
        .map(drop)
    }

    async fn admit(&mut self, admit: Admit) -> Told {
        let admitted = self
            .both_when_open(
                |ledger, now, facts| ledger.admit(admit.clone(), now, facts),
                async |registry| registry.admit(admit.clone()).await,
                |answer| answer,
            )
            .await?;
        if let Some(Admitted::Seated(seated)) = admitted {
            self.current.insert(seated.record.id, seated.record.current);
        }
        Ok(())
    }

    async fn rotate(&mut self, session: u8, token: u8, age: u16, passive: bool) -> Told {
        let session = sid(session);
        let current = self.current.get(&session).copied().unwrap_or(RotationId::NIL);
        let next = RotationId::follow(current, u32::from(token) + 1);
        let (id, parent) = match token {
            0 => (current, RotationId::NIL),
            1..5 => (next, current),
            5 => (RotationId::follow(next, 1), next),
            6 => (RotationId::follow(RotationId::NIL, 9), RotationId::NIL),
            _ => (RotationId::from_bits(u64::MAX - 3), RotationId::from_bits(1 << 63)),
        };
        let issued = self.now().before(Duration::from_secs(age.into()));
        let activity = if passive { Activity::Passive } else { Activity::Active };
        let rotate = Rotate { session, id, parent, issued, activity };
        let rotated = self
            .both_when_open(
                |ledger, now, facts| ledger.rotate(rotate, now, facts),
                async |registry| registry.rotate(rotate).await,
                |answer| answer,
            )
            .await?;
        if let Some(Rotated::Kept(renewal) | Rotated::Renewed(renewal)) = rotated {
            self.current.insert(session, renewal.record.current);
        }
        Ok(())
    }

    async fn end(&mut self, id: u8, target: u8, one: u8, of: u8, reason: u8) -> Told {
        let target = match target {
            0 => Target::Sessions(vec![sid(one), sid(of)]),
            1 => Target::Own(owner(of), sid(one)),
            2 => Target::Owner(owner(of), None),
            3 => Target::Owner(owner(of), Some(sid(one))),
            4 => Target::Tenant("acme".into()),
            5 => Target::Everyone,
            _ => Target::Key(format!("key {}", one % 2).into()),
        };
        let reason =
            [EndReason::Logout, EndReason::EndedByUser, EndReason::EndedByAdmin][usize::from(reason)];
        let end = End { id: OpId([id; 16]), target, reason };
        let now = self.now();
        // A repetition tells of those entries that still matter; how soon the others are forgotten is free.
        let plain = |mut ended: Ended| {
            ended.entries.retain(|entry| entry.until > now && entry.until != Timestamp::MAX);
            ended
        };
        self.both(
            |ledger, now, facts| ledger.end(end.clone(), now, facts),
            async |registry| registry.end(end.clone()).await,
            plain,
        )
        .await
        .map(drop)
    }

    async fn list(&mut self, whose: u8, holding: u8, inactive: u16, started: bool, limit: u8) -> Told {
        let filter = Filter {
            whose: match whose {
                0 | 1 => Whose::Anyone,
                2 => Whose::Tenant("acme".into()),
                3 => Whose::Subject(owner(inactive.to_be_bytes()[1]).subject),
                number => Whose::Owner(owner(number)),
            },
            holding: [None, Some(Holding::Seat), Some(Holding::Nothing)][usize::from(holding)],
            inactive_for: inactive.is_multiple_of(2).then(|| Duration::from_secs(inactive.into())),
        };
        self.both(
            |ledger, now, facts| ledger.tally(&filter, now, facts),
            async |registry| registry.tally(filter.clone()).await,
            |answer| answer,
        )
        .await?;
        let order = match (started, limit.is_multiple_of(2)) {
            (true, true) => Order::Started,
            (true, false) => Order::Oldest,
            (false, true) => Order::LastActivity,
            (false, false) => Order::LeastRecent,
        };
        let mut list = List { filter, order, after: None, limit: limit.into() };
        loop {
            let page = self
                .both(
                    |ledger, now, facts| ledger.list(&list, now, facts),
                    async |registry| registry.list(list.clone()).await,
                    |answer| answer,
                )
                .await?;
            list.after = page.next;
            if list.after.is_none() {
                return Ok(());
            }
        }
    }
}
