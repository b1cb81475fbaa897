//! The application under test.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use countersign::testing::{Answer, Browser, Full, Harness};
use countersign::{Refusal, Require, Session, SessionData, SessionService, Stale, Visitor};
use http::{Method, Request, Response};
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;

pub(crate) const MINUTE: Duration = Duration::from_mins(1);
pub(crate) const START: u64 = 1_800_000_000;

#[derive(Default, Clone, serde::Serialize, serde::Deserialize)]
pub(crate) struct Cart {
    pub(crate) items: Vec<String>,
}

impl SessionData for Cart {
    const VERSION: u16 = 1;
}

pub(crate) type App = BoxCloneSyncService<Request<Full<Bytes>>, Response<Full<Bytes>>, Infallible>;
pub(crate) type Tab = Browser<SessionService<App>>;

/// `/login/{user}` or `/login/{user}@{tenant}` (`?forget`), `/again`, `/again/once`, `/cart`, `/redeem`, `/reset`, `/poll`, `/public`, `/lenient`, `/strict`, `/once`.
pub(crate) fn shop() -> App {
    BoxCloneSyncService::new(tower::service_fn(async |request: Request<Full<Bytes>>| {
        Ok(answer(&request)
            .await
            .unwrap_or_else(|refusal| refusal.to_response(&countersign::ProblemStyle::default()))
            .map(Full::new))
    }))
}

async fn answer(request: &Request<Full<Bytes>>) -> Result<Response<Bytes>, Refusal> {
    let path = request.uri().path();
    let query = request.uri().query().unwrap_or_default().to_owned();
    if let Some(user) = path.strip_prefix("/login/") {
        let visitor = Visitor::<Cart>::from_request(request)?;
        let login = match user.split_once('@') {
            Some((user, tenant)) => visitor.login(user).tenant(tenant),
            None => visitor.login(user),
        };
        return Ok(login.remember(query != "forget").await?.into_response());
    }
    let (cart, grant) = match (path, request.method()) {
        ("/once", _) => {
            let session = Session::<Cart>::from_request(request)?;
            session.claim_proof().await?;
            return Ok(page(&Cart::default(), session.subject()));
        }
        ("/public", _) => return Ok(Response::new(Bytes::new())),
        ("/lenient", _) => return subject(request, &Require::session().when_stale(Stale::ServeUntilExpiry)),
        ("/strict", _) => return subject(request, &Require::session().when_stale(Stale::FailClosed)),
        ("/poll", _) => return subject(request, &Require::session().pollable()),
        ("/again" | "/again/once", _) => {
            let session = Session::<Cart>::from_request(request)?;
            if path == "/again/once" {
                session.claim_proof().await?;
            }
            return Ok(session.reauthenticate().await?.into_response());
        }
        ("/cart", &Method::GET) => {
            let visitor = Visitor::<Cart>::from_request(request)?;
            return Ok(page(visitor.data()?, &visitor.version()?.to_string()));
        }
        ("/cart", _) => Visitor::<Cart>::from_request(request)?.update(|cart| cart.items.push(query))?,
        ("/redeem", _) => {
            let session = Session::<Cart>::from_request(request)?;
            session.update_exclusive(|cart| cart.items.push(query)).await?
        }
        ("/reset", _) => Session::<Cart>::from_request(request)?.reset_state().await?,
        _ => return Err(Refusal::NotFound),
    };
    let mut response = page(&cart, if grant.is_repetition() { "again" } else { "first" });
    grant.apply(&mut response);
    Ok(response)
}

/// Whose session it is, where it satisfies a demand.
fn subject(request: &Request<Full<Bytes>>, demand: &Require) -> Result<Response<Bytes>, Refusal> {
    let mut head = Request::new(());
    *head.headers_mut() = request.headers().clone();
    *head.extensions_mut() = request.extensions().clone();
    let session = Session::<Cart>::from_parts_with(&head.into_parts().0, demand)?;
    Ok(page(&Cart::default(), session.subject()))
}

fn page(cart: &Cart, note: &str) -> Response<Bytes> {
    Response::new(json!({ "items": cart.items, "note": note }).to_string().into())
}

pub(crate) fn items(answer: &Answer) -> Value {
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.code());
    answer.json::<Value>()["items"].clone()
}

#[track_caller]
pub(crate) fn check(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code));
}

/// A part of the access token, as an attacker reads it: 0 is the header, 1 the claims.
pub(crate) fn read_token(tab: &Tab, part: usize) -> Value {
    use base64::Engine as _;
    let part = tab.cookies()["__Host-session"].split('.').nth(part).unwrap();
    let part = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).unwrap();
    serde_json::from_slice(&part).unwrap()
}

pub(crate) async fn logged_in(t: &Harness, user: &str) -> Tab {
    log_in(t.browser(shop()), user).await
}

pub(crate) async fn log_in(mut tab: Tab, user: &str) -> Tab {
    let answer = tab.post(&format!("/login/{user}")).await;
    assert!(answer.status.is_success(), "{} {}", answer.status, answer.code());
    tab
}
