//! The rules of seats, told as plainly as possible: a list of sessions that is searched from end to end.

use std::time::Duration;

use countersign_registry::{
    Admission, Admit, CountOf, Counts, EndReason, Holding, Lifetime, Limit, OnFull, Owner, Rules, Scope,
    Target,
};
use countersign_token::{SessionId, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) owner: Owner,
    pub(crate) started: Timestamp,
    pub(crate) expires: Timestamp,
    pub(crate) activity: Timestamp,
    taken: bool,
    key: Option<u8>,
}

#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) rules: Rules,
    pub(crate) now: Timestamp,
    pub(crate) sessions: Vec<Session>,
    pub(crate) gone: Vec<SessionId>,
}

/// What the model expects of an admission.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expected {
    Seated { id: SessionId, ended: Vec<(SessionId, EndReason)>, again: bool },
    Full(Scope, u32, u64, Option<Duration>),
    Ended,
}

impl Model {
    pub(crate) fn new(now: Timestamp, rules: Rules) -> Self {
        Self { rules, now, sessions: Vec::new(), gone: Vec::new() }
    }

    pub(crate) fn advance(&mut self, by: Duration) {
        self.now = self.now.after(by);
        let (now, idle) = (self.now, self.rules.idle_timeout);
        self.end_where(|session| session.expires <= now || now.since(session.activity) >= idle);
    }

    pub(crate) fn holds(&self, session: &Session) -> bool {
        session.taken && self.now.since(session.activity) < self.rules.dangling_after
    }

    pub(crate) fn holding(&self, session: &Session) -> Holding {
        if self.holds(session) { Holding::Seat } else { Holding::Nothing }
    }

    pub(crate) fn find(&mut self, id: SessionId) -> Option<&mut Session> {
        self.sessions.iter_mut().find(|session| session.id == id)
    }

    pub(crate) fn end_where(&mut self, ends: impl Fn(&Session) -> bool) -> u64 {
        let (ended, live): (Vec<_>, Vec<_>) = self.sessions.drain(..).partition(ends);
        self.sessions = live;
        self.gone.extend(ended.iter().map(|session| session.id));
        ended.len() as u64
    }

    pub(crate) fn end(&mut self, target: &Target) -> u64 {
        self.end_where(|session| match target {
            Target::Sessions(ids) => ids.contains(&session.id),
            Target::Own(owner, id) => session.owner == *owner && session.id == *id,
            Target::Owner(owner, except) => session.owner == *owner && Some(session.id) != *except,
            Target::Tenant(tenant) => session.owner.tenant.as_ref() == Some(tenant),
            Target::Everyone => true,
            Target::Key(_) => false,
        })
    }

    pub(crate) fn counts(&self, of: &CountOf) -> Counts {
        let counted = |session: &&Session| match of {
            CountOf::Owner(owner) => session.owner == *owner,
            CountOf::Tenant(tenant) => session.owner.tenant.as_ref() == Some(tenant),
            CountOf::Site => true,
        };
        let sessions: Vec<&Session> = self.sessions.iter().filter(counted).collect();
        let seats = sessions.iter().filter(|session| self.holds(session)).count() as u64;
        Counts { sessions: sessions.len() as u64, seats }
    }

    fn seated_in(&self, scope: Scope, owner: &Owner, without: &[SessionId]) -> Vec<&Session> {
        let counted = |session: &&Session| match scope {
            Scope::User => session.owner == *owner,
            Scope::Tenant => session.owner.tenant == owner.tenant,
            Scope::Site => true,
        };
        let seated = self.sessions.iter().filter(counted).filter(|session| self.holds(session));
        seated.filter(|session| !without.contains(&session.id)).collect()
    }

    fn scopes(&self, owner: &Owner) -> Vec<(Scope, Limit)> {
        let limits = self.rules.limits;
        let tenant = limits.tenant.filter(|_| owner.tenant.is_some());
        let all = [(Scope::User, limits.user), (Scope::Tenant, tenant), (Scope::Site, limits.site)];
        all.into_iter().filter_map(|(scope, limit)| Some((scope, limit?))).collect()
    }

