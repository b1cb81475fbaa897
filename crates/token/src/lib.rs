//! Signed and sealed session tokens. Under construction.

mod id;

pub use id::{FeedPosition, ParseIdError, RotationId, SessionId, StateVersion, Timestamp};
