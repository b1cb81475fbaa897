//! Why a command did nothing: what happened, and what to do about it. Never a secret, never a token.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use countersign::keys::KeyFileError;
use serde_json::json;

use crate::output::{Exit, Format, counted, warn};

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
    #[error("which site? Name a running server with --server, or its registry with --registry")]
    NoSite,
    #[error("--registry: {0}")]
    NoPlace(&'static str),
    #[error("what is to be checked? Name any of --keys, --registry and --server")]
    NothingToCheck,
    #[error("there is no registry at {}: is it the path that the server was given?", .0.display())]
    NoRegistry(PathBuf),
    #[error(
        "{} is held by a running process, and a registry file belongs to one process: ask that server with --server",
        .0.display()
    )]
    Held(PathBuf),
    #[error("the registry cannot be opened: {0}")]
    Registry(String),
    #[error("{0}")]
    Call(String),
    #[error("after {sessions} had ended: {1}", sessions = counted(*.0, "session"))]
    Partly(u64, Box<Failure>),
    #[error("nobody else changes a file that this command holds, so there is nothing to watch: use --server")]
    NothingToWatch,
    #[error("that is no cursor of a registry: give the `next` of the list before")]
    NoCursor,
    #[error("say why with --why: it is kept in the server's audit")]
    NoWhy,
    #[error("nothing was changed: there is no terminal to confirm it on, so use --yes. {0}")]
    NobodyToAsk(String),
    #[error("there is no terminal to ask for the password on: use --password-file or COUNTERSIGN_PASSWORD")]
    NoPassword,
    #[error(
        "{} has mode {mode:04o}, so others than its owner can read the secret in it: run `chmod 600 {}`",
        path.display(), path.display()
    )]
    Exposed { path: PathBuf, mode: u32 },
    #[error("the token or password has characters that no header can carry: is it the right file?")]
    NoHeader,
    #[error("{0:?} is no path of a server")]
    NoPath(String),
    #[error("the login succeeded, but gave no session: is --login-path right?")]
    NoSession,
    #[error("{origin} cannot be reached: {why}")]
    Unreachable { origin: String, why: String },
    #[error("the server refuses: {said}{advice}")]
    Refused { said: String, advice: &'static str },
    #[error("the server's answer makes no sense to this build: {0}; are server and command of one version?")]
    Garbled(String),
    #[error("this machine's root certificates cannot be read: {0}")]
    Roots(io::Error),
    #[error("this machine gives no random bytes")]
    NoRandom,
    #[error("the runtime does not start: {0}")]
    Runtime(io::Error),
}

impl From<countersign_file::OpenError> for Failure {
    fn from(error: countersign_file::OpenError) -> Self {
        match error {
            countersign_file::OpenError::Locked { path } => Self::Held(path),
            other => Self::Registry(causes(&other)),
        }
    }
}

impl From<countersign_valkey::OpenError> for Failure {
    fn from(error: countersign_valkey::OpenError) -> Self {
        Self::Registry(causes(&error))
    }
}

impl From<countersign_registry::RegistryError> for Failure {
    fn from(error: countersign_registry::RegistryError) -> Self {
        Self::Call(causes(&error))
    }
}

/// An error and what caused it, in one line.
pub(crate) fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |error| (*error).source());
    causes.map(ToString::to_string).fold(error.to_string(), |words, cause| {
        // Some errors tell their cause themselves.
        if words.contains(&cause) { words } else { format!("{words}: {cause}") }
    })
}

impl Failure {
    /// The same, where part of the work was done before.
    pub(crate) fn after(self, ended: u64) -> Self {
        if ended == 0 { self } else { Self::Partly(ended, Box::new(self)) }
    }

    /// Writes the failure to standard error.
    pub(crate) fn print(&self, format: Format) -> ExitCode {
        match format {
            Format::Text => warn(&format!("error: {self}")),
            Format::Json => warn(&json!({ "error": self.to_string() }).to_string()),
        }
        Exit::Failed.into()
    }
}
