//! Ending sessions, and whom that would hit.

use countersign::{Administrator, Filter, List, Order, Owner, Refusal, Sessions, Standing, Tally, Whose};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::act::{self, Deed, Why};
use super::target::{Asked, Target};
use crate::answer::{self, Answer};
use crate::audit::Act;
use crate::console::Call;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Preview {
    target: Asked,
}

#[derive(Serialize)]
struct Hit {
    sessions: u64,
    people: u64,
    seats: u64,
    includes_you: bool,
}

/// How many sessions and people an end would hit, now.
pub(super) async fn preview<B: http_body::Body>(call: &Call<'_>, body: B) -> Result<Answer, Refusal> {
    let Preview { target } = call.body(body).await?;
    let target = target.target()?;
    let sessions = &call.shared().sessions;
    let tally = match &target {
        Target::Filter(filter) | Target::Dangling(filter) => sessions.tally(filter.clone()).await?,
        Target::Sessions(ids) => tally(&sessions.standings(ids.clone()).await?),
    };
    let includes_you = target.includes(&call.session);
    let (sessions, people, seats) = (tally.sessions, tally.people.count(), tally.seats);
    Ok(answer::json(&Hit { sessions, people, seats, includes_you }))
}

fn tally(standings: &[Standing]) -> Tally {
    let mut owners: Vec<(&Owner, u64)> = Vec::new();
    let mut tally = Tally::default();
    for standing in standings {
        let Standing::Live(record, holding) = standing else { continue };
        let seat = u64::from(*holding == countersign::Holding::Seat);
        (tally.sessions, tally.seats) = (tally.sessions + 1, tally.seats + seat);
        match owners.iter_mut().find(|(owner, _)| **owner == record.owner) {
            Some((_, seats)) => *seats += seat,
            None => owners.push((&record.owner, seat)),
        }
    }
    for (_, seats) in owners {
        tally.people.add(seats);
    }
    tally
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct End {
    target: Asked,
    why: Why,
}

/// Ends them.
pub(super) async fn end<B: http_body::Body>(call: Call<'_>, body: B) -> Result<Answer, Refusal> {
    let End { target: asked, why } = call.body(body).await?;
    let (target, why) = (asked.target()?, why.checked()?);
    let deed = Deed { act: Act::End, whom: json!(asked), why };
    let sessions = call.shared().sessions.clone();
    let administrator = sessions.as_administrator(call.session.owner());
    let (effect, audit) = act::recorded(call, deed, async move {
        let ended = carry_out(&sessions, &administrator, target).await?;
        Ok(json!({ "sessions": ended }))
    })
    .await?;
    Ok(answer::json(&json!({ "ended": effect["sessions"], "audit": audit })))
}

async fn carry_out(sessions: &Sessions, by: &Administrator, target: Target) -> Result<u64, Refusal> {
    match target {
        Target::Sessions(ids) => by.end_sessions(&ids).await,
        Target::Dangling(filter) => end_each(sessions, by, filter).await,
        Target::Filter(Filter { whose, .. }) => match whose {
            Whose::Anyone => by.end_everyone().await,
            Whose::Owner(owner) => by.end_all(owner).await,
            Whose::Tenant(tenant) => by.end_tenant(&tenant).await,
            Whose::Subject(_) => end_each(sessions, by, Filter { whose, ..Filter::default() }).await,
        },
    }
}

/// Ends those that pass, page by page, the idlest first. One that comes back between its page and its end is ended, too.
async fn end_each(sessions: &Sessions, by: &Administrator, filter: Filter) -> Result<u64, Refusal> {
    let mut list = List { filter, order: Order::LeastRecent, after: None, limit: 1000 };
    let mut ended = 0;
    loop {
        let page = sessions.list(list.clone()).await?;
        let ids: Vec<_> = page.sessions.iter().map(|(record, _)| record.id).collect();
        ended += by.end_sessions(&ids).await?;
        // Somebody else may have ended all of a page.
        list.after = page.next;
        if list.after.is_none() {
            return Ok(ended);
        }
    }
}

/// The answer of an act that changes something else than sessions.
pub(super) fn with_audit(value: Value, audit: u64) -> Value {
    match value {
        Value::Object(mut members) => {
            members.insert("audit".into(), audit.into());
            Value::Object(members)
        }
        other => other,
    }
}
