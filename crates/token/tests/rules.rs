//! The rules of minting, sealing and keys, as properties.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::time::Duration;

use countersign_token::{
    AccessClaims, Algorithm, Audience, Expect, FeedPosition, Identity, KeyId, KeyRing, KeyState, Persistence,
    RefreshClaims, Rotation, RotationId, Schedule, Seat, SessionId, StateClaims, StateFormat, StateVersion,
    Timestamp, TokenErrorKind, Unverified,
};
use proptest::prelude::*;
use serde_json::Value;

const ISSUER: &str = "https://shop.example";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

fn unverified(token: &str) -> Unverified<'_> {
    Unverified::parse(token, usize::MAX).unwrap()
}

prop_compose! {
    fn identity()(
        (issuer, subject, client_id) in any::<(String, String, String)>(),
        (tenant, context, key_thumbprint) in any::<(Option<String>, Option<String>, Option<String>)>(),
        (session, methods) in any::<([u8; 16], Vec<String>)>(),
        (started, auth, end) in (0_u64..200_000_000_000, 0_u64..200_000_000_000, 0_u64..200_000_000_000),
        (epoch, seq) in (0_u64..1 << 53, 0_u64..1 << 53),
        browser: bool,
    ) -> Identity {
        Identity {
            issuer: issuer.into(), subject, client_id, tenant, context, key_thumbprint, methods,
            session: SessionId::from_bytes(session),
            started_at: Timestamp::from_secs(started),
            auth_time: Timestamp::from_secs(auth),
            session_expires_at: Timestamp::from_secs(end),
            born: FeedPosition { epoch, seq },
            persistence: if browser { Persistence::Browser } else { Persistence::Persistent },
        }
    }
}

prop_compose! {
    fn access()(
        identity in identity(),
        audience in prop::collection::vec(any::<String>(), 1..4),
        (issued, expires) in (0_u64..200_000_000_000, 0_u64..200_000_000_000),
        (id, floor, held) in (any::<String>(), 0_u64..1 << 53, any::<bool>()),
        app in prop::collection::btree_map("[a-zé\"\\\\]{0,6}_", leaf(), 0..5),
    ) -> AccessClaims {
        AccessClaims {
            identity, id, floor,
            audience: Audience::several(audience),
            issued_at: Timestamp::from_secs(issued),
            expires_at: Timestamp::from_secs(expires),
            seat: if held { Seat::Held } else { Seat::None },
            app: app.into_iter().collect(),
        }
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<u64>().prop_map(Into::into),
        (-1_000_000_i32..1_000_000).prop_map(|n| (f64::from(n) / 8.0).into()),
        any::<String>().prop_map(Into::into),
        prop::collection::vec(any::<String>(), 0..3).prop_map(Into::into),
    ]
}

proptest! {
    #[test]
    fn an_access_token_says_what_was_minted(claims in access()) {
        let ring = KeyRing::generate(Algorithm::Hs256, NOW);
        let token = ring.mint_access(&claims).unwrap();
        let verified = ring.verify_access(&unverified(&token)).unwrap();
        prop_assert_eq!(verified.claims(), &claims);
        prop_assert!(ring.verify_refresh(&unverified(&token)).is_err());
    }

    #[test]
    fn a_refresh_token_says_what_was_minted(access in access(), (id, parent, issued) in (any::<u64>(), any::<u64>(), 0_u64..1 << 53)) {
        let claims = RefreshClaims {
            identity: access.identity,
            audience: access.audience,
            issued_at: access.issued_at,
            expires_at: access.expires_at,
            id: access.id,
            rotation: Rotation {
                id: RotationId::from_bits(id),
                parent: RotationId::from_bits(parent),
                issued: Timestamp::from_millis(issued),
            },
        };
        let ring = KeyRing::generate(Algorithm::EdDsa, NOW);
        let token = ring.mint_refresh(&claims).unwrap();
        let verified = ring.verify_refresh(&unverified(&token)).unwrap();
        prop_assert_eq!(verified.claims(), &claims);
        prop_assert!(ring.verify_access(&unverified(&token)).is_err());
    }

    #[test]
    fn state_opens_where_it_belongs_and_nowhere_else(
        session: Option<[u8; 16]>,
        other: Option<[u8; 16]>,
        issuer in "[a-z:/]{1,30}",
        (exclusive, plain, data_version) in (0_u64..1 << 53, 0_u64..1 << 53, any::<u16>()),
        (data, nonce) in (leaf(), any::<[u8; 12]>()),
        signed: bool,
    ) {
        let (session, other) = (session.map(SessionId::from_bytes), other.map(SessionId::from_bytes));
        let formats = [StateFormat::Sealed, StateFormat::Signed];
        let (format, wrong) = (formats[usize::from(signed)], formats[usize::from(!signed)]);
        let claims = StateClaims {
            issuer: issuer.clone(),
            audience: Audience::from(issuer.as_str()),
            expires_at: NOW.after(Duration::from_secs(1)),
            session,
            version: StateVersion { exclusive, plain },
            data_version,
            data: serde_json::value::to_raw_value(&data).unwrap(),
        };
        let ring = KeyRing::generate(Algorithm::Hs256, NOW);
        let token = ring.mint_state(&claims, format, nonce).unwrap();
        let token = unverified(&token);
        let opened = ring.open_state(&token, format, &issuer, session, NOW).unwrap();
        prop_assert_eq!((opened.version, opened.data_version), (claims.version, data_version));
        prop_assert_eq!(serde_json::from_str::<Value>(opened.data.get()).unwrap(), data);

        prop_assert_eq!(ring.open_state(&token, format, &issuer, other, NOW).is_ok(), other == session);
        prop_assert!(ring.open_state(&token, wrong, &issuer, session, NOW).is_err());
        let another = issuer.clone() + "/";
        prop_assert!(ring.open_state(&token, format, &another, session, NOW).is_err());
        prop_assert!(ring.open_state(&token, format, &issuer, session, claims.expires_at).is_err());
        let elsewhere = KeyRing::generate(Algorithm::Hs256, NOW);
        prop_assert!(elsewhere.open_state(&token, format, &issuer, session, NOW).is_err());
    }
}

