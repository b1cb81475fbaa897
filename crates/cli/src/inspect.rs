//! `countersign token inspect`: what a token says, for people, with nothing verified.

use clap::Args;
use serde_json::{Map, Value, json};

use crate::error::Failure;
use crate::output::{Report, indent, printable, table};
use crate::peek::{Peeked, peek};
use crate::time::Instant;
use crate::token::Source;

/// Show what a token says, without verifying anything.
#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[command(flatten)]
    source: Source,
    /// Show times as seen from this instant (Unix seconds or RFC 3339), instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<Instant>,
}

const WARNING: &str = "NOTHING WAS VERIFIED. Anyone can write a token that says this.";

impl Inspect {
    pub(crate) fn run(self, now: Instant) -> Result<Report, Failure> {
        let now = self.at.unwrap_or(now);
        let peeked = peek(&self.source.read()?)?;
        let json = json!({ "verified": false, "warning": WARNING, "header": peeked.header, "claims": peeked.claims });
        Ok(Report::done(text(&peeked, now), json))
    }
}

fn text(peeked: &Peeked, now: Instant) -> String {
    let claims = match &peeked.claims {
        Some(claims) => section("claims", claims, now),
        None => format!("\nclaims\n  {SEALED}\n"),
    };
    format!(
        "{WARNING}\nTo know: `countersign token verify`.\n\nIt calls itself {}.\n{}{claims}",
        peeked.kind(),
        section("\nheader", &peeked.header, now)
    )
}

const SEALED: &str =
    "sealed: encrypted for its issuer, whose keys alone open it (that is the default for state)";

fn section(title: &str, members: &Map<String, Value>, now: Instant) -> String {
    let rows: Vec<_> =
        members.iter().map(|(name, value)| [printable(name), shown(name, value, now)]).collect();
    format!("{title}\n{}", indent(&table(&rows)))
}

/// A value as people read it; instants get their date.
fn shown(name: &str, value: &Value, now: Instant) -> String {
    let plain = match value {
        Value::String(text) => printable(text),
        other => printable(&other.to_string()),
    };
    match instant(name, value) {
        Some(at) => format!("{plain}  {}", at.seen_from(now)),
        None => plain,
    }
}

fn instant(name: &str, value: &Value) -> Option<Instant> {
    if !TIMES.contains(&name) {
        return None;
    }
    // A NumericDate may have a fraction (RFC 7519, section 2), which nobody wants to read.
    let seconds = value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds as i64))?;
    Instant::from_secs(seconds)
}

/// Claims that are instants in Unix seconds.
const TIMES: [&str; 7] =
    ["exp", "iat", "nbf", "auth_time", "session_started", "session_expiry", "updated_at"];
