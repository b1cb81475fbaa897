//! Every refusal on the wire, against the vectors.

use countersign_registry::Scope;

use super::*;

fn limit(limit: u32, in_use: u64) -> String {
    let refusal =
        LimitRefusal { scope: Scope::User, limit, in_use, retry_after: None, sessions: None, choice: None };
    refusal.detail().into_owned()
}

#[test]
fn the_sentence_about_a_limit_says_what_is_true() {
    assert_eq!(limit(3, 3), "There are already 3 active user sessions. Please try again later.");
    assert_eq!(limit(1, 1), "There is already 1 active user session. Please try again later.");
    // The limit was lowered, or someone exempt came in.
    assert_eq!(limit(3, 5), "There are already 5 active user sessions. Please try again later.");
    assert_eq!(limit(1, 2), "There are already 2 active user sessions. Please try again later.");
    assert_eq!(limit(0, 0), "No new sessions are admitted at the moment. Please try again later.");
    assert_eq!(limit(0, 7), "No new sessions are admitted at the moment. Please try again later.");
}

#[test]
fn a_client_that_obeys_is_never_early() {
    let secs = |retry_after| Refusal::TooManyRequests { retry_after }.retry_after();
    assert_eq!(secs(Duration::ZERO), Some(1));
    assert_eq!(secs(Duration::from_millis(1)), Some(1));
    assert_eq!(secs(Duration::from_secs(2)), Some(2));
    assert_eq!(secs(Duration::from_millis(2001)), Some(3));
    assert_eq!(secs(Duration::MAX), Some(u64::MAX));
    assert_eq!(Refusal::TokenExpired.retry_after(), None);
}

#[test]
fn a_registry_error_tells_the_client_nothing() {
    let error = RegistryError::new(countersign_registry::Effect::Unknown, "redis://secret@10.0.0.7");
    let refusal = Refusal::from(error);
    assert_eq!(refusal.code(), "registry-unavailable");
    assert!(!format!("{refusal} {refusal:?} {}", refusal.detail()).contains("secret"));
}

#[test]
fn a_choice_code_is_not_shown() {
    let code = ChoiceCode("secret".into());
    assert!(!format!("{code:?}").contains("secret"));
}

#[test]
fn displays_as_its_code() {
    assert_eq!(format!("{:>16}", Refusal::TokenExpired), "   token-expired");
    assert_eq!(BadRequest::Parameter("end").to_string(), "The parameter `end` is not as documented.");
}

#[test]
fn the_list_of_codes_is_that_of_the_vectors() {
    let vectors = include_str!("../../../../tests/vectors/problems.json");
    let found: std::collections::BTreeSet<_> =
        vectors.split("\"code\":").skip(1).filter_map(|rest| rest.split('"').nth(1)).collect();
    assert_eq!(Refusal::CODES.into_iter().collect::<std::collections::BTreeSet<_>>(), found);
}