const SCHEDULE: Schedule = Schedule {
    publish_ahead: Duration::from_secs(10),
    sign_for: Duration::from_secs(100),
    longest_token: Duration::from_secs(50),
};

/// How far the clock may be from the truth.
const SKEW_SECS: u64 = 2;

/// How long a token lives. Its key outlives it by as much as two readings of the clock may mislead, twice: when the key
/// retires, and when it is forgotten.
const LIFE: Duration = SCHEDULE.longest_token.saturating_sub(Duration::from_secs(4 * SKEW_SECS));

/// What may happen to a ring.
#[derive(Clone, Debug)]
enum Step {
    Wait(u64),
    /// The clock is set, to so many seconds after the earliest that it may show.
    SetClock(u64),
    Advance,
    Rotate,
    Mint,
    /// Remove the key of one of the tokens minted so far.
    Remove(prop::sample::Index),
    /// Learn from the feed that it was removed.
    Learn(prop::sample::Index),
    /// Write the file and read it again.
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u64..60).prop_map(Step::Wait),
        2 => (0..=2 * SKEW_SECS).prop_map(Step::SetClock),
        4 => Just(Step::Advance),
        1 => Just(Step::Rotate),
        4 => Just(Step::Mint),
        1 => any::<prop::sample::Index>().prop_map(Step::Remove),
        1 => any::<prop::sample::Index>().prop_map(Step::Learn),
        1 => Just(Step::Reopen),
    ]
}

struct Minted {
    token: String,
    kid: KeyId,
    expires_at: Timestamp,
}

/// A ring, and all that was minted by it.
struct Site {
    ring: KeyRing,
    /// The earliest that the clock may show, and what it shows.
    earliest: Timestamp,
    now: Timestamp,
    minted: Vec<Minted>,
}

impl Site {
    fn take(&mut self, step: &Step) {
        match step {
            Step::Wait(secs) => {
                self.earliest = self.earliest.after(Duration::from_secs(*secs));
                self.now = self.now.after(Duration::from_secs(*secs));
            }
            Step::SetClock(secs) => self.now = self.earliest.after(Duration::from_secs(*secs)),
            Step::Advance => self.advance(),
            Step::Rotate => self.ring = self.ring.rotate_now(self.now),
            Step::Mint => self.mint(),
            Step::Remove(which) => {
                let Some(kid) = self.kid(*which) else { return };
                let known = self.ring.is_removed(&kid) || self.ring.keys().any(|key| key.id == kid);
                match self.ring.remove(&kid, self.now) {
                    Ok(ring) => self.ring = ring,
                    Err(_) => assert!(!known),
                }
            }
            Step::Learn(which) => {
                let Some(kid) = self.kid(*which) else { return };
                let known = self.ring.is_removed(&kid);
                match self.ring.mark_removed(&kid, self.now) {
                    Some(ring) => self.ring = ring,
                    None => assert!(known),
                }
            }
            Step::Reopen => {
                let again = KeyRing::from_json(&self.ring.to_json()).unwrap();
                assert!(self.ring.keys().eq(again.keys()) && self.ring.removed().eq(again.removed()));
                assert_ne!(self.ring.generation(), again.generation());
                self.ring = again;
            }
        }
    }

