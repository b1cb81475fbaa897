//! Sessions that streams watch: each learns when its session ends, or was not refreshed in time.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use countersign_registry::{EndReason, Standing, Verdict};
use countersign_token::Timestamp;
use dashmap::DashMap;
use tokio::sync::oneshot;

use crate::authenticate::Active;
use crate::flow;
use crate::sessions::Inner;

/// Why a stream should close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its session has ended.
    Ended(EndReason),
    /// Its session was not refreshed in time, or its end was so long ago that the reason is forgotten.
    Lapsed,
}

/// The sessions of open streams: one entry for each stream, so as many as the host lets connections be.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    next: AtomicU64,
    streams: DashMap<u64, Stream, ahash::RandomState>,
}

#[derive(Debug)]
struct Stream {
    active: Active,
    since: Timestamp,
    close: oneshot::Sender<Ending>,
}

impl Watched {
    /// Resolves when the session of this active ends.
    pub(crate) async fn ended(inner: Arc<Inner>, active: Active) -> Ending {
        let watched = &inner.node.watched;
        let (close, closed) = oneshot::channel();
        let key = watched.next.fetch_add(1, Ordering::Relaxed);
        let stream = Stream { active: active.clone(), since: inner.now(), close };
        watched.streams.insert(key, stream);
        let _unwatch = Unwatch { inner: inner.clone(), key };
        // An end between the request's own check and the insertion would go unseen.
        if let Verdict::Ended(reason) = inner.view.judge(&active.question()) {
            return Ending::Ended(reason);
        }
        closed.await.unwrap_or(Ending::Lapsed)
    }

    /// Closes the streams whose sessions the view knows to have ended.
    pub(super) fn judge(&self, inner: &Inner) {
        self.close_where(|stream| match inner.view.judge(&stream.active.question()) {
            Verdict::Clear => None,
            Verdict::Ended(reason) => Some(Ending::Ended(reason)),
        });
    }

    fn close_where(&self, ending: impl Fn(&Stream) -> Option<Ending>) {
        if self.streams.is_empty() {
            return;
        }
        let over: Vec<_> =
            self.streams.iter().filter_map(|stream| Some((*stream.key(), ending(&stream)?))).collect();
        for (key, ending) in over {
            if let Some((_, stream)) = self.streams.remove(&key) {
                let _ = stream.close.send(ending);
            }
        }
    }
}

struct Unwatch {
    inner: Arc<Inner>,
    key: u64,
}

impl Drop for Unwatch {
    fn drop(&mut self) {
        self.inner.node.watched.streams.remove(&self.key);
    }
}

/// Once in an access token's life, asks for all watched sessions in one batch.
pub(super) async fn run(inner: Weak<Inner>) {
    loop {
        let Some(pace) = inner.upgrade().map(|inner| inner.config.policy.access_ttl) else { return };
        tokio::time::sleep(pace).await;
        let Some(inner) = inner.upgrade() else { return };
        ask(&inner).await;
    }
}

async fn ask(inner: &Inner) {
    let watched = &inner.node.watched;
    let sessions: Vec<_> = watched.streams.iter().map(|stream| stream.active.session()).collect();
    if sessions.is_empty() {
        return;
    }
    let Ok(standings) = flow::ask(inner, "get", inner.registry.get(sessions.clone())).await else { return };
    let standings: std::collections::HashMap<_, _> = sessions.into_iter().zip(standings).collect();
    let now = inner.now();
    watched.close_where(|stream| judge(inner, stream, standings.get(&stream.active.session())?, now));
}

/// A stream may outlive its access token for as long as its session is in use: refreshed, or active through
/// other requests, within two lives of an access token.
fn judge(inner: &Inner, stream: &Stream, standing: &Standing, now: Timestamp) -> Option<Ending> {
    match standing {
        Standing::Ended(reason) => Some(reason.map_or(Ending::Lapsed, Ending::Ended)),
        Standing::Live(record, _) => {
            let patience = 2 * inner.config.policy.access_ttl;
            let used = record.last_activity.max(stream.since);
            (now.since(used) > patience).then_some(Ending::Lapsed)
        }
    }
}
