//! What must be refused: forged, changed, badly spelled and misused tokens.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod attacks;
mod differential;
mod forge;
mod mutations;
mod sealed;
mod signatures;
mod vectors;
