//! Bodies: sizes, deadlines, types, and JSON that is none.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::{Channel, Empty, Full};
use serde::Deserialize;

use super::*;

#[derive(Debug, PartialEq, Deserialize)]
struct Login {
    user: String,
    #[serde(default)]
    remember: Option<bool>,
}

fn json() -> HeaderMap {
    [(CONTENT_TYPE, HeaderValue::from_static("application/json"))].into_iter().collect()
}

fn with_type(content_type: &str) -> HeaderMap {
    [(CONTENT_TYPE, HeaderValue::from_str(content_type).unwrap())].into_iter().collect()
}

fn full(text: &str) -> Full<Bytes> {
    Full::new(Bytes::from(text.to_owned()))
}

async fn read(headers: &HeaderMap, text: &str) -> Result<Login, String> {
    said(read_json(headers, full(text), BodyLimits::default()).await)
}

/// A refusal as its code, or as its sentence where it is a bad request.
fn said<T>(result: Result<T, Refusal>) -> Result<T, String> {
    result.map_err(|refusal| match refusal {
        Refusal::BadRequest(cause) => cause.to_string(),
        other => other.code().to_owned(),
    })
}

const ALICE: &str = r#"{"user": "alice"}"#;

#[tokio::test]
async fn a_body_is_json_by_its_type() {
    for good in
        ["application/json", "application/json; charset=utf-8", "Application/JSON ;x=y", "application/json;"]
    {
        assert_eq!(read(&with_type(good), ALICE).await.unwrap().user, "alice", "{good}");
    }
    for wrong in [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "application/json, text/plain",
        "application/problem+json",
    ] {
        assert_eq!(read(&with_type(wrong), ALICE).await, Err("unsupported-media-type".into()), "{wrong}");
    }
    assert_eq!(read(&HeaderMap::new(), ALICE).await, Err("unsupported-media-type".into()));
    let mut two = json();
    two.append(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    assert_eq!(read(&two, ALICE).await, Err("unsupported-media-type".into()));
}

#[tokio::test]
async fn what_is_not_the_documented_json_is_refused() {
    let check = async |text: &str, expect: BadRequest| {
        assert_eq!(read(&json(), text).await, Err(expect.to_string()), "{text}");
    };
    for text in ["{", "{} {}", "{'user': 1}", "\u{feff}{}", "user=alice", r#"{"user": NaN}"#, "null,", " "] {
        check(text, BadRequest::NotJson).await;
    }
    check(&"[".repeat(10_000), BadRequest::NotJson).await;
    for text in [
        "null",
        "[]",
        "\"alice\"",
        "{}",
        r#"{"user": 1}"#,
        r#"{"user": null}"#,
        r#"{"user": "a", "remember": "yes"}"#,
    ] {
        check(text, BadRequest::WrongShape).await;
    }
    for text in [
        r#"{"user": "alice", "user": "bob"}"#,
        r#"{"user": "alice", "us\u0065r": "bob"}"#,
        r#"{"user": "alice", "more": {"a": 1, "a": 1}}"#,
        r#"{"user": "alice", "more": [1, 1.5, -1, true, null, {"b": {}, "b": {}}]}"#,
    ] {
        check(text, BadRequest::TwoMembers).await;
    }
    let more = r#"{"user": "alice", "more": [1, 1.5, -1, true, null, {"b": {}}]}"#;
    assert_eq!(read(&json(), more).await, Ok(Login { user: "alice".into(), remember: None }));
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_are_no_json() {
    let body = Full::new(Bytes::from_static(b"{\"user\": \"\xff\"}"));
    let read = read_json::<Login, _>(&json(), body, BodyLimits::default()).await;
    assert_eq!(said(read), Err(BadRequest::NotJson.to_string()));
}

#[tokio::test]
async fn without_a_body_no_type_is_needed() {
    let none = HeaderMap::new();
    let nothing = || Empty::<Bytes>::new();
    let optional = read_optional_json::<Login, _>(&none, nothing(), BodyLimits::default()).await;
    assert_eq!(said(optional), Ok(None));
    let optional =
        read_optional_json::<Login, _>(&with_type("text/plain"), nothing(), BodyLimits::default()).await;
    assert_eq!(said(optional), Ok(None));
    let optional = read_optional_json::<Login, _>(&json(), full(ALICE), BodyLimits::default()).await;
    assert_eq!(said(optional).unwrap().unwrap().user, "alice");
    let needed = read_json::<Login, _>(&none, nothing(), BodyLimits::default()).await;
    assert_eq!(said(needed), Err(BadRequest::NoBody.to_string()));
    let optional = read_optional_json::<Login, _>(&none, full(ALICE), BodyLimits::default()).await;
    assert_eq!(said(optional), Err("unsupported-media-type".into()));
}

fn of_size(size: usize) -> String {
    let frame = r#"{"user": ""}"#.len();
    format!(r#"{{"user": "{}"}}"#, "a".repeat(size - frame))
}

#[tokio::test]
async fn a_body_has_a_limit() {
    assert_eq!(BodyLimits::default(), BodyLimits { bytes: 65_536, deadline: Duration::from_secs(10) });
    assert!(read(&json(), &of_size(65_536)).await.is_ok());
    assert_eq!(read(&json(), &of_size(65_537)).await, Err("body-too-large".into()));
}

/// A body that does not say that it is at its end, and of its size no more than this.
struct Hinted<B>(B, SizeHint);

/// Of which nothing is known beforehand.
fn blind<B>(body: B) -> Hinted<B> {
    Hinted(body, SizeHint::default())
}

impl<B: Body + Unpin> Body for Hinted<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        Pin::new(&mut self.0).poll_frame(cx)
    }

    fn size_hint(&self) -> SizeHint {
        self.1
    }
}

#[tokio::test]
async fn the_limit_holds_whatever_was_announced() {
    let read = async |headers: &HeaderMap, size: usize| {
        let body = blind(full(&of_size(size)));
        said(read_json::<Login, _>(headers, body, BodyLimits { bytes: 100, ..BodyLimits::default() }).await)
            .err()
    };
    let announcing = |length: &'static str| {
        let mut headers = json();
        headers.insert(CONTENT_LENGTH, HeaderValue::from_static(length));
        headers
    };
    assert_eq!(read(&json(), 100).await, None);
    assert_eq!(read(&json(), 101).await, Some("body-too-large".into()));
    assert_eq!(read(&announcing("50"), 101).await, Some("body-too-large".into()));
    assert_eq!(read(&announcing("100"), 100).await, None);
    assert_eq!(read(&announcing("101"), 50).await, Some("body-too-large".into()));
    assert_eq!(
        read(&announcing("18446744073709551616"), 50).await,
        Some(BadRequest::ContentLength.to_string())
    );
    assert_eq!(read(&announcing("-1"), 50).await, Some(BadRequest::ContentLength.to_string()));
}

