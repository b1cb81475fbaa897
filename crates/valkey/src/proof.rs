//! Proofs of freshness. A server that answers may have been replaced long ago without knowing it: what it tells is fresh
//! only if it was the one primary when it was asked.
//!
//! A proof is a heartbeat, which is a write, and the replicas' word that they have it. No replica that has been promoted gives it, so where all
//! give it, there was no other primary when the write was sent, and everything before it is on all of them.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign_registry::{Batch, Effect, NodeId, RegistryError, Standing};
use countersign_token::{FeedPosition, SessionId};
use redis::{Value, cmd};
use tokio::sync::Mutex;
use tokio::time::{Instant, timeout_at};

use crate::caller::Caller;
use crate::link::Link;
use crate::script::Script;
use crate::topology::{Kind, Topology};
use crate::wire::{Failure, Wire};

/// How long replicas may take, where there is another proof.
const REPLICAS: Duration = Duration::from_millis(100);
/// How long they may take where there is none.
const ONLY_REPLICAS: Duration = Duration::from_secs(1);
/// How long a majority of the Sentinels may name a server that is the primary no more: they tell each other every two
/// seconds.
const SENTINELS: Duration = Duration::from_secs(3);
/// What a cluster's nodes are set to where they do not tell.
const NODE_TIMEOUT: u64 = 15_000;

/// Makes one proof at a time, on a connection of its own: a `WAIT` holds up all that comes behind it.
pub(crate) struct Prover {
    link: Link,
    last: Mutex<Last>,
    node_timeout: AtomicU64,
}

/// The last proof, which all share who asked before it began.
#[derive(Default)]
struct Last {
    began: Option<Instant>,
    outcome: Option<Result<Proof, String>>,
}

/// That a server was the primary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proof {
    /// In this epoch; nothing where there can be no other primary.
    epoch: Option<u64>,
    /// This long before the proof was asked for; zero where all replicas gave their word.
    pub(crate) behind: Duration,
}

impl Prover {
    pub(crate) fn new(topology: Arc<Topology>) -> Self {
        Self { link: Link::new(topology), last: Mutex::default(), node_timeout: AtomicU64::new(NODE_TIMEOUT) }
    }

    /// Takes note of the time after which a cluster's node that is cut off refuses everything.
    pub(crate) fn set_node_timeout(&self, millis: u64) {
        self.node_timeout.store(millis, Ordering::Relaxed);
    }

    /// Whether another primary is possible at all.
    fn is_needed(&self) -> bool {
        let topology = &self.link.topology;
        topology.kind() != Kind::Server || topology.replicas() > 0
    }
}

impl Caller {
    /// The feed, and how much older than its asking the reading may be.
    pub(crate) async fn proven_feed(
        self: Arc<Self>,
        after: Option<FeedPosition>,
    ) -> Result<Batch, RegistryError> {
        let deadline = self.deadline();
        for _ in 0..3 {
            let (batch, proof) = tokio::try_join!(self.clone().feed(after), self.prove(deadline))?;
            if proof.is_of(batch.complete_to.epoch) {
                return Ok(Batch { behind: proof.behind, ..batch });
            }
        }
        Err(kept_changing())
    }

    /// Looks sessions up where a proof says that the answer counts.
    pub(crate) async fn proven_get(
        self: Arc<Self>,
        sessions: Vec<SessionId>,
    ) -> Result<Vec<Standing>, RegistryError> {
        let deadline = self.deadline();
        for _ in 0..3 {
            let before = self.known.epoch();
            let (standings, proof) =
                tokio::try_join!(self.clone().get(sessions.clone()), self.prove(deadline))?;
            // Whatever was called meanwhile, both were of the one epoch that there was.
            if proof.is_of(before) && self.known.epoch() == before || proof.epoch.is_none() {
                return Ok(standings);
            }
        }
        Err(kept_changing())
    }

