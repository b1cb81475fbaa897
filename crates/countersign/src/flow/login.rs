//! Login: a person has proved who they are, and asks for a session.

use std::sync::Arc;

use countersign_registry::{
    Admission, Admit, Admitted, Code, Digest, EndReason, Full, Holding, Lifetime, OnFull, Owner, Repetition,
    Seated,
};
use countersign_token::SessionId;

use super::choice;
use super::handoff::HandedOff;
use super::mint::{self, Material, Persistence, Successor};
use crate::dpop::Binding;
use crate::event::{Actor, SessionEvent};
use crate::grant::Grant;
use crate::metrics;
use crate::object::SessionObject;
use crate::refusal::{LimitRefusal, Refusal};
use crate::sessions::Inner;

/// What a login asks for.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) owner: Owner,
    pub(crate) methods: Arc<str>,
    pub(crate) persistence: Persistence,
    pub(crate) admission: Admission,
    pub(crate) device: Option<Arc<str>>,
    /// The session of this browser, which the new one takes the place of.
    pub(crate) replaces: Option<SessionId>,
    /// The digest of its `Idempotency-Key`.
    pub(crate) key: Option<Digest>,
    pub(crate) code: Option<Code>,
    /// The key that the session is bound to.
    pub(crate) binding: Binding,
    /// The session that it goes on from.
    pub(crate) handed_off: Option<HandedOff>,
}

/// A session that began, and what its client is to receive.
pub(crate) struct Begun {
    pub(crate) seated: Seated,
    pub(crate) persistence: Persistence,
    pub(crate) grant: Grant,
}

pub(crate) async fn login(inner: &Arc<Inner>, login: Login) -> Result<Begun, Refusal> {
    let begun = begin(inner, login).await;
    metrics::login(match &begun {
        Ok(Begun { seated: Seated { repetition: Repetition::First, .. }, .. }) => "admitted",
        Ok(_) => "repeated",
        Err(refusal) => refusal.code(),
    });
    begun
}

async fn begin(inner: &Arc<Inner>, login: Login) -> Result<Begun, Refusal> {
    // A node that does not know which keys were removed must not sign with one.
    inner.node.may_grant(inner).await?;
    let admit = prepare(inner, &login);
    match super::ask(inner, "admit", inner.registry.admit(admit)).await? {
        Admitted::Seated(seated) => {
            let session = seated.record.id;
            match finish(inner, &login, seated) {
                Ok(begun) => Ok(begun),
                Err(refusal) => {
                    // Nobody will ever hold it, so it must hold no seat.
                    let ended = vec![(session, login.owner.clone())];
                    let _ = super::end_sessions(inner, ended, EndReason::Logout, |_| Actor::Rule).await;
                    Err(refusal)
                }
            }
        }
        Admitted::Full(full) => Err(refused(inner, &login, &full)),
        Admitted::CodeSpent => Err(Refusal::TokenInvalid),
        Admitted::ChoiceGone => Err(Refusal::NotFound),
        Admitted::Ended(reason) => Err(Refusal::SessionEnded(reason)),
    }
}

fn prepare(inner: &Inner, login: &Login) -> Admit {
    let handed_off = login.handed_off.as_ref();
    Admit {
        session: SessionId::from_bytes(inner.random.bytes()),
        owner: login.owner.clone(),
        auth_time: handed_off.map(|first| first.auth_time),
        methods: login.methods.clone(),
        device: login.device.clone(),
        lifetime: handed_off
            .map_or(Lifetime::For(inner.config.policy.lifetime), |first| Lifetime::Until(first.ends)),
        admission: login.admission,
        replaces: login.replaces,
        login_key: login.key,
        code: login.code,
        handed_off_from: handed_off.map(|first| first.giver),
    }
}

fn finish(inner: &Inner, login: &Login, seated: Seated) -> Result<Begun, Refusal> {
    inner.node.saw_registry_instant(seated.at);
    inner.node.learn(inner, &seated.entries);
    tell(inner, login, &seated);
    let material = Material {
        record: &seated.record,
        holding: Holding::Seat,
        at: seated.at,
        persistence: login.persistence,
        binding: login.binding.clone(),
        refresh: Successor::New,
    };
    let (grant, _) = mint::tokens(inner, &material)?;
    let grant = grant.repeated(seated.repetition);
    Ok(Begun { seated, persistence: login.persistence, grant })
}

fn tell(inner: &Inner, login: &Login, seated: &Seated) {
    let session = seated.record.id;
    inner.tell(&SessionEvent::Started {
        session,
        owner: login.owner.clone(),
        device: seated.record.device.clone(),
        repetition: seated.repetition,
    });
    if seated.repetition == Repetition::First {
        super::end::tell_made_room(inner, &seated.entries, session);
    }
}

fn refused(inner: &Inner, login: &Login, full: &Full) -> Refusal {
    inner.node.saw_registry_instant(full.at);
    inner.tell(&SessionEvent::LimitReached {
        owner: login.owner.clone(),
        scope: full.scope,
        limit: full.limit,
    });
    let choice = match full.on_full {
        OnFull::Ask => choice::code(inner, login, full),
        _ => None,
    };
    limit_refusal(inner, full, choice)
}

pub(super) fn limit_refusal(
    inner: &Inner,
    full: &Full,
    choice: Option<crate::refusal::ChoiceCode>,
) -> Refusal {
    let idle = inner.config.policy.idle;
    let sessions = choice
        .is_some()
        .then(|| full.own.iter().map(|record| SessionObject::listed(record, Holding::Seat, idle)).collect());
    Refusal::SessionsLimit(Box::new(LimitRefusal {
        scope: full.scope,
        limit: full.limit,
        in_use: full.in_use,
        retry_after: full.retry_after,
        sessions,
        choice,
    }))
}
