//! A person's browser or program: keeps cookies and tokens, and sends them as real clients do.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::{Answer, Call, Jar, Lost, Transport, Wire};

/// The password of every person of the example server.
const PASSWORD: &str = "correct horse";

/// Tokens that came in bodies and headers.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// The access token.
    pub access: Option<String>,
    /// The refresh token.
    pub refresh: Option<String>,
    /// The state token.
    pub state: Option<String>,
}

/// A client of one server. A clone has copies of all its credentials, as a thief would.
#[derive(Clone, Debug)]
pub struct Client {
    /// The server's address.
    pub address: SocketAddr,
    /// The server's origin.
    pub origin: String,
    /// The protocol it speaks.
    pub wire: Wire,
    /// Where its tokens travel.
    pub transport: Transport,
    /// Its cookies.
    pub jar: Jar,
    /// Its tokens.
    pub tokens: Tokens,
}

impl Client {
    /// One without any credential.
    pub(crate) fn new(address: SocketAddr, origin: String, wire: Wire, transport: Transport) -> Self {
        Self { address, origin, wire, transport, jar: Jar::default(), tokens: Tokens::default() }
    }

    /// Sends a call with all credentials, and keeps what the answer hands out.
    ///
    /// # Errors
    /// If there is no answer.
    pub async fn try_send(&mut self, call: Call) -> Result<Answer, Lost> {
        let answer = self.wire.exchange(self.address, self.request(call)).await?;
        self.learn(&answer);
        Ok(answer)
    }

    /// The same, where no answer is a failure.
    pub async fn send(&mut self, call: Call) -> Answer {
        let what = format!("{} {}", call.method, call.path);
        self.try_send(call).await.unwrap_or_else(|lost| panic!("{what}: {}", lost.0))
    }

    /// Sends a call and hands out the answer as soon as its head is there.
    ///
    /// # Errors
    /// If the connection broke off.
    pub async fn open(&self, call: Call) -> Result<Response<Incoming>, Lost> {
        self.wire.open(self.address, self.request(call)).await
    }

