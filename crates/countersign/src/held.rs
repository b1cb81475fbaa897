//! The state tokens of a request: which of them is this session's, and what opening it says.

use countersign_registry::Digest;
use countersign_token::{OpenState, SessionId, StateFormat, Timestamp, Unverified};

use crate::authenticate::TOKEN_LIMIT;
use crate::credential::Credentials;
use crate::sessions::Inner;

/// The state token that a request holds, and the cookies that the next state answer deletes.
#[derive(Clone, Default)]
pub(crate) struct Held {
    token: Option<Box<str>>,
    came: Came,
    cookies: Vec<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Came {
    #[default]
    InCookies,
    InHeader,
}

impl Held {
    /// The state of a session: the highest exclusive version among the cookies that carry its tag, or the header.
    pub(crate) fn of_session(credentials: &Credentials<'_>, session: &SessionId) -> Self {
        if credentials.session_state.is_some() {
            return Self::of_header(credentials);
        }
        let states = &credentials.jar.states;
        if states.is_empty() {
            return Self::default();
        }
        let tag = session.tag();
        let newest = states.iter().filter(|state| state.tag == tag).max_by_key(|state| state.exclusive);
        Self {
            token: newest.map(|state| state.value.into()),
            came: Came::InCookies,
            cookies: states.iter().map(|state| state.name.to_owned()).collect(),
        }
    }

    /// The state of an anonymous visit.
    pub(crate) fn of_visit(credentials: &Credentials<'_>) -> Self {
        match credentials.session_state {
            Some(_) => Self::of_header(credentials),
            None => Self { token: credentials.jar.visit.map(Into::into), ..Self::default() },
        }
    }

    /// The header comes with the transport `body` only, where cookies are not ours.
    fn of_header(credentials: &Credentials<'_>) -> Self {
        let token = credentials.session_state.map(Into::into);
        Self { token, came: Came::InHeader, cookies: Vec::new() }
    }

    /// Whether a token came in a cookie.
    pub(crate) fn is_cookie(&self) -> bool {
        self.token.is_some() && self.came == Came::InCookies
    }

    /// The names of the state cookies that came.
    pub(crate) fn cookies(&self) -> &[String] {
        &self.cookies
    }

    /// Opens the token. One that does not open, or belongs to another session, counts as missing.
    pub(crate) fn open(
        &self,
        inner: &Inner,
        session: Option<&SessionId>,
        now: Timestamp,
    ) -> Option<OpenState> {
        let unverified = Unverified::parse(self.token.as_deref()?, TOKEN_LIMIT).ok()?;
        let format: StateFormat = inner.config.state_format;
        inner.ring().open_state(&unverified, format, &inner.config.issuer, session.copied(), now).ok()
    }

    /// A digest of the token, to recognise an update's repetition by.
    pub(crate) fn digest(&self) -> Digest {
        digest(self.token.as_deref().unwrap_or_default().as_bytes())
    }
}

impl std::fmt::Debug for Held {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Held").field("token", &self.token.is_some()).finish_non_exhaustive()
    }
}

/// The digest of an `Idempotency-Key` that came with a one-time code: under its code it is no other login's key, so a
/// code never leads to a session that it was not used for.
pub(crate) fn digest_under(code: &[u8; 32], key: &str) -> Digest {
    digest(&[code, key.as_bytes()].concat())
}

/// The first 128 bits of SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    let full = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut short = [0; 16];
    short.copy_from_slice(&full.as_ref()[..16]);
    Digest(short)
}
