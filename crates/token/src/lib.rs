//! Signed and sealed session tokens. Under construction.

pub mod id;
