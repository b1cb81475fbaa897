//! What a site says of its sessions, kept until the next answer takes it to the driver.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use countersign::{SessionEvent, SessionId};
use serde_json::{Value, json};

/// Events since they were last taken; one answer takes them all, so they stay few.
#[derive(Clone, Default)]
pub(crate) struct Happened {
    events: Arc<Mutex<Vec<Value>>>,
    started: Arc<Mutex<Vec<SessionId>>>,
}

impl Happened {
    pub(crate) fn note(&self, event: &SessionEvent) {
        if let SessionEvent::Started { session, .. } = event {
            locked(&self.started).push(*session);
        }
        if let Some(told) = tell(event) {
            self.push(told);
        }
    }

    pub(crate) fn push(&self, event: Value) {
        locked(&self.events).push(event);
    }

    /// The sessions that began since this was last asked.
    pub(crate) fn take_started(&self) -> Vec<SessionId> {
        std::mem::take(&mut *locked(&self.started))
    }

    /// As a JSON list, for a header.
    pub(crate) fn take(&self) -> String {
        Value::from(std::mem::take(&mut *locked(&self.events))).to_string()
    }
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tell(event: &SessionEvent) -> Option<Value> {
    Some(match event {
        SessionEvent::Started { session, owner, .. } => {
            json!({ "what": "started", "session": session.to_string(), "subject": &*owner.subject })
        }
        SessionEvent::Refreshed { session, .. } => {
            json!({ "what": "refreshed", "session": session.to_string() })
        }
        SessionEvent::SeatRefused { session, .. } => {
            json!({ "what": "seat-refused", "session": session.to_string() })
        }
        SessionEvent::RefreshReused { session, .. } => {
            json!({ "what": "refresh-reused", "session": session.to_string() })
        }
        SessionEvent::MintFailed { detail } => json!({ "what": "mint-failed", "detail": detail }),
        SessionEvent::Refused { code, .. } => json!({ "what": "refused", "code": code }),
        _ => return None,
    })
}
