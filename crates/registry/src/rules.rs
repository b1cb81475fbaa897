//! The figures that a ledger's rules work with: windows, lifetimes, limits.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The figures of a ledger's rules. The framework's builder sets them; every node of a site uses the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// A refresh token younger than this is not used up by its use.
    pub race_window: Duration,
    /// A session that was not active for this long holds no seat.
    pub dangling_after: Duration,
    /// A session that was not active for this long has ended.
    pub idle_timeout: Duration,
    /// The longest life of an access token in use.
    pub access_lifetime: Duration,
    /// How far the clocks of nodes may be apart.
    pub clock_skew: Duration,
    /// How many seats there are.
    pub limits: Limits,
}

impl Rules {
    /// How long an entry of the feed could matter: the largest access lifetime in use and two clock skews.
    pub fn entry_life(&self) -> Duration {
        self.access_lifetime + 2 * self.clock_skew
    }
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            race_window: Duration::from_mins(1),
            dangling_after: Duration::from_mins(30),
            idle_timeout: Duration::from_hours(24),
            access_lifetime: Duration::from_mins(5),
            clock_skew: Duration::ZERO,
            limits: Limits::none(),
        }
    }
}

/// How many seats a user, a tenant and the site have. No limit is the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Seats of each user.
    pub user: Option<Limit>,
    /// Seats of each tenant.
    pub tenant: Option<Limit>,
    /// Seats of the site.
    pub site: Option<Limit>,
}

impl Limits {
    /// No limits.
    pub const fn none() -> Self {
        Self { user: None, tenant: None, site: None }
    }

    /// Limits the seats of each user.
    pub const fn per_user(self, seats: u32, on_full: OnFull) -> Self {
        Self { user: Some(Limit { seats, on_full }), ..self }
    }

    /// Limits the seats of each tenant.
    pub const fn per_tenant(self, seats: u32, on_full: OnFull) -> Self {
        Self { tenant: Some(Limit { seats, on_full }), ..self }
    }

    /// Limits the seats of the site.
    pub const fn per_site(self, seats: u32, on_full: OnFull) -> Self {
        Self { site: Some(Limit { seats, on_full }), ..self }
    }
}

/// A limit: so many seats, and what happens when they are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// The seats. 0 closes the door to newcomers, and ends nobody.
    pub seats: u32,
    /// What happens to a newcomer when all are taken.
    pub on_full: OnFull,
}

/// What happens to a newcomer who finds no seat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum OnFull {
    /// They are refused.
    #[default]
    Refuse,
    /// As many as the newcomer needs of those that were not active for longest end.
    EndLeastRecent,
    /// As many as the newcomer needs of those that started first end.
    EndOldest,
    /// They are refused, and may end one of their own sessions to go on.
    Ask,
}

/// What a limit counts, the narrowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Scope {
    /// The sessions of a user.
    User,
    /// The sessions of a tenant.
    Tenant,
    /// All sessions.
    Site,
}

impl Scope {
    /// The scope as problem documents spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Tenant => "tenant",
            Self::Site => "site",
        }
    }
}
