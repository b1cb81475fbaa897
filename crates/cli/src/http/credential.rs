//! An administrator's credential: a password that is asked for or read, or a ready token. Never an argument, which other
//! users of the machine could read.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::{Args, ValueHint};
use countersign::Origin;
use http::Method;
use http::header::SET_COOKIE;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Answer, Http};
use crate::error::Failure;

/// Which server, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The running server's origin: https, or http on this machine.
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub(crate) server: Option<Origin>,
    /// Log in as this person. The password comes from --password-file, the variable COUNTERSIGN_PASSWORD, or is asked for.
    /// The session is logged out at the end.
    #[arg(long, value_name = "NAME", conflicts_with = "token_file")]
    user: Option<String>,
    /// A file (mode 0600, or a pipe) with the password.
    #[arg(long, value_name = "PATH", requires = "user", value_hint = ValueHint::FilePath)]
    password_file: Option<PathBuf>,
    /// A file (mode 0600, or a pipe) with an access token, instead of a login. Or the variable COUNTERSIGN_TOKEN.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    token_file: Option<PathBuf>,
    /// Where the server takes logins: POST with the members user, password and remember.
    #[arg(long, value_name = "PATH", default_value = "/login", value_parser = path)]
    login_path: String,
    /// Where the session endpoints are mounted.
    #[arg(long, value_name = "PATH", default_value = "/session", value_parser = path)]
    pub(crate) session_path: String,
    /// Where the console is mounted.
    #[arg(long, value_name = "PATH", default_value = "/console", value_parser = path)]
    pub(crate) console: String,
}

/// A path on the server. Without its first slash it would go on with the server's name.
fn path(text: &str) -> Result<String, &'static str> {
    let is_path = text.starts_with('/') && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_path { Ok(text.to_owned()) } else { Err("a path begins with / and has no spaces") }
}

/// What requests carry.
pub(crate) enum Held {
    Nothing,
    Token(Zeroizing<String>),
    Cookies(Zeroizing<String>),
}

/// How to get in.
pub(crate) enum Credential {
    /// By logging in, again where a login has become too old.
    Password { user: String, password: Zeroizing<String>, login_path: String, session_path: String },
    /// By a token that somebody else got.
    Token(Zeroizing<String>),
}

impl Access {
    /// Reads or asks for what is needed, if anything was named.
    pub(crate) fn credential(&self) -> Result<Option<Credential>, Failure> {
        if let Some(user) = &self.user {
            let (login_path, session_path) = (self.login_path.clone(), self.session_path.clone());
            let password = self.password(user)?;
            return Ok(Some(Credential::Password { user: user.clone(), password, login_path, session_path }));
        }
        let token = match &self.token_file {
            Some(path) => Some(read(path)?),
            None => variable("COUNTERSIGN_TOKEN"),
        };
        Ok(token.map(Credential::Token))
    }

    fn password(&self, user: &str) -> Result<Zeroizing<String>, Failure> {
        if let Some(path) = &self.password_file {
            return read(path);
        }
        if let Some(password) = variable("COUNTERSIGN_PASSWORD") {
            return Ok(password);
        }
        if !std::io::stdin().is_terminal() {
            return Err(Failure::NoPassword);
        }
        let question = format!("Password of {}: ", crate::output::printable(user));
        rpassword::prompt_password(question).map(Zeroizing::new).map_err(Failure::Input)
    }
}

fn variable(name: &str) -> Option<Zeroizing<String>> {
    std::env::var(name).ok().filter(|text| !text.is_empty()).map(Zeroizing::new)
}

/// The longest secret: a token fits into a cookie.
const LONGEST: u64 = 8192;

/// Reads a secret's file, without the line break at its end.
fn read(path: &Path) -> Result<Zeroizing<String>, Failure> {
    use std::io::Read as _;
    let failed = |source| Failure::Read { path: path.into(), source };
    let file = std::fs::File::open(path).map_err(failed)?;
    refuse_exposed(path, &file.metadata().map_err(failed)?)?;
    let mut text = Zeroizing::new(String::with_capacity(LONGEST as usize));
    file.take(LONGEST).read_to_string(&mut text).map_err(failed)?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &std::fs::Metadata) -> Result<(), Failure> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o777;
    let exposed = metadata.is_file() && mode & 0o077 != 0;
    if exposed { Err(Failure::Exposed { path: path.into(), mode }) } else { Ok(()) }
}

#[cfg(not(unix))]
fn refuse_exposed(_: &Path, _: &std::fs::Metadata) -> Result<(), Failure> {
    Ok(())
}

impl Credential {
    /// Whether it can be presented again when the server has had enough of what it gave.
    pub(crate) fn renews(&self) -> bool {
        matches!(self, Self::Password { .. })
    }

    /// Gets in. Answers the server's answer to the login, where there was one.
    pub(crate) async fn present(&self, http: &mut Http) -> Result<Option<Answer>, Failure> {
        let (user, password, path) = match self {
            Self::Token(token) => {
                http.hold(Held::Token(token.clone()));
                return Ok(None);
            }
            Self::Password { user, password, login_path, .. } => (user, password, login_path),
        };
        let form = json!({ "user": user, "password": **password, "remember": false });
        let answer = http.ask(Method::POST, path, Some(&form)).await?;
        if !answer.status.is_success() {
            return Err(answer.refusal());
        }
        http.hold(held(&answer).ok_or(Failure::NoSession)?);
        Ok(Some(answer))
    }

    /// Ends the session that a login began: it is nobody's any more.
    pub(crate) async fn give_up(&self, http: &Http) -> Result<(), Failure> {
        let Self::Password { session_path, .. } = self else { return Ok(()) };
        let answer = http.ask(Method::POST, &format!("{session_path}/logout"), None).await?;
        if answer.status.is_success() { Ok(()) } else { Err(answer.refusal()) }
    }
}

/// What a login gave: a token in its body, or cookies.
fn held(answer: &Answer) -> Option<Held> {
    if let Some(token) = answer.json()["access_token"].as_str() {
        return Some(Held::Token(Zeroizing::new(token.to_owned())));
    }
    let lines = answer.headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.filter_map(|line| line.split(';').next()).map(str::trim);
    let kept: Vec<&str> = pairs.filter(|pair| !pair.ends_with('=')).collect();
    (!kept.is_empty()).then(|| Held::Cookies(Zeroizing::new(kept.join("; "))))
}
