//! Asks the registry about one session, when the view is too old to be believed: single-flight per session.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{EndReason, Standing};
use countersign_token::SessionId;
use dashmap::DashMap;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use crate::event::SessionEvent;
use crate::sessions::Inner;

/// How long a request waits for the registry.
const DEADLINE: Duration = Duration::from_millis(250);

/// Questions under way, at most one for each session that has a request waiting.
#[derive(Debug, Default)]
pub(crate) struct Checks(DashMap<SessionId, Shared<BoxFuture<'static, Checked>>, ahash::RandomState>);

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
        let question = self.0.entry(session).or_insert_with(|| question(inner.clone(), session)).clone();
        let answer = question.await;
        self.0.remove_if(&session, |_, question| question.peek().is_some());
        answer
    }
}

fn question(inner: Arc<Inner>, session: SessionId) -> Shared<BoxFuture<'static, Checked>> {
    async move {
        match tokio::time::timeout(DEADLINE, inner.registry.get(vec![session])).await {
            Ok(Ok(standings)) => match standings.into_iter().next() {
                Some(Standing::Live(record, _)) => Checked::Live { floor: record.exclusive },
                Some(Standing::Ended(reason)) => Checked::Ended(reason),
                None => Checked::Unavailable,
            },
            Ok(Err(error)) => {
                inner.tell(&SessionEvent::registry_failed("get", &error));
                Checked::Unavailable
            }
            Err(_) => Checked::Unavailable,
        }
    }
    .boxed()
    .shared()
}
