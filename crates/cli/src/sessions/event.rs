//! What happens on a site, as `watch` tells it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::http;
use crate::output::printable;
use crate::time::Instant;

/// One event. Members that do not apply are absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Event {
    #[serde(default)]
    pub(crate) kind: String,
    /// Its number on that server (a registry's: of the feed).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) seq: Option<u64>,
    /// Unix seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) at: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) session: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) tenant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<String>,
    /// Whatever else it says.
    #[serde(flatten)]
    pub(crate) more: serde_json::Map<String, Value>,
}

impl Event {
    /// From a server's stream. What is no event of ours is passed over.
    pub(crate) fn read(event: &http::Event) -> Option<Self> {
        let read: Self = serde_json::from_str(&event.data).ok()?;
        let kind = if event.kind.is_empty() { read.kind.clone() } else { event.kind.clone() };
        (!kind.is_empty()).then_some(Self { kind, ..read })
    }

    /// One line for people.
    pub(crate) fn line(&self) -> String {
        let at = self.at.and_then(Instant::from_secs).map(|at| at.to_string()).unwrap_or_default();
        let mut line = format!("{at:20}  {:13}", printable(&self.kind));
        let person = match (&self.subject, &self.tenant) {
            (Some(subject), Some(tenant)) => Some(format!("{subject} ({tenant})")),
            (Some(name), None) => Some(name.clone()),
            (None, Some(tenant)) => Some(format!("all of tenant {tenant}")),
            (None, None) => None,
        };
        for text in [person.as_ref(), self.session.as_ref(), self.reason.as_ref()].into_iter().flatten() {
            line = format!("{line}  {}", printable(text));
        }
        for (name, value) in self.more.iter().filter(|(_, value)| !value.is_null()) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            line = format!("{line}  {}={}", printable(name), printable(&value));
        }
        line
    }
}
