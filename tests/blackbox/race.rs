//! Sixty-four clients race for twelve seats, with logouts, expiry and dangling spells in between: never one over, and
//! nobody is turned away for a seat that nobody sits in.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use countersign_tests::{Answer, Client, Seats, Server, Span, Transport, Wire, claims};
use futures_util::future::join_all;

const CLIENTS: usize = 64;
const SEATS: usize = 12;
const RACE: Duration = Duration::from_secs(10);
const DANGLING: Duration = Duration::from_millis(1_500);
const LIFETIME: Duration = Duration::from_secs(6);

#[tokio::test]
async fn for_the_seats_of_a_registry_in_memory() {
    race("memory:").await;
}

#[tokio::test]
async fn for_the_seats_of_a_registry_in_a_file() {
    race("file:./registry.redb").await;
}

async fn race(registry: &str) {
    let server = Server::start(&[
        "--registry",
        registry,
        "--site-limit",
        "12",
        "--access-ttl",
        "1s",
        "--dangling-after",
        "1500ms",
        "--lifetime",
        "6s",
        "--idle-timeout",
        "6s",
    ])
    .await;
    let seats = Arc::new(Mutex::new(Seats::new(SEATS, DANGLING, LIFETIME)));
    let deadline = Instant::now() + RACE;
    join_all((0..CLIENTS).map(|n| {
        let wire = if n % 2 == 0 { Wire::Http1 } else { Wire::Http2 };
        let racer =
            Racer { nobody: server.client(wire, Transport::Cookies), own: Vec::new(), seats: seats.clone() };
        tokio::spawn(racer.run(Dice::new(n), deadline))
    }))
    .await
    .into_iter()
    .for_each(|ended| ended.expect("no racer met an answer that may not be"));
    let seats = seats.lock().unwrap();
    let (admitted, refused) = seats.tally();
    eprintln!("{registry} {admitted} admitted, {refused} refused");
    assert!(admitted > 3 * SEATS && refused > 3 * SEATS, "a race worth judging: {admitted}, {refused}");
    seats.check().unwrap();
}

struct Racer {
    nobody: Client,
    own: Vec<(usize, Client)>,
    seats: Arc<Mutex<Seats>>,
}

impl Racer {
    async fn run(mut self, mut dice: Dice, deadline: Instant) {
        while Instant::now() < deadline {
            match dice.roll(10) {
                _ if self.own.is_empty() => self.log_in().await,
                0..=1 => self.log_in().await,
                2 => self.log_out(dice.roll(self.own.len())).await,
                _ => self.refresh(dice.roll(self.own.len())).await,
            }
            tokio::time::sleep(Duration::from_millis(dice.roll(100) as u64)).await;
        }
    }

    async fn log_in(&mut self) {
        let mut client = self.nobody.clone();
        let (answer, span) = timed(client.try_login("alice")).await;
        let mut seats = self.seats.lock().unwrap();
        if answer.status == 200 {
            let issued = claims(&client.refresh_token())["rot"][2].as_u64().unwrap();
            self.own.push((seats.admitted(span.around(issued)), client));
        } else {
            answer.refused(429, "sessions-limit");
            seats.refused(span, None);
        }
    }

    async fn log_out(&mut self, at: usize) {
        let (id, mut client) = self.own.swap_remove(at);
        let (answer, span) = timed(client.logout()).await;
        assert_eq!(answer.status, 204);
        self.seats.lock().unwrap().released(id, span);
    }

    async fn refresh(&mut self, at: usize) {
        let (id, client) = &mut self.own[at];
        let (answer, span) = timed(client.refresh()).await;
        let mut seats = self.seats.lock().unwrap();
        match answer.status.as_u16() {
            200 => seats.refreshed(*id, span),
            429 => {
                answer.refused(429, "sessions-limit");
                seats.refused(span, Some(*id));
            }
            _ => {
                let reason = answer.value()["reason"].clone();
                assert!(reason == "expired" || reason == "idle", "{}", answer.text());
                drop(self.own.swap_remove(at));
            }
        }
    }
}

async fn timed(call: impl Future<Output = Answer>) -> (Answer, Span) {
    let from = Instant::now();
    let answer = call.await;
    (answer, Span { from, to: Instant::now() })
}

/// Chance that repeats: xorshift.
struct Dice(u64);

impl Dice {
    fn new(seed: usize) -> Self {
        Self(0x9e37_79b9_7f4a_7c15 ^ (seed as u64 + 1).wrapping_mul(0x2545_f491_4f6c_dd1d))
    }

    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}
