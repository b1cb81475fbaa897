//! What the server is told at its start: flags, each also an environment variable `COUNTERSIGN_<FLAG>`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Parser, ValueEnum};
use countersign::{Algorithm, Dpop, Limits, OnFull, Policy, Transport};

/// A single-page application with sessions, on bare hyper.
#[derive(Parser, Debug, Clone)]
#[command(version, about, long_about = None)]
pub struct Flags {
    /// Where to listen; port 0 picks a free one.
    #[arg(long, env = "COUNTERSIGN_LISTEN", value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,

    /// Where sessions are remembered: `memory:`, `file:PATH`, or Valkey or Redis for many nodes: `redis://HOST:PORT`,
    /// `redis+sentinel://HOST,HOST/SERVICE`, `redis+cluster://HOST,HOST`; `rediss` in place of `redis` for TLS.
    #[arg(
        long,
        env = "COUNTERSIGN_REGISTRY",
        value_name = "URL",
        default_value = "file:./countersign-data/registry.redb",
        // It may hold a password.
        hide_env_values = true
    )]
    pub(crate) registry: String,

    /// The key ring, made with mode 0600 when missing.
    #[arg(
        long,
        env = "COUNTERSIGN_KEYS",
        value_name = "PATH",
        default_value = "./countersign-data/keys.json"
    )]
    pub(crate) keys: PathBuf,

    /// What administrators do, as lines of JSON, made with mode 0600 when missing.
    #[arg(
        long,
        env = "COUNTERSIGN_AUDIT",
        value_name = "PATH",
        default_value = "./countersign-data/audit.jsonl"
    )]
    pub(crate) audit: PathBuf,

    /// The console's counters, kept across restarts.
    #[arg(
        long,
        env = "COUNTERSIGN_STATISTICS",
        value_name = "PATH",
        default_value = "./countersign-data/statistics.json"
    )]
    pub(crate) statistics: PathBuf,

    /// The algorithm of a key ring that is made.
    #[arg(long, env = "COUNTERSIGN_ALG", ignore_case = true, default_value = "EdDSA")]
    pub(crate) alg: Alg,

    /// Where tokens travel.
    #[arg(long, env = "COUNTERSIGN_TRANSPORT", default_value = "cookies")]
    pub(crate) transport: Carrier,

    /// Whether sessions are bound to keys of their clients (DPoP); not with the transport cookies.
    #[arg(long, env = "COUNTERSIGN_DPOP", default_value = "offered")]
    pub(crate) dpop: Proofs,

    /// At most so many active sessions altogether.
    #[arg(long, env = "COUNTERSIGN_SITE_LIMIT", value_name = "N")]
    pub(crate) site_limit: Option<u32>,

    /// At most so many active sessions of each user.
    #[arg(long, env = "COUNTERSIGN_USER_LIMIT", value_name = "N")]
    pub(crate) user_limit: Option<u32>,

    /// What happens to a login that finds no seat.
    #[arg(long, env = "COUNTERSIGN_ON_FULL", default_value = "refuse")]
    pub(crate) on_full: Rule,

    /// How long an access token lives.
    #[arg(long, env = "COUNTERSIGN_ACCESS_TTL", value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    pub(crate) access_ttl: Duration,

    /// A session that nobody used for this long has ended.
    #[arg(long, env = "COUNTERSIGN_IDLE_TIMEOUT", value_name = "DURATION", default_value = "24h", value_parser = humantime::parse_duration)]
    pub(crate) idle_timeout: Duration,

    /// A session's absolute end.
    #[arg(long, env = "COUNTERSIGN_LIFETIME", value_name = "DURATION", default_value = "14d", value_parser = humantime::parse_duration)]
    pub(crate) lifetime: Duration,

    /// A session that nobody used for this long holds no seat.
    #[arg(long, env = "COUNTERSIGN_DANGLING_AFTER", value_name = "DURATION", default_value = "30m", value_parser = humantime::parse_duration)]
    pub(crate) dangling_after: Duration,

    /// A refresh token younger than this is not used up by its use.
    #[arg(long, env = "COUNTERSIGN_RACE_WINDOW", value_name = "DURATION", default_value = "60s", value_parser = humantime::parse_duration)]
    pub(crate) race_window: Duration,

    /// How old this node's view of revocations may be.
    #[arg(long, env = "COUNTERSIGN_MAX_STALENESS", value_name = "DURATION", default_value = "5s", value_parser = humantime::parse_duration)]
    pub(crate) max_staleness: Duration,

    /// How far the clocks of nodes may be apart [default: 0s, 60s on a shared registry].
    #[arg(long, env = "COUNTERSIGN_CLOCK_SKEW", value_name = "DURATION", value_parser = humantime::parse_duration)]
    pub(crate) clock_skew: Option<Duration>,

    /// How long a login counts as fresh.
    #[arg(long, env = "COUNTERSIGN_FRESH_FOR", value_name = "DURATION", default_value = "5m", value_parser = humantime::parse_duration)]
    pub(crate) fresh_for: Duration,

    /// The public origin [default: the address really bound].
    #[arg(long, env = "COUNTERSIGN_ORIGIN", value_name = "URL")]
    pub(crate) origin: Option<String>,

    /// Cookies without prefix and `Secure`, on the loopback only.
    #[arg(long, env = "COUNTERSIGN_DEV_COOKIES", action = ArgAction::SetTrue, value_parser = BoolishValueParser::new())]
    pub(crate) dev_cookies: bool,

    /// What development cookies are called, to tell two examples on one host apart [default: session].
    #[arg(long, env = "COUNTERSIGN_COOKIE_NAME", value_name = "NAME")]
    pub(crate) cookie_name: Option<String>,
}

