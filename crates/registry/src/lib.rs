//! What the server remembers of its sessions. Under construction.

mod clock;
mod contract;
mod fact;
mod list;
mod op;
mod rules;

pub use clock::{Clock, SystemClock};
pub use contract::{Batch, BatchKind, Effect, Registry, RegistryError, Sharing};
pub use fact::{EndReason, Entry, Fact, News};
pub use list::{Cursor, Filter, List, Order, Page, Whose};
pub use op::*;
pub use rules::{Limit, Limits, OnFull, Rules, Scope};

/// The figures of the rules and the feed's positions.
pub mod conformance {}
/// Placeholder of the pure state machine.
#[derive(Debug)]
pub struct Ledger;
