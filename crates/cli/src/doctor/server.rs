//! What a running server answers: whether it is ready, its clock, its headers, its published keys.

use std::time::SystemTime;

use countersign::keys::PUBLISH_AHEAD;
use countersign_token::KeyRing;
use http::Method;
use serde_json::Value;

use super::finding::Findings;
use super::{clock, cookies};
use crate::error::Failure;
use crate::http::{Access, Answer, Credential, Http};
use crate::output::{counted, printable};
use crate::time::Instant;

/// Checks the server, if one is named; with a login also what only a login shows.
pub(crate) async fn check(
    access: &Access,
    ring: Option<&KeyRing>,
    findings: &mut Findings,
) -> Result<(), Failure> {
    let Some(origin) = &access.server else { return Ok(()) };
    let credential = access.credential()?;
    let mut http = Http::new(origin.clone())?;
    let ready = match http.ask(Method::GET, "/readyz", None).await {
        Ok(ready) => ready,
        Err(failure) => {
            findings.fault(
                "server.reachable",
                failure.to_string(),
                "see that it runs, and that its certificate is trusted here",
            );
            return Ok(());
        }
    };
    readiness(&ready, findings);
    date(&ready, findings);
    if origin.is_https() {
        hsts(&ready, findings);
    }
    match http.ask(Method::GET, &access.session_path, None).await {
        Ok(answer) => session(&answer, &access.session_path, findings),
        Err(failure) => {
            findings.fault("server.session", failure.to_string(), "see what the server's log says");
        }
    }
    match http.ask(Method::GET, "/.well-known/jwks.json", None).await {
        Ok(answer) => jwks(&answer, ring, findings),
        Err(failure) => findings.fault("server.jwks", failure.to_string(), "see what the server's log says"),
    }
    match credential {
        None => findings.leave_out("cookies and staleness of the server: log in with --user"),
        Some(credential) => inside(&credential, &mut http, access, findings).await,
    }
    Ok(())
}

fn readiness(ready: &Answer, findings: &mut Findings) {
    if ready.status.is_success() {
        findings.ok("server.ready", "it is ready: its view of revocations is complete and fresh");
    } else if ready.status == http::StatusCode::NOT_FOUND {
        findings.warn(
            "server.ready",
            "it has no /readyz",
            "mount it, so that a balancer sends nobody to a stale node",
        );
    } else {
        let says = format!("it is not ready: /readyz answers {}", ready.status);
        findings.fault(
            "server.ready",
            says,
            "see whether it reaches its registry: its view of revocations is too old",
        );
    }
}

fn date(answer: &Answer, findings: &mut Findings) {
    let date = answer.header("date").and_then(|date| httpdate::parse_http_date(date).ok());
    let since = date.and_then(|date| date.duration_since(SystemTime::UNIX_EPOCH).ok());
    match since.and_then(|since| Instant::from_secs(i64::try_from(since.as_secs()).ok()?)) {
        Some(there) => clock::compare("server.clock", "the server", Instant::now(), there, findings),
        None => findings.warn(
            "server.clock",
            "its answers have no Date, so its clock is not known",
            "let the server send Date (RFC 9110, section 6.6.1)",
        ),
    }
}

/// A day: less is for trying it out.
const SHORTEST_HSTS: u64 = 86_400;

fn hsts(answer: &Answer, findings: &mut Findings) {
    let age = answer.header("strict-transport-security").and_then(|value| seconds(value, "max-age"));
    match age {
        Some(SHORTEST_HSTS..) => findings.ok("server.hsts", "browsers come back by TLS only (Strict-Transport-Security)"),
        _ => findings.warn(
            "server.hsts",
            "a browser's first request may go without TLS: there is no Strict-Transport-Security of a day or more",
            "send `Strict-Transport-Security: max-age=31536000` from the server or what stands before it",
        ),
    }
}

/// The number of a directive such as `max-age=300`.
fn seconds(header: &str, name: &str) -> Option<u64> {
    let directives = header.split([',', ';']).map(str::trim);
    directives
        .filter_map(|part| part.split_once('='))
        .find(|(found, _)| found.eq_ignore_ascii_case(name))?
        .1
        .trim_matches('"')
        .parse()
        .ok()
}

