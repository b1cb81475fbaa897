//! Ends: of one session, of a user's others, of many. Each is durable, and in this node's view, before it is told.

use std::sync::Arc;

use countersign_registry::{End, EndReason, Ended, Entry, News, OpId, Owner, Target};
use countersign_token::SessionId;

use crate::cookie::{self, SameSite};
use crate::event::{Actor, EndScope, SessionEvent};
use crate::grant::{Farewell, Grant};
use crate::node::Node;
use crate::refusal::Refusal;
use crate::sessions::Inner;
use crate::transport::Transport;

pub(crate) async fn end(
    inner: &Arc<Inner>,
    id: OpId,
    target: Target,
    reason: EndReason,
    by: Actor,
) -> Result<Ended, Refusal> {
    let scope = EndScope::of(&target);
    let owner = if let Target::Own(owner, _) = &target { Some(owner.clone()) } else { None };
    let ended = ask(inner, End { id, target, reason }).await?;
    match scope {
        Some(scope) => inner.tell(&SessionEvent::EndedMany { scope, sessions: ended.sessions, reason, by }),
        None => tell_each(inner, &ended.entries, |_| owner.clone(), |_| by.clone()),
    }
    Ok(ended)
}

/// Ends some sessions by id, whose they are is known.
pub(crate) async fn end_sessions(
    inner: &Arc<Inner>,
    sessions: Vec<(SessionId, Owner)>,
    reason: EndReason,
    by: impl Fn(SessionId) -> Actor,
) -> Result<(), Refusal> {
    if sessions.is_empty() {
        return Ok(());
    }
    let target = Target::Sessions(sessions.iter().map(|(session, _)| *session).collect());
    let ended = ask(inner, End { id: OpId(inner.random.bytes()), target, reason }).await?;
    let owner = |of| sessions.iter().find(|(session, _)| *session == of).map(|(_, owner)| owner.clone());
    tell_each(inner, &ended.entries, owner, by);
    Ok(())
}

async fn ask(inner: &Arc<Inner>, end: End) -> Result<Ended, Refusal> {
    let ended = super::ask(inner, "end", inner.registry.end(end)).await?;
    inner.node.learn(inner, &ended.entries);
    // It has happened where this node asked, which need not be where the others do.
    if Node::is_cut_off(inner) { Err(Refusal::RegistryUnavailable) } else { Ok(ended) }
}

/// Tells of each session that these entries end.
pub(super) fn tell_each(
    inner: &Inner,
    entries: &[Entry],
    owner: impl Fn(SessionId) -> Option<Owner>,
    by: impl Fn(SessionId) -> Actor,
) {
    for entry in entries {
        if let News::Ended(session, reason) = entry.news {
            inner.tell(&SessionEvent::Ended { session, owner: owner(session), reason, by: by(session) });
        }
    }
}

/// Tells of the sessions that a newcomer took the place of.
pub(super) fn tell_made_room(inner: &Inner, entries: &[Entry], newcomer: SessionId) {
    for entry in entries {
        if let News::Ended(session, reason) = entry.news {
            let by = if reason == EndReason::Limit { Actor::Rule } else { Actor::User(newcomer) };
            inner.tell(&SessionEvent::Ended { session, owner: None, reason, by });
        }
    }
}

/// The deletion of this client's cookies.
pub(crate) fn farewell(inner: &Inner, states: &[String]) -> Farewell {
    let config = &inner.config;
    let mut grant = Grant::default();
    let mut delete =
        |name: &str, same_site| grant.set(cookie::delete(name, same_site, config.cookies.secure));
    match config.transport {
        Transport::Cookies => {
            delete(&config.cookies.session, SameSite::Lax);
            delete(&config.cookies.refresh, super::mint::refresh_same_site(inner));
        }
        Transport::Bearer => delete(&config.cookies.refresh, super::mint::refresh_same_site(inner)),
        Transport::Body => {}
    }
    for state in states {
        delete(state, SameSite::Lax);
    }
    Farewell::new(grant)
}
