//! What the reader refuses, held against serde_json.

use proptest::prelude::*;

use super::*;

/// Checks a value, whatever it is.
fn check(text: &str) -> Result<()> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    reader.value(DEPTH)?;
    reader.space();
    if reader.at == text.len() { Ok(()) } else { Err(TokenError::INVALID) }
}

fn check_text(text: &str, expect: bool) {
    assert_eq!(check(text).is_ok(), expect, "{text}");
}

#[test]
fn what_is_refused() {
    for good in ["{}", "[]", " [1, -0, 1.5e+3, \"\\u00e9\", true, null] ", r#"{"a":{"a":1},"b":{"a":1}}"#] {
        check_text(good, true);
    }
    for bad in [
        "",
        "{",
        "[1,]",
        "{,}",
        "01",
        "1.",
        ".5",
        "+1",
        "NaN",
        "tru",
        "\"\u{1}\"",
        "\"\\ud800\"",
        "\"\\x\"",
        "{} {}",
        r#"{"a":1,"a":2}"#,
        r#"{"a":1,"\u0061":2}"#,
        r#"{"x":{"a":1,"a":1}}"#,
        r#"[{"k":{"a":[{"b":1,"b":1}]}}]"#,
        "\"\\",
        "\"\\é",
        "{\"a\" 1}",
        "'a'",
        "{a:1}",
        "[1 2]",
        "\u{feff}{}",
    ] {
        check_text(bad, false);
    }
    check_text(&("[".repeat(32) + &"]".repeat(32)), true);
    check_text(&("[".repeat(33) + &"]".repeat(33)), false);
    check_text(&"[".repeat(1_000_000), false);
}

/// A JSON value without repeated names, and its text.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<String>().prop_map(Into::into),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::hash_map(any::<String>(), inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in value()) {
        prop_assert!(check(&value.to_string()).is_ok());
        prop_assert!(check(&serde_json::to_string_pretty(&value).unwrap()).is_ok());
    }

    #[test]
    fn nothing_is_accepted_that_serde_json_refuses(value in value(), at in any::<prop::sample::Index>(), with: char) {
        let mut text: Vec<char> = value.to_string().chars().collect();
        let at = at.index(text.len());
        text[at] = with;
        let text: String = text.into_iter().collect();
        if check(&text).is_ok() {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok() || text.contains(['e', 'E']), "{}", text);
        }
    }
}
