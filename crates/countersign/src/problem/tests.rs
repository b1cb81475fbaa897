//! The wire form of every refusal, against `tests/vectors/problems.json`, which clients in other languages read too.

use std::path::Path;

use countersign_registry::{Holding, Owner, Scope, SeatState, SessionRecord};
use countersign_token::{FeedPosition, RotationId, SessionId, Timestamp};
use serde_json::{Value, json};

use super::*;
use crate::dpop::DpopNonce;
use crate::refusal::{BadRequest, ChoiceCode, LimitRefusal};

const SECOND: Duration = Duration::from_secs(1);

#[rustfmt::skip]
fn every_refusal() -> Vec<(&'static str, Refusal)> {
    use Refusal as R;
    let mut all = vec![
        ("not-found", R::NotFound),
        ("method-not-allowed", R::MethodNotAllowed { allow: "GET, HEAD" }),
        ("unsupported-media-type", R::UnsupportedMediaType),
        ("headers-too-large", R::HeadersTooLarge),
        ("cross-site", R::CrossSite),
        ("body-too-large", R::BodyTooLarge),
        ("request-timeout", R::RequestTimeout),
        ("login-failed", R::LoginFailed),
        ("not-authenticated", R::NotAuthenticated),
        ("token-invalid", R::TokenInvalid),
        ("token-expired", R::TokenExpired),
        ("session-ended", R::SessionEnded(None)),
        ("registry-unavailable", R::RegistryUnavailable),
        ("refresh-reused", R::RefreshReused),
        ("dpop-required", R::DpopRequired { nonce: nonce() }),
        ("dpop-invalid", R::DpopInvalid),
        ("use-dpop-nonce", R::UseDpopNonce { nonce: nonce() }),
        ("step-up-required", R::StepUpRequired { max_age: 300 * SECOND, acr_values: vec![] }),
        ("step-up-required, with levels", R::StepUpRequired { max_age: 300 * SECOND, acr_values: vec!["urn:a".into(), "say \"b\\\"\r\n\u{e9}".into()] }),
        ("step-up-required, of any age", R::StepUpRequired { max_age: Duration::MAX, acr_values: vec!["urn:a".into()] }),
        ("state-too-large", R::StateTooLarge { size: 5000, limit: 4096 }),
        ("state-superseded", R::StateSuperseded),
        ("state-lost", R::StateLost),
        ("state-conflict", R::StateConflict),
        ("sessions-limit", limit(Scope::User, 3, 3)),
        ("sessions-limit, of one", limit(Scope::Tenant, 1, 1)),
        ("sessions-limit, closed", limit(Scope::Site, 0, 2)),
        ("sessions-limit, ask", ask()),
        ("too-many-requests", R::TooManyRequests { retry_after: Duration::from_millis(29_100) }),
        ("internal", R::Internal),
    ];
    all.extend(EndReason::ALL.map(|reason| (reason.as_str(), R::SessionEnded(Some(reason)))));
    all.extend(CAUSES.map(|cause| ("bad-request", R::BadRequest(cause))));
    all
}

fn nonce() -> DpopNonce {
    DpopNonce(HeaderValue::from_static("nonce-of-the-server"))
}

/// Fails to compile when a variant is added, so that it is added above too.
#[rustfmt::skip]
fn is_in_the_table(refusal: &Refusal) {
    use Refusal as R;
    match refusal {
        R::NotFound | R::MethodNotAllowed { .. } | R::UnsupportedMediaType | R::HeadersTooLarge | R::BadRequest(_)
        | R::CrossSite | R::BodyTooLarge | R::RequestTimeout | R::LoginFailed | R::NotAuthenticated | R::TokenInvalid
        | R::TokenExpired | R::SessionEnded(_) | R::RegistryUnavailable | R::RefreshReused | R::DpopRequired { .. }
        | R::DpopInvalid | R::UseDpopNonce { .. } | R::StepUpRequired { .. }
        | R::StateTooLarge { .. } | R::StateSuperseded | R::StateLost | R::StateConflict | R::SessionsLimit(_)
        | R::TooManyRequests { .. } | R::Internal => {}
    }
}

const CAUSES: [BadRequest; 14] = [
    BadRequest::TwoAuthorizations,
    BadRequest::TwoCookies,
    BadRequest::TwoStates,
    BadRequest::TwoIdempotencyKeys,
    BadRequest::IdempotencyKey,
    BadRequest::ContentLength,
    BadRequest::BodyCutShort,
    BadRequest::NoBody,
    BadRequest::NotJson,
    BadRequest::TwoMembers,
    BadRequest::WrongShape,
    BadRequest::Parameter("end"),
    BadRequest::Expected { name: "limit", what: "a whole number from 1 to 200" },
    BadRequest::UnknownParameter,
];

