//! Nodes of a service: each a registry of its own on the same servers, and a view that follows its feed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use countersign_registry::{
    BatchKind, Entry, Loaded, Question, Reading, Registry, RegistryError, Rules, SessionRecord, Verdict, View,
};
use countersign_token::{FeedPosition, Timestamp};
use countersign_valkey::{Options, ValkeyRegistry};
use tokio::task::AbortHandle;
use tokio::time::timeout;

/// How often the feed is read when nothing new comes.
const PACE: Duration = Duration::from_millis(200);
/// How long a call is repeated until a servers' fail-over must be over.
const PATIENCE: Duration = Duration::from_secs(90);

pub(crate) struct Node {
    pub(crate) registry: Arc<ValkeyRegistry>,
    pub(crate) view: Arc<View>,
    follower: AbortHandle,
}

impl Node {
    /// Starts one, and waits until its view is complete.
    pub(crate) async fn start(url: &str, options: Options, rules: Rules) -> Self {
        let registry = Arc::new(ValkeyRegistry::connect_with(url, options).await.unwrap());
        registry.configure(rules);
        let view = Arc::new(View::new());
        let follower = tokio::spawn(follow(registry.clone(), view.clone())).abort_handle();
        let node = Self { registry, view, follower };
        crate::support::until("a node's view is complete", async || node.view.position().is_some()).await;
        node
    }

    /// What its own operations answered is in its view before anyone hears of it.
    pub(crate) fn learn(&self, entries: &[Entry]) {
        self.view.apply_all(entries);
    }

    /// Whether it refuses the access tokens of a session.
    pub(crate) fn refuses(&self, session: &SessionRecord) -> bool {
        let question = Question {
            session: &session.id,
            born: session.born,
            subject: &session.owner.subject,
            tenant: session.owner.tenant.as_deref(),
            kid: "key",
        };
        self.view.judge(&question) != Verdict::Clear
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.follower.abort();
    }
}

/// Asks again until there is an answer, each time told how often before: every operation may be repeated, through any node.
pub(crate) async fn answered<T>(what: &str, ask: impl AsyncFn(usize) -> Result<T, RegistryError>) -> T {
    let since = Instant::now();
    let mut before = 0;
    loop {
        match ask(before).await {
            Ok(answer) => return answer,
            Err(error) => {
                before += 1;
                assert!(since.elapsed() < PATIENCE, "{what} for {PATIENCE:?} in vain: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn follow(registry: Arc<ValkeyRegistry>, view: Arc<View>) {
    let start = Instant::now();
    let mut after = None;
    loop {
        after = read(&registry, &view, after, start).await;
        match after {
            Some(position) => drop(timeout(PACE, registry.news(position)).await),
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

/// Reads once, and says from where to go on: nowhere, if the whole view must be read again.
async fn read(
    registry: &ValkeyRegistry,
    view: &View,
    after: Option<FeedPosition>,
    start: Instant,
) -> Option<FeedPosition> {
    let asked = Reading { boot: start.elapsed(), wall: Timestamp::ZERO };
    let Ok(batch) = registry.feed(after).await else {
        tokio::time::sleep(Duration::from_millis(20)).await;
        return after;
    };
    debug_assert!(after.is_some() || batch.kind == BatchKind::Snapshot);
    view.apply_all(&batch.entries);
    match view.load(&batch, asked, batch.at) {
        Loaded::Complete => Some(batch.complete_to),
        Loaded::Gap | Loaded::Older => None,
    }
}