/// What somebody without a session is told.
fn session(answer: &Answer, path: &str, findings: &mut Findings) {
    let mounted = answer.status == http::StatusCode::UNAUTHORIZED && answer.code() == "not-authenticated";
    if !mounted {
        let says = format!("{path} does not answer as the session endpoint does, but with {}", answer.status);
        findings.fault(
            "server.session",
            says,
            "name the prefix with --session-path, and see that nothing before the server answers for it",
        );
        return;
    }
    let private = ["cache-control", "vary"].iter().filter_map(|name| answer.header(name)).any(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("no-store") || (value.contains("cookie") && value.contains("authorization"))
    });
    if !private {
        findings.fault(
            "server.caching",
            "a cache may give one person's session to another: the answer is neither no-store nor varies by credentials",
            "let what stands before the server pass on Cache-Control and Vary",
        );
    }
    if answer.header("www-authenticate").is_none() {
        findings.warn(
            "server.session",
            "a refusal has no WWW-Authenticate",
            "let what stands before the server pass it on (RFC 9110, section 11.6.1)",
        );
    }
    match answer.header("session-race-window").and_then(|value| value.parse::<u64>().ok()) {
        Some(window @ 15..) => {
            findings.ok("server.race-window", format!("a client has {} seconds for a refresh", window / 3));
        }
        Some(window) => findings.warn(
            "server.race-window",
            format!(
                "a client has less than {} for a refresh, then an honest one may look like a thief",
                counted(window / 3 + 1, "second")
            ),
            "give --race-window a minute",
        ),
        None => findings.warn(
            "server.race-window",
            "clients are not told the race window, so they guess when to give a refresh up",
            "let what stands before the server pass on Session-Race-Window",
        ),
    }
}

fn jwks(answer: &Answer, ring: Option<&KeyRing>, findings: &mut Findings) {
    let set = answer.json();
    let Some(keys) = set["keys"].as_array().filter(|_| answer.status.is_success()) else {
        let says = format!("/.well-known/jwks.json answers {}, and no key set", answer.status);
        findings.fault("server.jwks", says, "mount it: services that verify need the public keys");
        return;
    };
    let ahead = PUBLISH_AHEAD.as_secs();
    match answer.header("cache-control").and_then(|value| seconds(value, "max-age")) {
        Some(age) if age < ahead => findings.ok("server.jwks", format!("{}, cached for {}", counted(keys.len() as u64, "key"), counted(age, "second"))),
        Some(age) => findings.fault(
            "server.jwks",
            format!("the key set may be cached for {age} seconds, and a key is published only {ahead} before it signs"),
            "let what stands before the server pass on its Cache-Control",
        ),
        None => findings.warn("server.jwks", "the key set does not say for how long it is good", "let what stands before the server pass on its Cache-Control"),
    }
    if let Some(ring) = ring.filter(|ring| ring.algorithm() != countersign_token::Algorithm::Hs256) {
        compare(keys, ring, findings);
    }
}

/// Whether the server works with the key file that we were shown.
fn compare(served: &[Value], ring: &KeyRing, findings: &mut Findings) {
    let publishes = |kid: &str| served.iter().any(|key| key["kid"] == kid);
    let unserved = ring.keys().find(|key| !publishes(key.id.as_str()));
    let revived = ring.removed().find(|(kid, _)| publishes(kid.as_str()));
    match (unserved, revived) {
        (_, Some((kid, _))) => findings.fault(
            "server.keys",
            format!("the server still publishes the key {kid}, which the key file has removed"),
            "see that the server follows this file; restart it if it does not within a minute",
        ),
        (Some(key), None) => findings.fault(
            "server.keys",
            format!("the server does not publish the key {} of the key file", key.id),
            "start the server with this key file (--keys), or name its own to the doctor",
        ),
        (None, None) => findings.ok("server.keys", "the server publishes the keys of the key file"),
    }
}

/// What only a login shows. The session is logged out at the end.
async fn inside(credential: &Credential, http: &mut Http, access: &Access, findings: &mut Findings) {
    match credential.present(http).await {
        Ok(Some(login)) => cookies::check(&login, http.origin().is_https(), findings),
        Ok(None) => findings.leave_out("cookies: log in with --user instead of a token"),
        Err(failure) => {
            findings.fault(
                "server.login",
                failure.to_string(),
                "see that --login-path, name and password are right",
            );
            return;
        }
    }
    match http.ask(Method::GET, &format!("{}/api/overview", access.console), None).await {
        Ok(answer) if answer.status.is_success() => staleness(&answer.json(), findings),
        _ => findings.leave_out("staleness: the console does not answer to this account (--console)"),
    }
    if let Err(failure) = credential.give_up(http).await {
        findings.warn("server.logout", failure.to_string(), "end the doctor's own session by hand");
    }
}

fn staleness(overview: &Value, findings: &mut Findings) {
    let dropped = overview["node"]["live_dropped"].as_u64().unwrap_or_default();
    match overview["node"]["readiness"].as_str() {
        Some("ready") => findings.ok("server.staleness", "the node's view of revocations is fresh"),
        other => findings.fault(
            "server.staleness",
            format!("the node's view of revocations is {}", printable(other.unwrap_or("not known"))),
            "see whether the node reaches its registry",
        ),
    }
    if dropped > 0 {
        findings.warn(
            "server.live",
            format!("it dropped {}", counted(dropped, "live event")),
            "let fewer readers watch, or faster ones",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_are_found_however_they_are_written() {
        assert_eq!(seconds("public, max-age=300", "max-age"), Some(300));
        assert_eq!(seconds("Max-Age=\"31536000\"; includeSubDomains", "max-age"), Some(31_536_000));
        assert_eq!(seconds("no-store, s-maxage=9", "max-age"), None);
    }
}
