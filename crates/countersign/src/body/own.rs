//! The bodies of our own answers: bytes that are all there, or a stream.

use std::fmt;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use futures_util::stream::{BoxStream, Stream, StreamExt as _};

/// The body of an answer of our own.
#[derive(Debug)]
pub(crate) enum OwnBody {
    Full(Bytes),
    Stream(OwnStream),
}

impl OwnBody {
    pub(crate) fn stream(stream: impl Stream<Item = Bytes> + Send + 'static) -> Self {
        Self::Stream(OwnStream(Mutex::new(stream.fuse().boxed())))
    }

    /// How many bytes it has, if that is known.
    pub(crate) fn len(&self) -> Option<usize> {
        match self {
            Self::Full(bytes) => Some(bytes.len()),
            Self::Stream(_) => None,
        }
    }
}

impl Default for OwnBody {
    fn default() -> Self {
        Self::Full(Bytes::new())
    }
}

impl From<Bytes> for OwnBody {
    fn from(bytes: Bytes) -> Self {
        Self::Full(bytes)
    }
}

/// A stream of our own. Its lock is never taken, it only makes the stream `Sync`: hosts may ask that of a body.
pub(crate) struct OwnStream(Mutex<BoxStream<'static, Bytes>>);

impl OwnStream {
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Bytes>> {
        let stream = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        Pin::new(stream).poll_next(cx)
    }
}

impl fmt::Debug for OwnStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OwnStream")
    }
}
