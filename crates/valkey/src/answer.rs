//! A script's answer: `kind, instant, epoch, sequence number`, and what the operation tells.

use countersign_registry::{Effect, EndReason, Entry, Holding, RegistryError, SessionRecord};
use countersign_token::{FeedPosition, SessionId, Timestamp};
use redis::Value;

use crate::bytes::{Reader, garbled, instant};
use crate::tally::Figures;
use crate::{entry, record};

/// What a script answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) kind: i64,
    pub(crate) at: Timestamp,
    pub(crate) position: FeedPosition,
    rest: std::vec::IntoIter<Value>,
}

/// A script stopped in the middle of a larger task, and must be called again.
pub(crate) const AGAIN: i64 = -1;
/// The registry recovers after a fail-over, and did nothing.
pub(crate) const RECOVERING: i64 = -2;

impl Answer {
    pub(crate) fn read(value: Value) -> Result<Self, RegistryError> {
        let Value::Array(values) = value else { return Err(garbled()) };
        let mut answer = Self {
            kind: 0,
            at: Timestamp::ZERO,
            position: FeedPosition { epoch: 0, seq: 0 },
            rest: values.into_iter(),
        };
        answer.kind = answer.int()?;
        answer.at = instant(answer.number()?);
        answer.position = FeedPosition { epoch: answer.number()?, seq: answer.number()? };
        Ok(answer)
    }

    fn next(&mut self) -> Result<Value, RegistryError> {
        self.rest.next().ok_or_else(garbled)
    }

    fn int(&mut self) -> Result<i64, RegistryError> {
        match self.next()? {
            Value::Int(number) => Ok(number),
            _ => Err(garbled()),
        }
    }

    pub(crate) fn number(&mut self) -> Result<u64, RegistryError> {
        u64::try_from(self.int()?).map_err(|_| garbled())
    }

    pub(crate) fn bytes(&mut self) -> Result<Vec<u8>, RegistryError> {
        match self.next()? {
            Value::BulkString(bytes) => Ok(bytes),
            _ => Err(garbled()),
        }
    }

    pub(crate) fn list(&mut self) -> Result<Vec<Value>, RegistryError> {
        match self.next()? {
            Value::Array(list) => Ok(list),
            _ => Err(garbled()),
        }
    }

    fn each<T>(&mut self, read: impl Fn(&[u8]) -> Result<T, RegistryError>) -> Result<Vec<T>, RegistryError> {
        let read = |value: Value| match value {
            Value::BulkString(bytes) => read(&bytes),
            _ => Err(garbled()),
        };
        self.list()?.into_iter().map(read).collect()
    }

    pub(crate) fn entries(&mut self) -> Result<Vec<Entry>, RegistryError> {
        self.each(entry::entry)
    }

    /// Sessions, each after its id.
    pub(crate) fn sessions(&mut self) -> Result<Vec<(SessionRecord, Holding)>, RegistryError> {
        self.each(|raw| {
            let (id, raw) = raw.split_at_checked(16).ok_or_else(garbled)?;
            record::session(SessionId::from_bytes(id.try_into().map_err(|_| garbled())?), raw)
        })
    }

    /// Tenants, each after its figures.
    pub(crate) fn tenants(&mut self) -> Result<Vec<(String, Figures)>, RegistryError> {
        self.each(|raw| {
            let (figures, name) = raw.split_at_checked(4).ok_or_else(garbled)?;
            let name = str::from_utf8(name).map_err(|_| garbled())?;
            Ok((name.to_owned(), Figures::read(&mut Reader::new(figures))?))
        })
    }

    pub(crate) fn session(&mut self, id: SessionId) -> Result<(SessionRecord, Holding), RegistryError> {
        record::session(id, &self.bytes()?)
    }

    pub(crate) fn id(&mut self) -> Result<SessionId, RegistryError> {
        Reader::new(&self.bytes()?).array().map(SessionId::from_bytes)
    }

    /// Why a session ended, if that is known.
    pub(crate) fn reason(&mut self) -> Result<Option<EndReason>, RegistryError> {
        reason(self.number()?)
    }

    /// An outcome that its operation does not know.
    pub(crate) fn unknown<T>(&self) -> Result<T, RegistryError> {
        Err(RegistryError::new(
            Effect::Unknown,
            format!("a script answered with the unknown outcome {}", self.kind),
        ))
    }
}

/// Why a session ended, if that is known, as a number.
pub(crate) fn reason(number: u64) -> Result<Option<EndReason>, RegistryError> {
    number.checked_sub(1).map(entry::reason).transpose()
}
