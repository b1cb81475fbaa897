//! Why a command did nothing: what happened, and what to do about it. Never a secret, never a token.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use countersign::keys::KeyFileError;
use serde_json::json;

use crate::output::{Exit, Format, warn};

/// A command could not be carried out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    #[error(
        "{} holds no Ed25519 or P-256 private key in PKCS#8 (`openssl pkcs8 -topk8 -nocrypt` converts other forms)",
        .0.display()
    )]
    NoPem(PathBuf),
    #[error("{} is no JWK set: give it what `countersign keys jwks` or /.well-known/jwks.json answers", .0.display())]
    NoJwks(PathBuf),
    #[error("{} has no Ed25519 or P-256 key: with HS256, verify with --keys", .0.display())]
    EmptyJwks(PathBuf),
    #[error("an access token is for an audience: name it with --audience")]
    NoAudience,
    #[error("cannot read {}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("cannot read from standard input: {0}")]
    Input(io::Error),
    #[error("there is no token: write it to standard input (`countersign token … < token.txt`)")]
    NoToken,
    #[error("the input is no text, so it holds no token")]
    NotText,
    #[error(
        "the input is longer than {0} bytes, and no token is: give the token alone, without the lines around it"
    )]
    TooLong(usize),
    #[error("not a token: {0}")]
    NoPeek(&'static str),
    #[error("{} exists already: name another file with --out, or replace its keys with --force (everyone logs in again)", .0.display())]
    WouldReplace(PathBuf),
    #[error("nothing was changed: not confirmed (answer `yes`, or use --yes)")]
    NotConfirmed,
    #[error("{} has no key {kid:?}: `countersign keys list` shows those it has", path.display())]
    NoSuchKey { path: PathBuf, kid: String },
    #[error("the key {kid:?} is removed already, for ever ({})", path.display())]
    RemovedAlready { path: PathBuf, kid: String },
    #[error("no successor could be published in {}", .0.display())]
    NothingPublished(PathBuf),
}

impl Failure {
    /// Writes the failure to standard error.
    pub(crate) fn print(&self, format: Format) -> ExitCode {
        match format {
            Format::Text => warn(&format!("error: {self}")),
            Format::Json => warn(&json!({ "error": self.to_string() }).to_string()),
        }
        Exit::Failed.into()
    }
}
