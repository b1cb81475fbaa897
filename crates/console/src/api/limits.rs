//! The limits: what they are, what others would do, and changing them.

use std::sync::Arc;

use countersign::{Filter, Limit, Limits, OnFull, Refusal, Sessions, Tally};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::act::{self, Deed, Why};
use super::ends::with_audit;
use crate::answer::{self, Answer};
use crate::audit::Act;
use crate::console::Call;

/// Limits as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LimitsObject {
    // `null` says that there is no limit; to leave a member out says nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    user: Option<LimitObject>,
    #[serde(deserialize_with = "Option::deserialize")]
    tenant: Option<LimitObject>,
    #[serde(deserialize_with = "Option::deserialize")]
    site: Option<LimitObject>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct LimitObject {
    seats: u32,
    on_full: Rule,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Rule {
    Refuse,
    EndLeastRecent,
    EndOldest,
    Ask,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preview {
    limits: LimitsObject,
}

/// How full the limits are.
pub(super) async fn seats(call: &Call<'_>) -> Result<Answer, Refusal> {
    let sessions = &call.shared().sessions;
    Ok(answer::json(&effect(sessions, sessions.limits().into()).await?))
}

/// What these limits would mean now. Lowering one ends nobody; what becomes of newcomers, its rule says.
pub(super) async fn preview<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Answer, Refusal> {
    let Preview { limits } = call.body(body).await?;
    Ok(answer::json(&effect(&call.shared().sessions, limits).await?))
}

async fn effect(sessions: &Sessions, limits: LimitsObject) -> Result<Value, Refusal> {
    let Tally { seats, people, tenants, fullest, .. } = sessions.tally(Filter::default()).await?;
    let site = limits.site.map(|limit| {
        json!({ "seats": limit.seats, "in_use": seats, "over": seats.saturating_sub(limit.seats.into()) })
    });
    let user = limits.user.map(|limit| {
        let full = people.with(limit.seats.into());
        json!({ "seats": limit.seats, "people": people.count(), "people_full": full, "most": people.most() })
    });
    let tenant = limits.tenant.map(|limit| {
        let full = tenants.with(limit.seats.into());
        let named = |(tenant, seats): &(Arc<str>, u64)| json!({ "tenant": &**tenant, "seats": seats });
        let fullest: Vec<_> = fullest.iter().map(named).collect();
        json!({ "seats": limit.seats, "tenants": tenants.count(), "tenants_full": full, "fullest": fullest })
    });
    Ok(json!({ "site": site, "user": user, "tenant": tenant }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    limits: LimitsObject,
    why: Why,
}

pub(super) async fn set<B: http_body::Body>(call: Call<'_>, body: B) -> Result<Answer, Refusal> {
    let Change { limits, why } = call.body(body).await?;
    let why = why.checked()?;
    let sessions = call.shared().sessions.clone();
    let before = LimitsObject::from(sessions.limits());
    let deed = Deed { act: Act::SetLimits, whom: json!({ "limits": limits, "before": before }), why };
    let (effect, audit) = act::recorded(call, deed, async move {
        sessions.set_limits(limits.into()).await?;
        Ok(json!({ "limits": limits }))
    })
    .await?;
    Ok(answer::json(&with_audit(effect, audit)))
}

impl From<Limits> for LimitsObject {
    fn from(limits: Limits) -> Self {
        let object = |limit: Option<Limit>| limit.map(LimitObject::from);
        Self { user: object(limits.user), tenant: object(limits.tenant), site: object(limits.site) }
    }
}

impl From<LimitsObject> for Limits {
    fn from(limits: LimitsObject) -> Self {
        let limit = |limit: Option<LimitObject>| limit.map(Limit::from);
        Self { user: limit(limits.user), tenant: limit(limits.tenant), site: limit(limits.site) }
    }
}

impl From<Limit> for LimitObject {
    fn from(limit: Limit) -> Self {
        let on_full = match limit.on_full {
            OnFull::Refuse => Rule::Refuse,
            OnFull::EndLeastRecent => Rule::EndLeastRecent,
            OnFull::EndOldest => Rule::EndOldest,
            OnFull::Ask => Rule::Ask,
        };
        Self { seats: limit.seats, on_full }
    }
}

impl From<LimitObject> for Limit {
    fn from(limit: LimitObject) -> Self {
        let on_full = match limit.on_full {
            Rule::Refuse => OnFull::Refuse,
            Rule::EndLeastRecent => OnFull::EndLeastRecent,
            Rule::EndOldest => OnFull::EndOldest,
            Rule::Ask => OnFull::Ask,
        };
        Self { seats: limit.seats, on_full }
    }
}
