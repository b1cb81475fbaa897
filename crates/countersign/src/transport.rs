//! Where a site's tokens travel.

use std::fmt;
use std::str::FromStr;

/// Where the tokens of a site travel between its server and its clients.
///
/// | transport | access token | refresh token | state token |
/// |---|---|---|---|
/// | `cookies` | cookie | cookie | cookie |
/// | `bearer` | JSON body, then `Authorization` | cookie | cookie |
/// | `body` | JSON body, then `Authorization` | JSON body | JSON body, and the header `Session-State` |
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Transport {
    /// All in cookies: no token ever reaches a script. For applications on the same origin.
    #[default]
    Cookies,
    /// The access token in bodies and `Authorization`, the rest in cookies. For pages that hold their access token
    /// in memory.
    Bearer,
    /// All in bodies and headers. For native applications, command-line tools and other origins.
    Body,
}

impl Transport {
    /// The transport as flags and configuration files spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cookies => "cookies",
            Self::Bearer => "bearer",
            Self::Body => "body",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text that names no [`Transport`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a transport: use `cookies`, `bearer` or `body`")]
pub struct ParseTransportError;

impl FromStr for Transport {
    type Err = ParseTransportError;

    fn from_str(text: &str) -> Result<Self, ParseTransportError> {
        [Self::Cookies, Self::Bearer, Self::Body]
            .into_iter()
            .find(|transport| transport.as_str() == text)
            .ok_or(ParseTransportError)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_has_one_spelling() {
        for transport in [Transport::Cookies, Transport::Bearer, Transport::Body] {
            assert_eq!(transport.to_string().parse(), Ok(transport));
        }
        for wrong in ["", "Cookies", "cookie", " body"] {
            assert_eq!(wrong.parse::<Transport>(), Err(ParseTransportError), "{wrong:?}");
        }
    }
}
