//! What is counted and timed, under names that stay: for whatever recorder the host installs (feature `metrics`).
//!
//! [`Builder::build`](crate::Builder::build) describes them all, so install the recorder of the
//! [`metrics`](https://docs.rs/metrics) facade before. No label holds a subject, a session or an address; each is from a
//! list in this module, in the documents of [`Refusal`](crate::Refusal), or of
//! [`EndReason`](crate::EndReason). docs/OBSERVABILITY.md has the table.

mod meters;
mod names;
mod sampled;

pub use names::*;

pub(crate) use ::metrics::Counter;
pub(crate) use meters::{begin, call, counts, event, events_dropped, login, propagated, refresh, view_age};
pub(crate) use sampled::{Path, Timing, VerifyTimes};
