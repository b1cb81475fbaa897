//! How long things last: the figures a host chooses, with presets.

use std::time::Duration;

/// Lifetimes and windows. [`Policy::default`] is like the systems people come from: 14 days, 24 hours idle.
///
/// | figure | default | [`aal1`](Policy::aal1) | [`aal2`](Policy::aal2) | [`aal3`](Policy::aal3) |
/// |---|---|---|---|---|
/// | lifetime | 14 days | 30 days | 24 hours | 12 hours |
/// | idle timeout | 24 hours | 24 hours | 1 hour | 15 minutes |
/// | dangling after | 30 minutes | 30 minutes | 30 minutes | 15 minutes |
/// | fresh for | 5 minutes | 5 minutes | 5 minutes | 5 minutes |
///
/// The presets are the timeouts of NIST SP 800-63B-4, section 2, for its authenticator assurance levels; how a
/// user proves who they are is the host's part of a level.
///
/// ```
/// use std::time::Duration;
/// use countersign::Policy;
///
/// let policy = Policy::default().idle(Duration::from_secs(2 * 3600));
/// assert_eq!(policy.lifetime, Duration::from_secs(14 * 24 * 3600));
/// assert_eq!(Policy::aal3().idle, Duration::from_secs(15 * 60));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Policy {
    /// How long an access token lives at most. (Up to 5 % less, at random, so that clients do not refresh
    /// together.)
    pub access_ttl: Duration,
    /// A session that nobody used for this long has ended.
    pub idle: Duration,
    /// A session's absolute end, from its login; nothing moves it.
    pub lifetime: Duration,
    /// A session that nobody used for this long holds no seat.
    pub dangling_after: Duration,
    /// A refresh token younger than this is not used up by its use.
    pub race_window: Duration,
    /// How old a node's view of revocations may be before a route's rule for that applies.
    pub max_staleness: Duration,
    /// How far the clocks of nodes may be apart; [`None`]: 0 on a registry of one node, 60 s on a shared one.
    pub clock_skew: Option<Duration>,
    /// How long after a login a session counts as fresh.
    pub fresh_for: Duration,
    /// How long an anonymous visit's state lives after its last update.
    pub visit_ttl: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            access_ttl: minutes(5),
            idle: hours(24),
            lifetime: hours(14 * 24),
            dangling_after: minutes(30),
            race_window: minutes(1),
            max_staleness: Duration::from_secs(5),
            clock_skew: None,
            fresh_for: minutes(5),
            visit_ttl: hours(30 * 24),
        }
    }
}

impl Policy {
    /// Timeouts of authenticator assurance level 1: at most 30 days.
    pub fn aal1() -> Self {
        Self { lifetime: hours(30 * 24), ..Self::default() }
    }

    /// Timeouts of authenticator assurance level 2: at most 24 hours, 1 hour idle.
    pub fn aal2() -> Self {
        Self { lifetime: hours(24), idle: hours(1), ..Self::default() }
    }

    /// Timeouts of authenticator assurance level 3: at most 12 hours, 15 minutes idle.
    pub fn aal3() -> Self {
        Self { lifetime: hours(12), idle: minutes(15), dangling_after: minutes(15), ..Self::default() }
    }

    /// Sets [`Policy::access_ttl`].
    pub fn access_ttl(self, access_ttl: Duration) -> Self {
        Self { access_ttl, ..self }
    }

    /// Sets [`Policy::idle`].
    pub fn idle(self, idle: Duration) -> Self {
        Self { idle, ..self }
    }

    /// Sets [`Policy::lifetime`].
    pub fn lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Sets [`Policy::dangling_after`].
    pub fn dangling_after(self, dangling_after: Duration) -> Self {
        Self { dangling_after, ..self }
    }

    /// Sets [`Policy::race_window`].
    pub fn race_window(self, race_window: Duration) -> Self {
        Self { race_window, ..self }
    }

    /// Sets [`Policy::max_staleness`]. Zero makes each request ask the registry.
    pub fn max_staleness(self, max_staleness: Duration) -> Self {
        Self { max_staleness, ..self }
    }

    /// Sets [`Policy::clock_skew`].
    pub fn clock_skew(self, clock_skew: Duration) -> Self {
        Self { clock_skew: Some(clock_skew), ..self }
    }

    /// Sets [`Policy::fresh_for`].
    pub fn fresh_for(self, fresh_for: Duration) -> Self {
        Self { fresh_for, ..self }
    }

    /// Sets [`Policy::visit_ttl`].
    pub fn visit_ttl(self, visit_ttl: Duration) -> Self {
        Self { visit_ttl, ..self }
    }
}

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

const fn hours(n: u64) -> Duration {
    Duration::from_secs(n * 3600)
}
