//! Lists, which may be longer than one call should answer: they go on where the last call stopped.

use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;

use countersign_registry::{Cursor, Holding, List, Order, Page, Rank, RegistryError, SessionRecord, Whose};
use countersign_token::{SessionId, Timestamp};

use crate::bytes::{Writer, millis};
use crate::caller::Caller;
use crate::header::duration;
use crate::record;
use crate::script::Script;

/// The longest page.
const PAGE: usize = 1000;

impl Caller {
    /// Up to 1000 sessions are looked at in one call. A longer list is put together of several: a session that changes
    /// meanwhile is told as it was or as it is, or has moved to what was read already. All sessions of a site are found
    /// in order, so that no more are looked at than the page needs.
    pub(crate) async fn list(self: Arc<Self>, list: List) -> Result<Page, RegistryError> {
        let mut first = First::new(&list);
        let mut at = Timestamp::ZERO;
        for way in Way::of(&list)? {
            at = self.walk(&way, &list, &mut first).await?;
        }
        Ok(first.page(at))
    }

    /// Looks at sessions on a way until no more can be of the page, and tells the registry's instant.
    async fn walk(
        self: &Arc<Self>,
        way: &Way,
        list: &List,
        first: &mut First,
    ) -> Result<Timestamp, RegistryError> {
        let mut from = way.from.clone();
        loop {
            let figures = first.figures(list);
            let mut answer = self.call(Script::List, &[way.letter, &way.of, &from, &figures]).await?;
            from = answer.bytes()?;
            let sessions = answer.sessions()?;
            let is_over = from.is_empty() || way.is_in_order && sessions.len() > first.limit;
            for (record, holding) in sessions {
                first.add(record, holding);
            }
            if is_over {
                return Ok(answer.at);
            }
        }
    }
}

/// How the script goes through sessions.
struct Way {
    letter: &'static [u8],
    /// Whose, or by which index.
    of: Vec<u8>,
    /// From where on.
    from: Vec<u8>,
    is_in_order: bool,
}

impl Way {
    /// Those that lead to all sessions that may be of the page.
    fn of(list: &List) -> Result<Vec<Self>, RegistryError> {
        let ordered = |indexes: &[u8]| {
            let letter: &[u8] = if list.order.is_ascending() { b"u" } else { b"d" };
            let from = list.after.as_ref().map(place).unwrap_or_default();
            let way = |&index| Self { letter, of: vec![index], from: from.clone(), is_in_order: true };
            indexes.iter().map(way).collect()
        };
        if let Some(Members { letter, of }) = Members::of(&list.filter.whose)? {
            return Ok(vec![Self { letter, of, from: Vec::new(), is_in_order: false }]);
        }
        Ok(match list.filter.holding {
            _ if list.order.is_by_start() => ordered(b"y"),
            Some(Holding::Seat) => ordered(b"v"),
            Some(Holding::Nothing) => ordered(b"z"),
            None => ordered(b"vz"),
        })
    }
}

/// Sessions that the index by owner has together.
pub(crate) struct Members {
    /// How the scripts call those.
    pub(crate) letter: &'static [u8],
    /// Which.
    pub(crate) of: Vec<u8>,
}

impl Members {
    /// [`None`] where they are anyone's.
    pub(crate) fn of(whose: &Whose) -> Result<Option<Self>, RegistryError> {
        let (letter, of): (&[u8], _) = match whose {
            Whose::Owner(owner) => (b"o", record::owner(owner)?),
            Whose::Tenant(tenant) => (b"t", record::tenant(tenant)?),
            Whose::Subject(subject) => (b"n", record::subject(subject)?),
            Whose::Anyone => return Ok(None),
        };
        Ok(Some(Self { letter, of }))
    }
}

/// Which sessions of those: 0 all, 1 with a seat, 2 without.
pub(crate) fn holding(of: Option<Holding>) -> u64 {
    match of {
        None => 0,
        Some(Holding::Seat) => 1,
        Some(Holding::Nothing) => 2,
    }
}

fn place(cursor: &Cursor) -> Vec<u8> {
    let mut bytes = Writer::default();
    bytes.instant(cursor.at);
    bytes.raw(cursor.id.as_bytes());
    bytes.done()
}

/// The first sessions of a list, and one more, which tells whether it goes on.
struct First {
    order: Order,
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
            after: list.after.clone(),
            limit: list.limit.min(PAGE),
            kept: BinaryHeap::new(),
            sessions: HashMap::new(),
        }
    }

    /// What a script may leave out: those before the cursor, and those that come after enough others.
    fn figures(&self, list: &List) -> Vec<u8> {
        let furthest = self.kept.peek().filter(|_| self.is_complete()).map(|&(_, at, _)| at);
        let nearest = self.after.as_ref().map(|cursor| cursor.at);
        let (oldest, newest) =
            if self.order.is_ascending() { (nearest, furthest) } else { (furthest, nearest) };
        let (oldest, newest) = (oldest.map_or(0, millis), newest.unwrap_or(Timestamp::MAX));
        let mut bytes = Writer::default();
        bytes.number(self.order.is_by_start().into(), 1);
        bytes.number(holding(list.filter.holding), 1);
        bytes.number(list.filter.inactive_for.map_or(0, duration), 6);
        bytes.instant(newest);
        bytes.number(oldest, 6);
        bytes.number(self.limit as u64 + 1, 2);
        bytes.done()
    }

    fn is_complete(&self) -> bool {
        self.kept.len() > self.limit
    }

    fn add(&mut self, record: SessionRecord, holding: Holding) {
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
