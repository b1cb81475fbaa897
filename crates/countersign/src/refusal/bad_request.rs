//! What can be malformed about a request.

use std::borrow::Cow;
use std::fmt;

/// What is malformed about a request; the problem document's `detail` says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BadRequest {
    /// More than one `Authorization` header.
    TwoAuthorizations,
    /// Two cookies of one of our names.
    TwoCookies,
    /// More than one `Session-State` header.
    TwoStates,
    /// More than one `Idempotency-Key` header.
    TwoIdempotencyKeys,
    /// An `Idempotency-Key` that is not 1 to 128 visible ASCII characters.
    IdempotencyKey,
    /// A `Content-Length` that is no number, or two of them.
    ContentLength,
    /// A body that broke off.
    BodyCutShort,
    /// No body where one is needed.
    NoBody,
    /// A body that is not JSON in UTF-8.
    NotJson,
    /// JSON with two members of one name in an object.
    TwoMembers,
    /// JSON that is not the documented object.
    WrongShape,
    /// A parameter or member, by its name, that is not as documented.
    Parameter(&'static str),
    /// The same, with what is expected of it, such as `a whole number from 1 to 200`.
    Expected {
        /// The parameter or member.
        name: &'static str,
        /// What it has to be.
        what: &'static str,
    },
    /// A parameter that the path does not know.
    UnknownParameter,
}

impl BadRequest {
    /// The sentence for people.
    pub fn detail(self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::TwoAuthorizations => "There is more than one Authorization header.",
            Self::TwoCookies => "There are two session cookies of one name.",
            Self::TwoStates => "There is more than one Session-State header.",
            Self::TwoIdempotencyKeys => "There is more than one Idempotency-Key header.",
            Self::IdempotencyKey => "An Idempotency-Key has 1 to 128 visible ASCII characters.",
            Self::ContentLength => "The Content-Length is malformed.",
            Self::BodyCutShort => "The body broke off.",
            Self::NoBody => "A JSON body is needed.",
            Self::NotJson => "The body is not JSON.",
            Self::TwoMembers => "The body has two members of one name.",
            Self::WrongShape => "The body is not the documented JSON object.",
            Self::UnknownParameter => "There is a parameter that this path does not know.",
            Self::Parameter(name) => {
                return Cow::Owned(format!("The parameter `{name}` is not as documented."));
            }
            Self::Expected { name, what } => {
                return Cow::Owned(format!("The parameter `{name}` has to be {what}."));
            }
        })
    }
}

impl fmt::Display for BadRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail())
    }
}

impl std::error::Error for BadRequest {}
