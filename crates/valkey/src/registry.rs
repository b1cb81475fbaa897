//! The registry: hands each operation to a task of the runtime, which asks the server.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign_registry::{
    Admit, Admitted, Advance, Advanced, Batch, Claimed, Clock, CountOf, Counts, Effect, End, Ended, List,
    Once, Page, Registry, RegistryError, Rotate, Rotated, Rules, SetLimits, Sharing, Standing, Touch,
};
use countersign_token::{FeedPosition, SessionId};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use redis::{Client, IntoConnectionInfo as _, ProtocolVersion, Value, cmd};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::error::OpenError;
use crate::header::Known;
use crate::link::{Failure, Link};
use crate::news;
use crate::script::Script;
use crate::settings::Settings;

/// The registry on one Valkey or Redis server, for many nodes.
///
/// **One script per operation, one round trip.** The scripts are the ledger's rules; the server runs them one after the
/// other, by its own clock, which they keep from going back. An operation goes on when its caller has gone away.
///
/// **Acknowledged is as durable as the server's log**: with `appendfsync always` it is on the server's disk.
///
/// **A connection that breaks is made again** with the next operation. Every operation has a deadline, two seconds by
/// default. [`Effect::None`] is told where nothing has happened for certain: no connection, a server that is loading its
/// data, out of memory, or a replica. After anything else an operation may have happened, and may be repeated.
///
/// **Another history is another epoch**: where the server was restarted, its data lost or replaced, the next operation
/// finds out within its script, and nodes read the feed anew. On a server that lost everything, the feed says that
/// everyone's session has ended.
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
    client: Client,
    runtime: Handle,
    follower: OnceLock<AbortHandle>,
    deadline: Duration,
}

/// How a registry's server is used.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// The limit domain's name: registries of one name on one server are one. `site` by default.
    pub domain: String,
    /// How long an operation may take, connecting included; two seconds by default.
    pub deadline: Duration,
    /// What becomes of a server that [cannot keep](OpenError::Unfit) sessions.
    pub unfit: Unfit,
    /// A clock instead of the server's, for tests.
    pub clock: Option<Arc<dyn Clock>>,
}

/// What becomes of a server whose settings break the registry's promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Unfit {
    /// It is refused.
    #[default]
    Refuse,
    /// It is used all the same, with a warning in the log.
    Warn,
}

impl Default for Options {
    fn default() -> Self {
        Self { domain: "site".into(), deadline: Duration::from_secs(2), unfit: Unfit::Refuse, clock: None }
    }
}

impl Options {
    /// The same for another limit domain.
    pub fn domain(self, domain: impl Into<String>) -> Self {
        Self { domain: domain.into(), ..self }
    }

    /// The same with another deadline.
    pub fn deadline(self, deadline: Duration) -> Self {
        Self { deadline, ..self }
    }

    /// The same with another mind about unfit servers.
    pub fn unfit(self, unfit: Unfit) -> Self {
        Self { unfit, ..self }
    }

