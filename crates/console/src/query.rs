//! Parameters of a query, read strictly: an unknown one, one that comes twice or one that is malformed is refused, and
//! the refusal says which and what it has to be.

use countersign::{BadRequest, Refusal};
use percent_encoding::percent_decode_str;

/// The parameters of a request, by name.
#[derive(Debug)]
pub(crate) struct Query(Vec<(&'static str, String)>);

impl Query {
    /// Reads a query that may have these parameters.
    pub(crate) fn read(query: Option<&str>, known: &[&'static str]) -> Result<Self, Refusal> {
        let mut found: Vec<(&'static str, String)> = Vec::new();
        for pair in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let Some(&name) = known.iter().find(|known| **known == name) else {
                return Err(BadRequest::UnknownParameter.into());
            };
            if found.iter().any(|(before, _)| *before == name) {
                return Err(expected(name, "given once"));
            }
            let value = value.replace('+', " ");
            let value = percent_decode_str(&value).decode_utf8().map_err(|_| expected(name, "UTF-8"))?;
            found.push((name, value.into_owned()));
        }
        Ok(Self(found))
    }

    /// A parameter as it is.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
    }

    /// A parameter, as what `parse` makes of it.
    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        what: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Refusal> {
        let parsed = |text| parse(text).ok_or_else(|| expected(name, what));
        self.text(name).map(parsed).transpose()
    }
}

/// The refusal of a parameter or member.
pub(crate) fn expected(name: &'static str, what: &'static str) -> Refusal {
    BadRequest::Expected { name, what }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_read_strictly() {
        let read = |query| Query::read(Some(query), &["a", "b"]);
        let value = |query, name| read(query).unwrap().text(name).map(ToOwned::to_owned);
        assert_eq!(value("a=1&b=%C3%A9+%2B", "b").as_deref(), Some("\u{e9} +"));
        assert_eq!(value("a", "a").as_deref(), Some(""));
        assert_eq!(value("", "a"), None);
        let detail = |query| read(query).unwrap_err().detail().into_owned();
        assert_eq!(detail("c=1"), "There is a parameter that this path does not know.");
        assert_eq!(detail("a=1&a=1"), "The parameter `a` has to be given once.");
        assert_eq!(detail("a=%FF"), "The parameter `a` has to be UTF-8.");
    }
}
