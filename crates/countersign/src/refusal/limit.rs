//! What a client that finds no seat is told.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use countersign_registry::Scope;

use crate::object::SessionObject;

/// A refusal for want of a seat, as the refused client is told of it.
#[derive(Clone, Debug)]
pub struct LimitRefusal {
    /// The narrowest scope that is full.
    pub scope: Scope,
    /// Its limit.
    pub limit: u32,
    /// The seats in use there.
    pub in_use: u64,
    /// When a seat would fall free if nobody did anything, if that can be told.
    pub retry_after: Option<Duration>,
    /// With the rule `ask`: the user's own sessions.
    pub sessions: Option<Vec<SessionObject>>,
    /// With the rule `ask`: the one-time code to end one of them with.
    pub choice: Option<ChoiceCode>,
}

/// The one-time code of the rule `ask`. It is a credential: `Debug` does not show it.
#[derive(Clone)]
pub struct ChoiceCode(pub String);

impl fmt::Debug for ChoiceCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChoiceCode(…)")
    }
}

impl LimitRefusal {
    /// The sentence for people. It says how many sessions there really are, which may be more than the limit.
    pub fn detail(&self) -> Cow<'static, str> {
        match (self.limit, self.in_use) {
            (0, _) => Cow::Borrowed("No new sessions are admitted at the moment. Please try again later."),
            (_, 1) => Cow::Borrowed("There is already 1 active user session. Please try again later."),
            (_, n) => {
                Cow::Owned(format!("There are already {n} active user sessions. Please try again later."))
            }
        }
    }
}
