//! `GET /session/events`: what happens to a session, as server-sent events, until it ends.
//!
//! Each stream costs its host a connection and this node an entry in memory: how many there may be is the host's to
//! bound, as with any connection. The client keeps one for each browser.

mod schedule;

use std::sync::Arc;

use bytes::Bytes;
use countersign_registry::{Activity, EndReason, Standing};
use futures_util::stream;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Response};
use serde_json::{Value, json};

use self::schedule::{Figures, Schedule, Step};
use super::Call;
use crate::authenticate::Active;
use crate::body::OwnBody;
use crate::flow;
use crate::layer::Answer;
use crate::node::{Told, Watch};
use crate::refusal::Refusal;
use crate::require::Require;
use crate::sessions::Inner;

/// Asks proxies of the nginx family not to wait for more before they pass on what there is.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

pub(super) async fn serve(call: &Call<'_>) -> Result<Answer, Refusal> {
    // An open page is nobody's presence.
    let active = call.active_as(&Require::session().pollable(), Activity::Passive).await?;
    let events = stream::unfold(Events::open(call.inner, active), Events::next);
    let mut answer = Response::new(OwnBody::stream(events));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(answer)
}

/// An open stream.
struct Events {
    inner: Arc<Inner>,
    active: Active,
    watch: Watch,
    schedule: Schedule,
    progress: Progress,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// Its last word was said.
    Over,
}

impl Events {
    fn open(inner: &Arc<Inner>, active: Active) -> Self {
        let policy = &inner.config.policy;
        let claims = active.claims();
        let figures = Figures {
            expires_at: claims.identity.session_expires_at,
            idle: policy.idle,
            ask_every: policy.access_ttl,
        };
        // A passive refresh issues tokens too: only of its beginning the token tells that the session was used then.
        let schedule = Schedule::new(figures, claims.identity.started_at, inner.now());
        let watch = Watch::open(inner, active.clone());
        Self { inner: inner.clone(), active, watch, schedule, progress: Progress::Open }
    }

    /// The next event, and the stream after it.
    async fn next(mut self) -> Option<(Bytes, Self)> {
        while self.progress == Progress::Open {
            self.schedule.saw_use(self.watch.used());
            let now = self.inner.now();
            match self.schedule.step(now) {
                Step::Keepalive => return Some((event("keepalive", &json!({})), self)),
                Step::Expiring(kind, at) => {
                    let data = json!({ "kind": kind.as_str(), "at": at.as_secs() });
                    return Some((event("expiring", &data), self));
                }
                Step::Expired => return Some(self.ended(Some(EndReason::Expired))),
                Step::Ask => {
                    if let Some(reason) = self.ask().await {
                        return Some(self.ended(reason));
                    }
                }
                Step::Wait(until) => {
                    let Ok(told) = tokio::time::timeout(until.since(now), self.watch.told()).await else {
                        continue;
                    };
                    return self.tell(told);
                }
            }
        }
        None
    }

    fn tell(self, told: Told) -> Option<(Bytes, Self)> {
        match told {
            Told::Ended(reason) => Some(self.ended(reason)),
            Told::HandedOver(device) => {
                Some((event("handed-over", &member("device", device.as_deref())), self))
            }
            Told::Lapsed | Told::Closing => None,
        }
    }

    fn ended(self, reason: Option<EndReason>) -> (Bytes, Self) {
        let data = member("reason", reason.map(EndReason::as_str));
        (event("ended", &data), Self { progress: Progress::Over, ..self })
    }

    /// Asks the registry when the session was last used. [`Some`]: it has ended.
    async fn ask(&mut self) -> Option<Option<EndReason>> {
        let session = self.active.session();
        let asked = flow::ask(&self.inner, "get", self.inner.registry.get(vec![session])).await;
        match asked.ok()?.pop()? {
            Standing::Live(record, _) => {
                self.schedule.heard(record.last_activity, self.inner.now());
                None
            }
            Standing::Ended(reason) => Some(reason),
        }
    }
}

fn event(name: &str, data: &Value) -> Bytes {
    format!("event: {name}\ndata: {data}\n\n").into()
}

/// An object of one member, where it is known.
fn member(name: &str, value: Option<impl Into<String>>) -> Value {
    value.map_or_else(|| json!({}), |value| json!({ name: value.into() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_what_the_client_reads() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../tests/vectors/events.json")).unwrap();
        let written = vectors["written"].as_array().unwrap();
        assert!(!written.is_empty());
        for case in written {
            let bytes = event(case["event"].as_str().unwrap(), &case["data"]);
            assert_eq!(std::str::from_utf8(&bytes), Ok(case["wire"].as_str().unwrap()));
        }
    }
}
