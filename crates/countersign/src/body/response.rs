//! The response body of a service that sometimes answers by itself.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::own::{OwnBody, OwnStream};

pin_project_lite::pin_project! {
    /// The body of the service within, or one of our own. Only a stream of our own is boxed.
    #[derive(Debug)]
    pub struct ResponseBody<B> {
        #[pin]
        source: Source<B>,
    }
}

pin_project_lite::pin_project! {
    #[project = Projected]
    #[derive(Debug)]
    enum Source<B> {
        Inner { #[pin] body: B },
        // What is still to be sent.
        Full { bytes: Option<Bytes> },
        Stream { stream: OwnStream },
    }
}

impl<B> ResponseBody<B> {
    /// The body of the service within.
    pub fn inner(body: B) -> Self {
        Self { source: Source::Inner { body } }
    }

    /// A body of our own.
    pub fn full(bytes: impl Into<Bytes>) -> Self {
        let bytes = Some(bytes.into()).filter(|bytes| !bytes.is_empty());
        Self { source: Source::Full { bytes } }
    }

    pub(crate) fn own(body: OwnBody) -> Self {
        match body {
            OwnBody::Full(bytes) => Self::full(bytes),
            OwnBody::Stream(stream) => Self { source: Source::Stream { stream } },
        }
    }
}

impl<B: Default> Default for ResponseBody<B> {
    fn default() -> Self {
        Self::inner(B::default())
    }
}

impl<B: Body<Data = Bytes>> Body for ResponseBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().source.project() {
            Projected::Inner { body } => body.poll_frame(cx),
            Projected::Full { bytes } => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Projected::Stream { stream } => stream.poll(cx).map(|next| Some(Ok(Frame::data(next?)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.source {
            Source::Inner { body } => body.is_end_stream(),
            Source::Full { bytes } => bytes.is_none(),
            Source::Stream { .. } => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.source {
            Source::Inner { body } => body.size_hint(),
            Source::Full { bytes } => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Source::Stream { .. } => SizeHint::default(),
        }
    }
}
