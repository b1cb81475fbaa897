//! What my session is, which others I have, and who may see the answer.

use countersign_tests::{Call, Wire, for_each_setup};
use http::Method;
use serde_json::Value;

#[tokio::test]
async fn get_session_says_what_it_is() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let id = client.login("alice").await;
        let answer = client.get("/session").await;
        let session = answer.expect(200);
        answer.assert_private();
        assert_eq!(answer.header("content-type"), Some("application/json"));
        assert!(answer.cookies().is_empty());
        assert_eq!(session["id"], id);
        assert_eq!(session["subject"], "alice");
        assert_eq!(session["current"], true);
        assert_eq!(session["tenant"], Value::Null);
    })
    .await;
}

#[tokio::test]
async fn head_says_what_get_says_without_a_body() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        for path in ["/session", "/session/list", "/api/me", "/.well-known/jwks.json"] {
            let get = client.get(path).await;
            let head = client.send(Call::new(Method::HEAD, path)).await;
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
            assert_eq!(head.header("cache-control"), get.header("cache-control"), "{path}");
            assert_eq!(head.header("vary"), get.header("vary"), "{path}");
        }
        let nobody = stage.client().send(Call::new(Method::HEAD, "/session")).await;
        assert_eq!((nobody.status.as_u16(), nobody.body.len()), (401, 0));
        nobody.assert_private();
    })
    .await;
}

#[tokio::test]
async fn nobody_is_not_authenticated() {
    for_each_setup(&[], |stage| async move {
        for path in ["/session", "/session/list", "/api/me", "/api/poll", "/api/stream"] {
            let answer = stage.client().get(path).await;
            answer.refused(401, "not-authenticated");
            answer.assert_private();
            assert!(answer.challenge().starts_with("Bearer"), "{path}: {}", answer.challenge());
            assert!(!answer.challenge().contains("error="), "RFC 6750, 3.1: {path}: {}", answer.challenge());
        }
        stage.client().post("/session/logout-others").await.refused(401, "not-authenticated");
        stage.client().delete("/session/AAAAAAAAAAAAAAAAAAAAAA").await.refused(401, "not-authenticated");
        stage.client().get("/api/public").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn a_mere_visit_is_not_authenticated() {
    for_each_setup(&[], |stage| async move {
        let mut visitor = stage.client();
        visitor.add("tea").await.expect(200);
        visitor.get("/session").await.refused(401, "not-authenticated");
        visitor.get("/api/me").await.refused(401, "not-authenticated");
    })
    .await;
}

#[tokio::test]
async fn list_shows_my_sessions_and_no_others() {
    for_each_setup(&[], |stage| async move {
        let mut first = stage.client();
        let mut ids = vec![first.login("alice").await];
        ids.push(stage.client().login("alice").await);
        stage.client().login("bob").await;
        let answer = first.get("/session/list").await;
        answer.assert_private();
        let sessions = answer.expect(200)["sessions"].as_array().unwrap().clone();
        let mut listed: Vec<_> = sessions.iter().map(|s| s["id"].as_str().unwrap().to_owned()).collect();
        listed.sort();
        ids.sort();
        assert_eq!(listed, ids);
        assert!(sessions.iter().all(|session| session["subject"] == "alice"));
        let current: Vec<_> = sessions.iter().filter(|s| s["current"] == true).collect();
        assert_eq!(current.len(), 1);
        assert_eq!(current[0]["id"], first.get("/session").await.value()["id"]);
    })
    .await;
}

#[tokio::test]
async fn a_device_is_named_by_its_browser() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
        let call = Call::post("/login").header("user-agent", firefox);
        let body = serde_json::json!({"user": "alice", "password": "correct horse"});
        client.send(call.json(&body)).await.expect(200);
        let list = client.get("/session/list").await.expect(200);
        assert_eq!(list["sessions"][0]["device"], "Firefox on Linux");
    })
    .await;
}

#[tokio::test]
async fn me_names_the_session() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        let id = client.login("carol").await;
        client.add("tea").await.expect(200);
        let answer = client.get("/api/me").await;
        answer.assert_private();
        let me = answer.expect(200);
        assert_eq!(me["subject"], "carol");
        assert!(me["session"] == id.as_str() || me["session"]["id"] == id.as_str(), "{me}");
        assert!(me["cart"].to_string().contains("tea"), "{me}");
    })
    .await;
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused_as_such() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        for path in ["/nope", "/session/nope/nope", "/api/nope", "/session/../session", "//session"] {
            client.get(path).await.refused(404, "not-found");
        }
        let wrong = [
            ("POST", "/session"),
            ("GET", "/session/refresh"),
            ("GET", "/session/logout"),
            ("PUT", "/session/list"),
            ("GET", "/login"),
            ("PATCH", "/api/cart"),
            ("POST", "/.well-known/jwks.json"),
        ];
        for (method, path) in wrong {
            let answer = client.send(Call::new(method.parse().unwrap(), path)).await;
            answer.refused(405, "method-not-allowed");
            assert!(answer.headers.contains_key("allow"), "RFC 9110, 15.5.6: {method} {path}");
        }
        client.get("/session").await.expect(200);
    })
    .await;
}

#[tokio::test]
async fn grpc_callers_hear_a_grpc_status() {
    let stage = countersign_tests::Stage::new(Wire::Http2, countersign_tests::Transport::Bearer, &[]).await;
    let call = Call::get("/api/me").header("content-type", "application/grpc");
    let answer = stage.client().send(call).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("grpc-status"), Some("16"), "{:?}", answer.headers);
}
