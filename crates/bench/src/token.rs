//! Tokens that nobody has seen before: verified, refused and minted, against ring on the same bytes.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_registry::{Clock as _, SystemClock};
use countersign_token::{
    AccessClaims, Algorithm, Expect, FeedPosition, Identity, KeyRing, Live, Persistence, Seat, SessionId,
    Timestamp, Unverified,
};
use serde_json::Map;

use crate::Outcome;
use crate::measure::{Effort, Lane, Series, interleave};
use crate::peer::Peer;
use crate::raw::Raw;
use crate::report::{Goal, Row};

/// Issuer and audience.
pub(crate) const ISSUER: &str = "https://shop.example";

/// `cold_verify_…`, `reject_…` and `mint_…`.
pub(crate) fn rows(effort: Effort) -> Outcome<Vec<Row>> {
    let mut rows = Vec::new();
    for case in &CASES {
        let times = Times::measure(case, effort)?;
        let name = case.algorithm.as_str().to_ascii_lowercase();
        let cold = Row::of(format!("cold_verify_{name}"), "ns", &times.cold, &times.raw_verify);
        rows.push(cold.goal(Goal::Ratio(case.cold)));
        let peer = Row::of(format!("cold_verify_{name}_jsonwebtoken"), "ns", &times.peer, &times.cold);
        rows.push(match case.quicker {
            Some(least) => peer.goal(Goal::RatioAtLeast(least)),
            None => peer,
        });
        let reject = Row::of(format!("reject_{name}"), "ns", &times.reject, &times.raw_verify);
        rows.push(reject.goal(Goal::Ratio(1.4)));
        let mint = Row::of(format!("mint_{name}"), "ns", &times.mint, &times.raw_sign);
        rows.push(match case.mint {
            Some(most) => mint.goal(Goal::Ratio(most)),
            None => mint,
        });
    }
    Ok(rows)
}

/// An algorithm, its goals, and how many operations are timed together.
struct Case {
    algorithm: Algorithm,
    cold: f64,
    quicker: Option<f64>,
    mint: Option<f64>,
    operations: u32,
}

const CASES: [Case; 3] = [
    Case { algorithm: Algorithm::Hs256, cold: 4.0, quicker: Some(2.2), mint: Some(2.8), operations: 300 },
    Case { algorithm: Algorithm::EdDsa, cold: 1.05, quicker: None, mint: Some(1.1), operations: 10 },
    Case { algorithm: Algorithm::Es256, cold: 1.05, quicker: None, mint: None, operations: 10 },
];

struct Times {
    raw_verify: Series,
    cold: Series,
    peer: Series,
    reject: Series,
    raw_sign: Series,
    mint: Series,
}

impl Times {
    fn measure(case: &Case, effort: Effort) -> Outcome<Self> {
        let (rounds, operations) = (effort.pick(400, 3000), case.operations);
        let now = SystemClock.now();
        let ring = KeyRing::generate(case.algorithm, now);
        let raw = Raw::of(&ring)?;
        let claims = claims(SessionId::from_bytes([7; 16]), now, FeedPosition { epoch: 1, seq: 41 });
        let token = ring.mint_access(&claims)?;
        let (message, signature) = split(&token)?;
        let bad = spoiled(&token)?;
        let peer = Peer::new(case.algorithm, &raw);
        check(&ring, &raw, &peer, &token, &bad, now)?;
        let [raw_verify, cold, peer, reject, raw_sign, mint] = interleave(
            rounds,
            [
                Lane::new(operations, || raw.verify(message, &signature)),
                Lane::new(operations, || verify(&ring, &token, now)),
                Lane::new(operations, || peer.decode(&token)),
                Lane::new(operations, || verify(&ring, &bad, now)),
                Lane::new(operations, || raw.sign(message)),
                Lane::new(operations, || ring.mint_access(&claims)),
            ],
        );
        Ok(Self { raw_verify, cold, peer, reject, raw_sign, mint })
    }
}

/// Everyone sees the same: else the figures would compare nothing.
fn check(ring: &KeyRing, raw: &Raw, peer: &Peer, token: &str, bad: &str, now: Timestamp) -> Outcome<()> {
    let (message, signature) = split(token)?;
    let good = raw.verify(message, &signature) && verify(ring, token, now).is_some();
    if good && peer.decode(token).is_some() && verify(ring, bad, now).is_none() && peer.decode(bad).is_none()
    {
        return Ok(());
    }
    Err(format!("{}: they do not agree on which token is good", ring.algorithm()).into())
}

/// The whole way to owned claims: shape, signature, header, claims, time, issuer, audience.
fn verify(ring: &KeyRing, token: &str, now: Timestamp) -> Option<Live<AccessClaims>> {
    let unverified = Unverified::parse(token, 4096).ok()?;
    ring.verify_access(&unverified).ok()?.live(&expect(now)).ok()
}

/// What tokens are held against.
pub(crate) fn expect(now: Timestamp) -> Expect<'static> {
    Expect { issuer: ISSUER, audience: ISSUER, now, clock_skew: Duration::ZERO }
}

/// What the framework puts into an access token by default, of a session that began at `born`.
pub(crate) fn claims(session: SessionId, now: Timestamp, born: FeedPosition) -> AccessClaims {
    let began = now.before(Duration::from_mins(1));
    AccessClaims {
        identity: Identity {
            issuer: ISSUER.into(),
            subject: "3f2c9a5e7b10".into(),
            client_id: "shop.example".into(),
            tenant: None,
            session,
            started_at: began,
            auth_time: began,
            methods: vec!["pwd".into()],
            context: None,
            born,
            key_thumbprint: None,
            session_expires_at: now.after(Duration::from_hours(14 * 24)),
            persistence: Persistence::Persistent,
        },
        audience: ISSUER.into(),
        issued_at: began,
        expires_at: now.after(Duration::from_hours(1)),
        id: URL_SAFE_NO_PAD.encode(session.as_bytes()),
        floor: 0,
        seat: Seat::Held,
        app: Map::new(),
    }
}

/// The signed bytes and the signature.
pub(crate) fn split(token: &str) -> Outcome<(&[u8], Vec<u8>)> {
    let (message, signature) = token.rsplit_once('.').ok_or("a token without a dot")?;
    Ok((message.as_bytes(), URL_SAFE_NO_PAD.decode(signature)?))
}

/// The token with another first character in its signature: well-formed, and wrong.
fn spoiled(token: &str) -> Outcome<String> {
    let (message, signature) = token.rsplit_once('.').ok_or("a token without a dot")?;
    let first = if signature.starts_with('A') { "B" } else { "A" };
    Ok(format!("{message}.{first}{}", &signature[1..]))
}