#[tokio::test]
async fn an_announced_body_is_refused_before_it_is_read() {
    let (_sender, body) = Channel::<Bytes, Infallible>::new(1);
    let mut headers = json();
    headers.insert(CONTENT_LENGTH, HeaderValue::from_static("65537"));
    let read = read_json::<Login, _>(&headers, body, BodyLimits::default()).await;
    assert_eq!(said(read), Err("body-too-large".into()));
}

#[tokio::test]
async fn an_unannounced_empty_body_is_none() {
    let body = || blind(Full::new(Bytes::new()));
    for headers in [json(), HeaderMap::new()] {
        let optional = read_optional_json::<Login, _>(&headers, body(), BodyLimits::default()).await;
        assert_eq!(said(optional), Ok(None), "{headers:?}");
        let needed = read_json::<Login, _>(&headers, body(), BodyLimits::default()).await;
        assert_eq!(said(needed), Err(BadRequest::NoBody.to_string()), "{headers:?}");
    }
}

#[tokio::test]
async fn an_unannounced_body_without_a_type_is_refused() {
    let read = async |headers| {
        said(read_optional_json::<Login, _>(&headers, blind(full(ALICE)), BodyLimits::default()).await).err()
    };
    assert_eq!(read(HeaderMap::new()).await, Some("unsupported-media-type".into()));
    assert_eq!(read(with_type("text/plain")).await, Some("unsupported-media-type".into()));
    assert_eq!(read(json()).await, None);
}

