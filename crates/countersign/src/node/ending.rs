//! Sessions that streams watch: each learns when its session ends, or was not refreshed in time.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::task::Poll;

use countersign_registry::{EndReason, Entry, News, Standing, Verdict};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use dashmap::DashMap;
use tokio::sync::{mpsc, oneshot, watch};

use crate::authenticate::Active;
use crate::flow;
use crate::sessions::Inner;

/// Why a stream should close.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Its session has ended.
    Ended(EndReason),
    /// Its session was not refreshed in time, the key of the token that it was opened with was removed, or its end was so
    /// long ago that the reason is forgotten.
    Lapsed,
    /// The server stops ([`Sessions::close_streams`](crate::Sessions::close_streams)); the session goes on.
    Closing,
}

/// What a watched session's stream is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// Its session has ended, for this reason if that is known.
    Ended(Option<EndReason>),
    /// Its session was not refreshed in time.
    Lapsed,
    /// The server stops.
    Closing,
    /// A session was handed off from it, to a device of this label.
    HandedOver(Option<Arc<str>>),
}

/// The streams of sessions, by session: one entry for each, so as many as the host lets connections be.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    next: AtomicU64,
    streams: DashMap<SessionId, Vec<Stream>, ahash::RandomState>,
    closing: AtomicBool,
}

#[derive(Debug)]
struct Stream {
    key: u64,
    active: Active,
    since: Timestamp,
    close: oneshot::Sender<Told>,
    handed_over: mpsc::Sender<Option<Arc<str>>>,
    used: watch::Sender<Timestamp>,
}

/// At most so many handoffs wait for a stream to tell them; what is beyond is not told.
const HANDOFFS: usize = 8;

/// A stream's look at its session, for as long as it is kept.
pub(crate) struct Watch {
    inner: Arc<Inner>,
    session: SessionId,
    key: u64,
    closed: oneshot::Receiver<Told>,
    handed_over: mpsc::Receiver<Option<Arc<str>>>,
    used: watch::Receiver<Timestamp>,
}

impl Watch {
    /// Begins to watch the session of this active.
    pub(crate) fn open(inner: &Arc<Inner>, active: Active) -> Self {
        let watched = &inner.node.watched;
        let session = active.session();
        let key = watched.next.fetch_add(1, Ordering::Relaxed);
        let (close, closed) = oneshot::channel();
        let (handed_over_to, handed_over) = mpsc::channel(HANDOFFS);
        let (used_at, used) = watch::channel(Timestamp::ZERO);
        let since = inner.now();
        let stream = Stream { key, active, since, close, handed_over: handed_over_to, used: used_at };
        watched.streams.entry(session).or_default().push(stream);
        // An end between the request's own check and the insertion would go unseen.
        watched.judge_one(inner, session);
        if watched.closing.load(Ordering::Acquire) {
            watched.close();
        }
        Self { inner: inner.clone(), session, key, closed, handed_over, used }
    }

    /// The next thing to tell.
    pub(crate) async fn told(&mut self) -> Told {
        poll_fn(|cx| {
            if let Poll::Ready(Some(device)) = self.handed_over.poll_recv(cx) {
                return Poll::Ready(Told::HandedOver(device));
            }
            std::pin::Pin::new(&mut self.closed).poll(cx).map(|told| told.unwrap_or(Told::Lapsed))
        })
        .await
    }

    /// The last activity of its session that is known here: what the registry said last, and what came since.
    pub(crate) fn used(&self) -> Timestamp {
        let marked = self.inner.node.marked(&self.session).unwrap_or(Timestamp::ZERO);
        marked.max(*self.used.borrow())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.inner.node.watched.streams.remove_if_mut(&self.session, |_, streams| {
            streams.retain(|stream| stream.key != self.key);
            streams.is_empty()
        });
    }
}

