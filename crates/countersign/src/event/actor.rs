//! Who did it, and how far it reaches.

use std::sync::Arc;

use countersign_registry::{Owner, Target};
use countersign_token::SessionId;

/// Who ended sessions.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Actor {
    /// Their user, from this session: the one that ends, another one, or the one that takes its place.
    User(SessionId),
    /// An administrator ([`Sessions::as_administrator`](crate::Sessions::as_administrator)).
    Administrator(Owner),
    /// The host's own code, which says no more.
    Host,
    /// A rule: of a limit, of copied refresh tokens, of the key file.
    Rule,
}

impl Actor {
    /// The actor as events spell it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Administrator(_) => "administrator",
            Self::Host => "host",
            Self::Rule => "rule",
        }
    }
}

/// Whose sessions ended together.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EndScope {
    /// All of a user.
    User(Owner),
    /// All of a user but this one.
    Others(Owner, SessionId),
    /// All of a tenant.
    Tenant(Arc<str>),
    /// All.
    Site,
    /// Those whose tokens this key signed, by its `kid`: it was removed.
    Key(Arc<str>),
}

impl EndScope {
    /// The scope as events spell it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::User(_) => "user",
            Self::Others(..) => "others",
            Self::Tenant(_) => "tenant",
            Self::Site => "site",
            Self::Key(_) => "key",
        }
    }

    /// The scope of an end that one entry of the feed tells; [`None`] for sessions by id, which each have one.
    pub(crate) fn of(target: &Target) -> Option<Self> {
        Some(match target {
            Target::Sessions(_) | Target::Own(..) => return None,
            Target::Owner(owner, None) => Self::User(owner.clone()),
            Target::Owner(owner, Some(but)) => Self::Others(owner.clone(), *but),
            Target::Tenant(tenant) => Self::Tenant(tenant.clone()),
            Target::Everyone => Self::Site,
            Target::Key(kid) => Self::Key(kid.clone()),
        })
    }
}
