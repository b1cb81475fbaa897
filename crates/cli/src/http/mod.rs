//! A server over HTTP: one origin, one credential, bounded answers, deadlines on everything.
//!
//! Certificates are judged by the machine's own roots: a console is often an internal site with a root of its own, which
//! its administrators' machines trust. (`SSL_CERT_FILE` names others.)

mod answer;
mod credential;
mod names;
mod sse;

use std::time::Duration;

use bytes::Bytes;
use countersign::Origin;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, USER_AGENT};
use http::{HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;

pub(crate) use self::answer::Answer;
pub(crate) use self::credential::{Access, Credential, Held};
use self::names::Names;
pub(crate) use self::sse::{Event, Events};
use crate::error::Failure;

/// A server, and what it knows us by.
pub(crate) struct Http {
    client: Client<HttpsConnector<HttpConnector<Names>>, Full<Bytes>>,
    origin: Origin,
    held: Held,
}

/// What the list of sessions may show of the command's own.
const NAME: &str = concat!("countersign-cli/", env!("CARGO_PKG_VERSION"));
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long an answer may be: pages, exports and statistics are far below.
const LONGEST: usize = 16 << 20;

impl Http {
    /// Nothing is sent yet.
    pub(crate) fn new(origin: Origin) -> Result<Self, Failure> {
        let connector = connector(&origin)?;
        let client = Client::builder(TokioExecutor::new()).build(connector);
        Ok(Self { client, origin, held: Held::Nothing })
    }

    /// The server, as messages name it.
    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// From now on, requests carry this.
    pub(crate) fn hold(&mut self, held: Held) {
        self.held = held;
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, Failure> {
        let whole = async {
            let (parts, body) = self.send(method, path, body).await?.into_parts();
            let body = Limited::new(body, LONGEST).collect().await;
            let body = body.map_err(|error| self.unreachable(&*error))?.to_bytes();
            Ok(Answer { status: parts.status, headers: parts.headers, body })
        };
        tokio::time::timeout(PATIENCE, whole).await.map_err(|_| self.late())?
    }

    /// Asks for a stream of events. Only its beginning has a deadline.
    pub(crate) async fn events(&self, path: &str) -> Result<Result<Events, Answer>, Failure> {
        let sent = tokio::time::timeout(PATIENCE, self.send(Method::GET, path, None)).await;
        let (parts, body) = sent.map_err(|_| self.late())??.into_parts();
        if parts.status.is_success() {
            return Ok(Ok(Events::new(body)));
        }
        let body = tokio::time::timeout(PATIENCE, Limited::new(body, LONGEST).collect()).await;
        let body = body.map_err(|_| self.late())?.map_err(|error| self.unreachable(&*error))?.to_bytes();
        Ok(Err(Answer { status: parts.status, headers: parts.headers, body }))
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Response<Incoming>, Failure> {
        let uri = format!("{}{path}", self.origin.as_str());
        let mut request = Request::builder().method(method).uri(uri).header(USER_AGENT, NAME);
        match &self.held {
            Held::Nothing => {}
            Held::Token(token) => {
                request = request.header(AUTHORIZATION, secret(&format!("Bearer {}", **token))?);
            }
            // No page of another site had a hand in this request.
            Held::Cookies(cookies) => {
                request = request.header(COOKIE, secret(cookies)?).header("sec-fetch-site", "same-origin");
            }
        }
        if body.is_some() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = request.body(Full::from(body)).map_err(|_| Failure::NoPath(path.to_owned()))?;
        self.client.request(request).await.map_err(|error| self.unreachable(&error))
    }

    fn late(&self) -> Failure {
        let why = format!("no answer within {} seconds", PATIENCE.as_secs());
        Failure::Unreachable { origin: self.origin.as_str().to_owned(), why }
    }

    fn unreachable(&self, error: &(dyn std::error::Error + 'static)) -> Failure {
        let why = crate::error::causes(error);
        Failure::Unreachable { origin: self.origin.as_str().to_owned(), why }
    }
}

fn secret(text: &str) -> Result<HeaderValue, Failure> {
    let mut value = HeaderValue::from_str(text).map_err(|_| Failure::NoHeader)?;
    value.set_sensitive(true);
    Ok(value)
}

/// A connector that speaks TLS by ring, or to the own machine without it.
fn connector(origin: &Origin) -> Result<HttpsConnector<HttpConnector<Names>>, Failure> {
    let provider = ring::default_provider();
    if origin.is_https() {
        let builder = HttpsConnectorBuilder::new().with_provider_and_native_roots(provider);
        let builder = builder.map_err(Failure::Roots)?.https_only().enable_http1();
        return Ok(builder.wrap_connector(http(Names::OfTheNetwork)));
    }
    // No certificate is looked at, so there are no roots to read.
    let config = ClientConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
    let config = config.map_err(|error| Failure::Roots(std::io::Error::other(error)))?;
    let config = config.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    let builder = HttpsConnectorBuilder::new().with_tls_config(config).https_or_http().enable_http1();
    Ok(builder.wrap_connector(http(Names::OfThisMachine)))
}

fn http(names: Names) -> HttpConnector<Names> {
    let mut connector = HttpConnector::new_with_resolver(names);
    // What it is for is the connector around it to say.
    connector.enforce_http(false);
    connector
}
