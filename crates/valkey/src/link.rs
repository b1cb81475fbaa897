//! The connection: one that all operations share, made again when it breaks, and deadlines on everything.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use countersign_registry::{Effect, RegistryError};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, Cmd, ErrorKind, PushInfo, PushKind, RedisError, ServerErrorKind, Value,
};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

/// Holds at most one connection. All that wait for a new one wait for the same attempt.
pub(crate) struct Link {
    client: Client,
    open: Mutex<Option<Wire>>,
    patience: Duration,
}

/// A connection, and whether it is still good.
#[derive(Clone)]
pub(crate) struct Wire {
    connection: MultiplexedConnection,
    broken: Arc<AtomicBool>,
}

/// How a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server does not know the script, so nothing has happened.
    NoScript,
    /// For good.
    Error(RegistryError),
}

impl Link {
    /// A link to a server, which is not asked yet. A connection that is not made within `patience` is given up.
    pub(crate) fn new(client: Client, patience: Duration) -> Self {
        Self { client, open: Mutex::new(None), patience }
    }

    /// The connection, made if there is none.
    pub(crate) async fn wire(&self, deadline: Instant) -> Result<Wire, RegistryError> {
        let late = |_| RegistryError::new(Effect::None, "no connection to the server in time");
        let mut open = timeout_at(deadline, self.open.lock()).await.map_err(late)?;
        if let Some(wire) = open.as_ref().filter(|wire| !wire.broken.load(Ordering::Acquire)) {
            return Ok(wire.clone());
        }
        *open = None;
        // Whoever asked may go away; whoever waits behind them begins anew.
        let wire = timeout_at(deadline, self.connect()).await.map_err(late)?;
        let wire = wire.map_err(|error| RegistryError::new(Effect::None, error))?;
        *open = Some(wire.clone());
        Ok(wire)
    }

    async fn connect(&self) -> Result<Wire, RedisError> {
        let broken = Arc::new(AtomicBool::new(false));
        let notice = broken.clone();
        let hear = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                notice.store(true, Ordering::Release);
            }
            Ok::<(), RedisError>(())
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience))
            // Each call has a deadline of its own.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(1024)
            .set_push_sender(hear);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Wire { connection, broken })
    }
}

impl Wire {
    /// Sends a command, and waits for its answer.
    pub(crate) async fn ask(&mut self, command: &Cmd, deadline: Instant) -> Result<Value, Failure> {
        match timeout_at(deadline, command.query_async::<Value>(&mut self.connection)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failure(error)),
            Err(_) => {
                // A connection that is stuck would keep all later calls waiting.
                self.broken.store(true, Ordering::Release);
                Err(Failure::Error(RegistryError::new(Effect::Unknown, "no answer from the server in time")))
            }
        }
    }

    fn failure(&self, error: RedisError) -> Failure {
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) {
            return Failure::NoScript;
        }
        if error.is_io_error() || error.is_unrecoverable_error() || error.kind() == ErrorKind::Parse {
            self.broken.store(true, Ordering::Release);
        }
        // A server that changed its role is asked for on a new connection: an address may lead elsewhere by then.
        if error.code() == Some("READONLY") {
            self.broken.store(true, Ordering::Release);
        }
        Failure::Error(RegistryError::new(effect(&error), error))
    }
}

/// The codes with which a server refuses a script before its first line: nothing has happened. (`ERR` may come from the
/// middle of one.)
const REFUSALS: [&str; 13] = [
    "LOADING",
    "READONLY",
    "MISCONF",
    "OOM",
    "NOREPLICAS",
    "MASTERDOWN",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "TRYAGAIN",
    "BUSY",
    "NOPERM",
    "NOAUTH",
];

fn effect(error: &RedisError) -> Effect {
    let refused = error.code().is_some_and(|code| REFUSALS.contains(&code));
    if refused { Effect::None } else { Effect::Unknown }
}
