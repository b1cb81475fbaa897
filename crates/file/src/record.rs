//! The bytes of one fact: a version, then postcard.

use countersign_registry::{EndReason, News, SessionRecord};
use countersign_token::{FeedPosition, Timestamp};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::error::Flaw;

/// The format of the file: its tables and their keys. A file with a larger one is refused.
pub(crate) const FORMAT: u64 = 1;

/// The version of a record's bytes. It grows when a record changes; older ones stay readable.
const VERSION: u8 = 1;

/// A session that has ended; since when is in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gone {
    pub(crate) reason: EndReason,
}

/// An entry of the feed, but for its position, which is its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) at: Timestamp,
    pub(crate) until: Timestamp,
    pub(crate) news: News,
}

/// An end that was carried out; until when that is remembered is in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) position: FeedPosition,
    pub(crate) entries: u64,
    pub(crate) sessions: u64,
}

/// A one-time id that was claimed; until when that matters is in its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used;

/// Something that a table holds.
pub(crate) trait Record: Serialize + DeserializeOwned {}

impl Record for SessionRecord {}
impl Record for Gone {}
impl Record for Entry {}
impl Record for Done {}
impl Record for Used {}

pub(crate) fn encode<R: Record>(record: &R) -> Result<Vec<u8>, postcard::Error> {
    postcard::to_extend(record, vec![VERSION])
}

pub(crate) fn decode<R: Record>(bytes: &[u8]) -> Result<R, Flaw> {
    match bytes.split_first() {
        Some((&VERSION, rest)) => match postcard::take_from_bytes(rest) {
            Ok((record, [])) => Ok(record),
            Ok(_) => Err(Flaw::corrupt("a record has a tail")),
            Err(error) => Err(Flaw::Corrupt(error.into())),
        },
        Some((&newer, _)) if newer > VERSION => Err(Flaw::Newer(newer.into())),
        _ => Err(Flaw::corrupt("a record without a version")),
    }
}
