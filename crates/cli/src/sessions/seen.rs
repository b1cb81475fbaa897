//! What is shown of a session, the same from a server and from a registry: the session object of the HTTP contract.

use countersign_registry::{Holding, SessionRecord};
use serde::{Deserialize, Serialize};

/// A live session. Instants are Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) tenant: Option<String>,
    pub(crate) device: Option<String>,
    pub(crate) started_at: i64,
    pub(crate) auth_time: i64,
    pub(crate) amr: Vec<String>,
    pub(crate) last_activity: i64,
    /// When it ends if nobody uses it any more: only a server knows.
    pub(crate) idle_expires_at: Option<i64>,
    pub(crate) expires_at: i64,
    pub(crate) dangling: bool,
    /// Whether it is the one that asks.
    pub(crate) current: bool,
}

impl Session {
    /// As a registry knows it.
    pub(crate) fn of(record: &SessionRecord, holding: Holding) -> Self {
        Self {
            id: record.id.to_string(),
            subject: record.owner.subject.to_string(),
            tenant: record.owner.tenant.as_deref().map(str::to_owned),
            device: record.device.as_deref().map(str::to_owned),
            started_at: secs(record.started_at),
            auth_time: secs(record.auth_time),
            amr: record.methods.split_whitespace().map(str::to_owned).collect(),
            last_activity: secs(record.last_activity),
            idle_expires_at: None,
            expires_at: secs(record.expires_at),
            dangling: holding == Holding::Nothing,
            current: false,
        }
    }
}

/// Whole Unix seconds.
pub(crate) fn secs(at: countersign_token::Timestamp) -> i64 {
    i64::try_from(at.as_millis() / 1000).unwrap_or(i64::MAX)
}

/// A page of sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Page {
    pub(crate) sessions: Vec<Session>,
    /// Where to go on, if there are more.
    pub(crate) next: Option<String>,
    /// How many pass altogether, where that is known.
    #[serde(default)]
    pub(crate) total: Option<u64>,
    /// The site's instant.
    pub(crate) at: i64,
}

/// What is known of one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Shown {
    /// [`None`]: it is not live.
    pub(crate) session: Option<Session>,
    /// Why it ended, if that is still known.
    #[serde(default)]
    pub(crate) ended: Option<String>,
}

/// How much an end would hit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Preview {
    pub(crate) sessions: u64,
    pub(crate) people: u64,
    pub(crate) seats: u64,
    /// Whether the session that asks is among them.
    pub(crate) includes_you: bool,
}

impl Preview {
    /// How many may be at work, as the end of a sentence about the sessions.
    pub(crate) fn at_work(&self) -> String {
        match (self.sessions, self.seats) {
            (1, 0) => "which holds no seat".to_owned(),
            (_, 0) => "none of them holding a seat".to_owned(),
            (1, _) => "which holds a seat, so that somebody may be working".to_owned(),
            (_, seats) => format!("{seats} of them holding a seat, so that somebody may be working"),
        }
    }
}

/// What an end did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ended {
    pub(crate) ended: u64,
    /// Its record in the server's audit; a registry keeps none.
    #[serde(default)]
    pub(crate) audit: Option<u64>,
}

/// What an erasure did, and what it left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Erased {
    pub(crate) sessions: u64,
    pub(crate) remains: Vec<Remainder>,
    /// Its record in the server's audit; a registry keeps none.
    #[serde(default)]
    pub(crate) audit: Option<u64>,
}

/// Something that an erasure leaves behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Remainder {
    pub(crate) what: String,
    /// Until when at most, where that is known.
    pub(crate) until: Option<i64>,
    pub(crate) why: String,
}
