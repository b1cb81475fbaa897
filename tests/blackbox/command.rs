//! The command `countersign` against a running server: its console, its headers, the file that it holds.

use std::process::{Command, Output, Stdio};

use countersign_tests::{Launch, Server, Transport, Wire, cli};
use serde_json::Value;

const PASSWORD: &str = "correct horse";

fn command(line: &[&str]) -> Command {
    let mut command = Command::new(cli());
    for (name, _) in
        std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("COUNTERSIGN_"))
    {
        command.env_remove(name);
    }
    command.args(line).env("COUNTERSIGN_PASSWORD", PASSWORD).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn run(line: &[&str]) -> Output {
    command(line).output().expect("the command starts")
}

/// Asks a server as a person.
fn ask(server: &Server, person: &str, line: &[&str]) -> Output {
    run(&[line, &["--server", &server.origin(), "--user", person, "--json"]].concat())
}

#[track_caller]
fn json(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("no JSON: {said}"))
}

fn checks(report: &Value, verdict: &str) -> Vec<String> {
    let findings =
        report["findings"].as_array().unwrap().iter().filter(|finding| finding["verdict"] == verdict);
    findings.map(|finding| finding["check"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_file_that_a_server_holds_is_left_to_it() {
    let server = Server::start(&[]).await;
    let url = format!("file:{}", server.launch().registry().display());
    let output = run(&["sessions", "list", "--registry", &url]);
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("held by a running process") && said.contains("--server"), "{said}");
}

#[tokio::test]
async fn the_doctor_finds_a_fresh_server_well() {
    for transport in ["cookies", "bearer", "body"] {
        let server = Server::start(&["--transport", transport]).await;
        let keys = server.launch().keys();
        let registry = format!("file:{}", server.launch().registry().display());
        let output =
            ask(&server, "admin", &["doctor", "--keys", keys.to_str().unwrap(), "--registry", &registry]);
        let report = json(&output);
        assert_eq!((output.status.code(), &report["worst"]), (Some(0), &"ok".into()), "{report:#}");
        let fine = checks(&report, "ok");
        for check in
            ["keys.file", "registry.file", "server.ready", "server.clock", "server.jwks", "server.keys"]
        {
            assert!(fine.iter().any(|found| found == check), "{check}: {fine:?}");
        }
        assert!(fine.contains(&"server.cookies".to_owned()), "{fine:?}");
        assert!(fine.contains(&"server.staleness".to_owned()), "{fine:?}");
    }
}

#[tokio::test]
async fn the_doctor_finds_what_is_wrong() {
    let server = Server::start(&["--dev-cookies", "--race-window", "10s"]).await;
    let output = ask(&server, "admin", &["doctor"]);
    let report = json(&output);
    assert_eq!(output.status.code(), Some(3), "{report:#}");
    assert!(checks(&report, "warning").contains(&"server.cookies".to_owned()), "{report:#}");
    assert!(checks(&report, "warning").contains(&"server.race-window".to_owned()), "{report:#}");

    let other = Server::start(&[]).await;
    let keys = other.launch().keys();
    let output = ask(&server, "admin", &["doctor", "--keys", keys.to_str().unwrap()]);
    let report = json(&output);
    assert_eq!((output.status.code(), checks(&report, "fault")), (Some(4), vec!["server.keys".to_owned()]));
}

#[tokio::test]
async fn an_administrator_ends_a_person_from_the_terminal() {
    let server = Server::start(&[]).await;
    let mut alice = server.client(Wire::Http1, Transport::Cookies);
    alice.login("alice").await;
    server.client(Wire::Http1, Transport::Cookies).login("bob").await;

    let listed = json(&ask(&server, "admin", &["sessions", "list", "--subject", "alice"]));
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1, "{listed}");
    let id = listed["sessions"][0]["id"].as_str().unwrap();
    assert_eq!(json(&ask(&server, "admin", &["sessions", "show", id]))["session"]["subject"], "alice");

    let unknown = ask(&server, "admin", &["sessions", "show", "AAAAAAAAAAAAAAAAAAAAAA"]);
    assert_eq!((unknown.status.code(), &json(&unknown)["session"]), (Some(1), &Value::Null));

    let unasked = ask(&server, "admin", &["sessions", "end-user", "alice", "--why", "a test"]);
    assert_eq!(unasked.status.code(), Some(2));
    alice.get("/session").await.expect(200);
    let ended = json(&ask(&server, "admin", &["sessions", "end-user", "alice", "--why", "a test", "--yes"]));
    assert_eq!(ended["ended"], 1, "{ended}");
    assert!(ended["audit"].is_u64(), "{ended}");
    alice.get("/session").await.ended("ended-by-admin");

    // Bob's, and that of the very command: the earlier ones were logged out.
    let figures = json(&ask(&server, "admin", &["sessions", "stats"]));
    assert_eq!(figures["overview"]["counts"]["sessions"], 2, "{figures}");
}

#[tokio::test]
async fn a_person_is_exported_and_erased_from_the_terminal() {
    let server = Server::start(&[]).await;
    let mut alice = server.client(Wire::Http1, Transport::Cookies);
    alice.login("alice").await;
    let mut bob = server.client(Wire::Http1, Transport::Cookies);
    bob.login("bob").await;

    let export = ask(&server, "admin", &["sessions", "export", "alice", "--why", "she asked"]);
    let stored = json(&export);
    assert_eq!((&stored["subject"], stored["sessions"].as_array().unwrap().len()), (&"alice".into(), 1));
    assert_eq!(stored["console"]["records"][0]["what"], "export-subject", "{stored}");
    assert!(!String::from_utf8_lossy(&export.stdout).contains("\"bob\""), "{stored}");
    alice.get("/session").await.expect(200);

    let unasked = ask(&server, "admin", &["sessions", "erase", "alice", "--why", "she asked"]);
    assert_eq!(unasked.status.code(), Some(2));
    alice.get("/session").await.expect(200);
    let erase = ["sessions", "erase", "alice", "--why", "she asked", "--yes"];
    let erased = json(&ask(&server, "admin", &erase));
    assert_eq!(erased["sessions"], 1, "{erased}");
    assert!(erased["audit"].is_u64() && erased["remains"][0]["until"].is_u64(), "{erased}");
    alice.get("/session").await.ended("ended-by-admin");
    bob.get("/session").await.expect(200);
    let refused = ask(&server, "bob", &["sessions", "export", "alice", "--why", "curious"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[tokio::test]
async fn who_is_no_administrator_is_told_so() {
    let server = Server::start(&[]).await;
    for line in
        [&["sessions", "list"][..], &["sessions", "show", "AAAAAAAAAAAAAAAAAAAAAA"], &["sessions", "watch"]]
    {
        let output = ask(&server, "alice", line);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("has no right to the console"), "{said}");
    }
}

#[tokio::test]
async fn logins_are_seen_as_they_happen() {
    let server = Launch::new().start().await;
    let line = ["sessions", "watch", "--kinds", "login", "--subject", "alice", "--count", "1"];
    let origin = server.origin();
    let line = [&line[..], &["--server", &origin, "--user", "admin", "--json"]].concat();
    let mut watch = command(&line).spawn().expect("the command starts");
    // Whoever logs in before it looks is not seen: so she does again and again.
    let mut attempts = 0;
    while watch.try_wait().unwrap().is_none() {
        attempts += 1;
        assert!(attempts < 300, "the watch sees one of 300 logins");
        server.client(Wire::Http1, Transport::Cookies).login("alice").await;
    }
    let output = watch.wait_with_output().unwrap();
    let event = json(&output);
    assert_eq!((&event["kind"], &event["subject"]), (&"login".into(), &"alice".into()), "{event}");
}