    /// `GET path`.
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send(Call::get(path)).await
    }

    /// `POST path` without a body.
    pub async fn post(&mut self, path: &str) -> Answer {
        self.send(Call::post(path)).await
    }

    /// `POST path` with a JSON body.
    pub async fn post_json(&mut self, path: &str, body: Value) -> Answer {
        self.send(Call::post(path).json(&body)).await
    }

    /// `DELETE path`.
    pub async fn delete(&mut self, path: &str) -> Answer {
        self.send(Call::delete(path)).await
    }

    /// Logs in, as everyone with their right password.
    pub async fn try_login(&mut self, user: &str) -> Answer {
        self.send(login(user)).await
    }

    /// Logs in and hands out the session's id.
    pub async fn login(&mut self, user: &str) -> String {
        let answer = self.try_login(user).await.expect(200);
        answer["session"]["id"].as_str().unwrap_or_else(|| panic!("no session id: {answer}")).to_owned()
    }

    /// The refresh exchange of this transport.
    pub fn refresh_call(&self) -> Call {
        let call = Call::post("/session/refresh");
        match &self.tokens.refresh {
            Some(token) => call.json(&json!({ "refresh_token": token })),
            None => call,
        }
    }

    /// Refreshes.
    pub async fn refresh(&mut self) -> Answer {
        self.send(self.refresh_call()).await
    }

    /// Refreshes until the token was old enough to be used up, and a successor came.
    pub async fn rotate(&mut self) {
        let held = self.refresh_token();
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.refresh_token() == held {
            assert!(Instant::now() < deadline, "no successor within 10 s: is the race window that long?");
            self.refresh().await.expect(200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Logs out, with every credential it has, and forgets its tokens if that worked.
    pub async fn logout(&mut self) -> Answer {
        let answer = self.send(Call::post("/session/logout")).await;
        if answer.status == 204 {
            self.tokens = Tokens::default();
        }
        answer
    }

    /// Adds to the cart.
    pub async fn add(&mut self, item: &str) -> Answer {
        self.post_json("/api/cart", json!({ "item": item })).await
    }

    /// Adds to the cart by an exclusive update.
    pub async fn add_exclusive(&mut self, item: &str) -> Answer {
        self.post_json("/api/cart?exclusive=1", json!({ "item": item })).await
    }

    /// The access token, wherever it is kept.
    pub fn access(&self) -> String {
        let kept = self.tokens.access.as_deref().or_else(|| self.jar.get("__Host-session"));
        kept.expect("an access token").to_owned()
    }

    /// The refresh token, wherever it is kept.
    pub fn refresh_token(&self) -> String {
        let kept = self.tokens.refresh.as_deref().or_else(|| self.jar.get("__Host-session-refresh"));
        kept.expect("a refresh token").to_owned()
    }

    /// Puts another access token where this transport keeps it.
    pub fn plant_access(&mut self, token: &str) {
        match self.transport {
            Transport::Cookies => self.jar.set("__Host-session", token),
            Transport::Bearer | Transport::Body => self.tokens.access = Some(token.to_owned()),
        }
    }

    /// Puts another refresh token where this transport keeps it.
    pub fn plant_refresh(&mut self, token: &str) {
        match self.transport {
            Transport::Body => self.tokens.refresh = Some(token.to_owned()),
            Transport::Cookies | Transport::Bearer => self.jar.set("__Host-session-refresh", token),
        }
    }

    /// The state: the name under which it travels, and the token.
    pub fn state(&self) -> Option<(String, String)> {
        if let Some(token) = &self.tokens.state {
            return Some(("Session-State".into(), token.clone()));
        }
        let name = self.jar.starting("__Host-state.").pop()?;
        let token = self.jar.get(&name)?.to_owned();
        Some((name, token))
    }

    /// Takes back an earlier state: the replay that exclusive updates are there against.
    pub fn restore_state(&mut self, earlier: &Self) {
        self.tokens.state.clone_from(&earlier.tokens.state);
        for name in self.jar.starting("__Host-state.") {
            self.jar.remove(&name);
        }
        for name in earlier.jar.starting("__Host-state.") {
            self.jar.set(&name, earlier.jar.get(&name).expect("it was listed"));
        }
    }

    fn request(&self, call: Call) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(call.body.clone()));
        *request.uri_mut() = self.uri(&call.path);
        self.add_credentials(&call, request.headers_mut());
        self.add_what_browsers_add(&call, request.headers_mut());
        if self.wire == Wire::Http1 {
            request.headers_mut().insert("host", value(&self.address.to_string()));
        }
        *request.method_mut() = call.method;
        for (name, value) in call.headers {
            request.headers_mut().append(name, value);
        }
        request
    }

    fn uri(&self, path: &str) -> http::Uri {
        let text = match self.wire {
            Wire::Http1 => path.to_owned(),
            Wire::Http2 => format!("http://{}{path}", self.address),
        };
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn add_credentials(&self, call: &Call, headers: &mut HeaderMap) {
        if call.anonymous {
            return;
        }
        if let (Some(line), false) = (self.jar.line(), call.has("cookie")) {
            headers.insert("cookie", value(&line));
        }
        let exchanged = self.tokens.refresh.is_some() && call.path == "/session/refresh";
        if let (Some(token), false) = (&self.tokens.access, call.has("authorization") || exchanged) {
            headers.insert("authorization", value(&format!("Bearer {token}")));
        }
        if let (Some(token), false) = (&self.tokens.state, call.has("session-state")) {
            headers.insert("session-state", value(token));
        }
    }

    fn add_what_browsers_add(&self, call: &Call, headers: &mut HeaderMap) {
        if call.bare || self.transport == Transport::Body {
            return;
        }
        if !call.has("sec-fetch-site") {
            headers.insert("sec-fetch-site", value("same-origin"));
        }
        if call.method != Method::GET && call.method != Method::HEAD && !call.has("origin") {
            headers.insert("origin", value(&self.origin));
        }
    }

    fn learn(&mut self, answer: &Answer) {
        answer.cookies().iter().for_each(|cookie| self.jar.take(cookie));
        if answer.status.is_success() {
            let body = answer.value();
            keep(&mut self.tokens.access, &body["access_token"]);
            keep(&mut self.tokens.refresh, &body["refresh_token"]);
            keep(&mut self.tokens.state, &body["state"]);
        }
        if let Some(state) = answer.header("session-state") {
            self.tokens.state = Some(state.to_owned());
        }
    }
}

/// The login of a person with the right password.
pub(crate) fn login(user: &str) -> Call {
    Call::post("/login").json(&json!({ "user": user, "password": PASSWORD }))
}

fn keep(token: &mut Option<String>, given: &Value) {
    if let Some(given) = given.as_str() {
        *token = Some(given.to_owned());
    }
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a header's value")
}
