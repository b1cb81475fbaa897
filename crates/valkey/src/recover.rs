//! This node's part of a recovery: it remembers what it heard and did, and tells it again to a registry that lost it.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use countersign_registry::{
    Code, Effect, Entry, Heard, History, Lost, NodeId, OnceId, Past, RegistryError, Seated,
};
use countersign_token::Timestamp;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::bytes::{Reader, Writer};
use crate::caller::Caller;
use crate::script::Script;
use crate::{entry, record};

/// How much one call carries.
const TOGETHER: usize = 256;
/// How often a node says that it is there: a registry waits for those that did so within fifteen seconds.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// What this node [has heard](Heard) and done, within the same bounds.
pub(crate) struct Memory {
    node: NodeId,
    heard: Mutex<Heard>,
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
    /// That of a node that has just started, under a new id.
    pub(crate) fn new() -> Self {
        let random = RandomState::new();
        let half = |half: u64| random.hash_one(half).to_be_bytes();
        let mut node = [0; 16];
        node[..8].copy_from_slice(&half(0));
        node[8..].copy_from_slice(&half(1));
        Self {
            node: NodeId(node),
            heard: Mutex::default(),
            telling: tokio::sync::Mutex::default(),
            said_that_we_are_here: Mutex::default(),
        }
    }

    /// Its id, under which it says that it is there.
    pub(crate) fn node(&self) -> NodeId {
        self.node
    }

    fn heard(&self) -> MutexGuard<'_, Heard> {
        // What a thread that panicked has noted halfway is noted all the same.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes entries that a registry in this epoch has told.
    pub(crate) fn note(&self, entries: &[Entry], epoch: u64) {
        self.heard().note(entries, epoch);
    }

    /// The same, on their way to the caller.
    pub(crate) fn noted(&self, entries: Vec<Entry>, epoch: u64) -> Vec<Entry> {
        self.note(&entries, epoch);
        entries
    }

    /// Notes an admission, and the code that it used up.
    pub(crate) fn note_admission(&self, seated: &Seated, code: Option<Code>, epoch: u64) {
        let mut heard = self.heard();
        heard.note(&seated.entries, epoch);
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
