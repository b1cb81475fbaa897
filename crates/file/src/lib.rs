//! The durable session registry in one file: what it has acknowledged survives `kill -9` and a power cut.
//!
//! [`FileRegistry`] is the [`Ledger`](countersign_registry::Ledger), which holds all rules, and a log of the facts
//! that it tells, in a [redb](https://www.redb.org) file. One thread owns both:
//!
//! ```text
//! callers ──▶ writer: take all that wait ─▶ ledger ─▶ facts ─▶ one transaction ─▶ fsync ─▶ answer all
//! ```
//!
//! - `registry`: the front, which hands operations to the writer;
//! - `writer`: the thread, its batches, what happens when a commit fails;
//! - `log`: the file's tables, and the transaction that writes facts;
//! - `record`: the bytes of one fact, with their version;
//! - `place`: the file itself, how it is made and who may read it;
//! - `recover`: from a file to the ledger that it remembers;
//! - `error`: everything that can be wrong with a file.

mod error;
mod log;
mod place;
mod record;
mod recover;
mod registry;
#[cfg(test)]
mod tests;
mod writer;

pub use error::OpenError;
pub use registry::{FileRegistry, Options};
