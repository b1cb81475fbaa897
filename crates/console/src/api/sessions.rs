//! The table of sessions.

use std::time::Duration;

use countersign::{
    CountOf, Cursor, Filter, Holding, List, Order, Owner, Refusal, SessionObject, SessionRecord, Standing,
    Timestamp, Whose,
};
use serde::Serialize;
use serde_json::json;

use crate::answer::{self, Answer};
use crate::console::Call;
use crate::query::Query;

const PARAMETERS: [&str; 7] = ["subject", "tenant", "holding", "inactive_for", "order", "limit", "after"];
const LONGEST: usize = 200;
const USUAL: usize = 50;

#[derive(Serialize)]
struct Listed {
    sessions: Vec<SessionObject>,
    next: Option<String>,
    total: Option<u64>,
    at: u64,
}

pub(super) async fn list(call: &Call<'_>) -> Result<Answer, Refusal> {
    let list = read(&Query::read(call.query(), &PARAMETERS)?)?;
    let sessions = &call.shared().sessions;
    let filter = list.filter.clone();
    let page = sessions.list(list).await?;
    let total = total(call, &filter).await?;
    let objects = page.sessions.iter().map(|(record, holding)| object(call, record, *holding)).collect();
    let next = page.next.as_ref().map(written);
    Ok(answer::json(&Listed { sessions: objects, next, total, at: page.at.as_secs() }))
}

/// A session, or why it ended.
pub(super) async fn one(call: &Call<'_>) -> Result<Answer, Refusal> {
    let id = call.id.parse().map_err(|_| Refusal::NotFound)?;
    let standing = call.shared().sessions.standings(vec![id]).await?.into_iter().next();
    match standing.ok_or(Refusal::NotFound)? {
        Standing::Live(record, holding) => {
            Ok(answer::json(&json!({ "session": object(call, &record, holding), "ended": null })))
        }
        Standing::Ended(Some(reason)) => {
            Ok(answer::json(&json!({ "session": null, "ended": reason.as_str() })))
        }
        Standing::Ended(None) => Err(Refusal::NotFound),
    }
}

fn object(call: &Call<'_>, record: &SessionRecord, holding: Holding) -> SessionObject {
    let object = SessionObject::listed(record, holding, call.shared().sessions.policy().idle);
    SessionObject { current: record.id == call.session.id(), ..object }
}

/// How many there are, where the registry's counters know it.
async fn total(call: &Call<'_>, filter: &Filter) -> Result<Option<u64>, Refusal> {
    let of = match &filter.whose {
        _ if filter.inactive_for.is_some() => return Ok(None),
        Whose::Anyone => CountOf::Site,
        Whose::Tenant(tenant) => CountOf::Tenant(tenant.clone()),
        Whose::Owner(owner) => CountOf::Owner(owner.clone()),
        Whose::Subject(_) => return Ok(None),
    };
    let counts = call.shared().sessions.counts(of).await?;
    Ok(Some(match filter.holding {
        None => counts.sessions,
        Some(Holding::Seat) => counts.seats,
        Some(Holding::Nothing) => counts.sessions.saturating_sub(counts.seats),
    }))
}

fn read(query: &Query) -> Result<List, Refusal> {
    let text = |name| query.text(name).filter(|text| !text.is_empty());
    let whose = match (text("subject"), query.text("tenant")) {
        (None, None | Some("")) => Whose::Anyone,
        (None, Some(tenant)) => Whose::Tenant(tenant.into()),
        (Some(subject), None) => Whose::Subject(subject.into()),
        (Some(subject), Some("")) => Whose::Owner(Owner::new(subject)),
        (Some(subject), Some(tenant)) => Whose::Owner(Owner::new(subject).of_tenant(tenant)),
    };
    let holding = query.parsed("holding", "`seat` or `nothing`", |text| match text {
        "seat" => Some(Holding::Seat),
        "nothing" => Some(Holding::Nothing),
        _ => None,
    })?;
    let inactive_for =
        query.parsed("inactive_for", "a whole number of seconds", |text| number(text, u32::MAX))?;
    let inactive_for = inactive_for.map(|secs| Duration::from_secs(secs.into()));
    let order = query.parsed("order", "`last-activity`, `least-recent`, `newest` or `oldest`", order)?;
    let limit = query.parsed("limit", "a whole number from 1 to 200", |text| {
        number(text, LONGEST as u32).filter(|&limit| limit > 0)
    })?;
    let after = query.parsed("after", "the `next` of a page", cursor)?;
    Ok(List {
        filter: Filter { whose, holding, inactive_for },
        order: order.unwrap_or_default(),
        after,
        limit: limit.map_or(USUAL, |limit| limit as usize),
    })
}

