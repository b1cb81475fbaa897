//! The names of all metrics, their labels' values, and the buckets that suit the histograms.

/// Gauge: live sessions, dangling ones included, as the registry counts them. Every node of a site says the same.
pub const SESSIONS_ACTIVE: &str = "countersign_sessions_active";
/// Gauge: seats in use, as the registry counts them. Every node of a site says the same.
pub const SEATS_IN_USE: &str = "countersign_seats_in_use";
/// Counter by `outcome`: logins, admissions by choice and redeemed handoffs: [`LOGIN_OUTCOMES`], or a refusal's code.
pub const LOGINS: &str = "countersign_logins_total";
/// Counter by `outcome`: refreshes: [`REFRESH_OUTCOMES`], or a refusal's code.
pub const REFRESHES: &str = "countersign_refresh_total";
/// Counter by `reason`: sessions that somebody or a rule ended, told by the node that did. What time ends is not among them.
pub const SESSIONS_ENDED: &str = "countersign_sessions_ended_total";
/// Counter by `code`: requests refused.
pub const REFUSALS: &str = "countersign_refusals_total";
/// Counter by `finding`: what was unusual: [`Finding::NAMES`](crate::Finding::NAMES).
pub const UNUSUAL: &str = "countersign_unusual_total";
/// Histogram, seconds: from the registry's instant of an end until this node's follower has it in the view.
pub const REVOCATION_PROPAGATION: &str = "countersign_revocation_propagation_seconds";
/// Gauge, seconds: the age of this node's view of revocations; before the first, since the start.
pub const VIEW_AGE: &str = "countersign_view_age_seconds";
/// Histogram by `path`, seconds: judging an access token. One request in [`VERIFY_SAMPLE`] is timed.
pub const VERIFY: &str = "countersign_verify_seconds";
/// Histogram by `operation` and `outcome`, seconds: calls of the registry.
pub const REGISTRY_CALL: &str = "countersign_registry_call_seconds";
/// Counter: lines that [`JsonLines`](crate::JsonLines) dropped.
pub const EVENTS_DROPPED: &str = "countersign_events_dropped_total";
/// Counter: marks of activity that a node had no room for.
pub const MARKS_DROPPED: &str = "countersign_marks_dropped_total";

/// All of them.
pub const ALL: [&str; 13] = [
    SESSIONS_ACTIVE,
    SEATS_IN_USE,
    LOGINS,
    REFRESHES,
    SESSIONS_ENDED,
    REFUSALS,
    UNUSUAL,
    REVOCATION_PROPAGATION,
    VIEW_AGE,
    VERIFY,
    REGISTRY_CALL,
    EVENTS_DROPPED,
    MARKS_DROPPED,
];

/// The outcomes of a login that is not refused.
pub const LOGIN_OUTCOMES: [&str; 2] = ["admitted", "repeated"];
/// The outcomes of a refresh that is not refused: with a new refresh token, or an early one that keeps it.
pub const REFRESH_OUTCOMES: [&str; 2] = ["renewed", "kept"];
/// How an access token is judged: known by its bytes, by its signature, or refused.
pub const VERIFY_PATHS: [&str; 3] = ["warm", "cold", "refused"];
/// One request in so many is timed for [`VERIFY`], chosen at random.
pub const VERIFY_SAMPLE: u32 = 64;
/// The outcomes of a registry call.
pub const CALL_OUTCOMES: [&str; 3] = ["answered", "failed", "timed-out"];

/// Buckets for [`VERIFY`], in seconds: from a look into the cache to a signature on a busy machine.
pub const VERIFY_BUCKETS: [f64; 12] =
    [1e-7, 2.5e-7, 5e-7, 1e-6, 2.5e-6, 5e-6, 1e-5, 2.5e-5, 5e-5, 1e-4, 1e-3, 1e-2];
/// Buckets for [`REGISTRY_CALL`], in seconds: from memory to the deadline.
pub const CALL_BUCKETS: [f64; 12] = [1e-5, 1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];
/// Buckets for [`REVOCATION_PROPAGATION`], in seconds: the default bound is 5.
pub const PROPAGATION_BUCKETS: [f64; 10] = [1e-3, 5e-3, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 15.0];
