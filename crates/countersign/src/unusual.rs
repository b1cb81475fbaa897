//! Unusual activity: what is noticed, and what the host says to it.

mod finding;

pub use finding::Finding;