/// Digits alone.
pub(super) fn number(text: &str, most: u32) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&number| digits && number <= most)
}

fn order(text: &str) -> Option<Order> {
    Some(match text {
        "last-activity" => Order::LastActivity,
        "least-recent" => Order::LeastRecent,
        "newest" => Order::Started,
        "oldest" => Order::Oldest,
        _ => return None,
    })
}

/// Milliseconds and an id, with a dot between them.
fn cursor(text: &str) -> Option<Cursor> {
    let (at, id) = text.split_once('.')?;
    let digits = !at.is_empty() && at.bytes().all(|byte| byte.is_ascii_digit());
    let at = at.parse().ok().filter(|_| digits)?;
    Some(Cursor { at: Timestamp::from_millis(at), id: id.parse().ok()? })
}

fn written(cursor: &Cursor) -> String {
    format!("{}.{}", cursor.at.as_millis(), cursor.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: &str, expect: Result<&str, &str>) {
        let list = Query::read(Some(query), &PARAMETERS).and_then(|query| read(&query));
        let found = list.map(|list| format!("{:?} {:?} {}", list.filter.whose, list.order, list.limit));
        let found = found.map_err(|refusal| refusal.detail().into_owned());
        assert_eq!(found.as_deref().map_err(String::as_str), expect, "{query}");
    }

    #[test]
    fn a_query_is_a_list() {
        check("", Ok("Anyone LastActivity 50"));
        check("subject=&tenant=", Ok("Anyone LastActivity 50"));
        check("subject=alice", Ok("Subject(\"alice\") LastActivity 50"));
        check(
            "subject=alice&tenant=",
            Ok("Owner(Owner { tenant: None, subject: \"alice\" }) LastActivity 50"),
        );
        check("tenant=acme&order=oldest&limit=200", Ok("Tenant(\"acme\") Oldest 200"));
        check(
            "subject=a%20b&tenant=acme",
            Ok("Owner(Owner { tenant: Some(\"acme\"), subject: \"a b\" }) LastActivity 50"),
        );
        check("after=1.AAAAAAAAAAAAAAAAAAAAAA", Ok("Anyone LastActivity 50"));
    }

    #[test]
    fn a_bad_query_is_told_what_is_wrong() {
        let limit = "The parameter `limit` has to be a whole number from 1 to 200.";
        for query in ["limit=0", "limit=201", "limit=-1", "limit=+1", "limit=", "limit=1e2", "limit=x"] {
            check(query, Err(limit));
        }
        let after = "The parameter `after` has to be the `next` of a page.";
        for query in [
            "after=",
            "after=1",
            "after=1.x",
            "after=.AAAAAAAAAAAAAAAAAAAAAA",
            "after=-1.AAAAAAAAAAAAAAAAAAAAAA",
        ] {
            check(query, Err(after));
        }
        check("holding=yes", Err("The parameter `holding` has to be `seat` or `nothing`."));
        check("inactive_for=1h", Err("The parameter `inactive_for` has to be a whole number of seconds."));
        check(
            "order=name",
            Err("The parameter `order` has to be `last-activity`, `least-recent`, `newest` or `oldest`."),
        );
        check("user=alice", Err("There is a parameter that this path does not know."));
    }

    #[test]
    fn a_cursor_is_what_was_written() {
        let cursor = Cursor {
            at: Timestamp::from_millis(1_800_000_000_123),
            id: countersign::SessionId::from_bytes([7; 16]),
        };
        assert_eq!(super::cursor(&written(&cursor)), Some(cursor));
    }
}
