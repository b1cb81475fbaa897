//! The ledger's rules against models: limits, restoration, rotation.
//!
//! `COUNTERSIGN_CASES` sets how many cases each property is tried on.

mod limits;
mod model;
mod random;
mod recovery;
mod rotation;
