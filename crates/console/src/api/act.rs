//! Acts: each is recorded before it happens, and again when it has.

use std::future::Future;

use countersign::Refusal;
use serde::Deserialize;
use serde_json::Value;

use crate::audit::{Act, AuditError, Entry, Stage, Who};
use crate::console::Call;
use crate::query::expected;

/// The administrator's own words, which the audit keeps.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Why(String);

const LONGEST: usize = 500;

impl TryFrom<String> for Why {
    type Error = &'static str;

    fn try_from(words: String) -> Result<Self, Self::Error> {
        // What is wrong with them is told by `checked`: a body's own errors say nothing of members.
        Ok(Self(words))
    }
}

impl Why {
    /// # Errors
    ///
    /// None, or too many of them.
    pub(super) fn checked(self) -> Result<String, Refusal> {
        let words = self.0.trim();
        if words.is_empty() || words.chars().count() > LONGEST {
            return Err(expected("why", "1 to 500 characters"));
        }
        Ok(words.to_owned())
    }
}

/// What is to be recorded of an act.
pub(super) struct Deed {
    pub(super) act: Act,
    pub(super) whom: Value,
    pub(super) why: String,
}

/// Records that an administrator is about to do something, does it, and records what came of it. Once the first record is
/// written, the act goes on though its request be given up. Returns what came of it, and the first record's number.
///
/// # Errors
///
/// [`Refusal::Internal`] where it could not be recorded: nothing has happened then; and those of the act.
pub(super) async fn recorded<F>(call: Call<'_>, deed: Deed, act: F) -> Result<(Value, u64), Refusal>
where
    F: Future<Output = Result<Value, Refusal>> + Send + 'static,
{
    recorded_in_brief(call, deed, act, Value::clone).await
}

/// The same for an act that gives more than the audit is to keep of it, which is its `effect`.
pub(super) async fn recorded_in_brief<T, F>(
    call: Call<'_>,
    deed: Deed,
    act: F,
    effect: fn(&T) -> Value,
) -> Result<(T, u64), Refusal>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    let (shared, administrator) = (call.shared().clone(), call.session.owner());
    let who = Who {
        subject: administrator.subject.clone(),
        tenant: administrator.tenant.clone(),
        session: call.session.id().to_string(),
    };
    let done = tokio::spawn(async move {
        let Deed { act: what, whom, why } = deed;
        let at = shared.sessions.now().as_secs();
        let begins = Entry { at, who, what, stage: Stage::Begins, of: None, whom, why, effect: None };
        let of = shared.audit.append(begins.clone()).await.map_err(|error| unrecorded(&error))?;
        shared.monitor.tell_audit(&administrator, format!("{}: {}", what.as_str(), begins.why));
        let outcome = act.await;
        let stage = if outcome.is_ok() { Stage::Done } else { Stage::Failed };
        let effect = match &outcome {
            Ok(came) => effect(came),
            Err(refusal) => Value::from(refusal.code()),
        };
        let (at, effect) = (shared.sessions.now().as_secs(), Some(effect));
        let after = Entry { at, stage, of: Some(of), effect, ..begins };
        if let Err(error) = shared.audit.append(after).await {
            // It has happened, as the first record says.
            let _ = unrecorded(&error);
        }
        outcome.map(|came| (came, of))
    });
    done.await.unwrap_or(Err(Refusal::Internal))
}

/// The log tells why; the page only that nothing happened.
fn unrecorded(error: &AuditError) -> Refusal {
    let cause = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    tracing::error!(cause, "{error}");
    Refusal::Internal
}
