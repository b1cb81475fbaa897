//! A connection to one server: how it is made, and what became of what was sent through it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{Effect, RegistryError};
use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Cmd, ErrorKind, ProtocolVersion, PushInfo, PushKind, RedisConnectionInfo,
    RedisError, ServerErrorKind, Value,
};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout, timeout_at};

use crate::address::{Host, Login};
use crate::tls::Connector;

/// How connections are made: who we are, and whether they are encrypted.
#[derive(Clone)]
pub(crate) struct Dial {
    info: RedisConnectionInfo,
    connector: Option<Connector>,
    patience: Duration,
}

/// A connection, and whether it is still good.
#[derive(Clone)]
pub(crate) struct Wire {
    pub(crate) host: Host,
    connection: MultiplexedConnection,
    broken: Arc<watch::Sender<bool>>,
    _driver: Arc<Driver>,
}

/// What moves a connection's bytes; it stops with the last that could ask for them.
struct Driver(AbortHandle);

impl Drop for Driver {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Dial {
    /// A connection that is not made within `patience` is given up.
    pub(crate) fn new(
        login: &Login,
        database: u16,
        connector: Option<Connector>,
        patience: Duration,
    ) -> Self {
        // The newer protocol tells when a connection ends.
        let mut info =
            RedisConnectionInfo::default().set_protocol(ProtocolVersion::RESP3).set_db(database.into());
        if let Some(user) = &login.user {
            info = info.set_username(user);
        }
        if let Some(password) = &login.password {
            info = info.set_password(password);
        }
        Self { info, connector, patience }
    }

    pub(crate) async fn connect(&self, host: &Host) -> Result<Wire, RedisError> {
        let late = |_| io::Error::new(io::ErrorKind::TimedOut, format!("no connection to {host} in time"));
        timeout(self.patience, self.connect_at_last(host)).await.map_err(late)?
    }

    async fn connect_at_last(&self, host: &Host) -> Result<Wire, RedisError> {
        let stream = TcpStream::connect((host.name.as_str(), host.port)).await?;
        stream.set_nodelay(true)?;
        match &self.connector {
            None => self.greet(host, stream).await,
            Some(connector) => self.greet(host, connector.connect(&host.name, stream).await?).await,
        }
    }

    async fn greet<S>(&self, host: &Host, stream: S) -> Result<Wire, RedisError>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let broken = Arc::new(watch::Sender::new(false));
        let notice = broken.clone();
        let hear = move |push: PushInfo| {
            if push.kind == PushKind::Disconnection {
                notice.send_replace(true);
            }
            Ok::<(), RedisError>(())
        };
        let config = AsyncConnectionConfig::new()
            // Each call has a deadline of its own.
            .set_response_timeout(None)
            .set_pipeline_buffer_size(1024)
            .set_push_sender(hear);
        let (connection, driver) = MultiplexedConnection::new_with_config(&self.info, stream, config).await?;
        let driver = Arc::new(Driver(tokio::spawn(driver).abort_handle()));
        Ok(Wire { host: host.clone(), connection, broken, _driver: driver })
    }
}

/// How a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server does not know the script, so nothing has happened.
    NoScript,
    /// Nothing has happened, and soon it may: another server is the primary, or this one is not ready.
    NotNow(RegistryError),
    /// For good.
    Error(RegistryError),
}

/// The codes of a server that is not the primary, or no more.
const ELSEWHERE: [&str; 5] = ["READONLY", "MOVED", "MASTERDOWN", "CLUSTERDOWN", "UNBLOCKED"];

/// The codes of a server that may be ready soon.
const SOON: [&str; 4] = ["LOADING", "TRYAGAIN", "ASK", "NOREPLICAS"];

/// More codes with which a server refuses a script before its first line: nothing has happened. (`ERR` may come from
/// the middle of one.)
const REFUSALS: [&str; 6] = ["MISCONF", "OOM", "BUSY", "NOPERM", "NOAUTH", NO_REGISTRY];

/// The code with which our scripts tell a guest that there is nothing to look at.
pub(crate) const NO_REGISTRY: &str = "NOREGISTRY";

impl Wire {
    /// Sends a command, and waits for its answer.
    pub(crate) async fn ask(&self, command: &Cmd, deadline: Instant) -> Result<Value, Failure> {
        let mut connection = self.connection.clone();
        match timeout_at(deadline, command.query_async::<Value>(&mut connection)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(self.failure(error)),
            Err(_) => {
                // A connection that is stuck would keep all later calls waiting.
                self.give_up();
                Err(Failure::Error(RegistryError::new(Effect::Unknown, "no answer from the server in time")))
            }
        }
    }

    /// Lets nobody use it any more.
    pub(crate) fn give_up(&self) {
        self.broken.send_replace(true);
    }

    pub(crate) fn is_broken(&self) -> bool {
        *self.broken.borrow()
    }

    fn failure(&self, error: RedisError) -> Failure {
        if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) {
            return Failure::NoScript;
        }
        let code = error.code().unwrap_or_default().to_owned();
        let is_one_of = |codes: &[&str]| codes.contains(&code.as_str());
        let elsewhere = is_one_of(&ELSEWHERE);
        if elsewhere
            || error.is_io_error()
            || error.is_unrecoverable_error()
            || error.kind() == ErrorKind::Parse
        {
            self.give_up();
        }
        if elsewhere || is_one_of(&SOON) {
            return Failure::NotNow(RegistryError::new(Effect::None, error));
        }
        let effect = if is_one_of(&REFUSALS) { Effect::None } else { Effect::Unknown };
        Failure::Error(RegistryError::new(effect, error))
    }
}

impl Failure {
    pub(crate) fn into_error(self) -> RegistryError {
        match self {
            Self::NoScript => {
                RegistryError::new(Effect::None, "the server forgot a script that it was just given")
            }
            Self::NotNow(error) | Self::Error(error) => error,
        }
    }
}
