//! The command straight against a real Redis, beside a node that uses the registry.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "helpers of tests, too")]

#[path = "../../../valkey/tests/support/mod.rs"]
mod support;

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use countersign::SubjectExport;
use countersign_registry::{
    Admit, Admitted, Clock as _, CountOf, End, EndReason, Filter, Holding, Lifetime, List, ManualClock, OpId,
    Order, Owner, Registry, Rules, SessionRecord, Standing, SystemClock, Target,
};
use countersign_token::SessionId;
use countersign_valkey::ValkeyRegistry;
use serde_json::Value;
use support::{Engine, Server, patient};

const DAY: Duration = Duration::from_hours(24);

/// A node of a site that is more patient than the default rules, whose sessions were last used three days ago.
async fn node(server: &Server, sessions: u16) -> (ValkeyRegistry, Vec<SessionId>) {
    let clock = ManualClock::at(SystemClock.now().before(3 * DAY));
    let node = server.registry(patient().clock(clock.clone())).await;
    node.configure(Rules { dangling_after: 2 * DAY, idle_timeout: 30 * DAY, ..Rules::default() });
    let mut ids = Vec::new();
    for n in 0..sessions {
        let mut id = [0; 16];
        id[..2].copy_from_slice(&n.to_be_bytes());
        let mut admit = Admit::new(SessionId::from_bytes(id), Owner::new(format!("user {}", n % 100)));
        admit.lifetime = Lifetime::For(60 * DAY);
        assert!(matches!(node.admit(admit).await.unwrap(), Admitted::Seated(_)));
        ids.push(SessionId::from_bytes(id));
    }
    clock.advance(3 * DAY);
    (node, ids)
}

