//! What is stored about a person: to show it to them, and to erase it.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_registry::{
    CODE_LIFE, Digest, EndReason, Ended, Entry, Holding, List, News, OpId, Owner, Registry, RegistryError,
    SeatState, SessionRecord, Target,
};
use countersign_token::{SessionId, Timestamp};
use serde::Serialize;

use crate::event::Actor;
use crate::flow;
use crate::object::{secs, secs_or_null};
use crate::refusal::Refusal;
use crate::sessions::Inner;

/// Everything that the registry stores about a person. Instants become whole seconds.
///
/// [`Sessions::export_subject`](crate::Sessions::export_subject) makes it; [`SubjectExport::read`] does straight at a registry.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SubjectExport {
    /// The person, by the host's id.
    pub subject: Arc<str>,
    /// The tenant that they belong to.
    pub tenant: Option<Arc<str>>,
    /// The registry's instant.
    #[serde(serialize_with = "secs")]
    pub at: Timestamp,
    /// Their live sessions.
    pub sessions: Vec<StoredSession>,
    /// Entries of the feed that name them or one of these sessions.
    pub entries: Vec<StoredEntry>,
}

/// What is stored of a live session.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StoredSession {
    /// Its id.
    pub id: SessionId,
    /// When it was admitted.
    #[serde(serialize_with = "secs")]
    pub started_at: Timestamp,
    /// When its user proved who they are.
    #[serde(serialize_with = "secs")]
    pub auth_time: Timestamp,
    /// How, in words of RFC 8176.
    pub methods: Arc<str>,
    /// What it runs on.
    pub device: Option<Arc<str>>,
    /// Its absolute end.
    #[serde(serialize_with = "secs")]
    pub expires_at: Timestamp,
    /// Its last known activity.
    #[serde(serialize_with = "secs")]
    pub last_activity: Timestamp,
    /// Whether it holds a seat now.
    pub holds_seat: bool,
    /// Whether it gave its seat up, by dangling.
    pub gave_seat_up: bool,
    /// Its position in the registry's history, `epoch-number`.
    pub born: String,
    /// How often its refresh token was used up. (Beside it, the registry keeps 32 random bits of the last one.)
    pub refreshes: u32,
    /// How often its data was updated exclusively.
    pub exclusive_updates: u64,
    /// Digests that recognise the repetition of a login and of an exclusive update.
    pub digests: Vec<String>,
    /// The session that it was handed off from.
    pub handed_off_from: Option<SessionId>,
}

/// An entry of the feed that is about a person.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StoredEntry {
    /// `sessions-ended`, `data-updated` or `handed-over`.
    pub what: &'static str,
    /// The session that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// The device that it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Arc<str>>,
    /// Why sessions ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<&'static str>,
    /// When it happened.
    #[serde(serialize_with = "secs")]
    pub at: Timestamp,
    /// Until when it is kept.
    #[serde(serialize_with = "secs")]
    pub until: Timestamp,
}

/// What came of the erasure of a person.
///
/// [`Sessions::erase_subject`](crate::Sessions::erase_subject) makes it; [`Erasure::of`] does for who ended their sessions
/// straight at a registry.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Erasure {
    /// How many live sessions ended.
    pub sessions: u64,
    /// What is not erased yet, or not by this.
    pub remains: Vec<Remainder>,
}

/// Something that an erasure leaves behind.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Remainder {
    /// What.
    pub what: &'static str,
    /// Until when at most; [`None`]: nobody here knows, mostly because it is not in the framework's hands.
    #[serde(serialize_with = "secs_or_null")]
    pub until: Option<Timestamp>,
    /// Why.
    pub why: &'static str,
}

pub(crate) async fn export(inner: &Arc<Inner>, owner: &Owner) -> Result<SubjectExport, Refusal> {
    // What this node knows of their activity belongs to it.
    inner.node.flush_activity(inner).await;
    flow::ask(inner, "export", SubjectExport::read(&*inner.registry, owner)).await
}

pub(crate) async fn erase(inner: &Arc<Inner>, owner: Owner, by: Actor) -> Result<Erasure, Refusal> {
    let (id, target) = (OpId(inner.random.bytes()), Target::Owner(owner.clone(), None));
    let ended = flow::end(inner, id, target, EndReason::EndedByAdmin, by).await?;
    inner.unusual.forget(&owner);
    inner.node.flush_activity(inner).await;
    Ok(Erasure::of(&ended, Some(inner.config.policy.lifetime)))
}

impl SubjectExport {
    /// Reads it straight from a registry, for whoever runs a site without being one of its nodes. What nodes know of
    /// their users' activity and have not told the registry yet (for 10 seconds at most) is not in it.
    ///
    /// # Errors
    ///
    /// The registry does not answer.
    pub async fn read(registry: &dyn Registry, owner: &Owner) -> Result<Self, RegistryError> {
        let (mut sessions, mut list) = (Vec::new(), List::of(owner.clone()));
        loop {
            let page = registry.list(list.clone()).await?;
            sessions.extend(
                page.sessions.into_iter().map(|(record, holding)| StoredSession::of(record, holding)),
            );
            match page.next {
                Some(next) => list.after = Some(next),
                None => break,
            }
        }
        let feed = registry.feed(None).await?;
        let entries =
            feed.entries.iter().filter_map(|entry| StoredEntry::of(entry, owner, &sessions)).collect();
        let Owner { tenant, subject } = owner.clone();
        Ok(Self { subject, tenant, at: feed.at, sessions, entries })
    }
}

