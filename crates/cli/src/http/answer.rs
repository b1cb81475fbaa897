//! What a server answered, and what its refusals mean to who sits before the terminal.

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Failure;
use crate::output::printable;

/// A whole answer.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// The one line of a header, as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The body as JSON, or null.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The code of a refusal, or nothing.
    pub(crate) fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// What a success holds.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        if !self.status.is_success() {
            return Err(self.refusal());
        }
        serde_json::from_slice(&self.body).map_err(|error| Failure::Garbled(printable(&error.to_string())))
    }

    /// A refusal, in the server's words and with our advice.
    pub(crate) fn refusal(&self) -> Failure {
        let problem = self.json();
        let code = problem["code"].as_str().unwrap_or_default();
        let words = ["detail", "title"].iter().find_map(|name| problem[*name].as_str()).unwrap_or_default();
        let status = self.status;
        let said = match (code, words) {
            ("", "") => status.to_string(),
            ("", words) => printable(words),
            (code, "") => printable(code),
            (code, words) => format!("{} ({})", printable(words), printable(code)),
        };
        Failure::Refused { said, advice: advice(code, status) }
    }
}

fn advice(code: &str, status: StatusCode) -> &'static str {
    match code {
        "not-authenticated" => ": log in with --user, or give a token with --token-file",
        "token-expired" | "token-invalid" | "session-ended" => {
            ": the token is of no use any more: get a new one, or log in with --user"
        }
        "step-up-required" => ": the login is too old for this: get a new token, or log in with --user",
        "not-found" => {
            ": this account has no right to the console, or there is no console at that path (--console)"
        }
        "login-failed" => ": check --user and the password",
        "sessions-limit" => ": only accounts that are exempt from the limit get into a full site",
        _ if status.is_redirection() => ": name the address that it redirects to",
        _ if status == StatusCode::NOT_FOUND => ": is there a console at that path (--console)?",
        _ => "",
    }
}
