//! The session registry on Valkey or Redis, for services that run on many machines.
//!
//! [`ValkeyRegistry`] keeps the rules of the [`Ledger`](countersign_registry::Ledger) in Lua scripts, one per operation:
//!
//! ```text
//! operation ──▶ arguments ──▶ EVALSHA ─▶ [clock, fence │ what time has brought │ the rule] ──▶ answer ──▶ outcome
//! ```

mod answer;
mod bytes;
mod caller;
mod entry;
mod error;
mod header;
mod link;
mod news;
mod ops;
mod reading;
mod record;
mod recover;
mod registry;
mod script;
mod settings;

pub use error::OpenError;
pub use registry::{Options, Unfit, ValkeyRegistry};