    /// The same on a clock of a test's.
    pub fn clock(self, clock: impl Clock) -> Self {
        Self { clock: Some(Arc::new(clock)), ..self }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("domain", &self.domain)
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

impl ValkeyRegistry {
    /// Connects to a server: `redis://host:port`, or `redis://user:password@host:port/database`.
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
        let client = client(url)?;
        let link = Link::new(client.clone(), options.deadline);
        let address = client.get_connection_info().addr().to_string();
        examine(&link, &address, &options).await?;
        let known = Known::new(options.clock);
        let caller = Arc::new(Caller::new(link, known, &options.domain, options.deadline));
        caller.call(Script::Open, &[]).await.map_err(|error| OpenError::unreachable(&address, error))?;
        let (runtime, deadline) = (Handle::current(), options.deadline);
        Ok(Self { caller, client, runtime, follower: OnceLock::new(), deadline })
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

    fn caller(&self) -> Arc<Caller> {
        self.caller.clone()
    }
}

fn client(url: &str) -> Result<Client, OpenError> {
    let shown = url.rsplit_once('@').map_or(url, |(_, host)| host);
    let wrong = || OpenError::Address { url: shown.to_owned() };
    let info = Some(url).filter(|url| url.starts_with("redis://")).ok_or_else(wrong)?;
    let info = info.into_connection_info().map_err(|_| wrong())?;
    // The newer protocol tells when a connection ends.
    let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
    Client::open(info.set_redis_settings(settings)).map_err(|_| wrong())
}

/// Looks at the server's settings.
async fn examine(link: &Link, address: &str, options: &Options) -> Result<(), OpenError> {
    let deadline = Instant::now() + options.deadline;
    let unreachable = |error| OpenError::unreachable(address, error);
    let mut wire = link.wire(deadline).await.map_err(unreachable)?;
    let info = wire.ask(&cmd("INFO"), deadline).await;
    let info = text(info.map_err(Failure::into_error).map_err(unreachable)?);
    let mut command = cmd("CONFIG");
    command.arg("GET").arg("appendfsync");
    // Who may not ask is warned, not refused.
    let appendfsync = wire.ask(&command, deadline).await.ok().and_then(value);
    let settings = Settings::new(&info, appendfsync.as_deref());
    let (faults, mut doubts) = (settings.faults(), settings.doubts());
    if options.unfit == Unfit::Refuse && !faults.is_empty() {
        return Err(OpenError::Unfit { address: address.to_owned(), why: faults.join("; ") });
    }
    doubts.extend(faults);
    for doubt in doubts {
        tracing::warn!("the session registry's server at {address}: {doubt}");
    }
    Ok(())
}

fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::VerbatimString { text, .. } => text,
        _ => String::new(),
    }
}

/// The value of the one setting that was asked for.
fn value(answer: Value) -> Option<String> {
    match answer {
        Value::Map(mut settings) => settings.pop().map(|(_, value)| text(value)),
        Value::Array(mut settings) => settings.pop().map(text),
        _ => None,
    }
}

impl Registry for ValkeyRegistry {
    fn configure(&self, rules: Rules) {
        self.caller.known.set_rules(rules);
    }

    fn admit(&self, admit: Admit) -> BoxFuture<'_, Result<Admitted, RegistryError>> {
        self.ask(self.caller().admit(admit))
    }

    fn rotate(&self, rotate: Rotate) -> BoxFuture<'_, Result<Rotated, RegistryError>> {
        self.ask(self.caller().rotate(rotate))
    }

    fn advance_version(&self, advance: Advance) -> BoxFuture<'_, Result<Advanced, RegistryError>> {
        self.ask(self.caller().advance(advance))
    }

    fn touch(&self, marks: Vec<Touch>) -> BoxFuture<'_, Result<(), RegistryError>> {
        self.ask(self.caller().touch(marks))
    }

    fn end(&self, end: End) -> BoxFuture<'_, Result<Ended, RegistryError>> {
        self.ask(self.caller().end(end))
    }

    fn list(&self, list: List) -> BoxFuture<'_, Result<Page, RegistryError>> {
        self.ask(self.caller().list(list))
    }

    fn counts(&self, of: CountOf) -> BoxFuture<'_, Result<Counts, RegistryError>> {
        self.ask(self.caller().counts(of))
    }

    fn get(&self, sessions: Vec<SessionId>) -> BoxFuture<'_, Result<Vec<Standing>, RegistryError>> {
        self.ask(self.caller().get(sessions))
    }

    fn feed(&self, after: Option<FeedPosition>) -> BoxFuture<'_, Result<Batch, RegistryError>> {
        self.ask(self.caller().feed(after))
    }

    fn news(&self, after: FeedPosition) -> BoxFuture<'_, ()> {
        self.follower.get_or_init(|| {
            let follow =
                news::follow(Arc::downgrade(&self.caller), Link::new(self.client.clone(), self.deadline));
            self.runtime.spawn(follow).abort_handle()
        });
        let mut position = self.caller.position.subscribe();
        // The sender lives as long as this registry, so waiting cannot fail.
        async move { position.wait_for(|position| *position > after).await.map_or((), drop) }.boxed()
    }

    fn once(&self, once: Once) -> BoxFuture<'_, Result<Claimed, RegistryError>> {
        self.ask(self.caller().claim(once))
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