impl Watched {
    /// Resolves when the session of this active ends.
    pub(crate) async fn ended(inner: Arc<Inner>, active: Active) -> Ending {
        let mut watch = Watch::open(&inner, active);
        loop {
            return match watch.told().await {
                Told::Ended(Some(reason)) => Ending::Ended(reason),
                Told::Ended(None) | Told::Lapsed => Ending::Lapsed,
                Told::Closing => Ending::Closing,
                Told::HandedOver(_) => continue,
            };
        }
    }

    /// Closes all streams, and every one that is opened from now on.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::Release);
        self.close_where(|_| Some(Told::Closing));
    }

    /// Closes the streams of the sessions that these entries end.
    pub(super) fn learn(&self, inner: &Inner, entries: &[Entry]) {
        if self.streams.is_empty() {
            return;
        }
        let mut of_many = false;
        for entry in entries {
            match entry.news.told() {
                News::Ended(session, _) => self.judge_one(inner, *session),
                News::Floor(..) | News::HandedOver(..) => {}
                _ => of_many = true,
            }
        }
        if of_many {
            self.close_where(|stream| judged(inner, stream));
        }
    }

    /// Tells the streams of a session that one was handed off from it: of each entry after a position.
    pub(super) fn tell_givers(&self, entries: &[Entry], after: FeedPosition) {
        for entry in entries.iter().filter(|entry| entry.position > after) {
            let News::HandedOver(giver, device) = &entry.news else { continue };
            let Some(streams) = self.streams.get(giver) else { continue };
            for stream in streams.iter() {
                let _ = stream.handed_over.try_send(device.clone());
            }
        }
    }

    /// Tells the streams of a session when it was used, as the registry has just said.
    pub(crate) fn note_use(&self, session: SessionId, at: Timestamp) {
        let Some(streams) = self.streams.get(&session) else { return };
        for stream in streams.iter() {
            stream.used.send_if_modified(|used| std::mem::replace(used, at.max(*used)) < at);
        }
    }

    fn judge_one(&self, inner: &Inner, session: SessionId) {
        let told = self.streams.get(&session).and_then(|streams| judged(inner, streams.first()?));
        if let Some(told) = told
            && let Some((_, streams)) = self.streams.remove(&session)
        {
            for stream in streams {
                stream.tell(told.clone());
            }
        }
    }

    fn close_where(&self, told: impl Fn(&Stream) -> Option<Told>) {
        let mut over = Vec::new();
        self.streams.retain(|_, streams| {
            let (close, keep): (Vec<_>, Vec<_>) =
                streams.drain(..).map(|stream| (told(&stream), stream)).partition(|(told, _)| told.is_some());
            over.extend(close);
            streams.extend(keep.into_iter().map(|(_, stream)| stream));
            !streams.is_empty()
        });
        for (told, stream) in over {
            stream.tell(told.unwrap_or(Told::Lapsed));
        }
    }
}

impl Stream {
    fn tell(self, told: Told) {
        let _ = self.close.send(told);
    }
}

/// What the view knows of a stream's session.
fn judged(inner: &Inner, stream: &Stream) -> Option<Told> {
    match inner.view.judge(&stream.active.question()) {
        Verdict::Clear => None,
        // Of the token that the stream was opened with: its session may have been refreshed since, under another key.
        Verdict::Ended(EndReason::KeyRemoved) => Some(Told::Lapsed),
        Verdict::Ended(reason) => Some(Told::Ended(Some(reason))),
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
    let sessions: Vec<_> = watched.streams.iter().map(|streams| *streams.key()).collect();
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
fn judge(inner: &Inner, stream: &Stream, standing: &Standing, now: Timestamp) -> Option<Told> {
    match standing {
        Standing::Ended(reason) => Some(Told::Ended(*reason)),
        Standing::Live(record, _) => {
            stream.used.send_replace(record.last_activity);
            let patience = 2 * inner.config.policy.access_ttl;
            let used = record.last_activity.max(stream.since);
            (now.since(used) > patience).then_some(Told::Lapsed)
        }
    }
}
