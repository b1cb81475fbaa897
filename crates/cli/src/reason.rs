//! Why a token is not valid, said precisely: for the operator who holds the keys, never for the token's bearer.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::output::printable;
use crate::peek::Peeked;
use crate::time::Instant;
use crate::verify::Kind;

/// A reason in one word for programs and in a sentence for people.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reason {
    pub(crate) code: &'static str,
    pub(crate) detail: String,
}

impl Reason {
    pub(crate) fn new(code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, detail: detail.into() }
    }
}

/// What the operator expects of the token.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) kind: Kind,
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) at: Instant,
    pub(crate) clock_skew: Duration,
}

/// What a token with a good signature says.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) subject: String,
    pub(crate) session: String,
    issuer: String,
    audience: Vec<String>,
    issued_at: i64,
    pub(crate) expires_at: i64,
}

impl Facts {
    /// From claims whose signature was good.
    pub(crate) fn of(claims: &Map<String, Value>) -> Result<Self, Reason> {
        let text = |name: &str| {
            claims.get(name).and_then(Value::as_str).map(str::to_owned).ok_or_else(|| missing(name))
        };
        let seconds = |name: &str| claims.get(name).and_then(seconds).ok_or_else(|| missing(name));
        Ok(Self {
            subject: text("sub")?,
            session: text("sid")?,
            issuer: text("iss")?,
            audience: claims.get("aud").map(texts).ok_or_else(|| missing("aud"))?,
            issued_at: seconds("iat")?,
            expires_at: seconds("exp")?,
        })
    }

    /// The first expectation that they do not meet: whose token it is before its time, as a server judges.
    pub(crate) fn unmet(&self, wanted: &Wanted) -> Option<Reason> {
        let skew = i64::try_from(wanted.clock_skew.as_secs()).unwrap_or(i64::MAX);
        let at = wanted.at.as_secs();
        if self.issuer != wanted.issuer {
            let detail = format!("its issuer is {}, not {}", printable(&self.issuer), wanted.issuer);
            Some(Reason::new("wrong-issuer", detail))
        } else if !self.audience.contains(&wanted.audience) {
            let detail =
                format!("it is for {}, not for {}", printable(&self.audience.join(", ")), wanted.audience);
            Some(Reason::new("wrong-audience", detail))
        } else if self.issued_at > at.saturating_add(skew) {
            let detail = format!("it was issued in the future: {}", date(self.issued_at, wanted));
            Some(Reason::new("not-yet-valid", detail))
        } else if self.expires_at <= at {
            Some(Reason::new("expired", format!("it expired: {}", date(self.expires_at, wanted))))
        } else {
            None
        }
    }
}

fn missing(name: &str) -> Reason {
    Reason::new("malformed", format!("its claim `{name}` is missing or of the wrong type"))
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(one) => vec![one.clone()],
        Value::Array(several) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// Rounded down, fractions of a NumericDate included.
fn seconds(value: &Value) -> Option<i64> {
    value.as_i64().or_else(|| value.as_f64().map(|seconds| seconds.floor() as i64))
}

/// The instant, seen from when it was judged.
pub(crate) fn date(seconds: i64, wanted: &Wanted) -> String {
    Instant::from_secs(seconds).map_or_else(|| format!("{seconds} s"), |at| at.seen_from(wanted.at))
}

/// A key that could have signed.
pub(crate) struct Candidate {
    pub(crate) kid: String,
    pub(crate) algorithm: String,
}

/// What is wrong with a token's header, given the keys there are.
pub(crate) fn header_fault(peeked: &Peeked, kind: Kind, candidates: &[Candidate]) -> Option<Reason> {
    if peeked.kind() != kind.name() {
        let detail = format!("it calls itself {}, and {} was asked for", peeked.kind(), kind.name());
        return Some(Reason::new("wrong-kind", detail));
    }
    if let Some(name) = peeked.header.keys().find(|name| !["alg", "typ", "kid"].contains(&name.as_str())) {
        return Some(Reason::new(
            "malformed",
            format!("its header has `{}`, which is never accepted", printable(name)),
        ));
    }
    let name = peeked.header_text("kid");
    let Some(key) = candidates.iter().find(|key| key.kid == name) else {
        let detail = match name {
            "" => "its header names no key".to_owned(),
            name => format!("it names the key {}, which is not there", printable(name)),
        };
        return Some(Reason::new("unknown-key", detail));
    };
    let alg = peeked.header_text("alg");
    let same = alg == key.algorithm || (alg == "Ed25519" && key.algorithm == "EdDSA");
    (!same).then(|| {
        let detail =
            format!("its header says alg {alg:?}, and the key that it names is for {}", key.algorithm);
        Reason::new("wrong-algorithm", detail)
    })
}