impl Erasure {
    /// What the end of all sessions of a person ([`Target::Owner`]) came to, as the registry acknowledged it. `lifetime` is
    /// that of the site's sessions ([`Policy::lifetime`](crate::Policy::lifetime)), where it is known.
    pub fn of(ended: &Ended, lifetime: Option<Duration>) -> Self {
        let entry = ended.entries.first();
        let after = |life: Duration| entry.map(|entry| entry.at.after(life));
        let until = Until {
            told: entry.map(|entry| entry.until),
            codes: entry.map(|entry| entry.until.after(CODE_LIFE)),
            reasons: after(REASON_LIFE),
            sessions: lifetime.and_then(after),
        };
        Self { sessions: ended.sessions, remains: remains(&until) }
    }
}

/// When nothing of an end matters any more.
struct Until {
    /// No access token is alive that its entry of the feed refuses.
    told: Option<Timestamp>,
    /// No code is good that is older than it.
    codes: Option<Timestamp>,
    /// Nobody asks any more why it happened.
    reasons: Option<Timestamp>,
    /// The sessions would have ended by themselves.
    sessions: Option<Timestamp>,
}

fn remains(until: &Until) -> Vec<Remainder> {
    let remainder = |what, until, why| Remainder { what, until, why };
    vec![
        remainder(
            "subject and tenant, in the entry of the feed that ended their sessions, in the registry and in the \
             memory of every node",
            until.told,
            "every node refuses their access tokens by it, until the last of them has expired",
        ),
        remainder(
            "subject and tenant, in the registry's list of ends",
            until.codes,
            "one-time codes that were made before must not bring a session back",
        ),
        remainder(
            "the ids of their ended sessions, each with its reason, without a name",
            until.reasons,
            "a client that comes back is told why it is logged out",
        ),
        remainder(
            "a session's id, subject and device labels, in the memory of nodes that found something unusual about it",
            until.sessions,
            "a node that was told to refuse a session must know which; a restart forgets it",
        ),
        remainder(
            "the tokens on their devices, which hold the session's data",
            until.sessions,
            "they are not here; they open nothing any more, and browsers delete them when they expire",
        ),
        remainder(
            "bytes of deleted records, in free pages of the file, in the server's append-only log, in backups",
            None,
            "whatever stores the registry overwrites them in its own time",
        ),
        remainder(
            "the host's logs, and the audit of its administrators, which names whom they ended or erased",
            None,
            "they are the host's to keep and to delete; the audit shows that the erasure happened",
        ),
    ]
}

/// How long registries remember why a session ended.
const REASON_LIFE: Duration = Duration::from_hours(24);

impl StoredSession {
    /// Names each field, so that nobody adds one to the registry and forgets it here.
    fn of(record: SessionRecord, holding: Holding) -> Self {
        let SessionRecord {
            id,
            owner: _,
            started_at,
            auth_time,
            methods,
            device,
            expires_at,
            last_activity,
            seat,
            born,
            current,
            exclusive,
            last_update,
            login_key,
            handed_off_from,
        } = record;
        let of_update = last_update.map(|memo| [memo.key, memo.old_state, memo.new_data]);
        Self {
            id,
            started_at,
            auth_time,
            methods,
            device,
            expires_at,
            last_activity,
            holds_seat: holding == Holding::Seat,
            gave_seat_up: seat == SeatState::GivenUp,
            born: format!("{}-{}", born.epoch, born.seq),
            refreshes: current.generation(),
            exclusive_updates: exclusive,
            digests: login_key.into_iter().chain(of_update.into_iter().flatten()).map(text).collect(),
            handed_off_from,
        }
    }
}

impl StoredEntry {
    fn of(entry: &Entry, owner: &Owner, sessions: &[StoredSession]) -> Option<Self> {
        let is_theirs = |id: &SessionId| sessions.iter().any(|session| session.id == *id);
        let this =
            Self { what: "", session: None, device: None, reason: None, at: entry.at, until: entry.until };
        Some(match entry.news.told() {
            News::OwnerEnded(of, except, reason) if of == owner => {
                Self { what: "sessions-ended", session: *except, reason: Some(reason.as_str()), ..this }
            }
            News::Floor(session, _) if is_theirs(session) => {
                Self { what: "data-updated", session: Some(*session), ..this }
            }
            News::HandedOver(session, device) if is_theirs(session) => {
                Self { what: "handed-over", session: Some(*session), device: device.clone(), ..this }
            }
            _ => return None,
        })
    }
}

fn text(digest: Digest) -> String {
    URL_SAFE_NO_PAD.encode(digest.0)
}
