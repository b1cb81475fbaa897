//! Lists and the feed, which may be longer than one call should answer: they go on where the last call stopped.

use std::collections::BinaryHeap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{
    Batch, BatchKind, Cursor, Effect, Entry, Holding, List, Order, Page, Rank, RegistryError, SessionRecord,
    Whose,
};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use tokio::time::{Instant, sleep};

use crate::bytes::{Writer, garbled, millis};
use crate::caller::Caller;
use crate::header::duration;
use crate::ops::whose;
use crate::recover::{State, Told, recovering};
use crate::script::Script;

/// The longest page.
const PAGE: usize = 1000;
/// The pause before a registry that waits for other nodes is asked again.
const PAUSE: Duration = Duration::from_millis(50);

impl Caller {
    /// Up to 1000 sessions are looked at in one call, which is a whole list mostly. A longer one is put together of
    /// several: a session that changes meanwhile is told as it was or as it is.
    pub(crate) async fn list(self: Arc<Self>, list: List) -> Result<Page, RegistryError> {
        let (whose, of) = whose(&list.filter.whose)?;
        let mut first = First::new(&list);
        let mut from = Vec::new();
        loop {
            let figures = first.figures(&list);
            let mut answer = self.call(Script::List, &[whose, &of, &from, &figures]).await?;
            from = answer.bytes()?;
            for (record, holding) in answer.sessions()? {
                first.add(record, holding);
            }
            if from.is_empty() {
                return Ok(first.page(answer.at));
            }
        }
    }

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

/// The first sessions of a list, and one more, which tells whether it goes on.
struct First {
    order: Order,
    whose: Whose,
    after: Option<Cursor>,
    limit: usize,
    /// The last of them on top.
    kept: BinaryHeap<(Rank, Timestamp, SessionId)>,
    sessions: HashMap<SessionId, (SessionRecord, Holding)>,
}

impl First {
    fn new(list: &List) -> Self {
        Self {
            order: list.order,
            whose: list.filter.whose.clone(),
            after: list.after.clone(),
            limit: list.limit.min(PAGE),
            kept: BinaryHeap::new(),
            sessions: HashMap::new(),
        }
    }

    /// What a script may leave out: those before the cursor, and those that come after enough others.
    fn figures(&self, list: &List) -> Vec<u8> {
        let enough = self.kept.len() > self.limit;
        let furthest = self.kept.peek().filter(|_| enough).map(|&(_, at, _)| at);
        let nearest = self.after.as_ref().map(|cursor| cursor.at);
        let (oldest, newest) =
            if self.order.is_ascending() { (nearest, furthest) } else { (furthest, nearest) };
        let (oldest, newest) = (oldest.map_or(0, millis), newest.unwrap_or(Timestamp::MAX));
        let mut bytes = Writer::default();
        bytes.number(self.order.is_by_start().into(), 1);
        let holding = match list.filter.holding {
            None => 0,
            Some(Holding::Seat) => 1,
            Some(Holding::Nothing) => 2,
        };
        bytes.number(holding, 1);
        bytes.number(list.filter.inactive_for.map_or(0, duration), 6);
        bytes.instant(newest);
        bytes.number(oldest, 6);
        bytes.done()
    }

    fn add(&mut self, record: SessionRecord, holding: Holding) {
        if matches!(&self.whose, Whose::Subject(subject) if record.owner.subject != *subject) {
            return;
        }
        let at = if self.order.is_by_start() { record.started_at } else { record.last_activity };
        let (id, rank) = (record.id, self.order.rank(at, record.id));
        let after = self.after.as_ref().map(|cursor| self.order.rank(cursor.at, cursor.id));
        let comes = after.is_none_or(|after| after < rank);
        // A page of a changing list may tell of a session twice.
        if !comes || self.sessions.contains_key(&id) {
            return;
        }
        self.kept.push((rank, at, id));
        self.sessions.insert(id, (record, holding));
        if self.kept.len() > self.limit + 1
            && let Some((_, _, last)) = self.kept.pop()
        {
            self.sessions.remove(&last);
        }
    }

    fn page(mut self, at: Timestamp) -> Page {
        let mut order: Vec<_> = self.kept.into_sorted_vec().into_iter().map(|(_, at, id)| (at, id)).collect();
        let more = order.len() > self.limit;
        order.truncate(self.limit);
        let next = order.last().filter(|_| more).map(|&(at, id)| Cursor { at, id });
        let sessions = order.into_iter().filter_map(|(_, id)| self.sessions.remove(&id)).collect();
        Page { sessions, next, at }
    }
}
