//! What the server remembers of its sessions. Under construction.

mod clock;
mod contract;
mod fact;
mod ledger;
mod list;
mod op;
mod rules;

pub use clock::{Clock, ManualClock, SystemClock};
pub use contract::{Batch, BatchKind, Effect, Registry, RegistryError, Sharing};
pub use fact::{EndReason, Entry, Fact, News};
pub use ledger::Ledger;
pub use list::{Cursor, Filter, List, Order, Page, Whose};
pub use op::*;
pub use rules::{Limit, Limits, OnFull, Rules, Scope};

/// The suite that checks an implementation of [`Registry`].
pub mod conformance {}
