//! Listing live sessions: filter, order, cursor.

use std::sync::Arc;
use std::time::Duration;

use countersign_token::Timestamp;

use crate::op::{Holding, Owner, SessionRecord};

/// Which live sessions to list.
#[derive(Clone, Debug)]
pub struct List {
    /// Only these.
    pub filter: Filter,
    /// In this order.
    pub order: Order,
    /// From where the last page ended.
    pub after: Option<Cursor>,
    /// At most so many, and at most 1000.
    pub limit: usize,
}

impl List {
    /// All sessions of an owner, the last active first.
    pub fn of(owner: Owner) -> Self {
        Self {
            filter: Filter { whose: Whose::Owner(owner), ..Filter::default() },
            order: Order::LastActivity,
            after: None,
            limit: 1000,
        }
    }
}

/// Which sessions pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose.
    pub whose: Whose,
    /// Only those that hold a seat, or only those that do not.
    pub holding: Option<Holding>,
    /// Only those not active for at least this long.
    pub inactive_for: Option<Duration>,
}

/// Whose sessions pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Whose {
    /// Anyone's.
    #[default]
    Anyone,
    /// An owner's.
    Owner(Owner),
    /// A tenant's.
    Tenant(Arc<str>),
}

/// In which order sessions are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Order {
    /// The last active first.
    #[default]
    LastActivity,
    /// The newest first.
    Started,
}

/// Where a page ended. It stays meaningful while sessions come and go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The ordering instant of the last session of the page.
    pub at: Timestamp,
    /// Its id.
    pub id: countersign_token::SessionId,
}

/// A page of sessions.
#[derive(Clone, Debug)]
pub struct Page {
    /// The sessions, and whether each holds a seat.
    pub sessions: Vec<(SessionRecord, Holding)>,
    /// Where to go on, if there are more.
    pub next: Option<Cursor>,
    /// The registry's instant.
    pub at: Timestamp,
}
