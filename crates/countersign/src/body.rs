//! Bodies: a JSON request body read within its bounds, and the response body of a service that sometimes answers
//! by itself.

use std::time::Duration;

use bytes::Buf as _;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue};
use http_body::Body;
use http_body_util::BodyExt as _;
use serde::de::DeserializeOwned;

use crate::refusal::{BadRequest, Refusal};

mod own;
mod response;
mod strict;

pub(crate) use own::OwnBody;
pub use response::ResponseBody;

/// How much of a body is read, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimits {
    /// At most so many bytes.
    pub bytes: usize,
    /// It must be here within this time.
    pub deadline: Duration,
}

/// 64 kB within 10 s.
impl Default for BodyLimits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, deadline: Duration::from_secs(10) }
    }
}

/// Whether a request has a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// It has, and it is `application/json`.
    Json,
    /// It has none.
    Nothing,
    /// It says nothing of a body, neither size nor type. HTTP/2 clients may send a request without a body like this.
    Unsaid,
}

/// Reads a JSON body.
///
/// Members that `T` does not know are ignored, unless `T` denies them.
///
/// # Errors
/// [`Refusal::UnsupportedMediaType`] unless the body is `application/json`; [`Refusal::BodyTooLarge`] and
/// [`Refusal::RequestTimeout`] beyond the limits; [`Refusal::BadRequest`] if the body is missing or breaks off, is no
/// JSON, has two members of one name, or is not a `T`.
///
/// ```
/// # use countersign::{BodyLimits, read_json};
/// # async fn doc<B: http_body::Body>(request: http::Request<B>) -> Result<(), countersign::Refusal> {
/// #[derive(serde::Deserialize)]
/// struct Login {
///     user: String,
///     password: String,
/// }
///
/// let (parts, body) = request.into_parts();
/// let login: Login = read_json(&parts.headers, body, BodyLimits::default()).await?;
/// # Ok(())
/// # }
/// ```
pub async fn read_json<T, B>(headers: &HeaderMap, body: B, limits: BodyLimits) -> Result<T, Refusal>
where
    T: DeserializeOwned,
    B: Body,
{
    read_optional_json(headers, body, limits).await?.ok_or(Refusal::BadRequest(BadRequest::NoBody))
}

/// Reads a JSON body where one is optional. Without a body, there need be no `Content-Type`.
///
/// # Errors
/// As [`read_json`], but for the missing body.
pub async fn read_optional_json<T, B>(
    headers: &HeaderMap,
    body: B,
    limits: BodyLimits,
) -> Result<Option<T>, Refusal>
where
    T: DeserializeOwned,
    B: Body,
{
    let presence = expect_json(headers, &body)?;
    if presence == Presence::Nothing {
        return Ok(None);
    }
    if announced(headers)?.max(body.size_hint().lower()) > limits.bytes as u64 {
        return Err(Refusal::BodyTooLarge);
    }
    let bytes = tokio::time::timeout(limits.deadline, collect(body, limits.bytes))
        .await
        .map_err(|_| Refusal::RequestTimeout)??;
    match presence {
        _ if bytes.is_empty() => Ok(None),
        Presence::Unsaid => Err(Refusal::UnsupportedMediaType),
        _ => Ok(Some(strict::from_slice(&bytes)?)),
    }
}

/// Whether a request has a JSON body. It looks at the headers only, so it can be asked before anything else.
///
/// # Errors
/// [`Refusal::UnsupportedMediaType`] if there is a body that is not `application/json`.
pub fn expect_json<B: Body>(headers: &HeaderMap, body: &B) -> Result<Presence, Refusal> {
    let size = body.size_hint();
    if body.is_end_stream() || size.exact() == Some(0) {
        return Ok(Presence::Nothing);
    }
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    match (types.next(), types.next()) {
        (Some(content_type), None) if is_json(content_type) => Ok(Presence::Json),
        (None, _) if size.exact().is_none() => Ok(Presence::Unsaid),
        _ => Err(Refusal::UnsupportedMediaType),
    }
}

/// Parameters (`charset=utf-8`) change nothing: JSON is UTF-8 (RFC 8259).
fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.as_bytes().split(|byte| *byte == b';').next().unwrap_or_default();
    essence.trim_ascii().eq_ignore_ascii_case(b"application/json")
}

fn announced(headers: &HeaderMap) -> Result<u64, BadRequest> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else { return Ok(0) };
    let length = length.to_str().ok().and_then(|length| length.parse().ok());
    if lengths.next().is_some() {
        Err(BadRequest::ContentLength)
    } else {
        length.ok_or(BadRequest::ContentLength)
    }
}

async fn collect<B: Body>(body: B, limit: usize) -> Result<Vec<u8>, Refusal> {
    let mut body = std::pin::pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| BadRequest::BodyCutShort)?;
        let Ok(mut data) = frame.into_data() else { continue };
        if bytes.len() + data.remaining() > limit {
            return Err(Refusal::BodyTooLarge);
        }
        while data.has_remaining() {
            let chunk = data.chunk();
            let length = chunk.len();
            bytes.extend_from_slice(chunk);
            data.advance(length);
        }
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
