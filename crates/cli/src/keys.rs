//! `countersign keys`: make, list, rotate and remove keys, in the file that servers follow.

use std::fs;
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};
use countersign::keys::{KeyFile, KeyFileError};
use countersign_token::{Algorithm, KeyId, KeyInfo, KeyRing, KeyState, Schedule};
use serde_json::{Value, json};

use crate::error::Failure;
use crate::output::{Report, table, warn};
use crate::time::Instant;

/// Make, list, rotate and remove keys.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key file (mode 0600) with one new key.
    Generate(Generate),
    /// List the keys, and what each is for now.
    List(Place),
    /// Publish the next key, so that verifiers learn of it before it signs. Nobody is logged out.
    Rotate(Rotate),
    /// Remove a key that may be compromised, at once and for ever. Whoever holds its tokens must log in again.
    Remove(Remove),
    /// Print the public keys as a JWK set (RFC 7517), for services that verify tokens.
    Jwks(Place),
}

/// Where servers keep their keys unless told otherwise.
pub(crate) const DEFAULT_PATH: &str = "./countersign-data/keys.json";

/// Which key file.
#[derive(Debug, Args)]
pub(crate) struct Place {
    /// The key file.
    #[arg(
        long = "keys",
        env = "COUNTERSIGN_KEYS",
        value_name = "PATH",
        default_value = DEFAULT_PATH,
        value_hint = ValueHint::FilePath
    )]
    pub(crate) path: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// EdDSA (any service verifies from the JWKS), ES256 (the same, for those without Ed25519), or HS256 (one service
    /// alone).
    #[arg(long, value_name = "ALG", default_value_t = Algorithm::EdDsa)]
    alg: Algorithm,
    #[command(flatten)]
    place: Place,
    /// Where to write the file, instead of --keys.
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// Take the private key of this PEM file (PKCS#8), instead of a new one.
    #[arg(long, value_name = "FILE", conflicts_with = "alg", value_hint = ValueHint::FilePath)]
    from_pem: Option<PathBuf>,
    /// Replace the keys of a file that exists: everyone has to log in again.
    #[arg(long)]
    force: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    place: Place,
    /// Sign with the new key at once. A service that still caches the old JWK set refuses its tokens for a while.
    #[arg(long)]
    now: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The key's id, as `countersign keys list` shows it.
    #[arg(allow_hyphen_values = true)]
    kid: String,
    #[command(flatten)]
    place: Place,
    /// Do not ask.
    #[arg(long, short)]
    yes: bool,
}

impl Command {
    pub(crate) fn run(self, now: Instant) -> Result<Report, Failure> {
        match self {
            Self::Generate(generate) => generate.run(now),
            Self::List(place) => list(&place.path, now),
            Self::Rotate(rotate) => rotate.run(now),
            Self::Remove(remove) => remove.run(now),
            Self::Jwks(place) => jwks(&place.path),
        }
    }
}

impl Generate {
    fn run(self, now: Instant) -> Result<Report, Failure> {
        let ring = match &self.from_pem {
            Some(pem) => from_pem(pem, now)?,
            None => KeyRing::generate(self.alg, now.timestamp()),
        };
        let path = self.out.unwrap_or(self.place.path);
        let kid = signer(&ring);
        let text = format!(
            "made {} (mode 0600) with one {} key: {kid}\n\
             Whoever can read this file can be anyone; without it everyone logs in again. Back it up accordingly.\n",
            path.display(),
            ring.algorithm()
        );
        let json = json!({ "path": path, "kid": kid.as_str(), "alg": ring.algorithm().as_str() });
        match KeyFile::create(&path, &ring) {
            Err(KeyFileError::Exists { .. }) if self.force => replace(&path, &ring)?,
            Err(KeyFileError::Exists { .. }) => return Err(Failure::WouldReplace(path)),
            created => drop(created?),
        }
        Ok(Report::done(text, json))
    }
}

/// What was removed stays removed in the new ring.
fn replace(path: &Path, ring: &KeyRing) -> Result<(), Failure> {
    KeyFile::open(path)?.update(|old| {
        let merged =
            old.removed().fold(ring.clone(), |ring, (kid, at)| ring.mark_removed(kid, at).unwrap_or(ring));
        Ok(Some(merged))
    })?;
    Ok(())
}

/// The key says itself of which algorithm it is.
fn from_pem(path: &Path, now: Instant) -> Result<KeyRing, Failure> {
    let pem = fs::read(path).map_err(|source| Failure::Read { path: path.into(), source })?;
    let read = |algorithm| KeyRing::from_pem(&pem, algorithm, now.timestamp());
    read(Algorithm::EdDsa).or_else(|_| read(Algorithm::Es256)).map_err(|_| Failure::NoPem(path.into()))
}

fn list(path: &Path, now: Instant) -> Result<Report, Failure> {
    let file = KeyFile::open(path)?;
    let mut rows = vec![["KID", "ALG", "STATE", "SINCE"].map(str::to_owned)];
    let mut keys = Vec::new();
    let alive = file.ring().keys().map(|key| (key.id, key.algorithm.as_str(), key.state.as_str(), key.since));
    let mut gone: Vec<_> = file.ring().removed().map(|(kid, at)| (kid.clone(), "-", "removed", at)).collect();
    gone.sort_by_key(|(.., at)| *at);
    for (kid, alg, state, since) in alive.chain(gone) {
        rows.push([kid.to_string(), alg.to_owned(), state.to_owned(), Instant::from(since).seen_from(now)]);
        keys.push(json!({ "kid": kid.as_str(), "alg": alg, "state": state, "since": since.as_secs() }));
    }
    Ok(Report::done(table(&rows), json!({ "path": path, "keys": keys })))
}

