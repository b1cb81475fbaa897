//! This node's part of a recovery: it remembers what it heard and did, and tells it again to a registry that lost it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_registry::{
    Code, Effect, Entry, Heard, History, Lost, NodeId, OnceId, Past, RegistryError, Seated,
};
use countersign_token::Timestamp;
use tokio::time::Instant;
#[cfg(feature = "testing")]
use {countersign_registry::Batch, countersign_token::FeedPosition};

use crate::answer::Answer;
use crate::bytes::{Reader, Writer};
use crate::caller::Caller;
use crate::error::OpenError;
use crate::outbox::Outbox;
use crate::script::Script;
use crate::{entry, record};

/// How much one call carries.
const TOGETHER: usize = 256;
/// How often a node says that it is there: a registry waits for those that did so within fifteen seconds.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What this node [has heard](Heard) and done, within the same bounds.
pub(crate) struct Memory {
    node: NodeId,
    heard: Arc<Mutex<Heard>>,
    outbox: Option<Outbox>,
    /// Held by the one call that tells it again.
    telling: tokio::sync::Mutex<()>,
    said_that_we_are_here: Mutex<Option<Instant>>,
}

/// Whether a registry carries out everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Open,
    /// It waits for its nodes after a fail-over.
    Recovering,
}

/// Whether this node had anything to tell a registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    Something,
    Nothing,
}

pub(crate) fn recovering() -> RegistryError {
    RegistryError::new(Effect::None, "the registry recovers after a fail-over, and waits for its nodes")
}

impl Memory {
    /// That of a node that has just started, under a new id: it knows what is in its outbox, if it has one.
    pub(crate) fn new(outbox: Option<&Path>) -> Result<Self, OpenError> {
        let heard = Arc::new(Mutex::new(Heard::new()));
        let outbox = outbox.map(|path| open_outbox(path, &heard)).transpose()?;
        let random = RandomState::new();
        let half = |half: u64| random.hash_one(half).to_be_bytes();
        let mut node = [0; 16];
        node[..8].copy_from_slice(&half(0));
        node[8..].copy_from_slice(&half(1));
        let (telling, said_that_we_are_here) = (tokio::sync::Mutex::default(), Mutex::default());
        Ok(Self { node: NodeId(node), heard, outbox, telling, said_that_we_are_here })
    }

    /// Its id, under which it says that it is there.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        locked(&self.heard)
    }

    /// Notes entries that a registry in this epoch has told.
    pub(crate) fn note(&self, entries: &[Entry], epoch: u64) {
        self.heard().note(entries, epoch);
    }

    /// Keeps what an operation of this node has told, before its caller hears of it: in the outbox, too.
    pub(crate) async fn keep(&self, entries: Vec<Entry>, epoch: u64) -> Result<Vec<Entry>, RegistryError> {
        self.note(&entries, epoch);
        match &self.outbox {
            Some(outbox) if !entries.is_empty() => outbox.put(&entries).await.map(|()| entries),
            _ => Ok(entries),
        }
    }

    /// Notes an admission that is about to be acknowledged, and the code that it used up.
    pub(crate) fn note_admission(&self, seated: &Seated, code: Option<Code>, epoch: u64) {
        let mut heard = self.heard();
        heard.note(&[], epoch);
        heard.note_admission(&seated.record);
        if let Some(code) = code {
            heard.note_once(code.id, code.until, epoch, seated.at);
        }
    }

    pub(crate) fn note_once(&self, id: OnceId, until: Timestamp, epoch: u64, at: Timestamp) {
        self.heard().note_once(id, until, epoch, at);
    }

    pub(crate) fn expire(&self, now: Timestamp) {
        self.heard().expire(now);
    }

    fn has_settled(&self, epoch: u64) -> bool {
        self.heard().settled() >= epoch
    }
}

/// What a thread that panicked has noted halfway is noted all the same.
fn locked(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}

fn open_outbox(path: &Path, heard: &Arc<Mutex<Heard>>) -> Result<Outbox, OpenError> {
    let known = heard.clone();
    let keeps = move |position| locked(&known).keeps(position);
    let wrong = |source| OpenError::Outbox { path: path.to_owned(), source };
    let (outbox, entries) = Outbox::open(path, keeps).map_err(wrong)?;
    for entry in entries {
        let epoch = entry.position.epoch;
        locked(heard).note(&[entry], epoch);
    }
    Ok(outbox)
}

impl Caller {
    /// A registry that loses writes waits for the nodes that were there.
    pub(crate) async fn say_that_we_are_here(self: &Arc<Self>) -> Result<(), RegistryError> {
        let said = || self.memory.said_that_we_are_here.lock().unwrap_or_else(PoisonError::into_inner);
        if said().is_some_and(|said| said.elapsed() < HEARTBEAT) {
            return Ok(());
        }
        let NodeId(node) = self.memory.node;
        self.call(Script::Heartbeat, &[&node]).await?;
        *said() = Some(Instant::now());
        Ok(())
    }

