//! Ids, instants and versions: the words that tokens and the registry share.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The id of a session: 128 random bits, written as 22 characters of base64url.
///
/// An id is no credential (a token's signature is), but it links log lines to a person: `Debug` shows its
/// [tag](SessionId::tag) only.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId([u8; 16]);

impl SessionId {
    /// An id from random bytes, which the caller draws from a cryptographic generator.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The first six characters: enough to tell a person's sessions apart, too few to name one.
    pub fn tag(&self) -> String {
        let mut text = self.to_string();
        text.truncate(6);
        text
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId({}…)", self.tag())
    }
}

/// A text that is not the canonical form of the id it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct ParseIdError;

impl FromStr for SessionId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let mut bytes = [0; 16];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(16) => Ok(Self(bytes)),
            _ => Err(ParseIdError),
        }
    }
}

/// An instant: milliseconds since the Unix epoch.
///
/// Every rule takes its instant as an argument; only a host's `Clock` reads one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z, the smallest instant.
    pub const ZERO: Self = Self(0);
    /// An instant beyond every other.
    pub const MAX: Self = Self(u64::MAX);

    /// From milliseconds since the Unix epoch.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs.saturating_mul(1000))
    }

    /// Milliseconds since the Unix epoch.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Whole seconds since the Unix epoch, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1000
    }

    /// This instant moved into the future, or [`Timestamp::MAX`].
    pub fn after(self, by: Duration) -> Self {
        Self(self.0.saturating_add(millis(by)))
    }

    /// This instant moved into the past, or [`Timestamp::ZERO`].
    pub fn before(self, by: Duration) -> Self {
        Self(self.0.saturating_sub(millis(by)))
    }

    /// How long ago `earlier` was; zero if it was later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}s", self.0 / 1000, self.0 % 1000)
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The id of one step of a session's rotation: a generation (its parent's + 1) and 32 random bits.
///
/// Written as 11 characters of base64url. The generation orders ids of one session even where the registry
/// lost steps.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct RotationId(u64);

impl RotationId {
    /// The id before any: what a registry holds for a session that has not been refreshed yet.
    pub const NIL: Self = Self(0);

    /// The id that follows `parent`, with 32 random bits.
    pub const fn follow(parent: Self, random: u32) -> Self {
        let generation = (parent.0 >> 32).wrapping_add(1);
        Self((generation << 32) | random as u64)
    }

    /// How many steps lead here from the nil id.
    pub const fn generation(self) -> u32 {
        (self.0 >> 32) as u32
    }

    /// The id as one number, for records.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// The id from [`RotationId::to_bits`].
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for RotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(self.0.to_be_bytes()))
    }
}

impl fmt::Debug for RotationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RotationId({})", self.generation())
    }
}

impl FromStr for RotationId {
    type Err = ParseIdError;

    fn from_str(text: &str) -> Result<Self, ParseIdError> {
        let mut bytes = [0; 8];
        match URL_SAFE_NO_PAD.decode_slice(text, &mut bytes) {
            Ok(8) => Ok(Self(u64::from_be_bytes(bytes))),
            _ => Err(ParseIdError),
        }
    }
}

/// The version of a session's state: `x.n`.
///
/// The registry knows and raises `exclusive`; `plain` counts the updates since, which the registry never sees.
/// Versions are ordered, the exclusive part first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct StateVersion {
    /// Raised by one compare-and-set in the registry for each exclusive update.
    pub exclusive: u64,
    /// Raised by each plain update, without any I/O; 0 after an exclusive one.
    pub plain: u64,
}

impl StateVersion {
    /// The version of a session that has no state yet.
    pub const INITIAL: Self = Self { exclusive: 0, plain: 0 };

    /// The version that a plain update of this one has.
    pub fn next_plain(self) -> Self {
        Self { plain: self.plain.saturating_add(1), ..self }
    }
}

impl fmt::Display for StateVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.exclusive, self.plain)
    }
}

/// A position in a registry's feed: its epoch, and the number of the entry within it.
///
/// A session carries the position at which it was admitted (`born`), so that an end by subject, tenant or site
/// hits exactly the sessions that were there before it, whatever the clocks say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct FeedPosition {
    /// One unbroken history of a registry. Below 2^53, as JSON needs.
    pub epoch: u64,
    /// Entries of this epoch so far. Below 2^53.
    pub seq: u64,
}

macro_rules! as_text {
    ($($id:ty),*) => {$(
        impl Serialize for $id {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    serializer.collect_str(self)
                } else {
                    self.0.serialize(serializer)
                }
            }
        }

        impl<'de> Deserialize<'de> for $id {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
                    text.parse().map_err(serde::de::Error::custom)
                } else {
                    Deserialize::deserialize(deserializer).map(Self)
                }
            }
        }
    )*};
}

as_text!(SessionId, RotationId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_one_spelling() {
        let id = SessionId::from_bytes([0xab; 16]);
        let text = id.to_string();
        assert_eq!(text.len(), 22);
        assert_eq!(text.parse(), Ok(id));
        // The last character carries four unused bits; a set one is another spelling, so it is refused.
        let other = format!("{}{}", &text[..21], if text.ends_with('w') { 'x' } else { 'w' });
        assert!(text.ends_with(['w', 'g', 'Q', 'A']));
        assert_eq!(other.parse::<SessionId>(), Err(ParseIdError));
        assert_eq!("".parse::<SessionId>(), Err(ParseIdError));
        assert_eq!(format!("{text}A").parse::<SessionId>(), Err(ParseIdError));
    }

    #[test]
    fn a_rotation_id_counts_its_steps() {
        let first = RotationId::follow(RotationId::NIL, u32::MAX);
        assert_eq!(RotationId::follow(first, 7).generation(), 2);
        assert_eq!(first.to_string().parse(), Ok(first));
    }

    #[test]
    fn debug_names_no_session() {
        let id = SessionId::from_bytes([7; 16]);
        assert!(!format!("{id:?}").contains(&id.to_string()));
    }
}