impl Flags {
    /// The lifetimes and windows that were asked for. (The framework's builder checks that they fit together.)
    pub(crate) fn policy(&self) -> Policy {
        let policy = Policy::default()
            .access_ttl(self.access_ttl)
            .idle(self.idle_timeout)
            .lifetime(self.lifetime)
            .dangling_after(self.dangling_after)
            .race_window(self.race_window)
            .max_staleness(self.max_staleness)
            .fresh_for(self.fresh_for);
        match self.clock_skew {
            Some(skew) => policy.clock_skew(skew),
            None => policy,
        }
    }

    /// The limits that were asked for.
    pub(crate) fn limits(&self) -> Limits {
        let on_full = self.on_full.into();
        let mut limits = Limits::none();
        if let Some(seats) = self.user_limit {
            limits = limits.per_user(seats, on_full);
        }
        if let Some(seats) = self.site_limit {
            limits = limits.per_site(seats, on_full);
        }
        limits
    }

    /// What development cookies are called, if they were asked for.
    ///
    /// # Errors
    ///
    /// A name without `--dev-cookies`: it would be ignored.
    pub(crate) fn development_cookies(&self) -> Result<Option<&str>, &'static str> {
        match (self.dev_cookies, &self.cookie_name) {
            (true, name) => Ok(Some(name.as_deref().unwrap_or("session"))),
            (false, None) => Ok(None),
            (false, Some(_)) => {
                Err("--cookie-name is for --dev-cookies only: the names of __Host- cookies are fixed")
            }
        }
    }
}

/// The signature algorithms on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Alg {
    /// Ed25519.
    #[value(name = "EdDSA")]
    EdDsa,
    /// ECDSA on P-256.
    #[value(name = "ES256")]
    Es256,
    /// HMAC: for a single service only.
    #[value(name = "HS256")]
    Hs256,
}

impl From<Alg> for Algorithm {
    fn from(alg: Alg) -> Self {
        match alg {
            Alg::EdDsa => Self::EdDsa,
            Alg::Es256 => Self::Es256,
            Alg::Hs256 => Self::Hs256,
        }
    }
}

/// The transports, as flags spell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Carrier {
    /// No token ever reaches a script.
    Cookies,
    /// The access token in memory, the refresh token in a cookie.
    Bearer,
    /// All tokens in bodies.
    Body,
}

impl From<Carrier> for Transport {
    fn from(carrier: Carrier) -> Self {
        match carrier {
            Carrier::Cookies => Self::Cookies,
            Carrier::Bearer => Self::Bearer,
            Carrier::Body => Self::Body,
        }
    }
}

/// What is asked of clients that could prove a key, as flags spell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Proofs {
    /// A login with a proof is bound to its key.
    Offered,
    /// There is no login without a proof.
    Required,
}

impl From<Proofs> for Dpop {
    fn from(proofs: Proofs) -> Self {
        match proofs {
            Proofs::Offered => Self::Offered,
            Proofs::Required => Self::Required,
        }
    }
}

/// The rules of a full limit, as flags spell them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Rule {
    /// The newcomer is refused.
    Refuse,
    /// The session that was not active for longest ends.
    EndLeastRecent,
    /// The session that started first ends.
    EndOldest,
    /// The newcomer may end one of their own sessions.
    Ask,
}

impl From<Rule> for OnFull {
    fn from(rule: Rule) -> Self {
        match rule {
            Rule::Refuse => Self::Refuse,
            Rule::EndLeastRecent => Self::EndLeastRecent,
            Rule::EndOldest => Self::EndOldest,
            Rule::Ask => Self::Ask,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(flags: &[&str]) -> Result<Flags, clap::Error> {
        Flags::try_parse_from(["spa"].iter().chain(flags))
    }

    #[test]
    fn the_defaults_are_those_of_the_policy() {
        assert_eq!(parse(&[]).unwrap().policy(), Policy::default());
        assert_eq!(parse(&[]).unwrap().limits(), Limits::none());
    }

    #[test]
    fn limits_share_the_rule() {
        let limits = parse(&["--user-limit", "3", "--site-limit", "0", "--on-full", "ask"]).unwrap().limits();
        assert_eq!(limits, Limits::none().per_user(3, OnFull::Ask).per_site(0, OnFull::Ask));
    }

    #[test]
    fn durations_are_written_for_people() {
        assert_eq!(parse(&["--access-ttl", "2s"]).unwrap().access_ttl, Duration::from_secs(2));
        for wrong in ["", "5", "-1s", "5 parsecs"] {
            assert!(parse(&["--access-ttl", wrong]).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_cookie_name_needs_development_cookies() {
        assert_eq!(parse(&[]).unwrap().development_cookies(), Ok(None));
        assert_eq!(parse(&["--dev-cookies"]).unwrap().development_cookies(), Ok(Some("session")));
        let named = parse(&["--dev-cookies", "--cookie-name", "left"]).unwrap();
        assert_eq!(named.development_cookies(), Ok(Some("left")));
        assert!(parse(&["--cookie-name", "left"]).unwrap().development_cookies().is_err());
    }
}
