//! Whatever an honest browser does, and whatever is lost, delayed or repeated on the way: nobody is logged out.

use std::time::Duration;

use countersign::testing::{Answer, Harness};
use http::Method;
use proptest::prelude::*;

use crate::shop::*;

/// What happens next to a browser, whose tabs share one jar of cookies.
#[derive(Clone, Copy, Debug)]
enum Happens {
    /// Seconds pass.
    Time(u64),
    /// A tab refreshes, and its answer arrives at once, later, or never.
    Refresh(Arrival),
    /// The registry does it, but cannot say so.
    RefreshWithoutWord,
    /// The registry is away.
    RefreshInVain,
    /// What was on its way arrives, the last first.
    Arrive,
    Look,
    Add(Arrival),
    /// The browser is closed; it had asked to be remembered.
    DropAccess,
}

#[derive(Clone, Copy, Debug)]
enum Arrival {
    Now,
    Later,
    Never,
}

fn happens() -> impl Strategy<Value = Happens> {
    let arrival = || prop_oneof![Just(Arrival::Now), Just(Arrival::Later), Just(Arrival::Never)];
    prop_oneof![
        4 => prop_oneof![1..20_u64, 50..70_u64, 200..400_u64, 1000..4000_u64].prop_map(Happens::Time),
        5 => arrival().prop_map(Happens::Refresh),
        1 => Just(Happens::RefreshWithoutWord),
        1 => Just(Happens::RefreshInVain),
        2 => Just(Happens::Arrive),
        2 => Just(Happens::Look),
        2 => arrival().prop_map(Happens::Add),
        1 => Just(Happens::DropAccess),
    ]
}

/// The client gives up an exchange after a third of the race window.
const GIVES_UP_AFTER: u64 = 60 / 3;

struct World {
    t: Harness,
    alice: Tab,
    /// Answers on their way, and how long they have been.
    under_way: Vec<(Answer, u64)>,
}

impl World {
    async fn step(&mut self, next: Happens) -> Result<(), TestCaseError> {
        match next {
            Happens::Time(seconds) => {
                self.t.clock().advance(Duration::from_secs(seconds));
                self.under_way.iter_mut().for_each(|(_, since)| *since += seconds);
                self.under_way.retain(|(_, since)| *since < GIVES_UP_AFTER);
            }
            Happens::Refresh(arrival) => {
                let answer = self.alice.send_only(Method::POST, "/session/refresh", None).await;
                prop_assert_eq!((answer.status.as_u16(), answer.code()), (200, String::new()));
                self.arrive(answer, arrival);
            }
            Happens::RefreshWithoutWord => {
                self.t.registry().lose_next_answer_of(countersign_registry::OpKind::Rotate);
                let answer = self.alice.post("/session/refresh").await;
                prop_assert_eq!(answer.code(), "registry-unavailable");
            }
            Happens::RefreshInVain => {
                self.t.registry().fail_next_of(countersign_registry::OpKind::Rotate, 1);
                let answer = self.alice.post("/session/refresh").await;
                prop_assert_eq!(answer.code(), "registry-unavailable");
            }
            Happens::Arrive => {
                while let Some((answer, _)) = self.under_way.pop() {
                    self.alice.receive(&answer);
                }
            }
            Happens::Look => {
                let answer = self.alice.send_only(Method::GET, "/cart", None).await;
                prop_assert!(matches!(answer.code().as_str(), "" | "token-expired"), "{}", answer.code());
            }
            Happens::Add(arrival) => {
                let answer = self.alice.send_only(Method::POST, "/cart", None).await;
                prop_assert!(matches!(answer.code().as_str(), "" | "token-expired"), "{}", answer.code());
                self.arrive(answer, arrival);
            }
            Happens::DropAccess => {
                self.alice.cookies_mut().remove("__Host-session");
            }
        }
        Ok(())
    }

    fn arrive(&mut self, answer: Answer, arrival: Arrival) {
        match arrival {
            Arrival::Now => self.alice.receive(&answer),
            Arrival::Later => self.under_way.push((answer, 0)),
            Arrival::Never => {}
        }
    }
}

async fn live(happens: Vec<Happens>) -> Result<(), TestCaseError> {
    let t = Harness::new();
    let alice = logged_in(&t, "alice").await;
    let mut world = World { t, alice, under_way: Vec::new() };
    for next in happens {
        world.step(next).await?;
    }
    world.step(Happens::Refresh(Arrival::Now)).await?;
    prop_assert_eq!(world.alice.get("/session").await.status.as_u16(), 200);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_honest_browser_stays_logged_in(happens in prop::collection::vec(happens(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.unwrap().block_on(live(happens))?;
    }
}
