//! Over time: series, high-water marks, distributions.

use std::fmt::Write as _;

use countersign::{EndReason, Refusal, Timestamp};
use serde_json::{Map, Value, json};

use crate::answer::{self, Answer};
use crate::console::Call;
use crate::query::Query;
use crate::statistics::{Peak, Period, Point, Span};

pub(super) fn series(call: &Call<'_>) -> Result<Answer, Refusal> {
    let query = Query::read(call.query(), &["span"])?;
    let span = query.parsed("span", "`hour`, `day` or `month`", |text| match text {
        "hour" => Some(Span::Hour),
        "day" => Some(Span::Day),
        "month" => Some(Span::Month),
        _ => None,
    })?;
    let span = span.unwrap_or(Span::Hour);
    Ok(answer::json(&call.shared().monitor.read(|statistics, now| {
        let points = statistics.points(span, now).into_iter().map(point).collect::<Vec<_>>();
        let classes = statistics.lasted().classes();
        let durations: Vec<_> =
            classes.map(|(up_to, sessions)| json!({ "up_to": up_to, "sessions": sessions })).collect();
        let logins = statistics.logins_by_day(now).into_iter();
        let logins: Vec<_> = logins.map(|(day, logins)| json!({ "day": day, "logins": logins })).collect();
        json!({
            "step": statistics.step(span),
            "at": now.as_secs(),
            "points": points,
            "durations": durations,
            "logins_per_day": logins,
        })
    })))
}

fn point((at, point): (Timestamp, Point)) -> Value {
    let ends = EndReason::ALL.iter().zip(point.ends).filter(|(_, ends)| *ends > 0);
    let ends: Map<_, _> = ends.map(|(reason, ends)| (reason.as_str().to_owned(), ends.into())).collect();
    json!({
        "at": at.as_secs(),
        "seats": point.seats,
        "sessions": point.sessions,
        "logins": point.logins,
        "refreshes": point.refreshes,
        "refusals": point.refusals,
        "forged": point.forged,
        "ends": ends,
    })
}

pub(super) fn peaks(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (name, period) = period(call)?;
    let peaks = call.shared().monitor.read(|statistics, _| {
        let peak = |peak: &Peak| {
            json!({ "from": peak.of, "seats": peak.seats, "sessions": peak.sessions, "at": peak.at.as_secs() })
        };
        statistics.peaks(period).iter().map(peak).collect::<Vec<_>>()
    });
    Ok(answer::json(&json!({ "by": name, "peaks": peaks })))
}

pub(super) fn peaks_table(call: &Call<'_>) -> Result<Answer, Refusal> {
    let (_, period) = period(call)?;
    let mut table = "from,seats,sessions,at\n".to_owned();
    call.shared().monitor.read(|statistics, _| {
        for peak in statistics.peaks(period).iter() {
            // Digits and dashes alone: nothing to quote. Writing to a String does not fail.
            let _ = writeln!(table, "{},{},{},{}", peak.of, peak.seats, peak.sessions, peak.at.as_secs());
        }
    });
    let name = "attachment; filename=\"peaks.csv\"";
    Ok(answer::download("text/csv; charset=utf-8", name, answer::full(table)))
}

fn period(call: &Call<'_>) -> Result<(&'static str, Period), Refusal> {
    let query = Query::read(call.query(), &["by"])?;
    let period = query.parsed("by", "`day` or `month`", |text| match text {
        "day" => Some(("day", Period::Day)),
        "month" => Some(("month", Period::Month)),
        _ => None,
    })?;
    Ok(period.unwrap_or(("day", Period::Day)))
}
