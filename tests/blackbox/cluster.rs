//! Many nodes by one command: what it shows, that it survives the death of a node, and that it leaves nothing behind.

use std::process::Command;
use std::time::Duration;

use countersign_tests::{Client, Cluster, Member, cli, eventually, header};
use futures_util::future::join_all;
use rustix::process::Signal;
use serde_json::json;

const PATIENCE: Duration = Duration::from_mins(1);

/// The client, speaking to one node past the load balancer.
fn at(client: &Client, node: Member) -> Client {
    Client { address: node.address, ..client.clone() }
}

/// Waits for the command's end, and looks for what it should have taken away.
async fn leaves_nothing(cluster: &mut Cluster) {
    let (members, scratch) = ([cluster.nodes(), vec![cluster.store()]].concat(), cluster.scratch());
    assert_eq!(cluster.exited().await.code(), Some(0), "{}", cluster.output());
    let left: Vec<_> = members.iter().filter(|member| member.is_there()).collect();
    assert!(left.is_empty(), "still running: {left:?}");
    assert!(!scratch.exists(), "{}", scratch.display());
    assert_eq!(cluster.files(), Vec::<std::path::PathBuf>::new(), "where it was started");
}

#[tokio::test]
async fn the_story_is_told_and_measured() {
    let mut cluster = Cluster::start(&["--demo-only"]);
    cluster.says("site ").await;
    leaves_nothing(&mut cluster).await;
    let output = cluster.output();
    for told in
        ["logs in through node 1", "herself on node 2", "herself on node 3", "logs out through node 3"]
    {
        assert!(output.contains(told), "{told}: {output}");
    }
    let refusals: Vec<&str> = output.lines().filter(|line| line.contains(" refuses her session ")).collect();
    assert_eq!(refusals.len(), 2, "{output}");
    for (line, node) in refusals.into_iter().zip(1..) {
        let figure = line.split("401, ").nth(1).and_then(|rest| rest.strip_suffix(" ms after"));
        assert!(
            line.starts_with(&format!("node {node} ")) && figure.unwrap().parse::<f64>().is_ok(),
            "{line}"
        );
    }
    assert!(output.contains("50 more logouts"), "{output}");
}

#[tokio::test]
async fn a_site_of_many_nodes_survives_the_death_of_one() {
    let mut cluster = Cluster::start(&[]);
    cluster.says("stop with Ctrl-C").await;
    let nodes = cluster.nodes();
    assert_eq!(nodes.len(), 3);
    let mut client = cluster.client();
    client.login("alice").await;
    client.add_exclusive("tea").await.expect(200);
    for &node in &nodes {
        let cart = at(&client, node).get("/api/cart").await.expect(200);
        assert_eq!(cart["cart"], json!(["tea"]), "any node serves any session");
    }

    // What was on its way to the node as it died is lost, and nothing else.
    let asked = (0..4).map(async |_| {
        let mut visitor = client.clone();
        let mut lost = 0;
        for _ in 0..30 {
            match visitor.get("/session").await.status.as_u16() {
                200 => {}
                502 => lost += 1,
                other => panic!("a visitor was answered {other}"),
            }
        }
        assert!(lost <= 1, "{lost} requests failed");
    });
    tokio::join!(join_all(asked), async { nodes[1].kill9() });
    client.refresh().await.expect(200);
    client.add("milk").await.expect(200);
    let copy = client.clone();
    client.logout().await;
    for node in [nodes[0], nodes[2]] {
        let refused = || async { at(&copy, node).get("/session").await.status == 401 };
        eventually("the end is known", PATIENCE, refused).await;
        at(&copy, node).get("/session").await.ended("logout");
    }

    cluster.signal(Signal::INT);
    leaves_nothing(&mut cluster).await;
}

/// Changes the one key file that the nodes share.
fn keys(cluster: &Cluster, words: &[&str]) {
    let mut command = Command::new(cli());
    command.arg("keys").args(words).arg("--keys").arg(cluster.scratch().join("keys.json"));
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{words:?}: {}", String::from_utf8_lossy(&ran.stderr));
}

/// Whether a node has as many keys as this, as it publishes them.
async fn publishes(client: &Client, node: Member, count: usize) -> bool {
    let set = at(client, node).get("/.well-known/jwks.json").await.expect(200);
    set["keys"].as_array().unwrap().len() == count
}

#[tokio::test]
async fn keys_change_on_all_nodes_without_a_stranger_among_them() {
    // It may have to be built, while sessions grow old.
    let _ = cli();
    let mut cluster = Cluster::start(&[]);
    cluster.says("stop with Ctrl-C").await;
    let (nodes, nobody) = (cluster.nodes(), cluster.client());
    let mut early = nobody.clone();
    early.login("alice").await;

    // A successor is known everywhere before it signs, so nobody meets a node that does not know their key.
    keys(&cluster, &["rotate"]);
    for &node in &nodes {
        eventually("the successor is published", PATIENCE, || publishes(&nobody, node, 2)).await;
    }
    keys(&cluster, &["rotate", "--now"]);
    let old = header(&early.access())["kid"].as_str().unwrap().to_owned();
    let mut late = nobody.clone();
    let signs_anew = || async {
        let mut client = nobody.clone();
        client.login("bob").await;
        for &node in &nodes {
            at(&client, node).get("/session").await.expect(200);
            at(&early, node).get("/session").await.expect(200);
        }
        header(&client.access())["kid"] != old.as_str()
    };
    eventually("the successor signs", PATIENCE, signs_anew).await;
    // The last node may sign with the old key yet.
    while late.jar.names().is_empty() || header(&late.access())["kid"] == old.as_str() {
        late = nobody.clone();
        late.login("bob").await;
    }

    keys(&cluster, &["remove", &old, "--yes"]);
    for &node in &nodes {
        let refused = || async { at(&early, node).get("/session").await.status == 401 };
        eventually("the removal is known", PATIENCE, refused).await;
        at(&early, node).get("/session").await.ended("key-removed");
        at(&late, node).get("/session").await.expect(200);
    }

    // Without a successor there is a fresh key, and it is the same one on all nodes.
    let signing = header(&late.access())["kid"].as_str().unwrap().to_owned();
    keys(&cluster, &["remove", &signing, "--yes"]);
    for &node in &nodes {
        let refused = || async { at(&late, node).get("/session").await.status == 401 };
        eventually("the removal is known", PATIENCE, refused).await;
    }
    for &through in &nodes {
        let mut client = at(&nobody, through);
        client.login("carol").await;
        for &node in &nodes {
            at(&client, node).get("/session").await.expect(200);
        }
    }
}
