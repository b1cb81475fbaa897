//! The feed, which may be longer than one call should answer: it goes on where the last call stopped.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{Batch, BatchKind, Effect, Entry, RegistryError};
use countersign_token::{FeedPosition, Timestamp};
use tokio::time::{Instant, sleep};

use crate::bytes::garbled;
use crate::caller::Caller;
use crate::recover::{State, Told, recovering};
use crate::script::Script;

/// The pause before a registry that waits for other nodes is asked again.
const PAUSE: Duration = Duration::from_millis(50);

impl Caller {
    /// The whole feed, or what came after a position: once the registry has recovered, and this node has told it what it
    /// knows.
    pub(crate) async fn feed(self: Arc<Self>, after: Option<FeedPosition>) -> Result<Batch, RegistryError> {
        if self.known.is_guest() {
            // Nobody waits for it, and it has nothing to tell.
            return Ok(self.read_whole_feed(after).await?.0);
        }
        self.say_that_we_are_here().await?;
        let deadline = self.deadline();
        loop {
            let (batch, state) = self.read_whole_feed(after).await?;
            self.memory.note(&batch.entries, batch.complete_to.epoch);
            let told = self.tell_again(batch.complete_to.epoch, state).await?;
            if told == Told::Nothing && state == State::Open {
                self.memory.expire(batch.at);
                return Ok(batch);
            }
            if Instant::now() + PAUSE > deadline {
                return Err(recovering());
            }
            if told == Told::Nothing {
                sleep(PAUSE).await;
            }
        }
    }

    /// A history that changes while it is read is read again, and once more if it must be.
    pub(crate) async fn read_whole_feed(
        self: &Arc<Self>,
        after: Option<FeedPosition>,
    ) -> Result<(Batch, State), RegistryError> {
        for _ in 0..3 {
            if let Some(batch) = self.read_feed(after).await? {
                return Ok(batch);
            }
        }
        Err(RegistryError::new(Effect::None, "the registry's history kept changing"))
    }

    async fn read_feed(
        self: &Arc<Self>,
        after: Option<FeedPosition>,
    ) -> Result<Option<(Batch, State)>, RegistryError> {
        let mode = if after.is_some() { "1" } else { "0" };
        let mut answer = self.read_on(mode, after.unwrap_or_default()).await?;
        let kind = if answer.kind == 1 { BatchKind::Tail } else { BatchKind::Snapshot };
        let (complete_to, at) = (answer.position, answer.at);
        let mut last = answer.bytes()?;
        let mut entries = answer.entries()?;
        let state = if answer.number()? == 0 { State::Open } else { State::Recovering };
        while !last.is_empty() {
            let mut next = self.read_on("2", place(&last)?).await?;
            if next.position.epoch != complete_to.epoch {
                return Ok(None);
            }
            last = next.bytes()?;
            let wanted = |entry: &Entry| {
                entry.position <= complete_to && (kind == BatchKind::Tail || matters(entry, at))
            };
            entries.extend(next.entries()?.into_iter().filter(wanted));
        }
        // Removed keys come first in a snapshot, wherever they were removed.
        entries.sort_by_key(|entry| entry.position);
        entries.dedup_by_key(|entry| entry.position);
        Ok(Some((Batch { complete_to, kind, entries, at, behind: Duration::ZERO }, state)))
    }

    async fn read_on(
        self: &Arc<Self>,
        mode: &str,
        after: FeedPosition,
    ) -> Result<crate::answer::Answer, RegistryError> {
        let (epoch, seq) = (after.epoch.to_string(), after.seq.to_string());
        self.call(Script::Feed, &[mode.as_bytes(), epoch.as_bytes(), seq.as_bytes()]).await
    }
}

fn matters(entry: &Entry, at: Timestamp) -> bool {
    entry.until > at
}

/// A position as the stream writes it.
pub(crate) fn place(id: &[u8]) -> Result<FeedPosition, RegistryError> {
    let text = std::str::from_utf8(id).map_err(|_| garbled())?;
    let (epoch, seq) = text.split_once('-').ok_or_else(garbled)?;
    let number = |text: &str| text.parse().map_err(|_| garbled());
    Ok(FeedPosition { epoch: number(epoch)?, seq: number(seq)? })
}
