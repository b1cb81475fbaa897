//! Drives the example servers from outside: starts and kills them, speaks to them over sockets, and keeps what they
//! hand out the way real clients do.
//!
//! [`Server`] is a spawned server; a [`Client`] is a person's browser or program that holds its cookies and tokens
//! and sends [`Call`]s over a [`Wire`]; an [`Answer`] is what came back. [`for_each_setup`] runs a scenario on every
//! combination of protocol and transport.

#![allow(clippy::missing_panics_doc, reason = "a panic here is a failed test, which is what these are for")]

mod answer;
mod call;
mod client;
mod cluster;
mod cookie;
mod forge;
mod log;
mod patience;
mod program;
mod prometheus;
mod prover;
mod raw;
mod seats;
mod server;
mod setup;
mod wire;

pub use answer::Answer;
pub use call::Call;
pub use client::{Client, Tokens};
pub use cluster::{Cluster, Member};
pub use cookie::{Jar, SetCookie};
pub use forge::{Jws, Ring, claims, header, hmac, rewrite, unsigned};
pub use log::assert_no_secret;
pub use patience::{eventually, until};
pub use program::{cli, cluster, spa};
pub use prometheus::Prometheus;
pub use prover::{Claimed, Prover};
pub use raw::Raw;
pub use seats::{Seats, Span};
pub use server::{Launch, Refused, Server};
pub use setup::{Stage, for_each_setup};
pub use wire::{Lost, Transport, Wire};

/// The examples of the page about observability.
#[cfg(doctest)]
#[doc = include_str!("../../docs/OBSERVABILITY.md")]
struct Observability;
