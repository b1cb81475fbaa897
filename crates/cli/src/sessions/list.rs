//! `sessions list` and `sessions show`.

use clap::Args;
use countersign_token::SessionId;
use serde_json::json;

use super::opening::Opened;
use super::query::Query;
use super::seen::{Page, Session, Shown};
use crate::columns::{Column, fit, terminal_width};
use crate::error::Failure;
use crate::output::{Exit, Report, counted, printable};
use crate::time::Instant;

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    query: Query,
    #[command(flatten)]
    opened: Opened,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The session's id, as `countersign sessions list` shows it.
    #[arg(value_name = "ID", allow_hyphen_values = true)]
    id: SessionId,
    #[command(flatten)]
    opened: Opened,
}

impl List {
    pub(crate) async fn run(self, now: Instant) -> Result<Report, Failure> {
        let mut site = self.opened.open().await?;
        let page = site.list(&self.query).await;
        site.close().await;
        let page = page?;
        let text = format!("{}{}", table(&page, now), foot(&page));
        Ok(Report::done(text, json!(page)))
    }
}

impl Show {
    pub(crate) async fn run(self, now: Instant) -> Result<Report, Failure> {
        let mut site = self.opened.open().await?;
        let shown = site.show(self.id).await;
        site.close().await;
        let shown = shown?;
        let (text, exit) = match &shown.session {
            Some(session) => (facts(session, now), Exit::Done),
            None => (ended(self.id, &shown), Exit::Invalid),
        };
        Ok(Report { text, json: json!(shown), exit })
    }
}

/// Who, where, since when; the tenant where there are any.
fn table(page: &Page, now: Instant) -> String {
    use Column::{Cut, LeftOut, Whole};
    let tenants = page.sessions.iter().any(|session| session.tenant.is_some());
    let head = ["SESSION", "USER", "TENANT", "SEAT", "LAST ACTIVE", "DEVICE", "STARTED"];
    let columns = [Whole, Cut, Cut, Whole, Whole, LeftOut, LeftOut];
    let row = |cells: [String; 7]| left(cells, tenants);
    let sessions = page.sessions.iter().map(|session| row(cells(session, now)));
    let rows: Vec<_> = std::iter::once(row(head.map(str::to_owned))).chain(sessions).collect();
    fit(&rows, &left(columns, tenants), terminal_width())
}

fn left<T>(cells: [T; 7], tenants: bool) -> Vec<T> {
    cells
        .into_iter()
        .enumerate()
        .filter(|(column, _)| tenants || *column != 2)
        .map(|(_, cell)| cell)
        .collect()
}

fn cells(session: &Session, now: Instant) -> [String; 7] {
    let seat = match (session.current, session.dangling) {
        (true, _) => "this one",
        (false, true) => "dangling",
        (false, false) => "held",
    };
    let text = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), printable);
    [
        printable(&session.id),
        printable(&session.subject),
        text(&session.tenant),
        seat.to_owned(),
        ago(session.last_activity, now),
        text(&session.device),
        ago(session.started_at, now),
    ]
}

/// What is not on the page.
fn foot(page: &Page) -> String {
    let shown = page.sessions.len() as u64;
    match (&page.next, page.total) {
        (None, _) => format!("{}.\n", counted(shown, "session")),
        (Some(next), Some(total)) => {
            format!("{shown} of {total} sessions; go on with --after {}\n", printable(next))
        }
        (Some(next), None) => {
            format!("{}, and more: go on with --after {}\n", counted(shown, "session"), printable(next))
        }
    }
}

fn facts(session: &Session, now: Instant) -> String {
    let text = |value: &Option<String>| value.as_deref().map_or_else(|| "-".to_owned(), printable);
    let seat = if session.dangling { "none: dangling, nobody used it for a while" } else { "held" };
    let idle = session.idle_expires_at.map_or_else(|| "the servers know".to_owned(), |at| when(at, now));
    let rows = [
        ["session", &printable(&session.id)],
        ["user", &printable(&session.subject)],
        ["tenant", &text(&session.tenant)],
        ["device", &text(&session.device)],
        ["seat", seat],
        ["started", &when(session.started_at, now)],
        ["logged in", &format!("{} by {}", when(session.auth_time, now), printable(&session.amr.join(" ")))],
        ["last active", &when(session.last_activity, now)],
        ["ends if idle", &idle],
        ["ends", &when(session.expires_at, now)],
    ];
    crate::output::table(&rows.map(|row| row.map(str::to_owned)))
}

fn ended(id: SessionId, shown: &Shown) -> String {
    match &shown.ended {
        Some(reason) => format!("session {id} has ended: {}\n", printable(reason)),
        None => format!("session {id} is not live: it ended over a day ago, or never was\n"),
    }
}

/// What has happened; a clock that is a little ahead of ours says nothing.
fn ago(at: i64, now: Instant) -> String {
    Instant::from_secs(at.min(now.as_secs())).map_or_else(|| at.to_string(), |at| at.relative(now))
}

pub(crate) fn when(at: i64, now: Instant) -> String {
    Instant::from_secs(at).map_or_else(|| at.to_string(), |at| at.seen_from(now))
}
