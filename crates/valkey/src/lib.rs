//! The session registry on Valkey or Redis, for services that run on many machines.
//!
//! [`ValkeyRegistry`] keeps the rules of the [`Ledger`](countersign_registry::Ledger) in Lua scripts, one per operation:
//!
//! ```text
//! operation ──▶ arguments ──▶ EVALSHA ─▶ [clock, fence │ what time has brought │ the rule] ──▶ answer ──▶ outcome
//! ```
//!
//! The server is one that stands alone, the primary that Sentinels name, or the node of a cluster that has the limit
//! domain's slot: [`ValkeyRegistry::connect`] has the addresses. Feature `tls` encrypts.

mod address;
mod answer;
mod bytes;
mod caller;
mod entry;
mod error;
mod examine;
mod feed;
mod header;
mod link;
mod list;
mod news;
mod ops;
mod options;
mod outbox;
mod proof;
mod record;
mod recover;
mod registry;
mod script;
mod settings;
mod strict;
mod tally;
mod tls;
mod topology;
mod wire;

pub use error::OpenError;
pub use options::{Acknowledge, Options, Part, Unfit};
#[cfg(feature = "testing")]
pub use recover::Recovery;
pub use registry::ValkeyRegistry;
pub use settings::Fitness;
