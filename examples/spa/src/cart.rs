//! `/api/cart`: the application's own data, kept in the state token. It works for visitors too.

use countersign::{
    BadRequest, BodyLimits, Grant, Refusal, Session, SessionData, StateVersion, Visitor, read_json,
};
use http::request::Parts;
use http::{Method, Response};
use serde::{Deserialize, Serialize};

use crate::answer::{Body, json};

/// What a person means to buy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cart {
    pub(crate) items: Vec<String>,
}

impl SessionData for Cart {
    const VERSION: u16 = 1;
}

#[derive(Deserialize)]
struct Item {
    item: String,
}

#[derive(Serialize)]
struct Shown<'a> {
    cart: &'a [String],
    version: String,
}

pub(crate) async fn answer<B>(parts: &Parts, body: B) -> Result<Response<Body>, Refusal>
where
    B: http_body::Body,
{
    // First, since it also refuses what another site sends.
    let visitor = Visitor::<Cart>::from_parts(parts)?;
    match parts.method {
        Method::POST => {
            let how = How::asked(parts.uri.query())?;
            let Item { item } = read_json(&parts.headers, body, BodyLimits::default()).await?;
            add(parts, &visitor, item, how).await
        }
        Method::DELETE => empty(&visitor).await,
        _ => Ok(show(visitor.data()?, visitor.version()?)),
    }
}

/// How an item is added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Without asking anybody.
    Plain,
    /// In one call of the registry, so that no older cart is accepted ever after.
    Exclusive,
}

impl How {
    /// `?exclusive=1`.
    fn asked(query: Option<&str>) -> Result<Self, BadRequest> {
        let mut values =
            query.unwrap_or_default().split('&').filter_map(|pair| pair.strip_prefix("exclusive="));
        match (values.next(), values.next()) {
            (None | Some("0"), None) => Ok(Self::Plain),
            (Some("1"), None) => Ok(Self::Exclusive),
            _ => Err(BadRequest::Parameter("exclusive")),
        }
    }
}

async fn add(
    parts: &Parts,
    visitor: &Visitor<Cart>,
    item: String,
    how: How,
) -> Result<Response<Body>, Refusal> {
    if item.is_empty() {
        return Err(BadRequest::Parameter("item").into());
    }
    let push = |cart: &mut Cart| cart.items.push(item);
    Ok(changed(match how {
        How::Plain => visitor.update(push)?,
        How::Exclusive => Session::<Cart>::from_parts(parts)?.update_exclusive(push).await?,
    }))
}

async fn empty(visitor: &Visitor<Cart>) -> Result<Response<Body>, Refusal> {
    Ok(changed(match visitor.session() {
        Some(session) => session.reset_state().await?,
        None => visitor.update(|cart| cart.items.clear())?,
    }))
}

fn changed((cart, grant): (Cart, Grant)) -> Response<Body> {
    let mut response = show(&cart, grant.version().unwrap_or_default());
    grant.apply(&mut response);
    response
}

fn show(cart: &Cart, version: StateVersion) -> Response<Body> {
    json(&Shown { cart: &cart.items, version: version.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exclusive_is_a_parameter_like_any() {
        let check = |query, expect| assert_eq!(How::asked(query), expect, "{query:?}");
        check(None, Ok(How::Plain));
        check(Some(""), Ok(How::Plain));
        check(Some("other=1"), Ok(How::Plain));
        check(Some("exclusive=0"), Ok(How::Plain));
        check(Some("other=1&exclusive=1"), Ok(How::Exclusive));
        for wrong in ["exclusive=", "exclusive=yes", "exclusive=1&exclusive=1"] {
            check(Some(wrong), Err(BadRequest::Parameter("exclusive")));
        }
    }
}
