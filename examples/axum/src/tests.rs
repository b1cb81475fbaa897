//! The example works, in memory; its socket, over a real connection.

use std::net::SocketAddr;
use std::time::Duration;

use axum::http::StatusCode;
use countersign::testing::{Harness, ORIGIN};
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::app;

type Socket = WebSocketStream<TcpStream>;

#[tokio::test]
async fn a_cart_comes_along_at_login_and_a_logout_is_for_good() {
    let site = Harness::new();
    let mut alice = site.browser_of(app(site.sessions()));

    alice.post_json("/cart", &json!({ "item": "tea" })).await;
    assert_eq!(alice.get("/me").await.code(), "not-authenticated");

    let wrong = alice.post_json("/login", &json!({ "user": "alice", "password": "wrong horse" })).await;
    assert_eq!(wrong.code(), "login-failed");
    let right = alice.post_json("/login", &json!({ "user": "alice", "password": "correct horse" })).await;
    assert_eq!(right.json::<Value>()["session"]["subject"], "alice");
    assert_eq!(alice.get("/me").await.body, "alice");

    let answer = alice.post_json("/cart", &json!({ "item": "milk" })).await;
    assert_eq!(answer.json::<Value>(), json!({ "items": ["tea", "milk"] }));
    assert_eq!(alice.get("/cart").await.json::<Value>(), json!(["tea", "milk"]));

    let mut thief = alice.clone();
    assert_eq!(alice.post("/logout").await.status, StatusCode::NO_CONTENT);
    assert_eq!(alice.get("/me").await.code(), "not-authenticated");
    assert_eq!(thief.get("/me").await.code(), "session-ended");
}

/// A browser's handshake from a page of some origin, with the cookies that it would send.
async fn socket(address: SocketAddr, cookies: &str, origin: Option<&str>) -> Result<Socket, StatusCode> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut request = format!("ws://{address}/live").into_client_request().unwrap();
    request.headers_mut().insert("cookie", cookies.parse().unwrap());
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    match client_async(request, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status()),
        Err(error) => panic!("{error}"),
    }
}

async fn said(socket: &mut Socket) -> Message {
    timeout(Duration::from_secs(1), socket.next()).await.expect("within a second").unwrap().unwrap()
}

#[tokio::test]
async fn a_socket_ends_with_its_session_and_is_this_sites_only() {
    let site = Harness::new();
    let mut alice = site.browser_of(app(site.sessions()));
    alice.post_json("/login", &json!({ "user": "alice", "password": "correct horse" })).await;
    let cookies: Vec<_> = alice.cookies().iter().map(|(name, value)| format!("{name}={value}")).collect();
    let cookies = cookies.join("; ");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app(site.sessions())).into_future());

    let refused = |origin| socket(address, &cookies, origin);
    assert_eq!(refused(Some("https://evil.test")).await.err(), Some(StatusCode::FORBIDDEN));
    assert_eq!(refused(None).await.err(), Some(StatusCode::FORBIDDEN));
    assert_eq!(socket(address, "", Some(ORIGIN)).await.err(), Some(StatusCode::UNAUTHORIZED));

    let mut socket = socket(address, &cookies, Some(ORIGIN)).await.unwrap();
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(said(&mut socket).await, Message::text("hello"));
    alice.post("/logout").await;
    let Message::Close(Some(farewell)) = said(&mut socket).await else { panic!("it is closed") };
    assert_eq!((u16::from(farewell.code), farewell.reason.as_str()), (4401, "logout"));
}
