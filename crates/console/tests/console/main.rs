//! The console as administrators and everyone else meet it, without sockets.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test")]

mod acts;
mod audit;
mod gate;
mod looks;
mod office;
mod people;
mod streams;
