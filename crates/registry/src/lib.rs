//! What the server remembers of its sessions. Under construction.

mod clock;
mod contract;
mod fact;
mod faulty;
mod ledger;
mod list;
mod memory;
mod op;
mod rules;
mod view;

pub use clock::{Clock, ManualClock, SystemClock};
pub use contract::{Batch, BatchKind, Effect, Registry, RegistryError, Sharing};
pub use fact::{EndReason, Entry, Fact, News};
pub use faulty::{Faulty, OpKind};
pub use ledger::Ledger;
pub use list::{Cursor, Filter, List, Order, Page, Whose};
pub use memory::MemoryRegistry;
pub use op::*;
pub use rules::{Limit, Limits, OnFull, Rules, Scope};
pub use view::{Floor, Loaded, Question, Reading, Verdict, View};

/// The suite that checks an implementation of [`Registry`].
pub mod conformance {}
