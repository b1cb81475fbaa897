//! The client's modules: the same for everyone, whatever credentials come, and never mistaken for a session.

use countersign_tests::{Call, for_each_setup};
use http::Method;

const FILES: [&str; 2] = ["/session/client.js", "/session/dpop.js"];

#[tokio::test]
async fn anyone_gets_the_modules_and_keeps_them_while_they_stay_the_same() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.client();
        for file in FILES {
            let answer = client.get(file).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_eq!(answer.header("content-type"), Some("text/javascript; charset=utf-8"));
            assert_eq!(answer.header("cache-control"), Some("no-cache"));
            assert!(answer.headers.get("vary").is_none(), "it is the same for everyone");
            let tag = answer.header("etag").unwrap().to_owned();
            assert!(tag.starts_with('"') && tag.ends_with('"'), "a strong validator: {tag}");

            let head = client.send(Call::new(Method::HEAD, file)).await;
            assert_eq!((head.status.as_u16(), head.header("etag")), (200, Some(&*tag)));
            assert_eq!(head.header("content-length"), Some(&*answer.body.len().to_string()));
            assert!(head.body.is_empty());

            for method in [Method::GET, Method::HEAD] {
                let known = client.send(Call::new(method, file).header("if-none-match", &tag)).await;
                assert_eq!((known.status.as_u16(), known.header("etag")), (304, Some(&*tag)));
                assert!(known.body.is_empty());
            }

            let named = client.get(&format!("{file}?v={}", env!("CARGO_PKG_VERSION"))).await;
            assert_eq!(named.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(named.body, answer.body);
            let foreign = client.get(&format!("{file}?v=0.0.0")).await;
            assert_eq!(foreign.header("cache-control"), Some("no-cache"), "not kept under a foreign name");
        }
    })
    .await;
}

#[tokio::test]
async fn no_credential_is_in_their_way() {
    for_each_setup(&["--access-ttl", "1s", "--dangling-after", "1s"], |stage| async move {
        let client = stage.logged_in("alice").await;
        let ended = {
            let mut client = stage.logged_in("alice").await;
            let copy = client.clone();
            client.logout().await;
            copy
        };
        for file in FILES {
            for mut client in [client.clone(), ended.clone()] {
                let answer = client.get(file).await;
                assert_eq!((answer.status.as_u16(), answer.cookies().len()), (200, 0), "{}", answer.text());
            }
            let twice = Call::get(file).anonymous().header("authorization", "Bearer x");
            let twice = twice.header("authorization", "Bearer y").header("sec-fetch-site", "cross-site");
            assert_eq!(stage.client().send(twice).await.status, 200, "nothing of it is read");
        }
    })
    .await;
}

#[tokio::test]
async fn they_are_no_sessions_to_end() {
    for_each_setup(&[], |stage| async move {
        let mut client = stage.logged_in("alice").await;
        for file in FILES {
            for method in [Method::DELETE, Method::POST, Method::PUT] {
                let answer = client.send(Call::new(method, file)).await;
                answer.refused(405, "method-not-allowed");
                assert_eq!(answer.header("allow"), Some("GET, HEAD"));
            }
        }
        client.delete("/session/client").await.refused(404, "not-found");
        let id = stage.client().login("alice").await;
        assert_eq!(client.delete(&format!("/session/{id}")).await.status, 204);
    })
    .await;
}
