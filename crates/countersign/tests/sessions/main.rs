//! The framework's own logic, driven through browsers with the clock moved by hand: the flows as users know them, and
//! what an attacker, a pedant and bad luck would try.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test wants to know")]

mod builder;
mod dpop;
mod events;
mod flows;
mod handoff;
mod honest;
mod hostile;
mod luck;
mod names;
mod nodes;
mod privacy;
mod prover;
mod replays;
mod shop;
mod site;
mod stale;
mod told;
mod transports;
mod unusual;