    /// Whatever signs by schedule was published, and for long enough.
    fn advance(&mut self) {
        let Some(next) = self.ring.advance(self.now, &SCHEDULE) else { return };
        let (before, after) = (signing(&self.ring), signing(&next));
        if before != after {
            let known = self.ring.keys().find(|key| key.id == after).unwrap();
            assert_eq!(known.state, KeyState::Published);
            assert!(self.now.since(known.since) >= SCHEDULE.publish_ahead);
        }
        self.ring = next;
    }

    fn mint(&mut self) {
        let expires_at = self.now.after(LIFE);
        let token = self.ring.mint_access(&claims(self.now, expires_at)).unwrap();
        self.minted.push(Minted { token, kid: signing(&self.ring), expires_at });
    }

    fn kid(&self, which: prop::sample::Index) -> Option<KeyId> {
        (!self.minted.is_empty()).then(|| which.get(&self.minted).kid.clone())
    }

    /// A token that has not expired verifies, unless its key was removed; then it never does again.
    fn check(&self) {
        for minted in &self.minted {
            let verified = self.ring.verify_access(&unverified(&minted.token));
            if self.ring.is_removed(&minted.kid) {
                assert_eq!(verified.unwrap_err().kind(), TokenErrorKind::KeyRemoved);
            } else if self.now < minted.expires_at {
                let clock_skew = Duration::from_secs(2 * SKEW_SECS);
                let expect = Expect { issuer: ISSUER, audience: ISSUER, now: self.now, clock_skew };
                assert!(verified.unwrap().live(&expect).is_ok());
            }
        }
    }
}

fn signing(ring: &KeyRing) -> KeyId {
    let signing: Vec<_> = ring.keys().filter(|key| key.state == KeyState::Signing).collect();
    assert_eq!(signing.len(), 1, "exactly one key signs");
    signing[0].id.clone()
}

fn claims(now: Timestamp, expires_at: Timestamp) -> AccessClaims {
    AccessClaims {
        identity: Identity {
            issuer: ISSUER.into(),
            subject: "alice".into(),
            client_id: "shop".into(),
            tenant: None,
            session: SessionId::from_bytes([7; 16]),
            started_at: now,
            auth_time: now,
            methods: Vec::new(),
            context: None,
            born: FeedPosition::default(),
            key_thumbprint: None,
            session_expires_at: expires_at,
            persistence: Persistence::Persistent,
        },
        audience: ISSUER.into(),
        issued_at: now,
        expires_at,
        id: String::new(),
        floor: 0,
        seat: Seat::Held,
        app: serde_json::Map::new(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn keys_come_and_go_and_nobody_notices(steps in prop::collection::vec(step(), 1..60)) {
        let mut site = Site { ring: KeyRing::generate(Algorithm::Hs256, NOW), earliest: NOW, now: NOW, minted: Vec::new() };
        for step in &steps {
            site.take(step);
            site.check();
        }
    }
}

/// A key lives for as long as its last token, and no longer.
#[test]
fn a_rotation_by_schedule_ends() {
    let mut site =
        Site { ring: KeyRing::generate(Algorithm::Hs256, NOW), earliest: NOW, now: NOW, minted: Vec::new() };
    let first = signing(&site.ring);
    for _ in 0..200 {
        site.take(&Step::Wait(1));
        site.take(&Step::Advance);
        site.take(&Step::Mint);
        site.check();
        assert!(site.ring.keys().count() <= 3);
    }
    assert_ne!(signing(&site.ring), first);
    assert!(site.ring.keys().all(|key| key.id != first), "it is gone");
}

/// What cannot be verified is not minted: whoever minted it would find it lost.
#[test]
fn what_could_not_be_read_is_not_minted() {
    let ring = KeyRing::generate(Algorithm::Hs256, NOW);
    let good = claims(NOW, NOW.after(Duration::from_mins(1)));
    let deep = (0..40).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
    let unreadable = [
        AccessClaims { expires_at: Timestamp::MAX, ..good.clone() },
        AccessClaims { floor: u64::MAX, ..good.clone() },
        AccessClaims { app: [("deep".to_owned(), deep)].into_iter().collect(), ..good.clone() },
        AccessClaims { app: [("exp".to_owned(), Value::from(1))].into_iter().collect(), ..good },
    ];
    for claims in unreadable {
        assert!(ring.mint_access(&claims).is_err());
    }
    for data in [r#"{"a":1,"a":2}"#, r#""\ud800""#] {
        let claims = StateClaims {
            issuer: ISSUER.into(),
            audience: ISSUER.into(),
            expires_at: NOW,
            session: None,
            version: StateVersion::INITIAL,
            data_version: 1,
            data: serde_json::value::RawValue::from_string(data.to_owned()).unwrap(),
        };
        for format in [StateFormat::Sealed, StateFormat::Signed] {
            assert!(ring.mint_state(&claims, format, [0; 12]).is_err(), "{data}");
        }
    }
}
