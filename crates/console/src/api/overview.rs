//! Where the site stands, at a glance.

use countersign::{CountOf, Readiness, Refusal};
use serde_json::json;

use super::limits::LimitsObject;
use crate::answer::{self, Answer};
use crate::console::Call;
use crate::query::Query;
use crate::statistics::Span;

pub(super) async fn overview(call: &Call<'_>) -> Result<Answer, Refusal> {
    Query::read(call.query(), &[])?;
    let shared = call.shared();
    let (sessions, monitor) = (&shared.sessions, &shared.monitor);
    let counts = sessions.counts(CountOf::Site).await?;
    let policy = sessions.policy();
    let (limit, forged) = monitor.read(|statistics, now| {
        let total = |of: fn(&crate::statistics::Point) -> u32| statistics.total(Span::Day, now, of);
        (total(|point| point.refusals), total(|point| point.forged))
    });
    Ok(answer::json(&json!({
        "at": sessions.now().as_secs(),
        "site": sessions.issuer(),
        "you": { "subject": call.session.subject(), "session": call.session.id() },
        "counts": { "sessions": counts.sessions, "seats": counts.seats },
        "limits": LimitsObject::from(sessions.limits()),
        "policy": {
            "access_ttl": policy.access_ttl.as_secs(),
            "idle_timeout": policy.idle.as_secs(),
            "lifetime": policy.lifetime.as_secs(),
            "dangling_after": policy.dangling_after.as_secs(),
            "fresh_for": policy.fresh_for.as_secs(),
        },
        "node": {
            "readiness": readiness(sessions.readiness()),
            "since": monitor.since().as_secs(),
            "live_dropped": monitor.dropped(),
        },
        "refusals": { "limit": limit, "forged": forged },
    })))
}

fn readiness(readiness: Readiness) -> &'static str {
    match readiness {
        Readiness::Ready => "ready",
        Readiness::Starting => "starting",
        Readiness::Stale => "stale",
    }
}
