//! `sessions stats`: how many there are, against what there may be.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::direct::Direct;
use super::opening::Opened;
use super::site::Site;
use crate::error::Failure;
use crate::output::{Report, counted, indent, printable, table};
use crate::time::Instant;

#[derive(Debug, Args)]
pub(crate) struct Stats {
    /// Over which time a server's counters are summed up.
    #[arg(long, value_enum, value_name = "SPAN", default_value = "day")]
    span: Span,
    #[command(flatten)]
    opened: Opened,
}

/// Spans of a server's statistics.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Span {
    /// The last hour.
    Hour,
    /// The last day.
    Day,
    /// The last month.
    Month,
}

impl Span {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }
}

impl Stats {
    pub(crate) async fn run(self, now: Instant) -> Result<Report, Failure> {
        let mut site = self.opened.open().await?;
        let report = self.ask(&mut site, now).await;
        site.close().await;
        report
    }

    async fn ask(&self, site: &mut Site, now: Instant) -> Result<Report, Failure> {
        match site {
            Site::Direct(direct) => of_registry(direct).await,
            Site::Console(console) => {
                let overview = console.overview().await?;
                let statistics = console.statistics(self.span.as_str()).await?;
                let text = format!("{}{}", totals(&overview, now), sums(&statistics, self.span));
                Ok(Report::done(text, json!({ "overview": overview, "statistics": statistics })))
            }
        }
    }
}

async fn of_registry(direct: &Direct) -> Result<Report, Failure> {
    let (counts, people) = (direct.counts().await?, direct.tally().await?.people);
    let rows = [
        ["sessions".to_owned(), counts.sessions.to_string()],
        ["seats in use".to_owned(), counts.seats.to_string()],
        ["dangling".to_owned(), counts.sessions.saturating_sub(counts.seats).to_string()],
        ["people".to_owned(), people.count().to_string()],
        ["most seats of one person".to_owned(), people.most().to_string()],
    ];
    let text = format!("{}The limits are the servers' to know: ask one with --server.\n", table(&rows));
    let counts = json!({ "sessions": counts.sessions, "seats": counts.seats });
    let json = json!({ "counts": counts, "people": people.count(), "most_seats_of_one": people.most() });
    Ok(Report::done(text, json))
}

/// Counts and limits, now.
fn totals(overview: &Value, now: Instant) -> String {
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    let (sessions, seats) = (number(&overview["counts"]["sessions"]), number(&overview["counts"]["seats"]));
    let node = &overview["node"];
    let since = node["since"].as_i64().and_then(Instant::from_secs).map(|since| since.seen_from(now));
    let mut rows = vec![
        ["site".to_owned(), text(&overview["site"])],
        ["sessions".to_owned(), sessions.to_string()],
        ["seats in use".to_owned(), seats.to_string()],
        ["dangling".to_owned(), sessions.saturating_sub(seats).to_string()],
    ];
    for (scope, of) in [("site", "the site"), ("tenant", "each tenant"), ("user", "each person")] {
        rows.push([
            format!("limit of {of}"),
            limit(&overview["limits"][scope], (scope == "site").then_some(seats)),
        ]);
    }
    let since = since.map(|since| format!(", up since {since}")).unwrap_or_default();
    rows.push(["this node".to_owned(), format!("{}{since}", text(&node["readiness"]))]);
    let refusals = &overview["refusals"];
    let refused = ["limit", "forged"].map(|kind| format!("{kind} {}", number(&refusals[kind])));
    rows.push(["refusals here, last day".to_owned(), refused.join(", ")]);
    table(&rows)
}

fn limit(limit: &Value, in_use: Option<u64>) -> String {
    let Some(seats) = limit["seats"].as_u64() else { return "none".to_owned() };
    let rule = text(&limit["on_full"]);
    match in_use {
        Some(in_use) => format!("{in_use} of {}; when full: {rule}", counted(seats, "seat")),
        None => format!("{}; when full: {rule}", counted(seats, "seat")),
    }
}

/// What was counted over a span, summed up.
fn sums(statistics: &Value, span: Span) -> String {
    let points = statistics["points"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = |name: &str| points.iter().filter_map(|point| point[name].as_u64()).sum::<u64>();
    let most = |name: &str| points.iter().filter_map(|point| point[name].as_u64()).max().unwrap_or_default();
    let mut ends = std::collections::BTreeMap::<&str, u64>::new();
    for (reason, count) in points.iter().filter_map(|point| point["ends"].as_object()).flatten() {
        *ends.entry(reason).or_default() += count.as_u64().unwrap_or_default();
    }
    let ends = ends.iter().filter(|(_, count)| **count > 0);
    let ends: Vec<String> = ends.map(|(reason, count)| format!("{} {count}", printable(reason))).collect();
    let ends = if ends.is_empty() { "none".to_owned() } else { ends.join(", ") };
    let rows = [
        ["most seats in use", &most("seats").to_string()],
        ["most sessions", &most("sessions").to_string()],
        ["logins", &sum("logins").to_string()],
        ["refreshes", &sum("refreshes").to_string()],
        ["refusals", &sum("refusals").to_string()],
        ["forged tokens", &sum("forged").to_string()],
        ["ends", &ends],
    ];
    format!("the last {}:\n{}", span.as_str(), indent(&table(&rows.map(|row| row.map(str::to_owned)))))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| "-".to_owned(), printable)
}
