//! What every request costs in memory: the verified-token cache and the view of revocations.

use std::cell::Cell;
use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{Clock as _, EndReason, Entry, News, Question, SystemClock, Verdict, View};
use countersign_token::{Algorithm, CachedToken, FeedPosition, KeyRing, TokenCache, Unverified};

use crate::Outcome;
use crate::measure::{Effort, Lane, Series, interleave};
use crate::numbers::Numbers;
use crate::raw::Raw;
use crate::report::{Goal, Row};
use crate::token;
use crate::weigh::{self, Load};

const MILLION: u64 = 1_000_000;

/// `warm_verify_1000`, `revocation_miss_…` and `bytes_per_revocation`.
pub(crate) fn rows(effort: Effort) -> Outcome<Vec<Row>> {
    let million = revoked(MILLION);
    let (warm, raw) = warm(effort, &million)?;
    let mut rows = vec![Row::of("warm_verify_1000", "ns", &warm, &raw).goal(Goal::Ratio(0.38))];
    rows.push(miss(effort, "revocation_miss_1m", &million).goal(Goal::Value(10.0)));
    drop(million);
    rows.push(miss(effort, "revocation_miss_10m", &revoked(10 * MILLION)).goal(Goal::Value(30.0)));
    let bytes = weigh::bytes_each(Load::Revocations, 10 * MILLION)?;
    rows.push(Row::new("bytes_per_revocation", bytes, "B").goal(Goal::Value(40.0)));
    Ok(rows)
}

/// A view in which so many sessions have ended.
pub(crate) fn revoked(count: u64) -> View {
    let (view, now) = (View::new(), SystemClock.now());
    let mut numbers = Numbers::new(1);
    for seq in 1..=count {
        view.apply(&Entry {
            position: FeedPosition { epoch: 1, seq },
            at: now,
            until: now.after(Duration::from_hours(1)),
            news: News::Ended(numbers.session(), EndReason::Logout),
        });
    }
    // What a node does every few seconds.
    view.expire(now);
    view
}

/// A verified session as the framework judges it: one of a thousand hot tokens, against one hot HMAC.
fn warm(effort: Effort, view: &View) -> Outcome<(Series, Series)> {
    let ring = KeyRing::generate(Algorithm::Hs256, SystemClock.now());
    let (raw, cache, tokens) = (Raw::of(&ring)?, TokenCache::default(), hot(&ring)?);
    for token in &tokens {
        let verified = ring.verify_access(&Unverified::parse(token, 4096)?)?;
        cache.insert(token, ring.generation(), verified);
    }
    if !tokens.iter().all(|token| judge(&cache, &ring, view, token).is_some()) {
        return Err("a hot token is not active".into());
    }
    let (message, signature) = token::split(&tokens[0])?;
    let turn = Cell::new(0);
    let next = || {
        turn.set((turn.get() + 1) % tokens.len());
        tokens[turn.get()].as_str()
    };
    let [warm, raw] = interleave(
        effort.pick(400, 3000),
        [
            Lane::new(2000, || judge(&cache, &ring, view, next())),
            Lane::new(1000, || raw.verify(message, &signature)),
        ],
    );
    Ok((warm, raw))
}

fn hot(ring: &KeyRing) -> Outcome<Vec<String>> {
    let (mut numbers, now) = (Numbers::new(2), SystemClock.now());
    let born = FeedPosition { epoch: 1, seq: 0 };
    (0..1000).map(|_| Ok(ring.mint_access(&token::claims(numbers.session(), now, born))?)).collect()
}

/// Clock, cache, time, issuer, audience, binding, view.
fn judge(cache: &TokenCache, ring: &KeyRing, view: &View, token: &str) -> Option<Arc<CachedToken>> {
    let now = SystemClock.now();
    let cached = cache.get(token, ring.generation())?;
    let claims = cached.live(&token::expect(now)).ok()?;
    if claims.identity.key_thumbprint.is_some() {
        return None;
    }
    let question = Question {
        session: &claims.identity.session,
        born: claims.identity.born,
        subject: &claims.identity.subject,
        tenant: claims.identity.tenant.as_deref(),
        kid: cached.key_id().as_str(),
    };
    (view.judge(&question) == Verdict::Clear).then_some(cached)
}

/// Sessions that have not ended, each another one so that the caches know none; against a view that knows nothing.
/// The time that making the ids takes alone is taken off both figures.
fn miss(effort: Effort, name: &str, view: &View) -> Row {
    let ask = |view: &View, numbers: &mut Numbers| {
        let session = &numbers.session();
        let born = FeedPosition { epoch: 1, seq: 0 };
        view.judge(&Question { session, born, subject: "3f2c9a5e7b10", tenant: None, kid: "2026" })
    };
    let empty = View::new();
    let [mut here, mut there, mut nowhere] = [3; 3].map(Numbers::new);
    let [found, nothing, made] = interleave(
        effort.pick(400, 3000),
        [
            Lane::new(20_000, || ask(view, &mut here)),
            Lane::new(20_000, || ask(black_box(&empty), &mut there)),
            Lane::new(20_000, || nowhere.session()),
        ],
    );
    Row::of(name, "ns", &found.less(&made), &nothing.less(&made))
}
