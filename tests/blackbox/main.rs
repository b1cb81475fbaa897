//! The HTTP contract, held against the example server over real sockets: a module for each area of it.

#![allow(clippy::unwrap_used, reason = "a test's helpers fail the test")]
#![allow(clippy::similar_names, reason = "stale and stage, ours and theirs")]

mod ask;
mod bodies;
mod canary;
mod carry_over;
mod chosen_tokens;
mod client_files;
mod cluster;
mod command;
mod credentials;
mod cross_site;
mod dangling;
mod dpop;
mod durability;
mod ending;
mod events;
mod exclusive;
mod flags;
mod full_disk;
mod handoff;
mod hostile_tokens;
mod key_files;
mod keys;
mod limits;
mod login;
mod logout;
mod metrics;
mod operations;
mod order;
mod passive;
mod prometheus;
mod race;
mod reasons;
mod refresh;
mod registry_files;
mod reuse;
mod session;
mod state;
mod step_up;
mod stream;
