//! The application under test, and several nodes of it on one registry.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use countersign::testing::{Answer, Browser, Full, Harness, ORIGIN};
use countersign::{
    Builder, KeyRing, ManualClock, MemoryRegistry, Refusal, Registry, RegistryError, Require, Session,
    SessionData, SessionService, Sessions, Stale, Visitor,
};
use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Batch, Claimed, CountOf, Counts, End, Ended, List, Once, Page,
    Rotate, Rotated, Rules, SetLimits, Sharing, Standing, Touch,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const START: u64 = 1_800_000_000;

#[derive(Default, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Cart {
    pub(crate) items: Vec<String>,
}

impl SessionData for Cart {
    const VERSION: u16 = 1;
}

pub(crate) type App = BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, Infallible>;
pub(crate) type Tab = Browser<SessionService<App>>;

/// `/login/{user}` (`?forget`), `/cart`, `/redeem`, `/public`, `/lenient`.
pub(crate) fn shop() -> App {
    BoxCloneSyncService::new(tower::service_fn(async |request: Request<Full<Bytes>>| {
        Ok(answer(&request)
            .await
            .unwrap_or_else(|refusal| refusal.to_response(&countersign::ProblemStyle::default()))
            .map(Full::new))
    }))
}

async fn answer(request: &Request<Full<Bytes>>) -> Result<Response<Bytes>, Refusal> {
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default().to_owned();
    if let Some(user) = path.strip_prefix("/login/") {
        let visitor = Visitor::<Cart>::from_request(request)?;
        return Ok(visitor.login(user).remember(query != "forget").await?.into_response());
    }
    let (cart, grant) = match (path, request.method()) {
        ("/public", _) => return Ok(Response::new(Bytes::new())),
        ("/lenient", _) => {
            let mut head = Request::new(());
            *head.headers_mut() = request.headers().clone();
            *head.extensions_mut() = request.extensions().clone();
            let demand = Require::session().when_stale(Stale::ServeUntilExpiry);
            let session = Session::<Cart>::from_parts_with(&head.into_parts().0, &demand)?;
            return Ok(page(&Cart::default(), session.subject()));
        }
        ("/cart", &Method::GET) => {
            let visitor = Visitor::<Cart>::from_request(request)?;
            return Ok(page(visitor.data()?, &visitor.version()?.to_string()));
        }
        ("/cart", _) => Visitor::<Cart>::from_request(request)?.update(|cart| cart.items.push(query))?,
        ("/redeem", _) => {
            let session = Session::<Cart>::from_request(request)?;
            session.update_exclusive(|cart| cart.items.push(query)).await?
        }
        _ => return Err(Refusal::NotFound),
    };
    let mut response = page(&cart, if grant.is_repetition() { "again" } else { "first" });
    grant.apply(&mut response);
    Ok(response)
}

fn page(cart: &Cart, note: &str) -> Response<Bytes> {
    Response::new(json!({ "items": cart.items, "note": note }).to_string().into())
}

pub(crate) fn items(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.code());
    answer.json::<Value>()["items"].clone()
}

#[track_caller]
pub(crate) fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
}

/// A part of the access token, as an attacker reads it: 0 is the header, 1 the claims.
pub(crate) fn read_token(tab: &Tab, part: usize) -> Value {
    use base64::Engine as _;
    let part = tab.cookies()["__Host-session"].split('.').nth(part).unwrap();
    let part = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&part).unwrap()
}

pub(crate) async fn logged_in(t: &Harness, user: &str) -> Tab {
    log_in(t.browser(shop()), user).await
}

pub(crate) async fn log_in(mut tab: Tab, user: &str) -> Tab {
    let answer = tab.post(&format!("/login/{user}")).await;
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.code());
    tab
}

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
        let clock = ManualClock::at(Timestamp::from_secs(START));
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
