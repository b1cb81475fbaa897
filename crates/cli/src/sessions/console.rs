//! A site through a running server's console: its HTTP API (docs/CONSOLE.md).

use countersign_token::SessionId;
use http::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::event::Event;
use super::query::{Query, encoded};
use super::seen::{Ended, Erased, Page, Preview, Shown};
use super::target::Target;
use crate::error::Failure;
use crate::http::{Access, Answer, Credential, Events, Http};
use crate::output::warn;
use crate::progress::Progress;

/// A server's console, and how we got in.
pub(crate) struct Console {
    http: Http,
    credential: Option<Credential>,
    /// Where the console's API is mounted.
    api: String,
}

/// The longest page that a server gives.
const PAGE: usize = 200;

impl Console {
    /// Gets in.
    pub(crate) async fn enter(http: Http, access: &Access) -> Result<Self, Failure> {
        let mut http = http;
        let credential = access.credential()?;
        if let Some(credential) = &credential {
            credential.present(&mut http).await?;
        }
        Ok(Self { http, credential, api: format!("{}/api", access.console) })
    }

    /// One page. A server gives at most 200 sessions at once.
    pub(crate) async fn page(
        &mut self,
        query: &Query,
        after: Option<&str>,
        wanted: usize,
    ) -> Result<Page, Failure> {
        let query = query.to_server(after, wanted.min(PAGE));
        self.read(Method::GET, &format!("/sessions?{query}"), None).await
    }

    pub(crate) async fn show(&mut self, id: SessionId) -> Result<Shown, Failure> {
        let answer = self.ask(Method::GET, &format!("/sessions/{id}"), None).await?;
        if answer.status == StatusCode::NOT_FOUND {
            // Of a session that nobody remembers, or of everything, where we have no right: this tells them apart.
            self.overview().await?;
            return Ok(Shown { session: None, ended: None });
        }
        answer.read()
    }

    pub(crate) async fn preview(&mut self, target: &Target) -> Result<Preview, Failure> {
        let mut all = Preview::default();
        for target in target.to_server() {
            let body = json!({ "target": target });
            let part: Preview = self.read(Method::POST, "/ends/preview", Some(&body)).await?;
            all.sessions += part.sessions;
            // Of several calls, people may be counted twice: never too few.
            all.people += part.people;
            all.seats += part.seats;
            all.includes_you |= part.includes_you;
        }
        Ok(all)
    }

    pub(crate) async fn end(
        &mut self,
        target: &Target,
        why: &str,
        progress: &Progress,
    ) -> Result<Ended, Failure> {
        let mut all = Ended { ended: 0, audit: None };
        for target in target.to_server() {
            let body = json!({ "target": target, "why": why });
            let part = self.read(Method::POST, "/ends", Some(&body)).await;
            let part: Ended = part.map_err(|failure| failure.after(all.ended))?;
            progress.add(part.ended);
            all = Ended { ended: all.ended + part.ended, audit: part.audit };
        }
        Ok(all)
    }

    pub(crate) async fn export(
        &mut self,
        subject: &str,
        tenant: Option<&str>,
        why: &str,
    ) -> Result<Value, Failure> {
        let body = json!({ "subject": subject, "tenant": tenant, "why": why });
        self.read(Method::POST, "/people/export", Some(&body)).await
    }

    pub(crate) async fn erase(
        &mut self,
        subject: &str,
        tenant: Option<&str>,
        why: &str,
    ) -> Result<Erased, Failure> {
        let body = json!({ "subject": subject, "tenant": tenant, "why": why });
        self.read(Method::POST, "/people/erase", Some(&body)).await
    }

    /// What the server counts and how it is set.
    pub(crate) async fn overview(&mut self) -> Result<Value, Failure> {
        self.read(Method::GET, "/overview", None).await
    }

    /// What the server has counted.
    pub(crate) async fn statistics(&mut self, span: &str) -> Result<Value, Failure> {
        self.read(Method::GET, &format!("/statistics?span={span}"), None).await
    }

    /// Follows the live events; again when the server closed the stream, which it does when our session ends.
    pub(crate) async fn watch(
        &mut self,
        kinds: &[String],
        subject: Option<&str>,
        seen: &mut dyn FnMut(&Event) -> bool,
    ) -> Result<(), Failure> {
        let kinds = (!kinds.is_empty()).then(|| format!("kinds={}", encoded(&kinds.join(","))));
        let subject = subject.map(|subject| format!("subject={}", encoded(subject)));
        let query: Vec<String> = kinds.into_iter().chain(subject).collect();
        let path = format!("{}/live?{}", self.api, query.join("&"));
        loop {
            let mut events = self.open(&path).await?;
            while let Some(event) = events.next().await {
                if let Some(event) = Event::read(&event)
                    && !seen(&event)
                {
                    return Ok(());
                }
            }
            warn("the server closed the stream; asking again");
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        }
    }

    async fn open(&mut self, path: &str) -> Result<Events, Failure> {
        match self.http.events(path).await? {
            Ok(events) => Ok(events),
            Err(answer) if self.renew(&answer).await? => {
                self.http.events(path).await?.map_err(|answer| answer.refusal())
            }
            Err(answer) => Err(answer.refusal()),
        }
    }

    async fn read<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<T, Failure> {
        self.ask(method, path, body).await?.read()
    }

    async fn ask(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, Failure> {
        let path = format!("{}{path}", self.api);
        let answer = self.http.ask(method.clone(), &path, body).await?;
        if self.renew(&answer).await? {
            return self.http.ask(method, &path, body).await;
        }
        Ok(answer)
    }

    /// Logs in again where the server has had enough of our session: nothing was done, so it is asked again.
    async fn renew(&mut self, answer: &Answer) -> Result<bool, Failure> {
        let code = answer.code();
        let stale = matches!(code.as_str(), "token-expired" | "step-up-required" | "session-ended");
        let Some(credential) = self.credential.as_ref().filter(|credential| stale && credential.renews())
        else {
            return Ok(false);
        };
        credential.present(&mut self.http).await?;
        Ok(true)
    }

    /// Logs out what logged in.
    pub(crate) async fn close(self) {
        if let Some(credential) = &self.credential
            && let Err(failure) = credential.give_up(&self.http).await
        {
            warn(&format!("warning: the command's own session was not logged out: {failure}"));
        }
    }
}
