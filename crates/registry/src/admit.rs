//! Admission: a login asks for a session, and a seat for it.

use countersign_token::{RotationId, Timestamp};

use crate::fact::{EndReason, Entry, Fact, News};
use crate::ledger::{Ledger, due};
use crate::op::{Admission, Admit, Admitted, Code, Lifetime, Repetition, SeatState, Seated, SessionRecord};
use crate::seats::Place;
use crate::store::HOLDS;

impl Ledger {
    /// Asks for a session, and a seat for it.
    pub fn admit(&mut self, admit: Admit, now: Timestamp, facts: &mut Vec<Fact>) -> Admitted {
        self.settle(now, facts);
        if let Some(place) = self.same_admission(&admit) {
            return self.admit_again(place, facts);
        }
        if let Err(obstacle) = self.is_possible(&admit) {
            return obstacle.into();
        }
        let leaving = match self.leaving(&admit) {
            Ok(leaving) => leaving,
            Err(obstacle) => return obstacle.into(),
        };
        let places: Vec<u32> = leaving.iter().map(|&(place, _)| place).collect();
        let making_room = match admit.admission {
            Admission::Exempt => Vec::new(),
            Admission::Limited => match self.plan(Place::for_newcomer(&self.store, &admit.owner), &places) {
                Ok(making_room) => making_room,
                Err(full) => return Admitted::Full(full),
            },
        };
        let gone = leaving.into_iter().chain(making_room.into_iter().map(|place| (place, EndReason::Limit)));
        let entries = gone.map(|(place, reason)| self.end_one(place, reason, facts)).collect();
        self.seat(admit, entries, facts)
    }

    /// The live session that this admission repeats: of the same id, or of a login with the same key.
    fn same_admission(&self, admit: &Admit) -> Option<u32> {
        let owner = self.store.owners.find(&admit.owner)?;
        let same_id = self.store.find(admit.session).filter(|&place| self.store.get(place).owner == owner);
        same_id.or_else(|| {
            let key = admit.login_key?;
            self.store.of_owner(owner).find(|&place| self.store.login_key(place) == Some(key))
        })
    }

    /// The answer to a repetition. If the session has dangled since, its access token would let it in without a seat:
    /// it comes back as by a refresh.
    fn admit_again(&mut self, place: u32, facts: &mut Vec<Fact>) -> Admitted {
        if !self.store.get(place).is(HOLDS) {
            if let Err(full) = self.sit_again(place) {
                return Admitted::Full(full);
            }
            self.tell(place, facts);
        }
        let record = self.store.record(place);
        Admitted::Seated(Seated {
            record,
            repetition: Repetition::Again,
            at: self.now(),
            entries: Vec::new(),
        })
    }

    /// What has ended stays ended: no new session takes an ended one's id, nor comes from one.
    fn is_possible(&self, admit: &Admit) -> Result<(), Obstacle> {
        let known = self.graves.reason(admit.session);
        if known.is_some() || self.store.find(admit.session).is_some() {
            return Err(Obstacle::Ended(known));
        }
        if let Some(parent) = admit.handed_off_from
            && self.store.find(parent).is_none()
        {
            return Err(Obstacle::Ended(self.graves.reason(parent)));
        }
        if self.absolute_end(admit.lifetime) <= self.now() {
            return Err(Obstacle::Ended(Some(EndReason::Expired)));
        }
        Ok(())
    }

    fn absolute_end(&self, lifetime: Lifetime) -> Timestamp {
        match lifetime {
            Lifetime::For(time) => self.now().after(time),
            Lifetime::Until(end) => end,
        }
    }

    /// The sessions that end with this admission whatever the limits say: the chosen one and the replaced one.
    fn leaving(&self, admit: &Admit) -> Result<Vec<(u32, EndReason)>, Obstacle> {
        let chosen = admit.code.map(|code| self.chosen(admit, code)).transpose()?.flatten();
        let replaced =
            admit.replaces.and_then(|id| self.store.find(id)).filter(|&place| Some(place) != chosen);
        let chosen = chosen.map(|place| (place, EndReason::EndedByUser));
        Ok(chosen.into_iter().chain(replaced.map(|place| (place, EndReason::Replaced))).collect())
    }

    /// The session that a code ends, if it is one that ends any.
    fn chosen(&self, admit: &Admit, code: Code) -> Result<Option<u32>, Obstacle> {
        if !self.is_usable(code.id, code.until, Some((&admit.owner, code.born))) {
            return Err(Obstacle::CodeSpent);
        }
        let Some(end) = code.end else { return Ok(None) };
        let owner = self.store.owners.find(&admit.owner);
        let own = self.store.find(end).filter(|&place| Some(self.store.get(place).owner) == owner);
        own.map(Some).ok_or(Obstacle::ChoiceGone)
    }

    fn seat(&mut self, mut admit: Admit, mut entries: Vec<Entry>, facts: &mut Vec<Fact>) -> Admitted {
        if let Some(code) = admit.code {
            self.spend(code.id, code.until, facts);
        }
        // Its parent may have ended in this very step, to make room or in the same browser.
        admit.handed_off_from = admit.handed_off_from.filter(|&parent| self.store.find(parent).is_some());
        if let Some(parent) = admit.handed_off_from {
            entries.push(self.announce(News::HandedOver(parent, admit.device.clone()), facts));
        }
        let record = self.newcomer(admit);
        let rules = self.rules;
        // It is due as if it held its seat already.
        let place = self
            .store
            .insert(&record, |slot| due(slot, &rules).min(slot.activity.after(rules.dangling_after)));
        self.store.hold(place);
        self.store.tidy_ranks(self.store.get(place).owner);
        facts.push(Fact::Session(Box::new(record.clone())));
        Admitted::Seated(Seated { record, repetition: Repetition::First, at: self.now(), entries })
    }

    fn newcomer(&self, admit: Admit) -> SessionRecord {
        let now = self.now();
        SessionRecord {
            id: admit.session,
            owner: admit.owner,
            started_at: now,
            auth_time: admit.auth_time.unwrap_or(now),
            methods: admit.methods,
            device: admit.device,
            expires_at: self.absolute_end(admit.lifetime),
            last_activity: now,
            seat: SeatState::Taken,
            born: self.position(),
            current: RotationId::NIL,
            exclusive: 0,
            last_update: None,
            login_key: admit.login_key,
            handed_off_from: admit.handed_off_from,
        }
    }
}

/// Why there can be no session, whatever seats are free.
enum Obstacle {
    Ended(Option<EndReason>),
    CodeSpent,
    ChoiceGone,
}

impl From<Obstacle> for Admitted {
    fn from(obstacle: Obstacle) -> Self {
        match obstacle {
            Obstacle::Ended(reason) => Self::Ended(reason),
            Obstacle::CodeSpent => Self::CodeSpent,
            Obstacle::ChoiceGone => Self::ChoiceGone,
        }
    }
}
