//! What administrators did.

use bytes::Bytes;
use countersign::{Owner, Refusal};
use futures_util::stream;
use serde::Serialize;
use serde_json::{Value, json};

use super::sessions::number;
use crate::answer::{self, Answer};
use crate::audit::{Act, AuditLog, Record, Stage, Who};
use crate::console::Call;
use crate::query::Query;

const LONGEST: u32 = 500;
const USUAL: u32 = 50;
/// How many records of an export are in memory at a time.
const AT_A_TIME: usize = 1000;

/// A page, the newest first.
pub(super) async fn page(call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = Query::read(call.query(), &["before", "limit"])?;
    let before = query.parsed("before", "the `next` of a page", |text| number(text, u32::MAX))?;
    let limit = query.parsed("limit", "a whole number from 1 to 500", |text| {
        number(text, LONGEST).filter(|&limit| limit > 0)
    })?;
    let audit = &call.shared().audit;
    let numbers = audit.numbers().await.map_err(|_| Refusal::Internal)?;
    let end = before.map_or(numbers.end, u64::from).min(numbers.end);
    let start = end.saturating_sub(limit.unwrap_or(USUAL).into()).max(numbers.start).min(end);
    let count = usize::try_from(end - start).unwrap_or(0);
    let mut records = audit.read(start, count).await.map_err(|_| Refusal::Internal)?;
    records.reverse();
    let next = Some(start).filter(|&start| start > numbers.start);
    Ok(answer::json(&json!({ "records": records, "next": next })))
}

/// All of them as JSON lines, the oldest first. Where they cannot be read on, the last line says so: `{"error": …}`.
pub(super) async fn export(call: &Call<'_>) -> Result<Answer, Refusal> {
    Query::read(call.query(), &[])?;
    let audit = call.shared().audit.clone();
    let range = audit.numbers().await.map_err(|_| Refusal::Internal)?;
    let lines = stream::unfold(range.start, move |from| {
        let audit = audit.clone();
        async move { lines(&*audit, from, range.end).await }
    });
    let name = "attachment; filename=\"audit.jsonl\"";
    Ok(answer::download("application/jsonl", name, answer::stream(lines)))
}

async fn lines(audit: &dyn AuditLog, from: u64, end: u64) -> Option<(Bytes, u64)> {
    let left = usize::try_from(end.saturating_sub(from)).unwrap_or(AT_A_TIME);
    let Ok(records) = audit.read(from, left.min(AT_A_TIME)).await else {
        return Some((Bytes::from_static(b"{\"error\":\"the rest of the audit cannot be read\"}\n"), end));
    };
    let next = records.last()?.seq + 1;
    let lines = records.iter().map(|record| serde_json::to_string(record).unwrap_or_default() + "\n");
    Some((lines.collect::<String>().into(), next))
}

/// What a record says about a person: nobody else whom it names, be it the administrator or those whom they hit.
#[derive(Debug, Serialize)]
pub(super) struct About {
    seq: u64,
    at: u64,
    /// Whether the person did it, or it was done to them.
    part: Part,
    what: Act,
    stage: Stage,
    why: String,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Part {
    Administrator,
    Person,
}

/// The records about a person who has these sessions now, the oldest first.
pub(super) async fn about(
    audit: &dyn AuditLog,
    owner: &Owner,
    sessions: &[String],
) -> Result<Vec<About>, Refusal> {
    let numbers = audit.numbers().await.map_err(|_| Refusal::Internal)?;
    let (mut found, mut from) = (Vec::new(), numbers.start);
    while from < numbers.end {
        let records = audit.read(from, AT_A_TIME).await.map_err(|_| Refusal::Internal)?;
        let Some(last) = records.last() else { break };
        from = last.seq + 1;
        found.extend(records.into_iter().filter_map(|record| About::of(record, owner, sessions)));
    }
    Ok(found)
}

impl About {
    fn of(Record { seq, entry }: Record, owner: &Owner, sessions: &[String]) -> Option<Self> {
        let part = if is_of(&entry.who, owner) {
            Part::Administrator
        } else if hits(&entry.whom, owner, sessions) {
            Part::Person
        } else {
            return None;
        };
        Some(Self { seq, at: entry.at, part, what: entry.what, stage: entry.stage, why: entry.why })
    }
}

fn is_of(who: &Who, owner: &Owner) -> bool {
    who.subject == owner.subject && who.tenant == owner.tenant
}

/// Whether an act was aimed at a person, by name or by a session. Of a whole tenant or site, it names nobody.
fn hits(whom: &Value, owner: &Owner, sessions: &[String]) -> bool {
    let user = &whom["user"];
    let by_name = user["subject"] == *owner.subject && user["tenant"].as_str() == owner.tenant.as_deref();
    let ids = whom["sessions"].as_array().into_iter().flatten().filter_map(Value::as_str);
    by_name || ids.into_iter().any(|id| sessions.iter().any(|own| own == id))
}
