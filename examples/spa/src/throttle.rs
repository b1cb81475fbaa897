//! The rate limit of failed logins. Right passwords are never counted, so a limit can lock nobody out for long.

use std::hash::{BuildHasher as _, RandomState};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed, StateStore};
use governor::{Quota, RateLimiter};

/// Counts failed logins by address and name, in 65,536 slots. Two pairs that share a slot share its allowance: it
/// errs by refusing a guesser's neighbour.
pub(crate) struct Throttle<C: Clock = DefaultClock> {
    slots: RateLimiter<Look, Slots, C, NoOpMiddleware<C::Instant>>,
    hasher: RandomState,
}

/// So many failures at once, and so many more a minute, evenly.
const FAILURES: NonZeroU32 = NonZeroU32::new(20).expect("it is not 0");

impl Throttle {
    pub(crate) fn new() -> Self {
        Self::with_clock(DefaultClock::default())
    }
}

impl<C: Clock> Throttle<C> {
    fn with_clock(clock: C) -> Self {
        let slots = RateLimiter::new(Quota::per_minute(FAILURES), Slots::default(), clock);
        Self { slots, hasher: RandomState::new() }
    }

    /// Whether a guess may be made. Costs nothing: only a [failure](Throttle::failed) does.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub(crate) fn check(&self, address: IpAddr, name: &str) -> Result<(), Duration> {
        let look = Look::Only(self.slot(address, name));
        self.slots.check_key(&look).map_err(|until| until.wait_time_from(self.slots.clock().now()))
    }

    /// Counts a failed login.
    pub(crate) fn failed(&self, address: IpAddr, name: &str) {
        // Guesses that were under way together may exceed the allowance: nothing is left to take then.
        let _ = self.slots.check_key(&Look::AndTake(self.slot(address, name)));
    }

    fn slot(&self, address: IpAddr, name: &str) -> u16 {
        self.hasher.hash_one((network(address), name)) as u16
    }
}

/// Whoever has one IPv6 address has 2^64 of them.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() >> 64 << 64).into()),
        v4 @ IpAddr::V4(_) => v4,
    }
}

/// Looks at a slot's allowance, and takes one from it or not.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Look {
    Only(u16),
    AndTake(u16),
}

struct Slots(Box<[InMemoryState]>);

impl Default for Slots {
    fn default() -> Self {
        Self((0..=u16::MAX).map(|_| InMemoryState::default()).collect())
    }
}

impl StateStore for Slots {
    type Key = Look;

    fn measure_and_replace<T, F, E>(&self, look: &Look, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        match *look {
            Look::AndTake(slot) => self.0[usize::from(slot)].measure_and_replace(&NotKeyed::NonKey, measure),
            Look::Only(slot) => {
                // The store replaces nothing where the measure is an error; so the answer, good or bad, is one.
                let answer =
                    |old| Err::<(std::convert::Infallible, Nanos), _>(measure(old).map(|(good, _)| good));
                let Err(answer) = self.0[usize::from(slot)].measure_and_replace(&NotKeyed::NonKey, answer);
                answer
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    const PACE: Duration = Duration::from_secs(3);
    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn throttle() -> Throttle<FakeRelativeClock> {
        Throttle::with_clock(FakeRelativeClock::default())
    }

    #[test]
    fn only_failures_count() {
        let throttle = throttle();
        for _ in 0..1000 {
            assert_eq!(throttle.check(HERE, "alice"), Ok(()));
        }
        for _ in 0..FAILURES.get() {
            assert_eq!(throttle.check(HERE, "alice"), Ok(()));
            throttle.failed(HERE, "alice");
        }
        assert_eq!(throttle.check(HERE, "alice"), Err(PACE));
        throttle.failed(HERE, "alice");
        assert_eq!(throttle.check(HERE, "alice"), Err(PACE), "a refused guess costs nothing either");
    }

    #[test]
    fn waiting_helps() {
        let throttle = throttle();
        (0..FAILURES.get()).for_each(|_| throttle.failed(HERE, "alice"));
        throttle.slots.clock().advance(PACE);
        assert_eq!(throttle.check(HERE, "alice"), Ok(()));
        throttle.failed(HERE, "alice");
        assert_eq!(throttle.check(HERE, "alice"), Err(PACE));
    }

    #[test]
    fn others_are_not_affected() {
        let throttle = throttle();
        (0..FAILURES.get()).for_each(|_| throttle.failed(HERE, "alice"));
        let elsewhere = "192.0.2.7".parse().unwrap();
        // One in 65,536 pairs shares a slot: of these three, at most one does in any believable run.
        let free = [(HERE, "bob"), (elsewhere, "alice"), (elsewhere, "bob")];
        assert!(free.iter().filter(|(address, name)| throttle.check(*address, name).is_ok()).count() >= 2);
    }

    #[test]
    fn a_network_of_ipv6_is_one_guesser() {
        let same = |a: &str, b: &str| network(a.parse().unwrap()) == network(b.parse().unwrap());
        assert!(same("2001:db8::1", "2001:db8::ffff:1"));
        assert!(!same("2001:db8::1", "2001:db8:0:1::1"));
        assert!(same("::ffff:192.0.2.7", "192.0.2.7"));
        assert!(!same("192.0.2.7", "192.0.2.8"));
    }
}
