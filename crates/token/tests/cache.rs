//! The cache of verified tokens: it answers for the very bytes that were verified, and for nothing else.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

use std::time::Duration;

use countersign_token::{
    AccessClaims, Algorithm, Expect, FeedPosition, Identity, KeyRing, NotLive, Persistence, Seat, SessionId,
    Timestamp, TokenCache, Unverified, Verified,
};
use proptest::prelude::*;

const ISSUER: &str = "https://shop.example";
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
const EXPECT: Expect<'static> =
    Expect { issuer: ISSUER, audience: ISSUER, now: NOW, clock_skew: Duration::ZERO };

fn claims(id: &str) -> AccessClaims {
    AccessClaims {
        identity: Identity {
            issuer: ISSUER.into(),
            subject: "alice".into(),
            client_id: "shop".into(),
            tenant: None,
            session: SessionId::from_bytes([7; 16]),
            started_at: NOW,
            auth_time: NOW,
            methods: vec!["pwd".into()],
            context: None,
            born: FeedPosition::default(),
            key_thumbprint: None,
            session_expires_at: NOW.after(Duration::from_hours(1)),
            persistence: Persistence::Persistent,
        },
        audience: ISSUER.into(),
        issued_at: NOW,
        expires_at: NOW.after(Duration::from_mins(5)),
        id: id.into(),
        floor: 0,
        seat: Seat::Held,
        app: serde_json::Map::new(),
    }
}

fn ring() -> KeyRing {
    KeyRing::generate(Algorithm::Hs256, NOW)
}

fn mint(ring: &KeyRing, id: usize) -> String {
    ring.mint_access(&claims(&id.to_string())).unwrap()
}

fn verify(ring: &KeyRing, token: &str) -> Verified<AccessClaims> {
    ring.verify_access(&Unverified::parse(token, 4096).unwrap()).unwrap()
}

#[test]
fn the_oldest_makes_room() {
    let (ring, cache) = (ring(), TokenCache::with_capacity(8));
    let tokens: Vec<_> = (0..100).map(|id| mint(&ring, id)).collect();
    for (at, token) in tokens.iter().enumerate() {
        cache.insert(token, 1, verify(&ring, token));
        cache.insert(token, 1, verify(&ring, token));
        assert_eq!(cache.len(), (at + 1).min(8), "one place each, however often it comes");
    }
    for (at, token) in tokens.iter().enumerate() {
        assert_eq!(cache.get(token, 1).is_some(), at >= 92, "{at}");
    }
}

#[test]
fn another_generation_knows_nothing() {
    let (ring, cache) = (ring(), TokenCache::default());
    let token = mint(&ring, 1);
    cache.insert(&token, ring.generation(), verify(&ring, &token));
    assert!(cache.get(&token, ring.generation()).is_some());
    let rotated = ring.rotate_now(NOW);
    assert!(cache.get(&token, rotated.generation()).is_none());
    cache.insert(&token, rotated.generation(), verify(&rotated, &token));
    assert!(cache.get(&token, ring.generation()).is_none(), "the newer one took its place");
    assert_eq!(cache.len(), 1);
}

proptest! {
    #[test]
    fn only_the_very_bytes_hit(at in any::<prop::sample::Index>(), with: char, cut in any::<prop::sample::Index>()) {
        let (ring, cache) = (ring(), TokenCache::default());
        let token = mint(&ring, 1);
        cache.insert(&token, 1, verify(&ring, &token));
        let at = at.index(token.len());
        let changed = format!("{}{with}{}", &token[..at], &token[at + 1..]);
        prop_assert_eq!(cache.get(&changed, 1).is_some(), changed == token);
        prop_assert!(cache.get(&token[..cut.index(token.len())], 1).is_none());
        prop_assert!(cache.get(&token[cut.index(token.len() - 1) + 1..], 1).is_none());
        let longer = format!("{with}{token}");
        prop_assert!(cache.get(&longer, 1).is_none());
    }
}

/// Two texts that end alike: the later takes the place, and neither answers for the other.
#[test]
fn texts_that_end_alike_are_told_apart() {
    let (ring, cache) = (ring(), TokenCache::with_capacity(2));
    let tokens = [mint(&ring, 0), mint(&ring, 1)];
    let alike = ["one", "two"].map(|start| format!("{start}.{}", "x".repeat(16)));
    for (text, token) in alike.iter().zip(&tokens) {
        cache.insert(text, 1, verify(&ring, token));
        assert_eq!(cache.len(), 1);
    }
    assert!(cache.get(&alike[0], 1).is_none());
    assert_eq!(cache.get(&alike[1], 1).unwrap().claims().id, "1");
    for id in 2..9 {
        let token = mint(&ring, id);
        cache.insert(&token, 1, verify(&ring, &token));
        assert!(cache.len() <= 2);
    }
    assert!(cache.get(&alike[1], 1).is_none(), "it has made room");
}

