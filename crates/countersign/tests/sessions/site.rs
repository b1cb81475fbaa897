//! Several nodes of one site, on one registry.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use countersign::testing::{Harness, ORIGIN};
use countersign::{Builder, KeyRing, ManualClock, MemoryRegistry, Registry, RegistryError, Sessions};
use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Batch, Claimed, CountOf, Counts, End, Ended, List, Once, Page,
    Rotate, Rotated, Rules, SetLimits, Sharing, Standing, Touch,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::shop::{START, Tab, shop};

/// One node of a site.
pub(crate) struct Node {
    pub(crate) clock: ManualClock,
    pub(crate) sessions: Sessions,
}

impl Node {
    pub(crate) fn new(
        registry: &Arc<Shared>,
        keys: &KeyRing,
        configure: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let clock = ManualClock::at(Timestamp::from_secs(START));
        let builder = Sessions::builder(ORIGIN, keys.clone(), registry.clone()).clock(clock.clone());
        Self { clock, sessions: configure(builder).build().unwrap() }
    }

    pub(crate) fn browser(&self) -> Tab {
        Harness::new().browser_of(tower::Layer::layer(&self.sessions.layer(), shop()))
    }

    /// The same browser, in front of this node.
    pub(crate) fn take(&self, tab: &Tab) -> Tab {
        let mut here = self.browser();
        here.cookies_mut().clone_from(tab.cookies());
        here
    }
}

/// A registry that many nodes share. On demand it withholds answers to `get` that it has found already, has no
/// feed, and cannot tell when there is news.
pub(crate) struct Shared {
    pub(crate) clock: ManualClock,
    pub(crate) inner: MemoryRegistry<ManualClock>,
    pub(crate) late: tokio::sync::watch::Sender<bool>,
    pub(crate) no_feed: AtomicBool,
    pub(crate) cannot_tell: AtomicBool,
    pub(crate) feeds: AtomicUsize,
}

impl Shared {
    pub(crate) fn new() -> Arc<Self> {
        Self::started_later(Duration::ZERO)
    }

    /// Another history, which begins so much later.
    pub(crate) fn started_later(time: Duration) -> Arc<Self> {
        let clock = ManualClock::at(Timestamp::from_secs(START).after(time));
        Arc::new(Self {
            inner: MemoryRegistry::with_clock(clock.clone()),
            clock,
            late: tokio::sync::watch::Sender::new(false),
            no_feed: AtomicBool::new(false),
            cannot_tell: AtomicBool::new(false),
            feeds: AtomicUsize::new(0),
        })
    }
}

type Answered<'a, T> = BoxFuture<'a, Result<T, RegistryError>>;

impl Registry for Shared {
    fn configure(&self, rules: Rules) {
        self.inner.configure(rules);
    }
    fn admit(&self, admit: Admit) -> Answered<'_, Admitted> {
        self.inner.admit(admit)
    }
    fn rotate(&self, rotate: Rotate) -> Answered<'_, Rotated> {
        self.inner.rotate(rotate)
    }
    fn advance_version(&self, advance: Advance) -> Answered<'_, Advanced> {
        self.inner.advance_version(advance)
    }
    fn touch(&self, marks: Vec<Touch>) -> Answered<'_, ()> {
        self.inner.touch(marks)
    }
    fn end(&self, end: End) -> Answered<'_, Ended> {
        self.inner.end(end)
    }
    fn list(&self, list: List) -> Answered<'_, Page> {
        self.inner.list(list)
    }
    fn counts(&self, of: CountOf) -> Answered<'_, Counts> {
        self.inner.counts(of)
    }
    fn get(&self, sessions: Vec<SessionId>) -> Answered<'_, Vec<Standing>> {
        async {
            let answer = self.inner.get(sessions).await;
            let _ = self.late.subscribe().wait_for(|late| !late).await;
            answer
        }
        .boxed()
    }
    fn feed(&self, after: Option<FeedPosition>) -> Answered<'_, Batch> {
        async move {
            // A follower that never waits would hold the test's only thread for ever.
            if self.feeds.fetch_add(1, Ordering::SeqCst) > 1000 || self.no_feed.load(Ordering::SeqCst) {
                std::future::pending::<()>().await;
            }
            self.inner.feed(after).await
        }
        .boxed()
    }
    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()> {
        if self.cannot_tell.load(Ordering::SeqCst) {
            return std::future::ready(()).boxed();
        }
        self.inner.news(after)
    }
    fn once(&self, once: Once) -> Answered<'_, Claimed> {
        self.inner.once(once)
    }
    fn set_limits(&self, limits: SetLimits) -> Answered<'_, ()> {
        self.inner.set_limits(limits)
    }
    fn flush(&self) -> Answered<'_, ()> {
        self.inner.flush()
    }
    fn sharing(&self) -> Sharing {
        Sharing::ManyNodes
    }
}
