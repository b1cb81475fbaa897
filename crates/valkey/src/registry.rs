//! The registry: hands each operation to a task of the runtime, which asks the server.

use std::error::Error as _;
use std::fmt;
use std::sync::{Arc, OnceLock};

use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Batch, Claimed, CountOf, Counts, Effect, End, Ended, Filter, List,
    Once, Page, Registry, RegistryError, Rotate, Rotated, Rules, SetLimits, Sharing, Standing, Tally, Touch,
};
use countersign_token::{FeedPosition, SessionId};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redis::RedisError;
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::caller::{Caller, meta_key};
use crate::error::OpenError;
use crate::examine::{examine, look};
use crate::link::Link;
use crate::news;
use crate::options::Options;
use crate::recover::Memory;
use crate::script::Script;
use crate::settings::Fitness;
use crate::topology::Topology;
use crate::wire::NO_REGISTRY;

/// The registry on Valkey or Redis, for many nodes: on one server, on the primary that Sentinels name, or on a cluster.
///
/// **One script per operation, one round trip.** The scripts are the ledger's rules; the server runs them one after the
/// other, by its own clock, which they keep from going back. An operation goes on when its caller has gone away.
///
/// **Acknowledged is as durable as the server's log**: with `appendfsync always` it is on the server's disk.
///
/// **A connection that breaks, or leads to a server that is the primary no more, is made again**, to the primary that
/// there is then. Every operation has a deadline, two seconds by default, within which it is tried again as long as it
/// certainly did nothing. [`Effect::None`] is told where nothing has happened for certain: no connection, a server that is
/// loading its data, out of memory, or a replica. After anything else an operation may have happened, and may be repeated.
///
/// **What is read is proven fresh** where there are replicas that could have been promoted: `feed` and `get` count only
/// beside a write that all replicas have, or that the Sentinels or the cluster vouch for.
///
/// **Another history is another epoch**: where the server was restarted, its data lost or replaced, the next operation
/// finds out within its script. Until the nodes that were there have told it what it lost (each does when it next reads
/// the feed), and for five seconds at most, it carries out nothing but ends. On a server that lost everything, the feed
/// says that everyone's session has ended.
///
/// At most 16384 operations are under way; one more is refused without effect.
///
/// ```no_run
/// use countersign_valkey::{Options, ValkeyRegistry};
///
/// # async fn open() -> Result<(), countersign_valkey::OpenError> {
/// let options = Options::default().domain("shop");
/// let registry = ValkeyRegistry::connect_with("redis://node:secret@sessions.internal:6379", options).await?;
/// # Ok(()) }
/// ```
pub struct ValkeyRegistry {
    caller: Arc<Caller>,
    runtime: Handle,
    follower: OnceLock<AbortHandle>,
}

impl ValkeyRegistry {
    /// Connects to a server by its address:
    ///
    /// ```text
    /// redis://user:password@host:6379/database            one server
    /// redis+sentinel://user:password@host,host/service    the primary that Sentinels name
    /// redis+cluster://user:password@host,host             a cluster
    /// ```
    ///
    /// and `rediss` in place of `redis` for TLS (feature `tls`). `?replicas=2` says how many replicas must have what is
    /// proven fresh, where a single server has any; Sentinels and clusters tell. `sentinel_user=` and
    /// `sentinel_password=` are for the Sentinels themselves. Whatever has a meaning of its own in a URL is
    /// percent-encoded.
    ///
    /// # Errors
    ///
    /// [`OpenError`] says what is wrong with the address, the server, or its settings.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        Self::connect_with(url, Options::default()).await
    }

    /// Connects to a server with options.
    ///
    /// # Errors
    ///
    /// As [`ValkeyRegistry::connect`].
    pub async fn connect_with(url: &str, options: Options) -> Result<Self, OpenError> {
        let topology = Topology::new(url, &options, &meta_key(&options.domain))?;
        let memory = Memory::new(options.outbox.as_deref())?;
        let (unfit, domain) = (options.unfit, options.domain.clone());
        let caller = Arc::new(Caller::new(&topology, memory, options));
        examine(&caller, unfit).await?;
        let opened = caller.call(Script::Open, &[]).await;
        opened.map_err(|error| not_open(&topology.to_string(), domain, error))?;
        Ok(Self { caller, runtime: Handle::current(), follower: OnceLock::new() })
    }

    /// Looks at a server's settings, and says what breaks the registry's promises. It changes nothing there.
    ///
    /// # Errors
    ///
    /// As [`ValkeyRegistry::connect`], but for settings.
    pub async fn examine(url: &str, options: Options) -> Result<Fitness, OpenError> {
        let topology = Topology::new(url, &options, &meta_key(&options.domain))?;
        look(&Caller::new(&topology, Memory::new(None)?, options)).await
    }

    /// Has a task carry out an operation: it is finished whatever becomes of the caller, and needs no runtime there.
    fn ask<T: Send + 'static>(
        &self,
        operation: impl Future<Output = Result<T, RegistryError>> + Send + 'static,
    ) -> BoxFuture<'_, Result<T, RegistryError>> {
        async move {
            let stopped = |_| RegistryError::new(Effect::Unknown, "the runtime has stopped");
            self.runtime.spawn(operation).await.map_err(stopped)?
        }
        .boxed()
    }

    /// The steps of a recovery one by one, for tests.
    #[cfg(feature = "testing")]
    pub fn recovery(&self) -> crate::Recovery {
        crate::Recovery(self.caller())
    }

    fn caller(&self) -> Arc<Caller> {
        self.caller.clone()
    }
}

