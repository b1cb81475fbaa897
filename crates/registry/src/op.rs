//! What a registry is asked, and what it answers.
//!
//! Outcomes are closed enums: a caller handles each of them, and none is an error. (A registry out of reach is a
//! [`RegistryError`](crate::RegistryError).)

mod admit;
mod end;
mod record;
mod rotate;
mod version;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use self::admit::{Admission, Admit, Admitted, Code, Full, Lifetime, Seated};
pub use self::end::{Claim, Claimed, End, Ended, Once, OnceId, Target};
pub use self::record::{CountOf, Counts, Holding, SeatState, SessionRecord, Standing, UpdateMemo};
pub use self::rotate::{Activity, Renewal, Rotate, Rotated, Touch};
pub use self::version::{Advance, AdvanceMemo, Advanced, Base};
use crate::rules::Limits;

/// Whom a session belongs to: a subject, within a tenant where the host has tenants.
///
/// Two subjects of one name in different tenants are two people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Owner {
    /// The customer or site that the subject belongs to.
    pub tenant: Option<Arc<str>>,
    /// The person or service, by the host's id.
    pub subject: Arc<str>,
}

impl Owner {
    /// A subject of a host without tenants.
    pub fn new(subject: impl Into<Arc<str>>) -> Self {
        Self { tenant: None, subject: subject.into() }
    }

    /// The same subject within a tenant.
    pub fn of_tenant(self, tenant: impl Into<Arc<str>>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }
}

/// The id of one operation, 128 random bits: a repetition of it has no second effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct OpId(pub [u8; 16]);

/// A digest (the first 128 bits of SHA-256) of something that the registry compares but need not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Digest(pub [u8; 16]);

/// Whether an operation had its effect now or before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// Now.
    First,
    /// Before; this was a repetition without a second effect.
    Again,
}

/// The limits of a registry change while it runs. Lowering one ends nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetLimits {
    /// The new limits.
    pub limits: Limits,
}
