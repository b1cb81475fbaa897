//! Calls a script: loads it where the server does not know it, calls it again where it has more to do.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign_registry::{Effect, RegistryError};
use countersign_token::FeedPosition;
use redis::{Cmd, Value, cmd};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::answer::{AGAIN, Answer, RECOVERING};
use crate::bytes::garbled;
use crate::header::Known;
use crate::link::{Failure, Link, Wire};
use crate::recover::{self, Memory};
use crate::script::Script;

/// How many operations may be under way; one more is refused without effect.
const UNDER_WAY: usize = 16384;

/// Everything that an operation needs. It outlives the caller who went away.
pub(crate) struct Caller {
    pub(crate) link: Link,
    pub(crate) known: Known,
    pub(crate) memory: Memory,
    pub(crate) position: watch::Sender<FeedPosition>,
    keys: Vec<String>,
    hashes: [OnceLock<String>; Script::ALL.len()],
    room: Semaphore,
    pub(crate) deadline: Duration,
}

impl Caller {
    pub(crate) fn new(link: Link, known: Known, domain: &str, deadline: Duration) -> Self {
        Self {
            link,
            known,
            memory: Memory::new(),
            position: watch::Sender::new(FeedPosition { epoch: 0, seq: 0 }),
            keys: keys(domain),
            hashes: std::array::from_fn(|_| OnceLock::new()),
            room: Semaphore::new(UNDER_WAY),
            deadline,
        }
    }

    /// The feed's stream.
    pub(crate) fn stream(&self) -> &str {
        &self.keys[7]
    }

    /// Carries out an operation: one round trip, unless time has ended so many sessions that it takes more.
    pub(crate) async fn call(
        self: &Arc<Self>,
        script: Script,
        args: &[&[u8]],
    ) -> Result<Answer, RegistryError> {
        let busy = |_| RegistryError::new(Effect::None, "too many operations wait for the server");
        let _room = self.room.try_acquire().map_err(busy)?;
        let deadline = Instant::now() + self.deadline;
        let mut started = false;
        loop {
            let value = match self.once(script, args, deadline).await {
                // A part of it has happened before.
                Err(error) if started => return Err(RegistryError::new(Effect::Unknown, error)),
                value => value?,
            };
            let answer = Answer::read(value)?;
            let position = self.known.note(&answer);
            self.position.send_if_modified(|known| std::mem::replace(known, position.max(*known)) < position);
            match answer.kind {
                AGAIN => {}
                RECOVERING => return Err(recover::recovering()),
                _ => return Ok(answer),
            }
            started = true;
        }
    }

    async fn once(&self, script: Script, args: &[&[u8]], deadline: Instant) -> Result<Value, RegistryError> {
        let mut wire = self.link.wire(deadline).await?;
        let hash = self.hash(script, &mut wire, deadline).await?;
        let command = self.command(hash, args);
        match wire.ask(&command, deadline).await {
            Err(Failure::NoScript) => {
                self.load(script, &mut wire, deadline).await?;
                wire.ask(&command, deadline).await.map_err(Failure::into_error)
            }
            answer => answer.map_err(Failure::into_error),
        }
    }

    fn command(&self, hash: &str, args: &[&[u8]]) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(hash).arg(self.keys.len()).arg(&self.keys).arg(self.known.header()).arg(args);
        command
    }

    /// The hash by which the server knows a script.
    async fn hash(&self, script: Script, wire: &mut Wire, deadline: Instant) -> Result<&str, RegistryError> {
        let hash = &self.hashes[script as usize];
        if let Some(hash) = hash.get() {
            return Ok(hash);
        }
        let loaded = self.load(script, wire, deadline).await?;
        Ok(hash.get_or_init(|| loaded))
    }

    async fn load(
        &self,
        script: Script,
        wire: &mut Wire,
        deadline: Instant,
    ) -> Result<String, RegistryError> {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(script.source());
        let answer = wire.ask(&command, deadline).await.map_err(Failure::into_error);
        // Whatever became of it, the operation itself has not begun.
        match answer.map_err(|error| RegistryError::new(Effect::None, error))? {
            Value::BulkString(hash) => String::from_utf8(hash).map_err(|_| garbled()),
            _ => Err(garbled()),
        }
    }
}

impl Failure {
    pub(crate) fn into_error(self) -> RegistryError {
        match self {
            Self::NoScript => {
                RegistryError::new(Effect::None, "the server forgot a script that it was just given")
            }
            Self::Error(error) => error,
        }
    }
}

/// The keys of a limit domain, all in one slot, in the order in which scripts take them.
fn keys(domain: &str) -> Vec<String> {
    let names = [
        "meta",
        "sessions",
        "due",
        "owners",
        "tenants",
        "kin",
        "ranks",
        "feed",
        "keys",
        "ends",
        "ends:order",
        "done",
        "done:order",
        "graves",
        "spent",
        "nodes",
        "waiting",
        "again",
        "again:order",
    ];
    names.iter().map(|name| format!("countersign:{{{domain}}}:{name}")).collect()
}