impl Rotate {
    fn run(self, now: Instant) -> Result<Report, Failure> {
        let mut file = KeyFile::open(&self.place.path)?;
        if self.now { sign_at_once(&mut file, now) } else { publish(&mut file, now) }
    }
}

fn sign_at_once(file: &mut KeyFile, now: Instant) -> Result<Report, Failure> {
    let before = Arc::clone(file.ring());
    let after = file.update(|ring| Ok(Some(signing_another(ring, now))))?;
    let (old, new) = (signer(&before), signer(after));
    let known = before.keys().any(|key| key.id == new);
    let caution = if known {
        "It was published before, so verifiers know it.\n"
    } else {
        "It was not published before: a service that caches the old JWK set refuses its tokens until it asks again.\n"
    };
    let text = format!("{new} signs now; {old} still verifies, until its last token has expired.\n{caution}");
    Ok(Report::done(
        text,
        json!({ "signing": new.as_str(), "retiring": old.as_str(), "published_before": known }),
    ))
}

/// The published key takes over if there is one (and the next is published), else a fresh one.
fn signing_another(ring: &KeyRing, now: Instant) -> KeyRing {
    let published = ring.keys().any(|key| key.state == KeyState::Published);
    let promoted = ring.advance(now.timestamp(), &PROMOTE_ONLY).filter(|_| published);
    promoted.unwrap_or_else(|| ring.rotate_now(now.timestamp()))
}

/// A schedule by which a published key is due to sign at once, and no retiring one is forgotten.
const PROMOTE_ONLY: Schedule =
    Schedule { publish_ahead: Duration::ZERO, sign_for: Duration::ZERO, longest_token: Duration::MAX };

fn publish(file: &mut KeyFile, now: Instant) -> Result<Report, Failure> {
    let before = Arc::clone(file.ring());
    let after = file.update(|ring| Ok(ring.advance(now.timestamp(), &PUBLISH_ONLY)))?;
    let Some(next) = after.keys().find(|key| key.state == KeyState::Published) else {
        return Err(Failure::NothingPublished(file.path().into()));
    };
    let fresh = !before.keys().any(|key| key.id == next.id);
    let published = if fresh {
        format!("{} is published now.", next.id)
    } else {
        format!("{} is published already, since {}.", next.id, Instant::from(next.since).seen_from(now))
    };
    let text = format!(
        "{published} {} signs until the server's schedule\nlets the new key take over. Nobody is logged out.\n",
        signer(after)
    );
    let json = json!({ "published": next.id.as_str(), "signing": signer(after).as_str(), "fresh": fresh });
    Ok(Report::done(text, json))
}

/// A schedule by which a successor is due at once, and nothing else ever is.
const PUBLISH_ONLY: Schedule =
    Schedule { publish_ahead: Duration::MAX, sign_for: Duration::MAX, longest_token: Duration::MAX };

impl Remove {
    fn run(self, now: Instant) -> Result<Report, Failure> {
        let mut file = KeyFile::open(&self.place.path)?;
        let kid = KeyId::from(self.kid.as_str());
        let Some(key) = file.ring().keys().find(|key| key.id == kid) else {
            return Err(self.not_there(file.ring()));
        };
        if !self.yes {
            confirm(&key, now)?;
        }
        // Asked without the lock, so the ring may have changed: the change is made on what is there now.
        let after = file.update(|ring| ring.remove(&kid, now.timestamp()).map(Some))?;
        let text = format!("{kid} is removed; {} signs.\n", signer(after));
        Ok(Report::done(text, json!({ "removed": kid.as_str(), "signing": signer(after).as_str() })))
    }

    fn not_there(self, ring: &KeyRing) -> Failure {
        let path = self.place.path;
        if ring.is_removed(&KeyId::from(self.kid.as_str())) {
            Failure::RemovedAlready { path, kid: self.kid }
        } else {
            Failure::NoSuchKey { path, kid: self.kid }
        }
    }
}

/// Asks on standard error, so that the answer of the command stays alone on standard output.
fn confirm(key: &KeyInfo, now: Instant) -> Result<(), Failure> {
    let since = Instant::from(key.since).seen_from(now);
    let successor = match key.state {
        KeyState::Signing => "  - it is the key that signs: the published one takes over, or a new one\n",
        _ => "",
    };
    let question = format!(
        "Removing the key {} ({} since {since}):\n\
         \x20 - every token that it signed is refused, and state that it sealed is lost, within seconds\n\
         \x20 - whoever holds such a token has to log in again\n\
         {successor}\
         \x20 - it is removed for ever: not even a backup of the file brings it back to a running server\n\
         To retire a key without logging anyone out, use `countersign keys rotate`.\n\
         Type `yes` to remove it: ",
        key.id,
        key.state.as_str()
    );
    drop(io::stderr().write_all(question.as_bytes()));
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer).map_err(Failure::Input)?;
    if !io::stdin().is_terminal() {
        // Nobody pressed Enter.
        warn("");
    }
    if answer.trim() == "yes" { Ok(()) } else { Err(Failure::NotConfirmed) }
}

fn jwks(path: &Path) -> Result<Report, Failure> {
    let file = KeyFile::open(path)?;
    if file.ring().algorithm() == Algorithm::Hs256 {
        warn(
            "note: HS256 keys are secret, so the set is empty; use EdDSA or ES256 where other services verify",
        );
    }
    let set = file.ring().jwks_json();
    let json: Value = serde_json::from_str(&set).unwrap_or_default();
    Ok(Report::done(format!("{json:#}\n"), json))
}

/// A ring has exactly one signing key.
fn signer(ring: &KeyRing) -> KeyId {
    let signing = ring.keys().find(|key| key.state == KeyState::Signing);
    signing.map_or_else(|| KeyId::from("?"), |key| key.id)
}
