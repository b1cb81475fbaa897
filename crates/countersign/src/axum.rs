//! Extractors and responses for axum.

use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, IntoResponseParts, Response, ResponseParts};
use countersign_token::SessionData;
use http::request::Parts;

use crate::grant::{Farewell, Grant};
use crate::problem::ProblemStyle;
use crate::refusal::Refusal;
use crate::require::Require;
use crate::session::Session;
use crate::visitor::Visitor;

impl<D: SessionData, S: Sync> FromRequestParts<S> for Session<D> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::from_parts(parts)
    }
}

/// [`None`] where nobody is logged in; a credential that is no good is still refused.
impl<D: SessionData, S: Sync> OptionalFromRequestParts<S> for Session<D> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Refusal> {
        match Self::from_parts(parts) {
            Ok(session) => Ok(Some(session)),
            Err(Refusal::NotAuthenticated) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

impl<D: SessionData, S: Sync> FromRequestParts<S> for Visitor<D> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        Self::from_parts(parts)
    }
}

/// A session whose user proved who they are within `SECONDS` (RFC 9470).
///
/// ```
/// use countersign::{Fresh, Refusal, Session};
///
/// async fn change_password(Fresh(session): Fresh<Session, 300>) -> Result<(), Refusal> {
///     session.end_others().await?;
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Fresh<T, const SECONDS: u64>(pub T);

impl<D: SessionData, S: Sync, const SECONDS: u64> FromRequestParts<S> for Fresh<Session<D>, SECONDS> {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let max_age = std::time::Duration::from_secs(SECONDS);
        let route = parts.extensions.get().copied().unwrap_or_else(Require::session);
        Session::from_parts_with(parts, &route.fresh_within(max_age)).map(Self)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        self.to_response(&ProblemStyle::default()).map(Into::into)
    }
}

impl IntoResponse for Grant {
    fn into_response(self) -> Response {
        Grant::into_response(self)
    }
}

impl IntoResponseParts for Grant {
    type Error = std::convert::Infallible;

    fn into_response_parts(self, mut parts: ResponseParts) -> Result<ResponseParts, Self::Error> {
        self.apply_to(parts.headers_mut());
        Ok(parts)
    }
}

impl IntoResponse for Farewell {
    fn into_response(self) -> Response {
        Farewell::into_response(self)
    }
}