#[test]
fn whether_there_is_a_body_shows_in_the_head() {
    let check = |headers: &HeaderMap, size: Option<u64>, expect: Result<Presence, &str>| {
        let hint = size.map_or_else(SizeHint::default, SizeHint::with_exact);
        let found = expect_json(headers, &Hinted(full(ALICE), hint));
        assert_eq!(found.map_err(|refusal| refusal.code()), expect, "{headers:?} {size:?}");
    };
    let none = HeaderMap::new();
    check(&none, Some(0), Ok(Presence::Nothing));
    check(&with_type("text/plain"), Some(0), Ok(Presence::Nothing));
    check(&none, Some(1), Err("unsupported-media-type"));
    check(&none, None, Ok(Presence::Unsaid));
    check(&with_type("text/plain"), None, Err("unsupported-media-type"));
    check(&json(), None, Ok(Presence::Json));
    check(&json(), Some(1), Ok(Presence::Json));
}

#[tokio::test(start_paused = true)]
async fn a_slow_body_is_given_up() {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(1);
    let start = tokio::time::Instant::now();
    let drip = async {
        // A byte each second keeps the connection busy, and the deadline where it is.
        while sender.send_data(Bytes::from_static(b" ")).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    let headers = json();
    let read = read_json::<Login, _>(&headers, body, BodyLimits::default());
    let (read, ()) = tokio::join!(read, drip);
    assert_eq!(said(read), Err("request-timeout".into()));
    assert!((10..12).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused() {
    let (mut sender, body) = Channel::<Bytes, &str>::new(2);
    sender.send_data(Bytes::from_static(b"{\"user\": ")).await.unwrap();
    sender.abort("connection reset");
    let read = read_json::<Login, _>(&json(), body, BodyLimits::default()).await;
    assert_eq!(said(read), Err(BadRequest::BodyCutShort.to_string()));
}

#[tokio::test]
async fn trailers_and_chunks_do_not_matter() {
    let (mut sender, body) = Channel::<Bytes, Infallible>::new(8);
    for part in ["{\"us", "er\": ", "", "\"alice\"}"] {
        sender.send_data(Bytes::from_static(part.as_bytes())).await.unwrap();
    }
    sender.send_trailers(json()).await.unwrap();
    drop(sender);
    let read = read_json::<Login, _>(&json(), body, BodyLimits::default()).await;
    assert_eq!(said(read).unwrap().user, "alice");
}

#[tokio::test]
async fn a_response_body_is_either_of_two() {
    let own = ResponseBody::<Full<Bytes>>::full("own");
    assert_eq!((own.size_hint().exact(), own.is_end_stream()), (Some(3), false));
    assert_eq!(own.collect().await.unwrap().to_bytes(), "own");

    let nothing = ResponseBody::<Full<Bytes>>::full("");
    assert_eq!((nothing.size_hint().exact(), nothing.is_end_stream()), (Some(0), true));

    let within = ResponseBody::inner(full("within"));
    assert_eq!((within.size_hint().exact(), within.is_end_stream()), (Some(6), false));
    assert_eq!(within.collect().await.unwrap().to_bytes(), "within");
    assert!(ResponseBody::inner(Empty::<Bytes>::new()).is_end_stream());
}
