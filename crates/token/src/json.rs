//! JSON, read strictly and in one pass: an object's members as slices of the text.
//!
//! Refused beyond what RFC 8259 refuses: two members of one name, at every depth and in every spelling, and nesting
//! deeper than 32. Parsers that differ in such things are what forgeries live on (RFC 8725, section 3.11).

use std::borrow::Cow;

use crate::error::TokenError;

/// Nesting that no token of ours needs.
const DEPTH: usize = 32;

type Result<T> = std::result::Result<T, TokenError>;

/// Visits the members of an object, each value as the slice of text that spells it.
pub(crate) fn members<'a>(text: &'a str, mut visit: impl FnMut(&str, &'a str) -> Result<()>) -> Result<()> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    reader.object(DEPTH, |reader, name, depth| {
        let start = reader.at;
        reader.value(depth)?;
        visit(name, &text[start..reader.at])
    })?;
    reader.space();
    if reader.at == text.len() { Ok(()) } else { Err(TokenError::INVALID) }
}

/// The string that a value spells.
pub(crate) fn string(value: &str) -> Result<Cow<'_, str>> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(TokenError::INVALID)?;
    if inner.contains('\\') {
        return serde_json::from_str::<String>(value).map(Cow::Owned).map_err(|_| TokenError::INVALID);
    }
    Ok(Cow::Borrowed(inner))
}

/// Visits the elements of an array that [`members`] has found well-formed.
pub(crate) fn elements<'a>(value: &'a str, mut visit: impl FnMut(&'a str) -> Result<()>) -> Result<()> {
    let mut reader = Reader { text: value, at: 0 };
    reader.array(DEPTH, |reader, depth| {
        let start = reader.at;
        reader.value(depth)?;
        visit(&value[start..reader.at])
    })
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(TokenError::INVALID)
        }
    }

    fn object(
        &mut self,
        depth: usize,
        mut member: impl FnMut(&mut Self, &str, usize) -> Result<()>,
    ) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or(TokenError::INVALID)?;
        self.expect(b'{')?;
        self.space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut names = Names::default();
        loop {
            let name = self.name()?;
            self.space();
            self.expect(b':')?;
            self.space();
            member(self, &name, depth)?;
            names.add(name)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b'}'),
            }
            self.space();
        }
    }

    fn array(&mut self, depth: usize, mut element: impl FnMut(&mut Self, usize) -> Result<()>) -> Result<()> {
        let depth = depth.checked_sub(1).ok_or(TokenError::INVALID)?;
        self.expect(b'[')?;
        self.space();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            element(self, depth)?;
            self.space();
            match self.peek() {
                Some(b',') => self.at += 1,
                _ => return self.expect(b']'),
            }
            self.space();
        }
    }

    fn name(&mut self) -> Result<Cow<'a, str>> {
        let start = self.at;
        self.string()?;
        string(&self.text[start..self.at])
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'{') => self.object(depth, |reader, _, depth| reader.value(depth)),
            Some(b'[') => self.array(depth, |reader, depth| reader.value(depth)),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.number(),
        }
    }

    fn literal(&mut self, literal: &str) -> Result<()> {
        if !self.text[self.at..].starts_with(literal) {
            return Err(TokenError::INVALID);
        }
        self.at += literal.len();
        Ok(())
    }

    fn string(&mut self) -> Result<()> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            match self.peek().ok_or(TokenError::INVALID)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                0..0x20 => return Err(TokenError::INVALID),
                _ => self.at += 1,
            }
        }
        self.at += 1;
        // Escapes are rare, and their rules (surrogates!) are another's trade.
        if escaped {
            let spelled = self.text.get(start - 1..self.at).ok_or(TokenError::INVALID)?;
            serde_json::from_str::<String>(spelled).map_err(|_| TokenError::INVALID)?;
        }
        Ok(())
    }

    /// A number, by the grammar of RFC 8259, section 6.
    fn number(&mut self) -> Result<()> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(TokenError::INVALID) } else { Ok(()) }
    }
}

/// The names of an object's members so far. A small filter spares most comparisons.
#[derive(Default)]
struct Names<'a> {
    filter: u64,
    seen: Vec<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    fn add(&mut self, name: Cow<'a, str>) -> Result<()> {
        let bit = 1 << (trait_of(name.as_bytes()) % 64);
        if self.filter & bit != 0 && self.seen.contains(&name) {
            return Err(TokenError::INVALID);
        }
        // A hostile object of many members would cost the square of their number.
        if self.seen.len() == MEMBERS {
            return Err(TokenError::INVALID);
        }
        self.filter |= bit;
        if self.seen.is_empty() {
            self.seen.reserve(24);
        }
        self.seen.push(name);
        Ok(())
    }
}

/// More members than any token of ours has in one object.
const MEMBERS: usize = 512;

/// Something cheap in which names differ.
fn trait_of(name: &[u8]) -> usize {
    let at = |index: usize| name.get(index).copied().map_or(0, usize::from);
    name.len().wrapping_mul(7)
        ^ at(0).wrapping_mul(5)
        ^ at(1).wrapping_mul(3)
        ^ at(name.len().wrapping_sub(1))
}

#[cfg(test)]
mod tests {
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
        for good in ["{}", "[]", " [1, -0, 1.5e+3, \"\\u00e9\", true, null] ", r#"{"a":{"a":1},"b":{"a":1}}"#]
        {
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
}