fn limit(scope: Scope, limit: u32, in_use: u64) -> Refusal {
    Refusal::SessionsLimit(Box::new(LimitRefusal {
        scope,
        limit,
        in_use,
        retry_after: None,
        sessions: None,
        choice: None,
    }))
}

fn ask() -> Refusal {
    let at = Timestamp::from_secs(1_790_000_000);
    let record = SessionRecord {
        id: SessionId::from_bytes([7; 16]),
        owner: Owner::new("alice"),
        started_at: at,
        auth_time: at,
        methods: "pwd".into(),
        device: Some("Firefox on Linux".into()),
        expires_at: at.after(1_209_600 * SECOND),
        last_activity: at,
        seat: SeatState::Taken,
        born: FeedPosition::default(),
        current: RotationId::NIL,
        exclusive: 0,
        last_update: None,
        login_key: None,
        handed_off_from: None,
    };
    Refusal::SessionsLimit(Box::new(LimitRefusal {
        scope: Scope::User,
        limit: 1,
        in_use: 1,
        retry_after: Some(Duration::from_millis(1_799_001)),
        sessions: Some(vec![SessionObject::listed(&record, Holding::Seat, 86_400 * SECOND)]),
        choice: Some(ChoiceCode("one-time-code".into())),
    }))
}

/// A whole response as JSON.
fn written(response: &Response<Bytes>) -> Value {
    let headers = response.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap()));
    let headers =
        headers.map(|(name, value)| (name.to_owned(), json!(value))).collect::<serde_json::Map<_, _>>();
    let body = response.body();
    let body = if body.is_empty() { Value::Null } else { serde_json::from_slice(body).unwrap() };
    json!({ "status": response.status().as_u16(), "headers": headers, "body": body })
}

fn vector(name: &str, refusal: &Refusal) -> Value {
    let style = |dialect| ProblemStyle { type_base: None, dialect };
    json!({
        "name": name,
        "http": written(&refusal.to_response(&style(Dialect::Http))),
        "grpc": written(&refusal.to_response(&style(Dialect::Grpc))),
    })
}

#[test]
fn every_refusal_has_its_wire_form() {
    let found: Vec<_> = every_refusal().iter().map(|(name, refusal)| vector(name, refusal)).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/vectors/problems.json");
    if std::env::var_os("COUNTERSIGN_WRITE_VECTORS").is_some() {
        std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&found).unwrap())).unwrap();
    }
    let expect: Vec<Value> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    for (found, expect) in found.iter().zip(&expect) {
        assert_eq!(found, expect);
    }
    assert_eq!(found.len(), expect.len());
}

#[test]
fn each_status_is_one_that_the_contract_knows() {
    for (name, refusal) in every_refusal() {
        is_in_the_table(&refusal);
        assert!([16, 7, 8, 14].contains(&refusal.grpc_status()), "{name}");
        let response = refusal.to_response(&ProblemStyle::default());
        let challenged = response.headers().contains_key(WWW_AUTHENTICATE);
        assert_eq!(challenged, refusal.status() == StatusCode::UNAUTHORIZED, "{name}");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store", "{name}");
        assert!(refusal.detail().ends_with('.'), "{name}");
        let carried = response.extensions().get::<Refusal>().unwrap();
        assert_eq!(carried.problem_body(None), refusal.problem_body(None), "{name}");
    }
}

#[test]
fn a_type_is_a_configured_base_and_the_code() {
    let check = |base, expect: &str| {
        let body: Value = serde_json::from_str(&Refusal::TokenExpired.problem_body(base)).unwrap();
        assert_eq!(body["type"], expect);
    };
    check(None, "about:blank");
    check(Some("https://shop.example/problems"), "https://shop.example/problems/token-expired");
    check(Some("https://shop.example/problems/"), "https://shop.example/problems/token-expired");
    let style = ProblemStyle::new(Some("https://p.example".into()), false);
    let response = Refusal::NotFound.to_response(&style);
    assert!(response.body().starts_with(br#"{"type":"https://p.example/not-found","title":"Not found","#));
}

#[test]
fn the_dialect_is_that_of_the_content_type() {
    let check = |content_type, expect| {
        let headers = [(CONTENT_TYPE, HeaderValue::from_static(content_type))].into_iter().collect();
        assert_eq!(Dialect::of(&headers), expect, "{content_type}");
    };
    for grpc in ["application/grpc", "application/grpc+proto", "application/grpc;x=y", "Application/gRPC"] {
        check(grpc, Dialect::Grpc);
    }
    for other in
        ["application/json", "application/grpc-web", "application/grpcx", "", "text/application/grpc"]
    {
        check(other, Dialect::Http);
    }
    assert_eq!(Dialect::of(&HeaderMap::new()), Dialect::Http);
}

#[test]
fn a_grpc_message_is_percent_encoded() {
    assert_eq!(percent_encoded("100 % sure:\n\u{e9}~"), "100 %25 sure:%0A%C3%A9~");
}
