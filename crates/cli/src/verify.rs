//! `countersign token verify`: the verdict that a server would give, with the reason that it would keep to itself.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use countersign::keys::KeyFile;
use countersign_token::{Expect, KeyRing, TokenErrorKind, Unverified};
use serde_json::json;

use crate::error::Failure;
use crate::jwks::{PublicKeys, bad_signature};
use crate::keys::DEFAULT_PATH;
use crate::output::{Exit, Report, printable};
use crate::peek::{Peeked, peek};
use crate::reason::{Candidate, Facts, Reason, Wanted, date, header_fault};
use crate::time::Instant;
use crate::token::{MAX_BYTES, Source};

/// Verify a token as a server would.
#[derive(Debug, Args)]
#[command(
    after_help = "Exit codes: 0 valid, 1 not valid (the reason is for you, not for the token's bearer), \
                        2 nothing was decided."
)]
pub(crate) struct Verify {
    #[command(flatten)]
    source: Source,
    /// The key file [default: $COUNTERSIGN_KEYS, or ./countersign-data/keys.json]
    #[arg(long, value_name = "PATH", conflicts_with = "jwks", value_hint = ValueHint::FilePath)]
    keys: Option<PathBuf>,
    /// Verify with public keys alone: a JWK set, as `countersign keys jwks` or /.well-known/jwks.json gives it.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    jwks: Option<PathBuf>,
    /// Who must have minted it: the server's origin, such as https://shop.example.
    #[arg(long, value_name = "URL")]
    issuer: String,
    /// For whom it must be; for a refresh token the issuer, unless you say otherwise.
    #[arg(long, value_name = "NAME")]
    audience: Option<String>,
    /// What kind of token it must be.
    #[arg(long, value_enum, default_value_t = Kind::Access)]
    kind: Kind,
    /// Judge as of this instant (Unix seconds or RFC 3339), instead of now.
    #[arg(long, value_name = "TIME")]
    at: Option<Instant>,
    /// How far the issuer's clock may be ahead.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    clock_skew: u64,
}

/// The kinds of token that prove a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Sent with each request.
    Access,
    /// Exchanged for the next access token.
    Refresh,
}

impl Kind {
    /// As a sentence names it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Access => "an access token",
            Self::Refresh => "a refresh token",
        }
    }
}

impl Verify {
    pub(crate) fn run(self, now: Instant) -> Result<Report, Failure> {
        let audience = match (self.audience, self.kind) {
            (Some(audience), _) => audience,
            (None, Kind::Refresh) => self.issuer.clone(),
            (None, Kind::Access) => return Err(Failure::NoAudience),
        };
        let wanted = Wanted {
            kind: self.kind,
            issuer: self.issuer,
            audience,
            at: self.at.unwrap_or(now),
            clock_skew: Duration::from_secs(self.clock_skew),
        };
        // Keys before the token: a file that cannot be used is no verdict.
        let verdict = if let Some(path) = self.jwks {
            let keys = PublicKeys::read(&path)?;
            with_token(self.source, |token, peeked| keys.verify(token, peeked, &wanted))?
        } else {
            let file = KeyFile::open(key_file(self.keys))?;
            with_token(self.source, |token, peeked| with_ring(file.ring(), token, peeked, &wanted))?
        };
        Ok(report(&verdict, &wanted))
    }
}

fn key_file(named: Option<PathBuf>) -> PathBuf {
    named
        .or_else(|| std::env::var_os("COUNTERSIGN_KEYS").map(PathBuf::from))
        .unwrap_or_else(|| DEFAULT_PATH.into())
}

type Verdict = Result<Facts, Reason>;

fn with_token(source: Source, verify: impl FnOnce(&str, &Peeked) -> Verdict) -> Result<Verdict, Failure> {
    let token = source.read()?;
    Ok(match peek(&token) {
        Ok(peeked) => verify(&token, &peeked),
        Err(failure) => Err(Reason::new("malformed", failure.to_string())),
    })
}

/// The verdict of the code that servers run; the token is looked into only to say why.
fn with_ring(ring: &KeyRing, token: &str, peeked: &Peeked, wanted: &Wanted) -> Verdict {
    let expect = Expect {
        issuer: &wanted.issuer,
        audience: &wanted.audience,
        now: wanted.at.timestamp(),
        clock_skew: wanted.clock_skew,
    };
    let live = Unverified::parse(token, MAX_BYTES).and_then(|unverified| {
        Ok(match wanted.kind {
            Kind::Access => ring.verify_access(&unverified)?.live(&expect).is_ok(),
            Kind::Refresh => ring.verify_refresh(&unverified)?.live(&expect).is_ok(),
        })
    });
    let facts = || peeked.claims.as_ref().map_or_else(|| Err(bad_signature()), Facts::of);
    match live {
        Ok(true) => facts(),
        Ok(false) => {
            Err(facts()?.unmet(wanted).unwrap_or_else(|| Reason::new("not-live", "it is not valid now")))
        }
        Err(error) if error.kind() == TokenErrorKind::KeyRemoved => {
            let kid = printable(peeked.header_text("kid"));
            Err(Reason::new("removed-key", format!("the key that it names, {kid}, was removed for ever")))
        }
        Err(_) => {
            Err(header_fault(peeked, wanted.kind, &candidates(ring)).unwrap_or_else(|| signed_or_not(peeked)))
        }
    }
}

/// A good signature over claims that no server accepts cannot be told from a bad one here.
fn signed_or_not(peeked: &Peeked) -> Reason {
    match peeked.claims.as_ref().map(Facts::of) {
        Some(Err(malformed)) => malformed,
        _ => bad_signature(),
    }
}

fn candidates(ring: &KeyRing) -> Vec<Candidate> {
    ring.keys()
        .map(|key| Candidate { kid: key.id.to_string(), algorithm: key.algorithm.to_string() })
        .collect()
}

fn report(verdict: &Verdict, wanted: &Wanted) -> Report {
    match verdict {
        Ok(facts) => {
            let (subject, session) = (printable(&facts.subject), printable(&facts.session));
            let text = format!(
                "valid: {} of {subject}, session {session}, until {}\n{NOT_ASKED}\n",
                wanted.kind.name(),
                date(facts.expires_at, wanted)
            );
            let json = json!({
                "valid": true, "subject": facts.subject, "session": facts.session,
                "expires_at": facts.expires_at, "note": NOT_ASKED,
            });
            Report::done(text, json)
        }
        Err(reason) => Report {
            text: format!("NOT VALID ({}): {}\n", reason.code, reason.detail),
            json: json!({ "valid": false, "reason": reason.code, "detail": reason.detail }),
            exit: Exit::Invalid,
        },
    }
}

const NOT_ASKED: &str = "Whether its session has ended since, only a running server knows.";