    /// A proof that begins after it was asked for. One is under way at a time; all that ask meanwhile share the next.
    pub(crate) async fn prove(&self, deadline: Instant) -> Result<Proof, RegistryError> {
        // What a guest reads decides nothing.
        if !self.prover.is_needed() || self.known.is_guest() {
            return Ok(Proof { epoch: None, behind: Duration::ZERO });
        }
        let asked = Instant::now();
        let late = |_| RegistryError::new(Effect::None, "no proof of freshness in time");
        let mut last = timeout_at(deadline, self.prover.last.lock()).await.map_err(late)?;
        if last.began.is_none_or(|began| began < asked) {
            let began = Instant::now();
            // Whoever runs out of time leaves it to the next.
            let outcome = timeout_at(deadline, self.proof(began + self.patience())).await.map_err(late)?;
            *last = Last { began: Some(began), outcome: Some(outcome.map_err(|error| told(&error))) };
        }
        let outcome = last.outcome.clone().unwrap_or_else(|| Err(String::new()));
        outcome.map_err(|why| RegistryError::new(Effect::None, why))
    }

    async fn proof(&self, deadline: Instant) -> Result<Proof, RegistryError> {
        let Prover { link, node_timeout, .. } = &self.prover;
        let NodeId(node) = self.memory.node();
        loop {
            let (value, wire) = self.until_done(link, Script::Heartbeat, &[&node], deadline).await?;
            let epoch = Some(self.note(value)?.position.epoch);
            if all_replicas_have_it(&wire, &link.topology, deadline).await? {
                return Ok(Proof { epoch, behind: Duration::ZERO });
            }
            match link.topology.kind() {
                Kind::Server => return Err(none("not all replicas have what was written")),
                // It would have refused to write if it had been cut off for longer.
                Kind::Cluster => {
                    let behind = Duration::from_millis(node_timeout.load(Ordering::Relaxed));
                    return Ok(Proof { epoch, behind });
                }
                Kind::Service => {
                    if link.topology.find().await.map_err(none)?.host == wire.host {
                        return Ok(Proof { epoch, behind: SENTINELS });
                    }
                    // From here on, connections lead to the one that they name.
                }
            }
        }
    }

    /// A proof by all replicas, tried until there is no more time.
    pub(crate) async fn prove_replicated(&self, epoch: u64, deadline: Instant) -> Result<(), RegistryError> {
        loop {
            let proof = self.prove(deadline).await?;
            if !proof.is_of(epoch) {
                return Err(kept_changing());
            }
            if proof.behind.is_zero() {
                return Ok(());
            }
            if Instant::now() + REPLICAS > deadline {
                return Err(none("not all replicas have what was written"));
            }
        }
    }
}

impl Proof {
    fn is_of(&self, epoch: u64) -> bool {
        self.epoch.is_none_or(|own| own == epoch)
    }
}

/// Whether all replicas have what was written on this connection: those that are known, and those that are connected.
async fn all_replicas_have_it(
    wire: &Wire,
    topology: &Topology,
    deadline: Instant,
) -> Result<bool, RegistryError> {
    let known = i64::from(topology.replicas());
    // A replica that nobody has told us of could be promoted, too.
    let connected = connected(&wire.ask(&cmd("ROLE"), deadline).await.map_err(Failure::into_error)?);
    let all = known.max(connected);
    if all == 0 {
        return Ok(false);
    }
    let longest = if topology.kind() == Kind::Server { ONLY_REPLICAS } else { REPLICAS };
    let time = longest.min(deadline.saturating_duration_since(Instant::now()) / 2).as_millis().max(1);
    let mut command = cmd("WAIT");
    command.arg(all).arg(u64::try_from(time).unwrap_or(1));
    match wire.ask(&command, deadline).await.map_err(Failure::into_error)? {
        Value::Int(have) => Ok(have >= all),
        _ => Ok(false),
    }
}

/// How many replicas a primary lists in its role.
fn connected(role: &Value) -> i64 {
    match role {
        Value::Array(role) => match role.get(2) {
            Some(Value::Array(replicas)) => i64::try_from(replicas.len()).unwrap_or(i64::MAX),
            _ => 0,
        },
        _ => 0,
    }
}

fn kept_changing() -> RegistryError {
    none("the registry's history kept changing")
}

fn none(why: impl Into<Box<dyn Error + Send + Sync>>) -> RegistryError {
    RegistryError::new(Effect::None, why)
}

fn told(error: &RegistryError) -> String {
    error.source().map_or_else(|| error.to_string(), ToString::to_string)
}
