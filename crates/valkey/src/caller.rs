//! Calls a script: loads it where the server does not know it, calls it again where it has more to do, and where
//! the server was not the primary, or not ready.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use countersign_registry::{Effect, RegistryError};
use countersign_token::FeedPosition;
use redis::{Cmd, Value, cmd};
use tokio::sync::{Semaphore, watch};
use tokio::time::{Instant, sleep};

use crate::answer::{AGAIN, Answer, RECOVERING};
use crate::bytes::garbled;
use crate::header::Known;
use crate::link::Link;
use crate::options::{Acknowledge, Options};
use crate::proof::Prover;
use crate::recover::{self, Memory};
use crate::script::Script;
use crate::topology::Topology;
use crate::wire::{Failure, Wire};

/// How many operations may be under way; one more is refused without effect.
const UNDER_WAY: usize = 16384;
/// The pause before an operation that did nothing is tried again; each further one is twice as long, up to the longest.
const PAUSE: Duration = Duration::from_millis(25);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// Everything that an operation needs. It outlives the caller who went away.
pub(crate) struct Caller {
    pub(crate) link: Link,
    pub(crate) prover: Prover,
    pub(crate) known: Known,
    pub(crate) memory: Memory,
    pub(crate) acknowledge: Acknowledge,
    pub(crate) position: watch::Sender<FeedPosition>,
    keys: Vec<String>,
    stream: String,
    hashes: [OnceLock<String>; Script::ALL.len()],
    room: Semaphore,
    patience: Duration,
}

impl Caller {
    pub(crate) fn new(topology: &Arc<Topology>, memory: Memory, options: Options) -> Self {
        Self {
            link: Link::new(topology.clone()),
            prover: Prover::new(topology.clone()),
            known: Known::new(options.part, options.clock),
            memory,
            acknowledge: options.acknowledge,
            position: watch::Sender::new(FeedPosition { epoch: 0, seq: 0 }),
            keys: keys(&options.domain),
            stream: key(&options.domain, "feed"),
            hashes: std::array::from_fn(|_| OnceLock::new()),
            room: Semaphore::new(UNDER_WAY),
            patience: options.deadline,
        }
    }

    /// When an operation that begins now must be done.
    pub(crate) fn deadline(&self) -> Instant {
        Instant::now() + self.patience
    }

    /// How long an operation may take.
    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }

    /// The feed's stream.
    pub(crate) fn stream(&self) -> &str {
        &self.stream
    }

    /// Carries out an operation: one round trip, unless time has ended so many sessions that it takes more.
    pub(crate) async fn call(
        self: &Arc<Self>,
        script: Script,
        args: &[&[u8]],
    ) -> Result<Answer, RegistryError> {
        if self.known.is_guest() && !script.is_for_guests() {
            return Err(RegistryError::new(
                Effect::None,
                "a guest knows no rules, so it can only look and end",
            ));
        }
        let busy = |_| RegistryError::new(Effect::None, "too many operations wait for the server");
        let _room = self.room.try_acquire().map_err(busy)?;
        let deadline = self.deadline();
        let (mut started, mut pause) = (false, PAUSE);
        loop {
            let value = match self.until_done(&self.link, script, args, deadline).await {
                // A part of it has happened before.
                Err(error) if started => return Err(RegistryError::new(Effect::Unknown, error)),
                done => done?.0,
            };
            let answer = self.note(value)?;
            if answer.position.epoch < self.known.epoch() {
                // It comes from a history that has ended since: whether it is a part of the next one is not known.
                return Err(RegistryError::new(Effect::Unknown, "an answer of an earlier epoch"));
            }
            match answer.kind {
                AGAIN => started = true,
                // A test's clock does not go on while we wait.
                RECOVERING if Instant::now() + pause < deadline && !self.known.has_own_clock() => {
                    sleep(pause).await;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                RECOVERING => return Err(recover::recovering()),
                _ => return Ok(answer),
            }
        }
    }

    /// Reads an answer, and takes note of what it tells of the registry.
    pub(crate) fn note(&self, value: Value) -> Result<Answer, RegistryError> {
        let answer = Answer::read(value)?;
        let position = self.known.note(&answer);
        self.position.send_if_modified(|known| std::mem::replace(known, position.max(*known)) < position);
        Ok(answer)
    }

    /// Calls a script, and again as long as it certainly did nothing and there is time; on which connection, too.
    pub(crate) async fn until_done(
        &self,
        link: &Link,
        script: Script,
        args: &[&[u8]],
        deadline: Instant,
    ) -> Result<(Value, Wire), RegistryError> {
        let mut pause = PAUSE;
        loop {
            let wire = link.wire(deadline).await?;
            match self.once(script, args, &wire, deadline).await {
                Err(Failure::NotNow(_)) if Instant::now() + pause < deadline => {
                    sleep(pause).await;
                    pause = (2 * pause).min(LONGEST_PAUSE);
                }
                Err(failure) => return Err(failure.into_error()),
                Ok(value) => return Ok((value, wire)),
            }
        }
    }

    /// Calls a script on a connection, which loads it where the server does not know it.
    async fn once(
        &self,
        script: Script,
        args: &[&[u8]],
        wire: &Wire,
        deadline: Instant,
    ) -> Result<Value, Failure> {
        let hash = self.hash(script, wire, deadline).await?;
        let command = self.command(hash, args);
        match wire.ask(&command, deadline).await {
            Err(Failure::NoScript) => {
                self.load(script, wire, deadline).await?;
                wire.ask(&command, deadline).await
            }
            answer => answer,
        }
    }

    fn command(&self, hash: &str, args: &[&[u8]]) -> Cmd {
        let mut command = cmd("EVALSHA");
        command.arg(hash).arg(self.keys.len()).arg(&self.keys).arg(self.known.header()).arg(args);
        command
    }

    /// The hash by which the server knows a script.
    async fn hash(&self, script: Script, wire: &Wire, deadline: Instant) -> Result<&str, Failure> {
        let hash = &self.hashes[script as usize];
        if let Some(hash) = hash.get() {
            return Ok(hash);
        }
        let loaded = self.load(script, wire, deadline).await?;
        Ok(hash.get_or_init(|| loaded))
    }

    async fn load(&self, script: Script, wire: &Wire, deadline: Instant) -> Result<String, Failure> {
        let mut command = cmd("SCRIPT");
        command.arg("LOAD").arg(script.source());
        // Whatever becomes of it, the operation itself has not begun.
        let nothing = |error| RegistryError::new(Effect::None, error);
        let answer = wire.ask(&command, deadline).await.map_err(|failure| match failure {
            Failure::Error(error) => Failure::Error(nothing(error)),
            other => other,
        })?;
        match answer {
            Value::BulkString(hash) => String::from_utf8(hash).map_err(|_| Failure::Error(garbled())),
            _ => Err(Failure::Error(garbled())),
        }
    }
}

/// One of a limit domain's keys, which tells their slot.
pub(crate) fn meta_key(domain: &str) -> String {
    key(domain, "meta")
}

fn key(domain: &str, name: &str) -> String {
    format!("countersign:{{{domain}}}:{name}")
}

/// The keys of a limit domain, all in one slot, in the order in which scripts take them.
fn keys(domain: &str) -> Vec<String> {
    let names = [
        "meta",
        "sessions",
        "due",
        "seated",
        "seatless",
        "started",
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
    names.iter().map(|name| key(domain, name)).collect()
}
