//! What the server remembers of its sessions: which ids are alive, who holds a seat, what has ended.
//!
//! All rules live in one pure state machine, the [`Ledger`]: an operation and an instant go in, an outcome and the
//! [facts](Fact) that changed come out. A [`Registry`] is a home of a ledger: [`MemoryRegistry`] is the ledger behind a
//! lock; other crates keep its facts in a file, or speak to a server. Nodes follow a registry's feed into a [`View`],
//! which answers on each request, without I/O, whether a session has been revoked.
//!
//! - Operations and outcomes: [`Admit`], [`Rotate`], [`Advance`], [`Touch`], [`End`], [`Once`], [`List`], and the figures
//!   that they are judged by, [`Rules`].
//! - Rules one can call alone: the table of [`rotation`] and the compare-and-set of [`version`].
//! - After a fail-over that lost writes: what a node has [`Heard`] is told to the registry again, which is
//!   [recovering](Ledger::is_recovering) meanwhile.
//! - For tests: the suite that every registry passes, [`conformance`], and a registry that fails on demand, [`Faulty`].

mod activity;
mod admit;
mod clock;
pub mod conformance;
mod contract;
mod ends;
mod fact;
mod faulty;
mod feed;
mod heard;
mod ledger;
mod list;
mod memory;
mod once;
mod op;
mod past;
mod recovery;
mod retold;
mod revocation;
pub mod rotation;
mod rules;
mod seats;
mod store;
mod tally;
pub mod version;
mod view;

pub use clock::{Clock, ManualClock, SystemClock};
pub use contract::{Batch, BatchKind, Effect, Registry, RegistryError, Sharing};
pub use fact::{EndReason, Entry, Fact, News};
pub use faulty::{Faulty, OpKind};
pub use heard::Heard;
pub use ledger::Ledger;
pub use list::{Cursor, Filter, List, Order, Page, Rank, Whose};
pub use memory::MemoryRegistry;
pub use op::*;
pub use past::CODE_LIFE;
pub use recovery::{Awaited, History, NODE_LIFE, NodeId, Past, RECOVERY, Recovering};
pub use retold::Lost;
pub use rules::{Limit, Limits, OnFull, Rules, Scope};
pub use tally::{Holders, Tally};
pub use view::{Floor, Loaded, Question, Reading, Verdict, View};
