//! The doctor at sites that ail: what stands before the server drops a header, adds one, or answers itself.

use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::shell;
use crate::site::serve_behind;

/// How an answer is changed: of which path, and what stands in it instead of what.
type Change<'a> = (&'a str, &'a str, &'a str);

/// A check, its verdict, and words of what it says.
type Finding<'a> = (&'a str, &'a str, &'a str);

/// The doctor's findings at a site whose answers are so changed, but those that all is well; and its exit code.
fn examine(changes: &[Change<'_>], arguments: &str) -> (Vec<Value>, Option<i32>) {
    let folder = tempfile::tempdir().unwrap();
    let changes: Vec<[String; 3]> =
        changes.iter().map(|(at, from, to)| [at, from, to].map(|word| (*word).to_owned())).collect();
    let site = serve_behind(move |path, answer| {
        let here = changes.iter().filter(|[at, ..]| at == path);
        here.fold(answer, |answer, [at, from, to]| {
            // An answer without it would show up as a finding that is missing.
            if answer.contains(from.as_str()) {
                answer.replacen(from, to, 1)
            } else {
                format!("no {from} at {at}")
            }
        })
    });
    let line = format!(
        "umask 077; echo 'correct horse' > password; countersign doctor --server $SERVER {arguments} --json"
    );
    let output = shell(&line, folder.path(), &site);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = report["findings"].as_array().unwrap().clone();
    (findings.into_iter().filter(|finding| finding["verdict"] != "ok").collect(), output.status.code())
}

/// What is found with a login, and that nothing else is.
#[track_caller]
fn check(changes: &[Change<'_>], expected: &[Finding<'_>]) {
    let (findings, code) = examine(changes, "--user admin --password-file password");
    let as_expected = findings.iter().zip(expected).all(|(finding, (check, verdict, says))| {
        finding["check"] == *check
            && finding["verdict"] == *verdict
            && finding["says"].as_str().unwrap().contains(says)
            && finding["change"].is_string()
    });
    assert!(as_expected && findings.len() == expected.len(), "{changes:?} finds {findings:#?}");
    let faulty = expected.iter().any(|(_, verdict, _)| *verdict == "fault");
    assert_eq!(code, Some(if faulty { 4 } else { 3 }), "{changes:?}");
}

#[test]
fn a_node_that_is_not_ready() {
    let away = ("/readyz", "200 OK", "503 Service Unavailable");
    check(&[away], &[("server.ready", "fault", "/readyz answers 503")]);
    check(&[("/readyz", "200 OK", "404 Not Found")], &[("server.ready", "warning", "no /readyz")]);
}

#[test]
fn a_node_with_a_stale_view() {
    let overview = "/console/api/overview";
    for readiness in ["stale", "starting", "\\u001b[2J"] {
        let stale = format!(r#""readiness":"{readiness}""#);
        let changed = (overview, r#""readiness":"ready""#, &*stale);
        check(&[changed], &[("server.staleness", "fault", "the node's view of revocations is ")]);
    }
    let dropped = (overview, r#""live_dropped":0"#, r#""live_dropped":7"#);
    check(&[dropped], &[("server.live", "warning", "it dropped 7 live events")]);
}

#[test]
fn a_clock_that_is_wrong() {
    let ago = |secs| {
        let then = httpdate::fmt_http_date(SystemTime::now() - Duration::from_secs(secs));
        format!("date: {then}\r\nx-instead-of: ")
    };
    check(&[("/readyz", "date: ", &ago(30))], &[("server.clock", "warning", "seconds apart")]);
    check(&[("/readyz", "date: ", &ago(90))], &[("server.clock", "fault", "seconds apart")]);
    check(&[("/readyz", "date: ", "x-date: ")], &[("server.clock", "warning", "have no Date")]);
}

#[test]
fn a_session_endpoint_whose_headers_do_not_arrive() {
    let cacheable = [("/session", "cache-control: no-store", "cache-control: public, max-age=60")];
    check(&cacheable, &[("server.caching", "fault", "one person's session to another")]);
    // Either of them is enough, and of Vary it takes both names.
    let vary = |names| [("/session", "cache-control: no-store", names)];
    check(&vary("vary: cookie"), &[("server.caching", "fault", "varies by credentials")]);
    let (findings, code) = examine(&vary("vary: Cookie, Authorization"), "");
    assert!(findings.is_empty() && code == Some(0), "{findings:#?}");

    let scheme = [("/session", "www-authenticate: ", "x-was: ")];
    check(&scheme, &[("server.session", "warning", "no WWW-Authenticate")]);
    let window = |to| [("/session", "session-race-window: 60", to)];
    check(&window("x-was: 60"), &[("server.race-window", "warning", "are not told the race window")]);
    check(&window("session-race-window: 14"), &[("server.race-window", "warning", "less than 5 seconds")]);
    let other = [("/session", "401 Unauthorized", "200 OK")];
    check(&other, &[("server.session", "fault", "/session does not answer as the session endpoint does")]);
}

#[test]
fn a_key_set_that_is_missing_or_kept_too_long() {
    let at = "/.well-known/jwks.json";
    let kept = |to| [(at, "cache-control: public, max-age=300", to)];
    check(&kept("cache-control: public, max-age=86400"), &[("server.jwks", "fault", "86400 seconds")]);
    check(&kept("x-was: 300"), &[("server.jwks", "warning", "does not say for how long")]);
    check(&[(at, "200 OK", "404 Not Found")], &[("server.jwks", "fault", "no key set")]);
    check(&[(at, r#"{"keys":[]}"#, "<!doctype html>")], &[("server.jwks", "fault", "no key set")]);
}

#[test]
fn a_login_whose_cookies_are_changed_on_the_way() {
    let cookies = "server.cookies";
    for (from, to, verdict, says) in [
        ("; HttpOnly", "", "fault", "scripts can read the cookie __Host-session:"),
        ("; Secure", "", "warning", "the cookie __Host-session travels without TLS too"),
        ("Path=/;", "Path=/login;", "fault", "is not of the whole host"),
        ("Path=/;", "Path=/; Domain=shop.example;", "fault", "goes to sibling hosts"),
        ("SameSite=Lax", "SameSite=None", "fault", "other sites can send the cookie __Host-session:"),
        ("SameSite=Strict", "SameSite=Lax", "warning", "__Host-session-refresh is not SameSite=Strict"),
        ("cache-control: no-store", "cache-control: private", "fault", "may be stored by caches"),
        (
            r#"{"session":{},"#,
            r#"{"session":{},"access_token":"tok","#,
            "fault",
            "in a cookie and in the body",
        ),
    ] {
        check(&[("/login", from, to)], &[(cookies, verdict, says)]);
    }
}

#[test]
fn a_session_of_the_doctors_own_that_stays() {
    let refused = ("/session/logout", "204 No Content", "503 Service Unavailable");
    check(&[refused], &[("server.logout", "warning", "503")]);
}

/// The keys that a server publishes are held against those of the file.
#[test]
fn a_server_with_other_keys() {
    let folder = tempfile::tempdir().unwrap();
    let run = |line: &str| {
        let output = shell(&format!("countersign keys {line}"), folder.path(), "");
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    run("generate --out keys.json");
    let before = run("jwks --keys keys.json");
    run("rotate --keys keys.json --now");
    let both = run("jwks --keys keys.json");
    let kid = serde_json::from_str::<Value>(&before).unwrap()["keys"][0]["kid"].as_str().unwrap().to_owned();
    run(&format!("remove --keys keys.json --yes -- {kid}"));
    let after = run("jwks --keys keys.json");
    let file = folder.path().join("keys.json");
    for (served, says) in [
        (&before, Some("which the key file has removed")),
        (&both, Some("which the key file has removed")),
        (&after, None),
        (&r#"{"keys":[]}"#.to_owned(), Some("does not publish the key")),
    ] {
        let change = ("/.well-known/jwks.json", r#"{"keys":[]}"#, &**served);
        let (findings, code) = examine(&[change], &format!("--keys {}", file.display()));
        match says {
            None => assert!(findings.is_empty() && code == Some(0), "{findings:#?}"),
            Some(says) => {
                assert!(findings.len() == 1 && findings[0]["check"] == "server.keys", "{findings:#?}");
                assert!(findings[0]["says"].as_str().unwrap().contains(says), "{findings:#?}");
                assert_eq!(code, Some(4));
            }
        }
    }
}