    fn full(&self, scope: Scope, limit: Limit, owner: &Owner, without: &[SessionId]) -> Expected {
        let in_use = self.seated_in(scope, owner, without).len() as u64;
        let mut free: Vec<Duration> = self
            .seated_in(scope, owner, &[])
            .iter()
            .map(|session| {
                let dangles = session.activity.after(self.rules.dangling_after);
                let idles = session.activity.after(self.rules.idle_timeout);
                dangles.min(idles).min(session.expires).since(self.now)
            })
            .collect();
        free.sort_unstable();
        let wait = if limit.seats == 0 {
            None
        } else {
            free.get((in_use - u64::from(limit.seats)) as usize).copied()
        };
        Expected::Full(scope, limit.seats, in_use, wait)
    }

    pub(crate) fn admit(&mut self, admit: &Admit) -> Expected {
        let key = admit.login_key.map(|key| key.0[0]);
        let same = |session: &Session| {
            session.owner == admit.owner
                && (session.id == admit.session || (key.is_some() && session.key == key))
        };
        let by_id = self.sessions.iter().find(|session| same(session) && session.id == admit.session);
        if let Some(id) =
            by_id.or_else(|| self.sessions.iter().find(|session| same(session))).map(|session| session.id)
        {
            return self
                .come_back(id)
                .map_or_else(|full| full, |()| Expected::Seated { id, ended: Vec::new(), again: true });
        }
        let expires = match admit.lifetime {
            Lifetime::For(time) => self.now.after(time),
            Lifetime::Until(end) => end,
        };
        if self.gone.contains(&admit.session) || expires <= self.now {
            return Expected::Ended;
        }
        let mut ended = Vec::new();
        if let Some(old) = admit.replaces.filter(|&old| self.sessions.iter().any(|session| session.id == old))
        {
            ended.push((old, EndReason::Replaced));
        }
        if admit.admission == Admission::Limited
            && let Err(full) = self.make_room(&admit.owner, &mut ended)
        {
            return full;
        }
        self.end_where(|session| ended.iter().any(|&(id, _)| id == session.id));
        self.sessions.push(Session {
            id: admit.session,
            owner: admit.owner.clone(),
            started: self.now,
            expires,
            activity: self.now,
            taken: true,
            key,
        });
        Expected::Seated { id: admit.session, ended, again: false }
    }

    fn make_room(&self, owner: &Owner, ended: &mut Vec<(SessionId, EndReason)>) -> Result<(), Expected> {
        for (scope, limit) in self.scopes(owner) {
            loop {
                let gone: Vec<SessionId> = ended.iter().map(|&(id, _)| id).collect();
                let seated = self.seated_in(scope, owner, &gone);
                if seated.len() < limit.seats as usize {
                    break;
                }
                let first = match limit.on_full {
                    OnFull::EndLeastRecent => {
                        seated.iter().min_by_key(|session| (session.activity, session.id))
                    }
                    OnFull::EndOldest => seated.iter().min_by_key(|session| (session.started, session.id)),
                    OnFull::Refuse | OnFull::Ask => None,
                };
                match first.filter(|_| limit.seats > 0) {
                    Some(first) => ended.push((first.id, EndReason::Limit)),
                    None => return Err(self.full(scope, limit, owner, &gone)),
                }
            }
        }
        Ok(())
    }

    /// A session is active; without a seat it takes one, or hears that there is none.
    pub(crate) fn come_back(&mut self, id: SessionId) -> Result<(), Expected> {
        let Some(session) = self.sessions.iter().find(|session| session.id == id).cloned() else {
            return Ok(());
        };
        if self.holds(&session) {
            return Ok(());
        }
        for (scope, limit) in self.scopes(&session.owner) {
            if self.seated_in(scope, &session.owner, &[]).len() >= limit.seats as usize {
                return Err(self.full(scope, limit, &session.owner, &[]));
            }
        }
        let now = self.now;
        if let Some(session) = self.find(id) {
            (session.taken, session.activity) = (true, now);
        }
        Ok(())
    }

    pub(crate) fn refresh(&mut self, id: SessionId) -> Result<(), Expected> {
        self.come_back(id)?;
        let now = self.now;
        if let Some(session) = self.find(id) {
            session.activity = now;
        }
        Ok(())
    }

    pub(crate) fn mark(&mut self, id: SessionId, age: Duration) {
        let at = self.now.before(age);
        let Some(session) = self.sessions.iter().find(|session| session.id == id) else { return };
        let held = self.holds(session);
        if let Some(session) = self.find(id).filter(|session| session.activity < at) {
            session.activity = at;
            session.taken &= held;
        }
    }
}