    /// Tells a registry of this epoch once what it lacks, and that this was all.
    pub(crate) async fn tell_again(
        self: &Arc<Self>,
        epoch: u64,
        state: State,
    ) -> Result<Told, RegistryError> {
        if self.memory.has_settled(epoch) {
            return Ok(Told::Nothing);
        }
        let _one_at_a_time = self.memory.telling.lock().await;
        if self.memory.has_settled(epoch) {
            // Another reading has just told it: what this one read is old.
            return Ok(Told::Something);
        }
        let past = self.past(epoch).await?;
        let history = History { past: &past, epoch };
        let (missing, lost) = {
            let heard = self.memory.heard();
            (heard.missing(history), heard.lost(history))
        };
        let told = if missing.is_empty() && lost.is_empty() { state } else { State::Recovering };
        self.republish(&missing, epoch).await?;
        self.restore(&lost, epoch).await?;
        if state == State::Recovering {
            let NodeId(node) = self.memory.node;
            self.call_in(epoch, Script::Recovered, &[&node]).await?;
        }
        self.memory.heard().settle(history);
        Ok(if told == State::Open { Told::Nothing } else { Told::Something })
    }

    /// A call that counts only if the registry is still in this epoch.
    async fn call_in(
        self: &Arc<Self>,
        epoch: u64,
        script: Script,
        args: &[&[u8]],
    ) -> Result<Answer, RegistryError> {
        let answer = self.call(script, args).await?;
        if answer.position.epoch == epoch { Ok(answer) } else { Err(recovering()) }
    }

    /// The epochs that a registry went through before this one.
    async fn past(self: &Arc<Self>, epoch: u64) -> Result<Vec<Past>, RegistryError> {
        let mut answer = self.call_in(epoch, Script::Republish, &[]).await?;
        let _ = answer.entries()?;
        let raw = answer.bytes()?;
        let mut bytes = Reader::new(&raw);
        let mut past = Vec::new();
        while !bytes.is_empty() {
            past.push(Past {
                last: entry::position(&mut bytes)?,
                written: bytes.instant()?,
                until: bytes.instant()?,
            });
        }
        Ok(past)
    }

    async fn republish(self: &Arc<Self>, missing: &[Entry], epoch: u64) -> Result<(), RegistryError> {
        for some in missing.chunks(TOGETHER) {
            let some: Vec<Vec<u8>> = some.iter().map(entry::bytes).collect::<Result<_, _>>()?;
            let some: Vec<&[u8]> = some.iter().map(Vec::as_slice).collect();
            let told = self.call_in(epoch, Script::Republish, &some).await?.entries()?;
            self.memory.note(&told, epoch);
        }
        Ok(())
    }

    async fn restore(self: &Arc<Self>, lost: &[Lost], epoch: u64) -> Result<(), RegistryError> {
        for some in lost.chunks(TOGETHER) {
            let some: Vec<Vec<u8>> = some.iter().map(bytes).collect::<Result<_, _>>()?;
            let some: Vec<&[u8]> = some.iter().map(Vec::as_slice).collect();
            self.call_in(epoch, Script::Restore, &some).await?;
        }
        Ok(())
    }
}

/// The steps of a recovery one by one, for tests.
#[cfg(feature = "testing")]
#[derive(Clone)]
pub struct Recovery(pub(crate) Arc<Caller>);

#[cfg(feature = "testing")]
#[expect(missing_docs, reason = "each is the ledger's operation of that name")]
#[expect(clippy::missing_errors_doc, reason = "as every operation")]
impl Recovery {
    pub async fn heartbeat(&self, NodeId(node): NodeId) -> Result<(), RegistryError> {
        self.0.call(Script::Heartbeat, &[&node]).await.map(drop)
    }

    pub async fn republish(&self, entries: &[Entry]) -> Result<Vec<Entry>, RegistryError> {
        let some: Vec<Vec<u8>> = entries.iter().map(entry::bytes).collect::<Result<_, _>>()?;
        let some: Vec<&[u8]> = some.iter().map(Vec::as_slice).collect();
        self.0.call(Script::Republish, &some).await?.entries()
    }

    pub async fn restore(&self, lost: &[Lost]) -> Result<(), RegistryError> {
        let some: Vec<Vec<u8>> = lost.iter().map(bytes).collect::<Result<_, _>>()?;
        let some: Vec<&[u8]> = some.iter().map(Vec::as_slice).collect();
        self.0.call(Script::Restore, &some).await.map(drop)
    }

    pub async fn recovered(&self, NodeId(node): NodeId) -> Result<bool, RegistryError> {
        Ok(self.0.call(Script::Recovered, &[&node]).await?.kind == 1)
    }

    /// A reading, and whether the registry is recovering.
    pub async fn feed(&self, after: Option<FeedPosition>) -> Result<(Batch, bool), RegistryError> {
        let (batch, state) = self.0.read_whole_feed(after).await?;
        Ok((batch, state == State::Recovering))
    }
}

fn bytes(lost: &Lost) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Writer::default();
    match lost {
        Lost::Session(session) => {
            bytes.raw(b"s");
            bytes.raw(session.id.as_bytes());
            bytes.raw(&record::packed(session)?);
        }
        Lost::Once(OnceId(id), until) => {
            bytes.raw(b"o");
            bytes.raw(id);
            bytes.instant(*until);
        }
    }
    Ok(bytes.done())
}