#[test]
fn what_is_too_short_to_be_a_token_is_not_kept() {
    let (ring, cache) = (ring(), TokenCache::default());
    let token = mint(&ring, 1);
    for text in ["", "a", "fifteen letters"] {
        assert_eq!(cache.insert(text, 1, verify(&ring, &token)).claims().id, "1");
        assert!(cache.get(text, 1).is_none());
    }
    assert!(cache.is_empty());
}

/// Being kept changes nothing about when, from whom and for whom a token is good.
#[test]
fn a_hit_is_judged_like_a_token_that_was_just_verified() {
    let (ring, cache) = (ring(), TokenCache::default());
    let token = mint(&ring, 1);
    cache.insert(&token, 1, verify(&ring, &token));
    let exp = claims("").expires_at;
    let instants = [
        NOW,
        NOW.before(Duration::from_millis(1)),
        NOW.before(Duration::from_mins(1)),
        exp.before(Duration::from_millis(1)),
        exp,
        Timestamp::MAX,
    ];
    let mut seen = std::collections::BTreeSet::new();
    for now in instants {
        for (issuer, audience) in
            [(ISSUER, ISSUER), ("https://shop.example/", ISSUER), (ISSUER, "https://shop")]
        {
            for clock_skew in [Duration::ZERO, Duration::from_mins(1)] {
                let expect = Expect { issuer, audience, now, clock_skew };
                let hit = cache.get(&token, 1).unwrap();
                let kept = match hit.live(&expect) {
                    Ok(claims) => format!("live {}", claims.id),
                    Err(NotLive::Expired(verified)) => format!("expired {}", verified.claims().id),
                    Err(_) => "foreign".to_owned(),
                };
                let fresh = match verify(&ring, &token).live(&expect) {
                    Ok(live) => format!("live {}", live.claims().id),
                    Err(NotLive::Expired(verified)) => format!("expired {}", verified.claims().id),
                    Err(_) => "foreign".to_owned(),
                };
                assert_eq!(kept, fresh, "{expect:?}");
                seen.insert(kept);
            }
        }
    }
    assert_eq!(seen.len(), 3, "every judgement was met: {seen:?}");
}

/// Tokens from elsewhere, or for others, share nothing with the first one's.
#[test]
fn each_token_keeps_its_own_issuer_and_audience() {
    let (ring, cache) = (ring(), TokenCache::default());
    for (issuer, audience) in [(ISSUER, ISSUER), ("https://b.example", ISSUER), (ISSUER, "https://c.example")]
    {
        let mut claims = claims("1");
        claims.identity.issuer = issuer.into();
        claims.audience = audience.into();
        let token = ring.mint_access(&claims).unwrap();
        assert_eq!(*cache.insert(&token, 1, verify(&ring, &token)).claims(), claims);
        let foreign = cache.get(&token, 1).unwrap().live(&EXPECT).is_err();
        assert_eq!(foreign, (issuer, audience) != (ISSUER, ISSUER));
    }
}

#[test]
fn a_memo_stays_with_its_token() {
    let (ring, cache) = (ring(), TokenCache::with_capacity(1));
    let (token, other) = (mint(&ring, 1), mint(&ring, 2));
    cache.insert(&token, 1, verify(&ring, &token));
    assert_eq!(*cache.get(&token, 1).unwrap().memo(|| 7_u32), 7);
    assert_eq!(*cache.get(&token, 1).unwrap().memo(|| 8_u32), 7);
    assert_eq!(cache.get(&token, 1).unwrap().memo(|| "cart".to_owned()), "cart");
    cache.insert(&other, 1, verify(&ring, &other));
    cache.insert(&token, 1, verify(&ring, &token));
    assert_eq!(*cache.get(&token, 1).unwrap().memo(|| 9_u32), 9, "forgotten with the token");
}

#[test]
fn threads_never_get_another_tokens_claims() {
    const THREADS: usize = 4;
    let (ring, cache) = (ring(), TokenCache::with_capacity(16));
    let tokens: Vec<_> = (0..64).map(|id| mint(&ring, id)).collect();
    let hits: usize = std::thread::scope(|scope| {
        let (ring, cache, tokens) = (&ring, &cache, &tokens);
        let each = |thread: usize| {
            scope.spawn(move || {
                let mut hits = 0;
                for turn in 0..4000 {
                    let id = (turn * (2 * thread + 1) / 3) % tokens.len();
                    let found = match cache.get(&tokens[id], 1) {
                        Some(found) => {
                            hits += 1;
                            found
                        }
                        None => cache.insert(&tokens[id], 1, verify(ring, &tokens[id])),
                    };
                    assert_eq!(found.claims().id, id.to_string());
                }
                hits
            })
        };
        let threads: Vec<_> = (0..THREADS).map(each).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert!(cache.len() <= 16, "bounded, whoever raced whom");
    assert!(hits > 1000, "it is a cache");
}
