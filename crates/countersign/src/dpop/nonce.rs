//! The nonces that proofs carry: a tag of the key ring over a span of five minutes. Every node of a site makes the
//! same one, also after a restart, and none is stored.

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use countersign_token::{KeyRing, Timestamp};
use http::HeaderValue;

use crate::sessions::Inner;

/// A nonce of this site, which a client puts into its next proofs (RFC 9449, section 8). It is no secret.
#[derive(Clone, PartialEq, Eq)]
pub struct DpopNonce(pub(crate) HeaderValue);

/// When a nonce that is still good was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Current,
    Previous,
}

/// For how long one nonce is the current one.
const SLOT: Duration = Duration::from_mins(5);

/// What no other tag of the ring is for.
const PURPOSE: &str = "dpop nonce";

impl DpopNonce {
    /// The nonce as the header `DPoP-Nonce` carries it.
    pub fn as_header(&self) -> &HeaderValue {
        &self.0
    }

    /// The current one.
    pub(crate) fn current(inner: &Inner) -> Self {
        Self::at(&inner.ring(), &inner.config.issuer, inner.now())
    }

    fn at(ring: &KeyRing, issuer: &str, now: Timestamp) -> Self {
        let text = URL_SAFE_NO_PAD.encode(ring.tag(issuer, PURPOSE, &message(slot(now))));
        Self(HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("")))
    }
}

/// When a nonce was made, if it was made by this site and is still good: in the current slot or the one before it.
/// A node whose clock is ahead may be in the next one already.
pub(crate) fn judge(
    ring: &KeyRing,
    issuer: &str,
    nonce: &str,
    now: Timestamp,
    skew: Duration,
) -> Option<Slot> {
    let mut tag = [0; 32];
    if URL_SAFE_NO_PAD.decode_slice(nonce, &mut tag) != Ok(tag.len()) {
        return None;
    }
    let made_in = |slot: u64| ring.has_tagged(issuer, PURPOSE, &message(slot), &tag);
    let current = slot(now);
    match () {
        () if made_in(current) => Some(Slot::Current),
        () if current.checked_sub(1).is_some_and(made_in) => Some(Slot::Previous),
        () if (current + 1..=slot(now.after(skew))).any(made_in) => Some(Slot::Current),
        () => None,
    }
}

fn slot(now: Timestamp) -> u64 {
    now.as_secs() / SLOT.as_secs()
}

fn message(slot: u64) -> [u8; 8] {
    slot.to_be_bytes()
}

impl fmt::Debug for DpopNonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DpopNonce({:?})", self.0)
    }
}

#[cfg(test)]
mod tests {
    use countersign_token::Algorithm;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);
    const ISSUER: &str = "https://shop.example";
    const SECOND: Duration = Duration::from_secs(1);

    fn judged(ring: &KeyRing, made: Timestamp, now: Timestamp, skew: Duration) -> Option<Slot> {
        let nonce = DpopNonce::at(ring, ISSUER, made);
        judge(ring, ISSUER, nonce.0.to_str().unwrap(), now, skew)
    }

    #[test]
    fn a_nonce_is_good_for_its_slot_and_the_next() {
        let ring = KeyRing::generate(Algorithm::EdDsa, NOW);
        let check = |after, expect| assert_eq!(judged(&ring, NOW, NOW.after(after), Duration::ZERO), expect);
        assert_eq!(NOW.as_secs() % SLOT.as_secs(), 0);
        check(Duration::ZERO, Some(Slot::Current));
        check(299 * SECOND, Some(Slot::Current));
        check(SLOT, Some(Slot::Previous));
        check(599 * SECOND, Some(Slot::Previous));
        check(2 * SLOT, None);
    }

    #[test]
    fn a_node_that_is_ahead_is_believed_as_far_as_clocks_may_differ() {
        let ring = KeyRing::generate(Algorithm::Es256, NOW);
        let now = NOW.before(2 * SECOND);
        assert_eq!(judged(&ring, NOW, now, Duration::ZERO), None);
        assert_eq!(judged(&ring, NOW, now, SECOND), None);
        assert_eq!(judged(&ring, NOW, now, 2 * SECOND), Some(Slot::Current));
    }

    #[test]
    fn what_another_ring_or_issuer_made_is_unknown() {
        let (ring, other) =
            (KeyRing::generate(Algorithm::EdDsa, NOW), KeyRing::generate(Algorithm::EdDsa, NOW));
        let nonce = DpopNonce::at(&ring, ISSUER, NOW).0.to_str().unwrap().to_owned();
        assert_eq!(judge(&ring, ISSUER, &nonce, NOW, SLOT), Some(Slot::Current));
        assert_eq!(judge(&other, ISSUER, &nonce, NOW, SLOT), None);
        assert_eq!(judge(&ring, "https://else.example", &nonce, NOW, SLOT), None);
        for wrong in ["", "AAAA", &format!("{nonce}A"), &nonce[..42], &format!("{nonce}=")] {
            assert_eq!(judge(&ring, ISSUER, wrong, NOW, SLOT), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_nonce_outlives_the_rotation_of_keys_but_not_its_keys_removal() {
        let ring = KeyRing::generate(Algorithm::Hs256, NOW);
        let nonce = DpopNonce::at(&ring, ISSUER, NOW).0.to_str().unwrap().to_owned();
        let rotated = ring.rotate_now(NOW);
        assert_ne!(DpopNonce::at(&rotated, ISSUER, NOW), DpopNonce::at(&ring, ISSUER, NOW));
        assert_eq!(judge(&rotated, ISSUER, &nonce, NOW, SLOT), Some(Slot::Current));
        let kid = ring.keys().next().unwrap().id;
        assert_eq!(judge(&rotated.remove(&kid, NOW).unwrap(), ISSUER, &nonce, NOW, SLOT), None);
    }
}
