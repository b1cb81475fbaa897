//! JSON for people: members as rows, what has members of its own below its name. Nothing is left out.

use serde_json::Value;

use crate::output::{indent, printable, table};
use crate::time::Instant;

/// What a document says, its instants as dates seen from `now`. A text from strangers drives no terminal.
pub(crate) fn outline(value: &Value, now: Instant) -> String {
    match value {
        Value::Object(members) => {
            let (inner, plain): (Vec<_>, Vec<_>) = members.iter().partition(|(_, value)| has_inside(value));
            let rows: Vec<_> =
                plain.iter().map(|(name, value)| [spelt(name), text(name, value, now)]).collect();
            let inner = inner
                .iter()
                .map(|(name, value)| format!("{}:\n{}", spelt(name), indent(&outline(value, now))));
            table(&rows) + &inner.collect::<String>()
        }
        Value::Array(items) => items.iter().map(|item| bullet(&outline(item, now))).collect(),
        plain => format!("{}\n", text("", plain, now)),
    }
}

fn has_inside(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => items.iter().any(|item| item.is_object() || item.is_array()),
        _ => false,
    }
}

fn spelt(name: &str) -> String {
    printable(&name.replace('_', " "))
}

fn text(name: &str, value: &Value, now: Instant) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::Bool(yes) => if *yes { "yes" } else { "no" }.to_owned(),
        Value::String(text) => printable(text),
        Value::Array(items) if !items.is_empty() => {
            items.iter().map(|item| text(name, item, now)).collect::<Vec<_>>().join(", ")
        }
        Value::Array(_) | Value::Object(_) => "none".to_owned(),
        Value::Number(number) => {
            let at = number.as_i64().filter(|_| is_instant(name)).and_then(Instant::from_secs);
            at.map_or_else(|| number.to_string(), |at| at.seen_from(now))
        }
    }
}

/// By the names of the contract: whatever else is a number is a count.
fn is_instant(name: &str) -> bool {
    name == "at" || name.ends_with("_at") || matches!(name, "until" | "auth_time" | "last_activity")
}

fn bullet(text: &str) -> String {
    let lines = text.lines().enumerate();
    lines.flat_map(|(at, line)| [if at == 0 { "- " } else { "  " }, line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_is_shown_and_nothing_drives_the_terminal() {
        let now = Instant::from_secs(1_000_000_000).unwrap();
        let document = json!({
            "at": 999_999_940, "count": 7, "given_up": false, "none": [], "tenant": null, "words": ["a", "b"],
            "sessions": [{ "id": "\u{1b}[2J", "more": { "left": true } }, { "id": "y" }],
        });
        let expect = "at        2001-09-09 01:45:40Z (1m 0s ago)\n\
                      count     7\n\
                      given up  no\n\
                      none      none\n\
                      tenant    -\n\
                      words     a, b\n\
                      sessions:\n\
                      \x20 - id  \\u{1b}[2J\n\
                      \x20   more:\n\
                      \x20     left  yes\n\
                      \x20 - id  y\n";
        assert_eq!(outline(&document, now), expect);
    }
}