fn countersign(server: &Server, line: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_countersign"));
    command.args(line).env("COUNTERSIGN_REGISTRY", server.url()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn run(server: &Server, line: &[&str]) -> Output {
    let mut command = countersign(server, line);
    // Nodes go on while the command runs.
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

async fn json(server: &Server, line: &[&str]) -> Value {
    let line = [line, &["--json"]].concat();
    let output = run(server, &line).await;
    assert!(output.status.success(), "{line:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

async fn all(node: &ValkeyRegistry) -> Vec<(SessionRecord, Holding)> {
    let list = List { filter: Filter::default(), order: Order::Oldest, after: None, limit: 1000 };
    node.list(list).await.unwrap().sessions
}

#[tokio::test(flavor = "multi_thread")]
async fn looking_at_a_running_registry_changes_nothing() {
    let server = Server::start(Engine::Redis);
    let (node, ids) = node(&server, 4).await;
    // Their time to dangle has come, and no node has carried it out: by the default rules, they would have idled.
    let listed = json(&server, &["sessions", "list", "--order", "oldest"]).await;
    let shown: Vec<&str> =
        listed["sessions"].as_array().unwrap().iter().filter_map(|s| s["id"].as_str()).collect();
    assert_eq!(shown, ids.iter().map(ToString::to_string).collect::<Vec<_>>());
    let figures = json(&server, &["sessions", "stats"]).await;
    assert_eq!((&figures["counts"]["sessions"], &figures["people"]), (&4.into(), &4.into()));
    let id = ids[0].to_string();
    assert_eq!(json(&server, &["sessions", "show", &id]).await["session"]["subject"], "user 0");
    let after = all(&node).await;
    assert!(after.iter().all(|(_, holding)| *holding == Holding::Nothing) && after.len() == 4, "{after:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_command_ends_is_ended_for_the_nodes() {
    let server = Server::start(Engine::Redis);
    let (node, ids) = node(&server, 700).await;
    let fresh = SessionId::from_bytes([9; 16]);
    assert!(matches!(
        node.admit(Admit::new(fresh, Owner::new("user 0"))).await.unwrap(),
        Admitted::Seated(_)
    ));

    let refused = run(&server, &["sessions", "end-user", "user 1"]).await;
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("This ends 7 sessions of user 1"));
    assert_eq!(node.counts(CountOf::Site).await.unwrap().sessions, 701);

    assert_eq!(json(&server, &["sessions", "end-user", "user 1", "--yes"]).await["ended"], 7);
    let id = ids[0].to_string();
    assert_eq!(json(&server, &["sessions", "end", &id, "--yes"]).await["ended"], 1);
    let dangling = ["sessions", "end-dangling", "--inactive-for", "2days", "--yes"];
    assert_eq!(json(&server, &dangling).await["ended"], 692);

    let by_admin = Standing::Ended(Some(EndReason::EndedByAdmin));
    assert!(node.get(ids).await.unwrap().iter().all(|standing| *standing == by_admin));
    assert!(
        matches!(&node.get(vec![fresh]).await.unwrap()[..], [Standing::Live(..)]),
        "whoever is active is spared"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_exported_and_erased_as_by_a_node() {
    let server = Server::start(Engine::Redis);
    let (node, ids) = node(&server, 4).await;
    let (person, namesake) = (Owner::new("user 0"), Owner::new("user 0").of_tenant("acme"));
    let theirs = SessionId::from_bytes([9; 16]);
    assert!(matches!(node.admit(Admit::new(theirs, namesake)).await.unwrap(), Admitted::Seated(_)));

    let export = json(&server, &["sessions", "export", "user 0"]).await;
    let of_node = serde_json::to_value(SubjectExport::read(&node, &person).await.unwrap()).unwrap();
    assert_eq!((&export["sessions"], &export["entries"]), (&of_node["sessions"], &of_node["entries"]));
    let shown: Vec<&Value> =
        export["sessions"].as_array().unwrap().iter().map(|session| &session["id"]).collect();
    assert_eq!(shown, [&ids[0].to_string()]);

    let unasked = run(&server, &["sessions", "erase", "user 0"]).await;
    assert_eq!(unasked.status.code(), Some(2));
    assert_eq!(node.counts(CountOf::Site).await.unwrap().sessions, 5);
    let erased = json(&server, &["sessions", "erase", "user 0", "--yes"]).await;
    assert_eq!((&erased["sessions"], &erased["audit"]), (&1.into(), &Value::Null));
    let by_admin = Standing::Ended(Some(EndReason::EndedByAdmin));
    assert!(
        matches!(&node.get(vec![ids[0], theirs]).await.unwrap()[..], [ended, Standing::Live(..)] if *ended == by_admin)
    );
    let left = json(&server, &["sessions", "export", "user 0"]).await;
    assert_eq!(left["sessions"], serde_json::json!([]));
    assert_eq!(left["entries"][0]["until"], erased["remains"][0]["until"], "{left} {erased}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ends_are_seen_as_they_happen() {
    let server = Server::start(Engine::Redis);
    let (node, ids) = node(&server, 300).await;
    let mut watch = countersign(&server, &["sessions", "watch", "--count", "2", "--kinds", "end", "--json"])
        .spawn()
        .unwrap();
    // Those that end before it looks are not told: so another one ends until it has seen two.
    let mut left = ids.iter();
    while watch.try_wait().unwrap().is_none() {
        let id = left.next().expect("the watch sees two of 300 ends");
        let end =
            End { id: OpId(*id.as_bytes()), target: Target::Sessions(vec![*id]), reason: EndReason::Logout };
        assert_eq!(node.end(end).await.unwrap().sessions, 1);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let output = watch.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> =
        output.stdout.split(|&b| b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    assert_eq!(lines.len(), 2);
    for line in lines {
        assert_eq!((&line["kind"], &line["reason"]), (&"end".into(), &"logout".into()));
        assert!(ids.iter().any(|id| line["session"] == id.to_string()), "{line}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_looks_at_settings_and_clock() {
    for (settings, exit, told) in [
        (&["--appendonly", "yes", "--appendfsync", "always"][..], 0, "keep every session"),
        (&["--appendonly", "yes", "--appendfsync", "everysec"], 3, "set `appendfsync always`"),
        (&["--appendonly", "no"], 4, "set `appendonly yes`"),
        (
            &["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"],
            4,
            "set `maxmemory-policy noeviction`",
        ),
    ] {
        let server = Server::start_with(Engine::Redis, settings);
        let node = server.registry(patient().unfit(countersign_valkey::Unfit::Warn)).await;
        let output = run(&server, &["doctor"]).await;
        let text = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(exit), "{text}");
        assert!(text.contains(told) && text.contains("the registry agree"), "{text}");
        drop(node);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_nothing_is_made() {
    let server = Server::start(Engine::Redis);
    let output = run(&server, &["sessions", "list", "--domain", "shop"]).await;
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("has no session registry named \"shop\""), "{said}");
    let output = run(&server, &["doctor", "--domain", "shop", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let empty = report["findings"].as_array().unwrap().iter().find(|f| f["check"] == "registry.contents");
    assert_eq!(empty.unwrap()["verdict"], "warning", "{report:#}");
    assert!(matches!(server.ask(&["DBSIZE"]).await, redis::Value::Int(0)));
}
