//! A good signature says nothing about time, issuer and audience.

use countersign_token::{AccessClaims, KeyRing, Live, Unverified};

fn accept(_: Live<AccessClaims>) {}

fn check(ring: &KeyRing, token: &Unverified<'_>) {
    if let Ok(verified) = ring.verify_access(token) {
        accept(verified);
    }
}

fn main() {
    let _ = check;
}
