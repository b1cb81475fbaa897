//! The bytes of a feed's entry: `position 7 + 7, at 6, until 6, kind 1, reason 1`, and what it is about. One that was told
//! again (kind 8) is about where it was told before, and what it said there: `position 7 + 7, kind 1, reason 1, ...`.

use countersign_registry::{EndReason, Entry, News, RegistryError};
use countersign_token::{FeedPosition, SessionId};

use crate::bytes::{Reader, Writer, garbled};
use crate::record::{owner, read_owner, read_tenant, tenant};

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
    Ok(Entry { position, at, until, news: news(&mut bytes)? })
}

fn news(bytes: &mut Reader<'_>) -> Result<News, RegistryError> {
    let (kind, why) = (bytes.number(1)?, bytes.number(1)?);
    Ok(match kind {
        1 => News::Ended(SessionId::from_bytes(bytes.array()?), reason(why)?),
        2 => {
            let (any, spared) = (bytes.number(1)?, SessionId::from_bytes(bytes.array()?));
            News::OwnerEnded(read_owner(bytes)?, (any == 1).then_some(spared), reason(why)?)
        }
        3 => News::TenantEnded(read_tenant(bytes)?.ok_or_else(garbled)?, reason(why)?),
        4 => News::EveryoneEnded(reason(why)?),
        5 => News::KeyRemoved(bytes.rest()?),
        6 => News::Floor(SessionId::from_bytes(bytes.array()?), bytes.number(7)?),
        7 => {
            let giver = SessionId::from_bytes(bytes.array()?);
            News::HandedOver(giver, if bytes.is_empty() { None } else { Some(bytes.text()?) })
        }
        8 => News::Again(position(bytes)?, Box::new(news(bytes)?)),
        _ => return Err(garbled()),
    })
}

/// The bytes of an entry.
pub(crate) fn bytes(entry: &Entry) -> Result<Vec<u8>, RegistryError> {
    let mut bytes = Writer::default();
    write_position(&mut bytes, entry.position);
    bytes.instant(entry.at);
    bytes.instant(entry.until);
    write_news(&mut bytes, &entry.news)?;
    Ok(bytes.done())
}

/// A position in fourteen bytes.
pub(crate) fn write_position(bytes: &mut Writer, position: FeedPosition) {
    bytes.number(position.epoch, 7);
    bytes.number(position.seq, 7);
}

fn write_news(bytes: &mut Writer, news: &News) -> Result<(), RegistryError> {
    let mut begin = |kind, reason: Option<EndReason>| {
        bytes.number(kind, 1);
        bytes.number(reason.map_or(0, number) as u64, 1);
    };
    match news {
        News::Ended(session, reason) => {
            begin(1, Some(*reason));
            bytes.raw(session.as_bytes());
        }
        News::OwnerEnded(of, except, reason) => {
            begin(2, Some(*reason));
            bytes.number(except.is_some().into(), 1);
            bytes.raw(except.map_or([0; 16], |spared| *spared.as_bytes()).as_slice());
            bytes.raw(&owner(of)?);
        }
        News::TenantEnded(of, reason) => {
            begin(3, Some(*reason));
            bytes.raw(&tenant(of)?);
        }
        News::EveryoneEnded(reason) => begin(4, Some(*reason)),
        News::KeyRemoved(kid) => {
            begin(5, None);
            bytes.raw(kid.as_bytes());
        }
        News::Floor(session, exclusive) => {
            begin(6, None);
            bytes.raw(session.as_bytes());
            bytes.number(*exclusive, 7);
        }
        News::HandedOver(giver, device) => {
            begin(7, None);
            bytes.raw(giver.as_bytes());
            if let Some(device) = device {
                bytes.text(device)?;
            }
        }
        News::Again(position, before) => {
            begin(8, None);
            write_position(bytes, *position);
            write_news(bytes, before)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
