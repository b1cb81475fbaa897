//! A person: everything that is stored about them, and its erasure.

use std::sync::Arc;

use countersign::{Erasure, Owner, Refusal, SubjectExport};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::act::{self, Deed, Why};
use super::audit::{self, About};
use super::target::LONGEST;
use crate::answer::{self, Answer};
use crate::audit::Act;
use crate::console::{Call, Shared};
use crate::query::expected;
use crate::unusual::Oddity;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Person {
    subject: Arc<str>,
    tenant: Option<Arc<str>>,
    why: Why,
}

impl Person {
    /// Whom it is about, and how the audit keeps it.
    fn checked(self, act: Act) -> Result<(Owner, Deed), Refusal> {
        let Self { subject, tenant, why } = self;
        if !(1..=LONGEST).contains(&subject.len()) {
            return Err(expected("subject", "a user's name of at most 1024 bytes"));
        }
        if tenant.as_ref().is_some_and(|tenant| !(1..=LONGEST).contains(&tenant.len())) {
            return Err(expected("tenant", "a tenant's name of at most 1024 bytes, or null"));
        }
        let whom = json!({ "user": { "subject": subject, "tenant": tenant } });
        Ok((Owner { tenant, subject }, Deed { act, whom, why: why.checked()? }))
    }
}

/// Everything that the registry and this console keep about a person.
#[derive(Serialize)]
struct Export {
    #[serde(flatten)]
    stored: SubjectExport,
    console: Kept,
}

/// What this console keeps about a person.
#[derive(Serialize)]
struct Kept {
    records: Vec<About>,
    unusual: Vec<Oddity>,
}

/// The answer to an act: what came of it, and its record.
#[derive(Serialize)]
struct Recorded<T> {
    #[serde(flatten)]
    came: T,
    audit: u64,
}

/// Shows everything. It changes nothing, and is recorded: somebody has seen it.
pub(super) async fn export<B: http_body::Body>(call: Call<'_>, body: B) -> Result<Answer, Refusal> {
    let (owner, deed) = call.body::<Person, _>(body).await?.checked(Act::ExportSubject)?;
    let shared = call.shared().clone();
    let read = async move { read(&shared, &owner).await };
    let effect = |export: &Export| json!({ "sessions": export.stored.sessions.len() });
    let (came, audit) = act::recorded_in_brief(call, deed, read, effect).await?;
    Ok(answer::json(&Recorded { came, audit }))
}

async fn read(shared: &Shared, owner: &Owner) -> Result<Export, Refusal> {
    let stored = shared.sessions.export_subject(owner).await?;
    let ids: Vec<String> = stored.sessions.iter().map(|session| session.id.to_string()).collect();
    let records = audit::about(&*shared.audit, owner, &ids).await?;
    let mut unusual = shared.monitor.unusual();
    unusual.retain(|Oddity { happening, .. }| {
        happening.is_of(owner) || happening.session.as_ref().is_some_and(|id| ids.contains(id))
    });
    Ok(Export { stored, console: Kept { records, unusual } })
}

/// Ends all of a person, and forgets them.
pub(super) async fn erase<B: http_body::Body>(call: Call<'_>, body: B) -> Result<Answer, Refusal> {
    let (owner, deed) = call.body::<Person, _>(body).await?.checked(Act::EraseSubject)?;
    let shared = call.shared().clone();
    let administrator = shared.sessions.as_administrator(call.session.owner());
    let erase = async move {
        let erasure = administrator.erase_subject(owner.clone()).await?;
        shared.monitor.forget(&owner);
        Ok(erasure)
    };
    let effect = |erasure: &Erasure| json!({ "sessions": erasure.sessions });
    let (erasure, audit) = act::recorded_in_brief(call, deed, erase, effect).await?;
    Ok(answer::json(&Recorded { came: with_other_nodes(&erasure), audit }))
}

/// What remains, that of the consoles of other nodes included.
fn with_other_nodes(erasure: &Erasure) -> Value {
    let mut came = json!(erasure);
    if let Some(remains) = came["remains"].as_array_mut() {
        remains.push(json!({
            "what": "subject and tenant, in the lists of unusual activity of other nodes' consoles",
            "until": null,
            "why": "only this node was asked; they forget them after a month, after 500 newer ones, or when they start again",
        }));
    }
    came
}