fn not_open(address: &str, domain: String, error: RegistryError) -> OpenError {
    let code =
        error.source().and_then(|source| source.downcast_ref::<RedisError>()).and_then(RedisError::code);
    match code {
        Some(NO_REGISTRY) => OpenError::Empty { address: address.to_owned(), domain },
        _ => OpenError::unreachable(address, error),
    }
}

impl Registry for ValkeyRegistry {
    fn configure(&self, rules: Rules) {
        self.caller.known.set_rules(rules);
    }

    fn admit(&self, admit: Admit) -> BoxFuture<'_, Result<Admitted, RegistryError>> {
        self.ask(self.caller().acknowledged_admission(admit))
    }

    fn rotate(&self, rotate: Rotate) -> BoxFuture<'_, Result<Rotated, RegistryError>> {
        let caller = self.caller();
        self.ask(caller.clone().acknowledged(caller.rotate(rotate)))
    }

    fn advance_version(&self, advance: Advance) -> BoxFuture<'_, Result<Advanced, RegistryError>> {
        self.ask(self.caller().acknowledged_advance(advance))
    }

    fn touch(&self, marks: Vec<Touch>) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.ask(self.caller().touch(marks))
    }

    fn end(&self, end: End) -> BoxFuture<'_, Result<Ended, RegistryError>> {
        let caller = self.caller();
        self.ask(caller.clone().acknowledged(caller.end(end)))
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Page, RegistryError>> {
        self.ask(self.caller().list(list))
    }

    fn tally(&self, filter: Filter) -> BoxFuture<'_, Result<Tally, RegistryError>> {
        self.ask(self.caller().tally(filter))
    }

    fn counts(&self, of: CountOf) -> BoxFuture<'_, Result<Counts, RegistryError>> {
        self.ask(self.caller().counts(of))
    }

    fn get(&self, sessions: Vec<SessionId>) -> BoxFuture<'_, Result<Vec<Standing>, RegistryError>> {
        self.ask(self.caller().proven_get(sessions))
    }

    fn feed(&self, after: Option<FeedPosition>) -> BoxFuture<'_, Result<Batch, RegistryError>> {
        self.ask(self.caller().proven_feed(after))
    }

    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()> {
        self.follower.get_or_init(|| {
            let link = Link::new(self.caller.link.topology.clone());
            let follow = news::follow(Arc::downgrade(&self.caller), link);
            self.runtime.spawn(follow).abort_handle()
        });
        let mut position = self.caller.position.subscribe();
        // The sender lives as long as this registry, so waiting cannot fail.
        async move { position.wait_for(|position| *position > after).await.map_or((), drop) }.boxed()
    }

    fn once(&self, once: Once) -> BoxFuture<'_, Result<Claimed, RegistryError>> {
        let caller = self.caller();
        self.ask(caller.clone().acknowledged(caller.claim(once)))
    }

    fn set_limits(&self, limits: SetLimits) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.ask(self.caller().set_limits(limits))
    }

    fn flush(&self) -> BoxFuture<'_, Result<(), RegistryError>> {
        // What was acknowledged is in the server's log already.
        std::future::ready(Ok(())).boxed()
    }

    fn sharing(&self) -> Sharing {
        Sharing::ManyNodes
    }
}

impl Drop for ValkeyRegistry {
    fn drop(&mut self) {
        if let Some(follower) = self.follower.get() {
            follower.abort();
        }
    }
}

impl fmt::Debug for ValkeyRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ValkeyRegistry")
            .field("position", &*self.caller.position.borrow())
            .finish_non_exhaustive()
    }
}
