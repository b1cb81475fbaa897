//! Unusual activity: what is noticed, and what the host says to it.
//!
//! Nothing is looked for on the hot path. Refusals are counted where they happen, devices are compared at refreshes; a
//! request pays for one load of a counter, which says whether any session is under suspicion at all. What is kept, in this
//! node's memory, are counts for a minute, and findings until their sessions end: no address, no history.

mod counters;
mod finding;
mod head;
mod suspects;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_registry::{EndReason, Owner, SessionRecord};
use countersign_token::{SessionId, Timestamp};

use crate::authenticate::{Active, Auth};
use crate::device;
use crate::event::{Actor, SessionEvent};
use crate::flow;
use crate::refusal::Refusal;
use crate::sessions::Inner;

use counters::Counters;
pub use counters::Thresholds;
pub use finding::Finding;
pub use head::RequestHead;
use suspects::{Judged, Suspects};

/// What a host says to a [`Finding`] about a session.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reaction {
    /// It goes on.
    #[default]
    Allow,
    /// It is refused with `step-up-required` on this node, wherever a session is needed, until its user logs in again.
    StepUp,
    /// It is ended, for good and everywhere (reason `ended-by-admin`).
    End,
}

pub(crate) type Hook = Box<dyn Fn(&RequestHead, &Finding) -> Reaction + Send + Sync>;

/// What a node has noticed.
pub(crate) struct Unusual {
    hook: Option<Hook>,
    counters: Mutex<Counters>,
    suspects: Suspects,
}

impl Unusual {
    pub(crate) fn new(hook: Option<Hook>, thresholds: Thresholds) -> Self {
        Self { hook, counters: Mutex::new(Counters::new(thresholds)), suspects: Suspects::default() }
    }

    /// Whether anybody wants to see a request's head.
    pub(crate) fn wants_heads(&self) -> bool {
        self.hook.is_some()
    }

    /// Whether any session of this node waits for a judgement, or for its user to log in again.
    #[inline]
    pub(crate) fn is_watching(&self) -> bool {
        self.suspects.is_watching()
    }

    /// Forgets a person.
    pub(crate) fn forget(&self, owner: &Owner) {
        self.suspects.forget_owner(owner);
    }

    fn ask(&self, head: &RequestHead, finding: &Finding) -> Reaction {
        self.hook.as_ref().map_or(Reaction::Allow, |hook| hook(head, finding))
    }
}

/// Tells of a refusal, and counts it: a live session's under its id too, and whatever is no honest page's doing.
pub(crate) fn refused(inner: &Inner, refusal: &Refusal, who: Option<(SessionId, Owner)>) {
    let session = who.as_ref().map(|(session, _)| *session);
    inner.tell(&SessionEvent::Refused { code: refusal.code(), session });
    if !is_suspicious(refusal) {
        return;
    }
    let now = inner.now();
    let findings = locked(&inner.unusual.counters).note(refusal, who, now);
    for finding in findings {
        if inner.unusual.wants_heads() {
            inner.unusual.suspects.suspect(&finding, now);
        }
        inner.tell(&SessionEvent::Unusual { finding });
    }
}

/// Whether an honest page never causes it, but by mistake.
fn is_suspicious(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NotFound
            | Refusal::MethodNotAllowed { .. }
            | Refusal::UnsupportedMediaType
            | Refusal::BadRequest(_)
            | Refusal::CrossSite
            | Refusal::BodyTooLarge
            | Refusal::LoginFailed
            | Refusal::TokenInvalid
            | Refusal::DpopInvalid
            | Refusal::StepUpRequired { .. }
            | Refusal::TooManyRequests { .. }
    )
}

/// What becomes of a request whose session is under suspicion.
pub(crate) enum Verdict {
    /// It goes on.
    Clear,
    /// Its user must log in again.
    StepUp,
    /// Its session is to end.
    End,
}

/// Judges a request of a live session. Call it only where a session is [watched](Unusual::is_watching).
pub(crate) fn judge(inner: &Inner, active: &Active, head: impl FnOnce() -> RequestHead) -> Verdict {
    let (session, suspects) = (active.session(), &inner.unusual.suspects);
    let reaction = match suspects.judged(session, inner.now()) {
        None => Reaction::Allow,
        Some(Judged::As(reaction)) => reaction,
        Some(Judged::NotYet(finding)) => {
            let reaction = inner.unusual.ask(&head(), &finding);
            let until = active.claims().identity.session_expires_at;
            suspects.judge(session, &finding, reaction, until, inner.now());
            reaction
        }
    };
    match reaction {
        Reaction::Allow => Verdict::Clear,
        Reaction::StepUp => Verdict::StepUp,
        Reaction::End => Verdict::End,
    }
}

/// The same where the caller can wait.
pub(crate) async fn settle(inner: &Arc<Inner>, active: Active, head: impl FnOnce() -> RequestHead) -> Auth {
    match judge(inner, &active, head) {
        Verdict::Clear => Auth::Active(active),
        Verdict::StepUp => Auth::Refused(step_up()),
        Verdict::End => Auth::Refused(end(inner, active.session(), active.owner()).await),
    }
}

/// Ends a session by the host's word. What it is refused with.
pub(crate) async fn end(inner: &Arc<Inner>, session: SessionId, owner: Owner) -> Refusal {
    let reason = EndReason::EndedByAdmin;
    match flow::end_sessions(inner, vec![(session, owner)], reason, |_| Actor::Host).await {
        Ok(()) => {
            inner.unusual.suspects.forget(session);
            Refusal::SessionEnded(Some(reason))
        }
        Err(refusal) => refusal,
    }
}

/// Only a login now will do.
pub(crate) fn step_up() -> Refusal {
    Refusal::StepUpRequired { max_age: Duration::ZERO, acr_values: Vec::new() }
}

/// Compares what refreshes a session with what logged in. The host is asked once about each change.
pub(crate) async fn refreshed(
    inner: &Arc<Inner>,
    record: &SessionRecord,
    is: Option<&Arc<str>>,
    head: Option<&RequestHead>,
) -> Result<(), Refusal> {
    let Some(was) = record.device.as_ref().filter(|was| device::is_of_agent(was)) else { return Ok(()) };
    if is == Some(was) {
        return Ok(());
    }
    let (session, owner) = (record.id, record.owner.clone());
    let finding = Finding::DeviceChanged { session, owner, was: was.clone(), is: is.cloned() };
    match device_changed(inner, record.expires_at, finding, head) {
        Reaction::Allow => Ok(()),
        Reaction::StepUp => Err(step_up()),
        Reaction::End => Err(end(inner, session, record.owner.clone()).await),
    }
}

fn device_changed(inner: &Inner, until: Timestamp, finding: Finding, head: Option<&RequestHead>) -> Reaction {
    let unusual = &inner.unusual;
    if let Some(reaction) = unusual.suspects.judged_before(&finding, inner.now()) {
        return reaction;
    }
    let reaction = head.map_or(Reaction::Allow, |head| unusual.ask(head, &finding));
    if let Some(session) = finding.session() {
        unusual.suspects.judge(session, &finding, reaction, until, inner.now());
    }
    inner.tell(&SessionEvent::Unusual { finding });
    reaction
}

/// Tells of a copied refresh token; the host sees who came with it. Its session has been ended already.
pub(crate) fn reused(inner: &Inner, session: SessionId, owner: Owner, head: Option<&RequestHead>) {
    let finding = Finding::RefreshReused { session, owner };
    if let Some(head) = head {
        let _ended_already = inner.unusual.ask(head, &finding);
    }
    inner.tell(&SessionEvent::Unusual { finding });
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}
