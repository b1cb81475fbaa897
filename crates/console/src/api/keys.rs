//! The key ring.

use countersign::{KeyId, Refusal, Sessions};
use serde::Deserialize;
use serde_json::{Value, json};

use super::act::{self, Deed, Why};
use super::ends::with_audit;
use crate::answer::{self, Answer};
use crate::audit::Act;
use crate::console::Call;

/// The ring: names, states and ages, and no key.
pub(super) fn keys(sessions: &Sessions) -> Answer {
    answer::json(&ring(sessions))
}

fn ring(sessions: &Sessions) -> Value {
    let ring = sessions.keys();
    let key = |key: countersign::KeyInfo| json!({ "kid": key.id.as_str(), "state": key.state.as_str(), "since": key.since.as_secs() });
    let removed =
        |(kid, at): (&KeyId, countersign::Timestamp)| json!({ "kid": kid.as_str(), "at": at.as_secs() });
    json!({
        "algorithm": ring.algorithm().to_string(),
        "keys": ring.keys().map(key).collect::<Vec<_>>(),
        "removed": ring.removed().map(removed).collect::<Vec<_>>(),
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rotate {
    why: Why,
}

pub(super) async fn rotate<B: http_body::Body>(call: Call<'_>, body: B) -> Result<Answer, Refusal> {
    let Rotate { why } = call.body(body).await?;
    let deed = Deed { act: Act::RotateKey, whom: Value::Null, why: why.checked()? };
    let sessions = call.shared().sessions.clone();
    act_on(call, deed, async move {
        sessions.rotate_keys().await?;
        Ok(ring(&sessions))
    })
    .await
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Remove {
    kid: String,
    why: Why,
}

pub(super) async fn remove<B: http_body::Body>(call: Call<'_>, body: B) -> Result<Answer, Refusal> {
    let Remove { kid, why } = call.body(body).await?;
    let why = why.checked()?;
    let sessions = call.shared().sessions.clone();
    let known = sessions.keys().keys().any(|key| key.id.as_str() == kid);
    if !known {
        return Err(Refusal::NotFound);
    }
    let deed = Deed { act: Act::RemoveKey, whom: json!({ "kid": kid }), why };
    let administrator = sessions.as_administrator(call.session.owner());
    act_on(call, deed, async move {
        administrator.remove_key(&KeyId::from(&*kid)).await?;
        Ok(ring(&sessions))
    })
    .await
}

async fn act_on(
    call: Call<'_>,
    deed: Deed,
    act: impl Future<Output = Result<Value, Refusal>> + Send + 'static,
) -> Result<Answer, Refusal> {
    let (ring, audit) = act::recorded(call, deed, act).await?;
    Ok(answer::json(&with_audit(ring, audit)))
}
