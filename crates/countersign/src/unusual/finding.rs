//! What can be unusual, in words.

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::Owner;
use countersign_token::SessionId;

/// Something unusual. It proves nothing by itself, but for the copy of a refresh token.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A refresh token was copied. The session has been ended already.
    RefreshReused {
        /// Which session.
        session: SessionId,
        /// Whose.
        owner: Owner,
    },
    /// A session is refreshed by another program or system than the one that logged in.
    DeviceChanged {
        /// Which session.
        session: SessionId,
        /// Whose.
        owner: Owner,
        /// What logged in.
        was: Arc<str>,
        /// What refreshes it now; [`None`]: it does not say.
        is: Option<Arc<str>>,
    },
    /// A live session was refused often, for what honest pages do not ask.
    SessionRefusedOften {
        /// Which session.
        session: SessionId,
        /// Whose.
        owner: Owner,
        /// How often.
        refusals: u32,
        /// Within how long.
        within: Duration,
    },
    /// Many requests were refused here, of anybody, for what honest pages do not ask.
    Refusals {
        /// How many.
        refusals: u32,
        /// Within how long.
        within: Duration,
    },
    /// Many tokens and proofs came here that nobody issued.
    ForgedTokens {
        /// How many.
        tokens: u32,
        /// Within how long.
        within: Duration,
    },
}

impl Finding {
    /// Every [`name`](Self::name) that there is.
    pub const NAMES: [&'static str; 5] =
        ["refresh-reused", "device-changed", "session-refused-often", "refusals", "forged-tokens"];

    /// The finding as events and metrics spell it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RefreshReused { .. } => "refresh-reused",
            Self::DeviceChanged { .. } => "device-changed",
            Self::SessionRefusedOften { .. } => "session-refused-often",
            Self::Refusals { .. } => "refusals",
            Self::ForgedTokens { .. } => "forged-tokens",
        }
    }

    /// The session that it is about; [`None`]: about this node.
    pub const fn session(&self) -> Option<SessionId> {
        match self {
            Self::RefreshReused { session, .. }
            | Self::DeviceChanged { session, .. }
            | Self::SessionRefusedOften { session, .. } => Some(*session),
            Self::Refusals { .. } | Self::ForgedTokens { .. } => None,
        }
    }

    /// Whose session it is about.
    pub const fn owner(&self) -> Option<&Owner> {
        match self {
            Self::RefreshReused { owner, .. }
            | Self::DeviceChanged { owner, .. }
            | Self::SessionRefusedOften { owner, .. } => Some(owner),
            Self::Refusals { .. } | Self::ForgedTokens { .. } => None,
        }
    }

    /// What it means, as a sentence for people.
    pub fn explanation(&self) -> String {
        match self {
            Self::RefreshReused { .. } => {
                "A refresh token of this session was copied: two holders used it. The session \
                                           was ended, and its user must log in again."
                    .to_owned()
            }
            Self::DeviceChanged { was, is: Some(is), .. } => format!(
                "This session began on {was} and is refreshed by {is}: its token may have been stolen, or its browser \
                 shows itself as another one."
            ),
            Self::DeviceChanged { was, is: None, .. } => format!(
                "This session began on {was} and is refreshed by a program that does not say what it is: its token may \
                 have been stolen."
            ),
            Self::SessionRefusedOften { refusals, within, .. } => format!(
                "This session was refused {refusals} times within {} seconds, for requests that the site's own pages do \
                 not make: somebody may be trying doors with it.",
                within.as_secs()
            ),
            Self::Refusals { refusals, within } => format!(
                "{refusals} requests were refused here within {} seconds, for what the site's own pages do not ask.",
                within.as_secs()
            ),
            Self::ForgedTokens { tokens, within } => format!(
                "{tokens} tokens or proofs came here within {} seconds that this site never issued or that do not \
                 verify: somebody is guessing, or a service uses other keys.",
                within.as_secs()
            ),
        }
    }
}
