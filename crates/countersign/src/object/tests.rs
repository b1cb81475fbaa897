//! The letter of session objects and token responses.

use countersign_registry::{Owner, SeatState};
use countersign_token::{FeedPosition, RotationId};
use serde_json::json;

use super::*;

const DAY: Duration = Duration::from_hours(24);

fn record() -> SessionRecord {
    let started_at = Timestamp::from_millis(1_790_000_000_999);
    SessionRecord {
        id: SessionId::from_bytes([7; 16]),
        owner: Owner::new("alice").of_tenant("acme"),
        started_at,
        auth_time: started_at,
        methods: "pwd otp".into(),
        device: Some("Firefox on Linux".into()),
        expires_at: started_at.after(14 * DAY),
        last_activity: started_at,
        seat: SeatState::Taken,
        born: FeedPosition::default(),
        current: RotationId::NIL,
        exclusive: 0,
        last_update: None,
        login_key: None,
        handed_off_from: None,
    }
}

#[test]
fn the_current_session_is_written_as_the_contract_says() {
    let access_end = Timestamp::from_secs(1_790_000_300);
    let object = SessionObject::current(&record(), Holding::Seat, access_end, DAY);
    let expect = json!({
        "id": "BwcHBwcHBwcHBwcHBwcHBw", "subject": "alice", "tenant": "acme",
        "started_at": 1_790_000_000, "expires_at": 1_791_209_600,
        "idle_expires_at": 1_790_086_400, "access_expires_at": 1_790_000_300,
        "auth_time": 1_790_000_000, "amr": ["pwd", "otp"], "current": true,
        "last_activity": 1_790_000_000, "dangling": false, "device": "Firefox on Linux",
    });
    assert_eq!(serde_json::to_value(object).unwrap(), expect);
}

#[test]
fn a_session_of_a_list_says_null_where_nothing_is_known() {
    let bare = SessionRecord { owner: Owner::new("bob"), methods: "".into(), device: None, ..record() };
    let object = serde_json::to_value(SessionObject::listed(&bare, Holding::Nothing, DAY)).unwrap();
    let expect = json!({
        "tenant": null, "access_expires_at": null, "device": null, "amr": [], "current": false, "dangling": true,
    });
    for (name, value) in expect.as_object().unwrap() {
        assert_eq!(object.get(name), Some(value), "{name}");
    }
}

#[test]
fn idleness_never_outlives_the_session() {
    let at = Timestamp::from_secs;
    assert_eq!(idle_end(at(100), Duration::from_secs(50), at(1000)), at(150));
    assert_eq!(idle_end(at(100), Duration::from_secs(50), at(120)), at(120));
    assert_eq!(idle_end(at(100), Duration::MAX, at(120)), at(120));
}

fn response() -> TokenResponse {
    TokenResponse {
        session: SessionObject::listed(&record(), Holding::Seat, DAY),
        token_type: TokenType::Dpop,
        access_token: None,
        expires_in: 290,
        refresh_token: None,
        state: None,
    }
}

fn members(response: &TokenResponse) -> Vec<String> {
    serde_json::to_value(response).unwrap().as_object().unwrap().keys().cloned().collect()
}

#[test]
fn a_token_is_a_member_only_where_there_is_one() {
    assert_eq!(members(&response()), ["expires_in", "session", "token_type"]);
    let tokens = TokenResponse {
        access_token: Some("a".into()),
        refresh_token: Some("r".into()),
        state: Some("s".into()),
        ..response()
    };
    let all = ["access_token", "expires_in", "refresh_token", "session", "state", "token_type"];
    assert_eq!(members(&tokens), all);
    assert_eq!(serde_json::to_value(&tokens).unwrap()["token_type"], "DPoP");
}

#[test]
fn debug_shows_no_token() {
    let secret = || Some("secret".to_owned());
    let response =
        TokenResponse { access_token: secret(), refresh_token: secret(), state: secret(), ..response() };
    let shown = format!("{response:?}");
    assert!(!shown.contains("secret") && !shown.contains("BwcHBwcHBw"), "{shown}");
}
