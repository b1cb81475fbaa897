//! Ends: of one session, of a user's others, of many. Each is durable, and in this node's view, before it is told.

use std::sync::Arc;

use countersign_registry::{End, EndReason, Ended, OpId, Target};

use crate::cookie::{self, SameSite};
use crate::event::SessionEvent;
use crate::grant::{Farewell, Grant};
use crate::refusal::Refusal;
use crate::sessions::Inner;
use crate::transport::Transport;

pub(crate) async fn end(
    inner: &Arc<Inner>,
    id: OpId,
    target: Target,
    reason: EndReason,
) -> Result<Ended, Refusal> {
    let many = !matches!(target, Target::Sessions(_) | Target::Own(..));
    let end = End { id, target, reason };
    let ended = super::ask(inner, "end", inner.registry.end(end)).await?;
    inner.node.learn(inner, &ended.entries);
    if many {
        inner.tell(&SessionEvent::EndedMany { reason });
    }
    Ok(ended)
}

/// Ends some sessions by id.
pub(crate) async fn end_session(
    inner: &Arc<Inner>,
    sessions: Vec<countersign_token::SessionId>,
    reason: EndReason,
) -> Result<(), Refusal> {
    if sessions.is_empty() {
        return Ok(());
    }
    let told = sessions.clone();
    let _ = end(inner, OpId(inner.random.bytes()), Target::Sessions(sessions), reason).await?;
    for session in told {
        inner.tell(&SessionEvent::Ended { session, reason });
    }
    Ok(())
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
