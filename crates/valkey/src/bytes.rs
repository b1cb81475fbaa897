//! Bytes of records: big-endian numbers, instants in 48 bits, texts with their length.

use std::sync::Arc;

use countersign_registry::{Effect, RegistryError};
use countersign_token::Timestamp;

/// The largest instant that is written (the year 10889); it stands for [`Timestamp::MAX`].
const NEVER: u64 = (1 << 48) - 1;

/// Milliseconds as they are written.
pub(crate) fn millis(instant: Timestamp) -> u64 {
    instant.as_millis().min(NEVER)
}

/// An instant as it was written.
pub(crate) fn instant(millis: u64) -> Timestamp {
    if millis >= NEVER { Timestamp::MAX } else { Timestamp::from_millis(millis) }
}

/// What a server should not have answered.
pub(crate) fn garbled() -> RegistryError {
    RegistryError::new(
        Effect::Unknown,
        "the server's answer makes no sense: is another program writing to its keys?",
    )
}

/// Puts bytes together.
#[derive(Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    /// The lowest `size` bytes of a number.
    pub(crate) fn number(&mut self, number: u64, size: usize) {
        self.0.extend_from_slice(&number.to_be_bytes()[8 - size..]);
    }

    pub(crate) fn instant(&mut self, at: Timestamp) {
        self.number(millis(at), 6);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) -> Result<(), RegistryError> {
        let length = u16::try_from(text.len()).ok().filter(|&length| length < u16::MAX);
        let long = || RegistryError::new(Effect::None, "a name of 65535 bytes or more");
        self.number(length.ok_or_else(long)?.into(), 2);
        self.raw(text.as_bytes());
        Ok(())
    }

    pub(crate) fn done(self) -> Vec<u8> {
        self.0
    }
}

/// Takes bytes apart.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], RegistryError> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(garbled)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn number(&mut self, size: usize) -> Result<u64, RegistryError> {
        Ok(self.take(size)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    pub(crate) fn instant(&mut self) -> Result<Timestamp, RegistryError> {
        self.number(6).map(instant)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], RegistryError> {
        self.take(N)?.try_into().map_err(|_| garbled())
    }

    pub(crate) fn str(&mut self, length: usize) -> Result<Arc<str>, RegistryError> {
        std::str::from_utf8(self.take(length)?).map(Arc::from).map_err(|_| garbled())
    }

    pub(crate) fn text(&mut self) -> Result<Arc<str>, RegistryError> {
        let length = self.number(2)?;
        self.str(length as usize)
    }

    pub(crate) fn rest(&mut self) -> Result<Arc<str>, RegistryError> {
        self.str(self.0.len())
    }
}
