//! A short label for a browser or program, from its `User-Agent`: for people to tell their sessions apart, nothing
//! is decided by it.

use std::sync::Arc;

use http::header::USER_AGENT;
use http::{HeaderMap, HeaderValue};

/// A label is never longer, in bytes.
const LONGEST: usize = 64;

/// A label such as `Firefox on Linux` or `curl`, or [`None`] if the request names no program.
///
/// It consists of ASCII letters, digits, spaces and `.-_` only, at most 64 of them, so it carries no mark-up
/// wherever it is shown.
pub(crate) fn label(headers: &HeaderMap) -> Option<Arc<str>> {
    label_of(headers.get(USER_AGENT)?)
}

/// The label of a `User-Agent`.
pub(crate) fn label_of(agent: &HeaderValue) -> Option<Arc<str>> {
    let agent = String::from_utf8_lossy(agent.as_bytes());
    let program = known(BROWSERS, &agent).map_or_else(|| first_product(&agent), str::to_owned);
    let label = match known(SYSTEMS, &agent) {
        Some(system) if !program.is_empty() => format!("{program} on {system}"),
        Some(system) => system.to_owned(),
        None => program,
    };
    if label.is_empty() { None } else { Some(label.into()) }
}

/// Whether a recorded label is one that a browser's `User-Agent` led to: a browser on a system. What a host called a
/// device, and the bare name of a program, are not.
pub(crate) fn is_of_agent(label: &str) -> bool {
    let names = |table: &[(&str, &str)], name| table.iter().any(|(_, known)| *known == name);
    match label.rsplit_once(" on ") {
        Some((program, system)) => names(BROWSERS, program) && names(SYSTEMS, system),
        None => names(BROWSERS, label),
    }
}

/// What gives a browser away, the more telling first: nearly all call themselves Mozilla, most call themselves
/// Chrome and Safari too.
const BROWSERS: &[(&str, &str)] = &[
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("EdgiOS/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("YaBrowser/", "Yandex Browser"),
    ("DuckDuckGo/", "DuckDuckGo"),
    ("FxiOS/", "Firefox"),
    ("Firefox/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("HeadlessChrome/", "Chrome"),
    ("Chromium/", "Chromium"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("Mozilla/", "Browser"),
];

const SYSTEMS: &[(&str, &str)] = &[
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
    ("FreeBSD", "FreeBSD"),
];

fn known(table: &[(&str, &'static str)], agent: &str) -> Option<&'static str> {
    table.iter().find(|(mark, _)| agent.contains(mark)).map(|(_, name)| *name)
}

/// The name of the first product of an agent that is no browser: `curl` of `curl/8.5.0`.
fn first_product(agent: &str) -> String {
    let product = agent.split(['/', ' ', '(']).next().unwrap_or_default();
    let harmless =
        |character: &char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    product.chars().filter(harmless).take(LONGEST - LONGEST_SYSTEM).collect()
}

/// Room for ` on ` and a system.
const LONGEST_SYSTEM: usize = 16;

#[cfg(test)]
mod tests;
