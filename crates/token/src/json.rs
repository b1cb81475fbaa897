//! JSON, read strictly and in one pass: an object's members as slices of the text.
//!
//! Refused beyond what RFC 8259 refuses: two members of one name, at every depth and in every spelling, and nesting
//! deeper than 32. Parsers that differ in such things are what forgeries live on (RFC 8725, section 3.11).

use std::borrow::Cow;

use crate::error::TokenError;

/// Nesting that no token of ours needs.
const DEPTH: usize = 32;

type Result<T> = std::result::Result<T, TokenError>;

/// What a visitor does about a member's name.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Name {
    /// It has a place for the value, and refuses a second one itself.
    Kept,
    /// It does not know it.
    Unknown,
}

/// Visits the members of an object, each value as the slice of text that spells it.
pub(crate) fn members<'a>(text: &'a str, mut visit: impl FnMut(&str, &'a str) -> Result<Name>) -> Result<()> {
    let mut reader = Reader { text, at: 0 };
    reader.space();
    reader.object(DEPTH, &mut |reader: &mut Reader<'a>, name: &str, depth| {
        let start = reader.at;
        reader.value(depth)?;
        visit(name, &text[start..reader.at])
    })?;
    reader.space();
    if reader.at == text.len() { Ok(()) } else { Err(TokenError::INVALID) }
}

/// The string that a JSON value spells.
///
/// # Errors
///
/// If it is no string.
pub fn string(value: &str) -> Result<Cow<'_, str>> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).ok_or(TokenError::INVALID)?;
    if inner.as_bytes().contains(&b'\\') {
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
        member: &mut impl FnMut(&mut Self, &str, usize) -> Result<Name>,
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
            if member(self, &name, depth)? == Name::Unknown {
                names.add(name)?;
            }
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
        match self.string()? {
            Spelled::Plainly => Ok(Cow::Borrowed(&self.text[start + 1..self.at - 1])),
            Spelled::WithEscapes => string(&self.text[start..self.at]),
        }
    }

    fn value(&mut self, depth: usize) -> Result<()> {
        match self.peek() {
            Some(b'"') => self.string().map(|_| ()),
            Some(b'{') => self.nested(depth),
            Some(b'[') => self.array(depth, Self::value),
            Some(b't') => self.literal("true"),
            Some(b'f') => self.literal("false"),
            Some(b'n') => self.literal("null"),
            _ => self.number(),
        }
    }

    fn nested(&mut self, depth: usize) -> Result<()> {
        self.object(depth, &mut |reader: &mut Self, _: &str, depth| {
            reader.value(depth).map(|()| Name::Unknown)
        })
    }

    fn literal(&mut self, literal: &str) -> Result<()> {
        if !self.text[self.at..].starts_with(literal) {
            return Err(TokenError::INVALID);
        }
        self.at += literal.len();
        Ok(())
    }

    fn string(&mut self) -> Result<Spelled> {
        let start = self.at;
        self.expect(b'"')?;
        let mut spelled = Spelled::Plainly;
        loop {
            let rest = self.text.as_bytes().get(self.at..).ok_or(TokenError::INVALID)?;
            let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
            let special = special.ok_or(TokenError::INVALID)?;
            self.at += special + 1;
            match rest[special] {
                b'"' => break,
                b'\\' => {
                    spelled = Spelled::WithEscapes;
                    self.at += 1;
                }
                _ => return Err(TokenError::INVALID),
            }
        }
        // Escapes are rare, and their rules (surrogates!) are another's trade.
        if spelled == Spelled::WithEscapes {
            let text = self.text.get(start..self.at).ok_or(TokenError::INVALID)?;
            serde_json::from_str::<String>(text).map_err(|_| TokenError::INVALID)?;
        }
        Ok(spelled)
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

/// How a string is spelled.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spelled {
    Plainly,
    WithEscapes,
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
mod tests;
