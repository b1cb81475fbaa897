//! Asks the registry about one session, when the view is too old to be believed: single-flight per session.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{EndReason, Standing};
use countersign_token::SessionId;
use dashmap::DashMap;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::call::{self, Missed};
use crate::sessions::Inner;

/// How long a request waits for the registry.
pub(super) const DEADLINE: Duration = Duration::from_millis(250);

/// Questions under way, at most one for each session that has a request waiting.
#[derive(Debug, Default)]
pub(crate) struct Checks(DashMap<SessionId, Question, ahash::RandomState>);

type Question = Shared<BoxFuture<'static, Checked>>;

/// What the registry says of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Checked {
    /// It is live, and states below this exclusive version are refused.
    Live { floor: u64 },
    /// It is not.
    Ended(Option<EndReason>),
    /// Nothing, in time.
    Unavailable,
}

impl Checks {
    pub(crate) async fn ask(&self, inner: &Arc<Inner>, session: SessionId) -> Checked {
        // The answer to a question that was under way before this request came says nothing of an end since.
        if let Some(earlier) = self.0.get(&session).map(|question| question.clone()) {
            self.answer(session, earlier).await;
        }
        let question = self.0.entry(session).or_insert_with(|| question(inner.clone(), session)).clone();
        self.answer(session, question).await
    }

    async fn answer(&self, session: SessionId, question: Question) -> Checked {
        let _leave = Leave { checks: self, session, question: question.clone() };
        question.await
    }
}

/// Takes a question out when it is answered, and also when its asker leaves: an answer that nobody waited for
/// would be an old one to the next who asks.
struct Leave<'a> {
    checks: &'a Checks,
    session: SessionId,
    question: Question,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        self.checks.0.remove_if(&self.session, |_, question| question.ptr_eq(&self.question));
    }
}

fn question(inner: Arc<Inner>, session: SessionId) -> Question {
    async move {
        let get = inner.registry.get(vec![session]);
        let standings = call::call(&inner, "get", DEADLINE, get).await.unwrap_or_else(|Missed| Vec::new());
        match standings.into_iter().next() {
            Some(Standing::Live(record, _)) => Checked::Live { floor: record.exclusive },
            Some(Standing::Ended(reason)) => Checked::Ended(reason),
            None => Checked::Unavailable,
        }
    }
    .boxed()
    .shared()
}
