//! What the server remembers of its sessions. Under construction.

mod activity;
mod admit;
mod clock;
pub mod conformance;
mod contract;
mod fact;
mod faulty;
mod feed;
mod ledger;
mod list;
mod memory;
mod once;
mod op;
mod past;
mod revocation;
pub mod rotation;
mod rules;
mod seats;
mod store;
pub mod version;
mod view;

pub use clock::{Clock, ManualClock, SystemClock};
pub use contract::{Batch, BatchKind, Effect, Registry, RegistryError, Sharing};
pub use fact::{EndReason, Entry, Fact, News};
pub use faulty::{Faulty, OpKind};
pub use ledger::Ledger;
pub use list::{Cursor, Filter, List, Order, Page, Whose};
pub use memory::MemoryRegistry;
pub use op::*;
pub use past::CODE_LIFE;
pub use rules::{Limit, Limits, OnFull, Rules, Scope};
pub use view::{Floor, Loaded, Question, Reading, Verdict, View};
