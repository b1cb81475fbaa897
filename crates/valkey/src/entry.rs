//! The bytes of a feed's entry: `position 7 + 7, at 6, until 6, kind 1, reason 1`, and what it is about.

use countersign_registry::{EndReason, Entry, News, RegistryError};
use countersign_token::{FeedPosition, SessionId};

use crate::bytes::{Reader, garbled};
use crate::record::{read_owner, read_tenant};

/// The number of a reason in entries and scripts.
pub(crate) fn number(reason: EndReason) -> usize {
    EndReason::ALL.iter().position(|&other| other == reason).unwrap_or_default()
}

/// The reason of a number.
pub(crate) fn reason(number: u64) -> Result<EndReason, RegistryError> {
    EndReason::ALL.get(number as usize).copied().ok_or_else(garbled)
}

/// A position in fourteen bytes.
pub(crate) fn position(bytes: &mut Reader<'_>) -> Result<FeedPosition, RegistryError> {
    Ok(FeedPosition { epoch: bytes.number(7)?, seq: bytes.number(7)? })
}

/// An entry.
pub(crate) fn entry(raw: &[u8]) -> Result<Entry, RegistryError> {
    let mut bytes = Reader::new(raw);
    let position = position(&mut bytes)?;
    let (at, until) = (bytes.instant()?, bytes.instant()?);
    let (kind, why) = (bytes.number(1)?, bytes.number(1)?);
    let news = match kind {
        1 => News::Ended(SessionId::from_bytes(bytes.array()?), reason(why)?),
        2 => {
            let (any, spared) = (bytes.number(1)?, SessionId::from_bytes(bytes.array()?));
            News::OwnerEnded(read_owner(&mut bytes)?, (any == 1).then_some(spared), reason(why)?)
        }
        3 => News::TenantEnded(read_tenant(&mut bytes)?.ok_or_else(garbled)?, reason(why)?),
        4 => News::EveryoneEnded(reason(why)?),
        5 => News::KeyRemoved(bytes.rest()?),
        6 => News::Floor(SessionId::from_bytes(bytes.array()?), bytes.number(7)?),
        7 => {
            let giver = SessionId::from_bytes(bytes.array()?);
            News::HandedOver(giver, if bytes.is_empty() { None } else { Some(bytes.text()?) })
        }
        _ => return Err(garbled()),
    };
    Ok(Entry { position, at, until, news })
}
