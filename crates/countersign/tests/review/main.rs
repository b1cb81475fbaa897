//! What an attacker, a pedant and bad luck would try: the framework's own logic at its edges.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test wants to know")]

mod builder;
mod honest;
mod hostile;
mod luck;
mod nodes;
mod shop;
mod transports;
