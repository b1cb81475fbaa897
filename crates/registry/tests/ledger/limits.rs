//! Random operations have the outcomes that the plain model expects, before and after a restoration from the facts.

use std::time::Duration;

use countersign_registry::{
    Activity, Admission, Admit, Admitted, Advance, AdvanceMemo, Base, Claim, CountOf, Digest, End, EndReason,
    Fact, Filter, Ledger, Lifetime, Limit, Limits, List, News, OnFull, Once, OnceId, OpId, Order, Owner,
    Repetition, Rotate, Rotated, Rules, SetLimits, Target, Touch, Whose,
};
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};

use crate::model::{Expected, Model};
use crate::random::{Random, cases};

const MINUTE: Duration = Duration::from_mins(1);
const STEPS: u64 = 60;

/// Two ledgers, one of which is restored from the facts every now and then, and the model.
struct Trial {
    random: Random,
    model: Model,
    ledger: Ledger,
    restored: Ledger,
    facts: Vec<Fact>,
    seen: Vec<SessionId>,
}

#[test]
fn seats_are_as_the_model_says() {
    for seed in 0..cases(1500) {
        let mut trial = Trial::new(seed);
        for step in 0..STEPS {
            trial.step().unwrap_or_else(|what| panic!("seed {seed}, step {step}: {what}"));
        }
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, got: &T, expected: &T) -> Result<(), String> {
    if got == expected { Ok(()) } else { Err(format!("{what}: {got:?}\nexpected {expected:?}")) }
}

impl Trial {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let start = Timestamp::from_secs(1_800_000_000);
        let rules = Rules {
            limits: limits(&mut random),
            dangling_after: 30 * MINUTE,
            idle_timeout: 120 * MINUTE,
            ..Rules::default()
        };
        let (ledger, restored) = (Ledger::new(rules, 1), Ledger::new(rules, 1));
        Self {
            random,
            model: Model::new(start, rules),
            ledger,
            restored,
            facts: Vec::new(),
            seen: Vec::new(),
        }
    }

    /// Applies one operation to both ledgers, which must agree to the letter.
    fn both<T: std::fmt::Debug>(
        &mut self,
        operation: impl Fn(&mut Ledger, Timestamp, &mut Vec<Fact>) -> T,
    ) -> Result<T, String> {
        let now = self.model.now;
        let (mut facts, mut again) = (Vec::new(), Vec::new());
        let outcome = operation(&mut self.ledger, now, &mut facts);
        let twin = operation(&mut self.restored, now, &mut again);
        same("the restored ledger differs", &format!("{twin:?}"), &format!("{outcome:?}"))?;
        let sorted = |facts: &[Fact]| {
            let mut lines: Vec<String> = facts.iter().map(|fact| format!("{fact:?}")).collect();
            lines.sort();
            lines
        };
        // Sessions that time ended at one instant may end in any order, so their entries may change places.
        if facts.iter().all(|fact| !matches!(fact, Fact::Gone { reason: EndReason::Idle, .. })) {
            same("the restored ledger tells other facts", &sorted(&again), &sorted(&facts))?;
        }
        self.facts.extend(facts);
        Ok(outcome)
    }

    fn step(&mut self) -> Result<(), String> {
        match self.random.below(100) {
            0..35 => self.admit()?,
            35..55 => self.rotate()?,
            55..65 => self.touch()?,
            65..72 => self.end()?,
            72..75 => self.set_limits(),
            75..93 => self.wait(),
            93..96 => self.restore(),
            96..98 => self.advance_version()?,
            _ => self.once()?,
        }
        self.compare()
    }

    fn wait(&mut self) {
        let bounds = [Duration::from_millis(1), MINUTE, 10 * MINUTE, 30 * MINUTE, 30 * MINUTE, 200 * MINUTE];
        let bound = bounds[self.random.below(6) as usize];
        let by = if self.random.chance(30) { bound } else { self.random.time(bound) };
        self.model.advance(by);
    }

    fn restore(&mut self) {
        let ledger = &self.ledger;
        let facts: Vec<Fact> =
            if self.random.chance(50) { self.facts.clone() } else { ledger.facts().collect() };
        let (rules, position, now) = (*ledger.rules(), ledger.position(), ledger.now());
        self.restored = Ledger::restore(rules, position, now, facts);
    }

    fn owner(&mut self) -> Owner {
        let owner = Owner::new(["ada", "bob", "cy"][self.random.below(3) as usize]);
        match self.random.below(3) {
            0 => owner,
            tenant => owner.of_tenant(["acme", "other"][tenant as usize - 1]),
        }
    }

    fn any(&mut self) -> SessionId {
        let live: Vec<SessionId> = self.model.sessions.iter().map(|session| session.id).collect();
        let ids = if self.random.chance(90) { &live } else { &self.seen };
        self.random.one_of(ids).copied().unwrap_or(SessionId::from_bytes([0; 16]))
    }

    fn admit(&mut self) -> Result<(), String> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let fresh = SessionId::from_bytes(bytes);
        let repeated = self.random.chance(10).then(|| self.any());
        let admit = Admit {
            login_key: self.random.chance(20).then(|| Digest([self.random.below(3) as u8; 16])),
            replaces: self.random.chance(15).then(|| self.any()),
            lifetime: Lifetime::For(self.random.time(300 * MINUTE)),
            admission: if self.random.chance(5) { Admission::Exempt } else { Admission::Limited },
            ..Admit::new(repeated.unwrap_or(fresh), self.owner())
        };
        // An id that lives for another owner is refused; the model does not know of that.
        if self
            .model
            .sessions
            .iter()
            .any(|session| session.id == admit.session && session.owner != admit.owner)
        {
            return Ok(());
        }
        self.seen.push(admit.session);
        let keyed: Vec<SessionId> = self.model.sessions.iter().map(|session| session.id).collect();
        let expected = self.model.admit(&admit);
        let outcome = self.both(|ledger, now, facts| ledger.admit(admit.clone(), now, facts))?;
        let got = match outcome {
            Admitted::Seated(seated) => {
                let again = seated.repetition == Repetition::Again;
                if again && !keyed.contains(&seated.record.id) {
                    return Err(format!("{:?} repeats nothing", seated.record.id));
                }
                let ended = seated.entries.iter().filter_map(|entry| match entry.news {
                    News::Ended(id, reason) => Some((id, reason)),
                    _ => None,
                });
                Expected::Seated { id: seated.record.id, ended: ended.collect(), again }
            }
            Admitted::Full(full) => Expected::Full(full.scope, full.limit, full.in_use, full.retry_after),
            Admitted::Ended(_) => Expected::Ended,
            other => return Err(format!("{admit:?} was answered {other:?}")),
        };
        same(&format!("{admit:?}"), &got, &expected)
    }

    fn rotate(&mut self) -> Result<(), String> {
        let session = self.any();
        // The nil id is a retry of the first refresh: it leaves the rotation as it is.
        let nil = RotationId::NIL;
        let activity = if self.random.chance(25) { Activity::Passive } else { Activity::Active };
        let rotate = Rotate { session, id: nil, parent: nil, issued: self.model.now, activity };
        let expected = match (self.model.find(session).is_some(), activity) {
            (false, _) => Err(Expected::Ended),
            (true, Activity::Passive) => Ok(()),
            (true, Activity::Active) => self.model.refresh(session),
        };
        let got = match self.both(|ledger, now, facts| ledger.rotate(rotate, now, facts))? {
            Rotated::Renewed(_) => Ok(()),
            Rotated::Full(full) => Err(Expected::Full(full.scope, full.limit, full.in_use, full.retry_after)),
            Rotated::Ended(_) => Err(Expected::Ended),
            other => return Err(format!("{rotate:?} was answered {other:?}")),
        };
        same(&format!("{rotate:?}"), &got, &expected)
    }

    fn touch(&mut self) -> Result<(), String> {
        let marks: Vec<Touch> = (0..self.random.below(4))
            .map(|_| self.any())
            .collect::<Vec<_>>()
            .into_iter()
            .map(|session| {
                let age = self.random.time(40 * MINUTE);
                Touch { session, age }
            })
            .collect();
        for mark in &marks {
            self.model.mark(mark.session, mark.age);
        }
        self.both(|ledger, now, facts| ledger.touch(&marks, now, facts))
    }

    fn end(&mut self) -> Result<(), String> {
        let (owner, id) = (self.owner(), self.any());
        let target = match self.random.below(20) {
            0 => Target::Everyone,
            1..4 => Target::Tenant(["acme", "other"][self.random.below(2) as usize].into()),
            4..7 => Target::Owner(owner, None),
            7..9 => Target::Owner(owner, Some(id)),
            9..12 => Target::Own(owner, id),
            _ => Target::Sessions(vec![id, self.any(), id]),
        };
        let mut op = [0; 16];
        op[..8].copy_from_slice(&self.random.next().to_le_bytes());
        let end = End { id: OpId(op), target, reason: EndReason::Logout };
        let expected = self.model.end(&end.target);
        let ended = self.both(|ledger, now, facts| ledger.end(end.clone(), now, facts))?;
        same(&format!("{end:?}"), &ended.sessions, &expected)
    }

    fn set_limits(&mut self) {
        let limits = limits(&mut self.random);
        self.model.rules.limits = limits;
        self.ledger.set_limits(SetLimits { limits });
        self.restored.set_limits(SetLimits { limits });
    }

    /// An update disturbs nothing; whether it wins is told elsewhere.
    fn advance_version(&mut self) -> Result<(), String> {
        let digest = Digest([self.random.below(3) as u8; 16]);
        let memo = AdvanceMemo { key: digest, old_state: digest, new_data: digest };
        let memo = self.random.chance(50).then_some(memo);
        let base = Base::Version(self.random.below(4));
        let advance = Advance { session: self.any(), base, known: self.random.below(3), memo };
        self.both(|ledger, now, facts| ledger.advance_version(advance, now, facts)).map(drop)
    }

    fn once(&mut self) -> Result<(), String> {
        let born = FeedPosition { epoch: 1, seq: self.random.below(self.ledger.position().seq + 1) };
        let of = self.random.chance(50).then(|| (self.owner(), born));
        let until = self.model.now.after(self.random.time(10 * MINUTE));
        let once = Once { id: OnceId([self.random.below(6) as u8; 32]), until, of, claim: Claim::UseUp };
        self.both(|ledger, now, facts| ledger.once(once.clone(), now, facts)).map(drop)
    }

    /// Counts and lists agree, whole and by owner and tenant.
    fn compare(&mut self) -> Result<(), String> {
        let owner = self.owner();
        let tenant = CountOf::Tenant("acme".into());
        for of in [CountOf::Site, tenant, CountOf::Owner(owner.clone())] {
            let counts = self.both(|ledger, now, facts| ledger.counts(&of, now, facts))?;
            same(&format!("{of:?}"), &counts, &self.model.counts(&of))?;
        }
        let named = Whose::Subject(owner.subject.clone());
        let whose = [Whose::Anyone, Whose::Owner(owner), Whose::Tenant("acme".into()), named];
        let whose = whose[self.random.below(4) as usize].clone();
        let order = if self.random.chance(50) { Order::Started } else { Order::LastActivity };
        let list = List { filter: Filter { whose, ..Filter::default() }, order, after: None, limit: 1000 };
        let page = self.both(|ledger, now, facts| ledger.list(&list, now, facts))?;
        let got: Vec<_> = page.sessions.into_iter().map(|(record, holding)| (record.id, holding)).collect();
        let mut expected: Vec<_> = self
            .model
            .sessions
            .iter()
            .filter(|session| match &list.filter.whose {
                Whose::Anyone => true,
                Whose::Owner(owner) => session.owner == *owner,
                Whose::Tenant(tenant) => session.owner.tenant.as_ref() == Some(tenant),
                Whose::Subject(subject) => session.owner.subject == *subject,
            })
            .collect();
        expected.sort_by_key(|session| {
            let at = if order == Order::Started { session.started } else { session.activity };
            std::cmp::Reverse((at, session.id))
        });
        let expected: Vec<_> =
            expected.into_iter().map(|session| (session.id, self.model.holding(session))).collect();
        same(&format!("{list:?}"), &got, &expected)
    }
}

fn limits(random: &mut Random) -> Limits {
    let mut limit = |seats: u64| {
        let rules = [OnFull::Refuse, OnFull::EndLeastRecent, OnFull::EndOldest, OnFull::Ask];
        let on_full = rules[random.below(4) as usize];
        random.chance(60).then(|| Limit { seats: random.below(seats) as u32, on_full })
    };
    Limits { user: limit(4), tenant: limit(6), site: limit(9) }
}
