//! Fail-over with real servers: what was acknowledged stays so, although servers lose the end of what they wrote.
//!
//! [`service`] are nodes with views of their own, [`client`] those who log in, refresh, update and leave through them,
//! [`place`] the servers and how they fail, [`story`] a run with fail-overs in it, and what is counted at its end.
//! [`promotions`] are such runs; [`control`] shows that the fixtures lose what they say they lose; [`losses`] and
//! [`kills`] are what else breaks, [`news`] what reaches everyone all the same.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod client;
mod control;
mod front;
mod kills;
mod losses;
mod news;
mod place;
mod promotions;
mod service;
mod story;
#[path = "../support/mod.rs"]
mod support;

/// So many, or as many as the long mode asks for.
fn times(usually: usize, long: usize) -> usize {
    if std::env::var_os("COUNTERSIGN_LONG").is_some() { long } else { usually }
}
