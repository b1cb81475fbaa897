//! What a session costs the server: memory, and microseconds of each script. The long mode counts to five million.
#![allow(clippy::unwrap_used, reason = "a test fails where it panics")]

mod support;

use std::sync::Arc;
use std::time::Duration;

use countersign_registry::{
    Activity, Admit, Admitted, Advance, Base, Claim, CountOf, End, EndReason, Limits, OnFull, Once, OnceId,
    OpId, Owner, Registry, RegistryError, Rotate, Rules, Target, Touch,
};
use countersign_token::{RotationId, SessionId, Timestamp};
use countersign_valkey::{Options, ValkeyRegistry};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use support::{ENGINES, Engine, Server};

/// The goal: a million sessions in 800 MB.
const BYTES: u64 = 800;
/// What larger sites are held against.
const SMALL: u64 = 10_000;
/// How often each script is measured in the long mode, and how many calls together.
const ROUNDS: u64 = 40;
const BATCH: u64 = 50;

fn sid(number: u64) -> SessionId {
    let scattered = u128::from(number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    SessionId::from_bytes(scattered.to_be_bytes())
}

fn op(number: u64) -> OpId {
    OpId(*sid(number).as_bytes())
}

fn login(number: u64) -> Admit {
    let owner = Owner::new(format!("user {number}")).of_tenant(format!("tenant {}", number % 1000));
    Admit { device: Some("Firefox on Linux".into()), ..Admit::new(sid(number), owner) }
}

/// Carries out an operation for each number, many at a time.
async fn each<T>(numbers: std::ops::Range<u64>, operation: impl AsyncFn(u64) -> Result<T, RegistryError>) {
    let calls = stream::iter(numbers).map(|number| operation(number)).buffer_unordered(64);
    calls.try_for_each(async |_| Ok(())).await.unwrap();
}

async fn memory(server: &Server) -> u64 {
    figure(&server.info("memory").await, "used_memory:", "\r\n")
}

fn figure(info: &str, before: &str, after: &str) -> u64 {
    let (_, rest) = info.split_once(before).unwrap();
    rest.split(after).next().unwrap().split('.').next().unwrap().parse().unwrap()
}

/// A server with so many sessions.
struct Site {
    server: Server,
    registry: Arc<ValkeyRegistry>,
    empty: u64,
    sessions: u64,
    /// Newcomers come and go; the sessions that are counted stay.
    guests: u64,
}

impl Site {
    async fn start(engine: Engine) -> Self {
        let server = Server::start_with(engine, &["--appendonly", "yes", "--appendfsync", "no"]);
        // Memory is what the data takes: the log is written as it comes.
        server.ask(&["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"]).await;
        let registry = server.registry(Options::default().deadline(Duration::from_mins(1))).await;
        let limits = Limits::none().per_user(100, OnFull::Refuse).per_tenant(1 << 20, OnFull::Refuse);
        registry.configure(Rules { limits: limits.per_site(1 << 24, OnFull::Refuse), ..Rules::default() });
        let empty = memory(&server).await;
        Self { server, registry: Arc::new(registry), empty, sessions: 0, guests: 1 << 40 }
    }

    async fn grow(&mut self, sessions: u64) {
        each(self.sessions..sessions, async |number| {
            let admitted = self.registry.admit(login(number)).await?;
            assert!(matches!(admitted, Admitted::Seated(_)));
            Ok(())
        })
        .await;
        self.sessions = sessions;
    }

    async fn bytes(&self) -> u64 {
        (memory(&self.server).await - self.empty) / self.sessions
    }

    /// The microseconds of each script in this round, by the server's own count.
    async fn round(&mut self, round: u64) -> [u64; SCRIPTS.len()] {
        let guests = self.guests..self.guests + BATCH;
        self.guests += BATCH;
        // Of sessions all over the site, and others at each size.
        let apart = self.sessions / (ROUNDS * BATCH + 1);
        let veterans = (round * BATCH..(round + 1) * BATCH).map(|number| number * apart + self.sessions % 7);
        let veterans: Vec<_> = veterans.collect();
        let mut micros = [0; SCRIPTS.len()];
        for (script, micros) in SCRIPTS.into_iter().zip(&mut micros) {
            self.server.ask(&["CONFIG", "RESETSTAT"]).await;
            each(0..BATCH, async |number| {
                carry_out(&self.registry, script, veterans[number as usize], guests.start + number).await
            })
            .await;
            let info = self.server.info("commandstats").await;
            let (_, line) = info.split_once("cmdstat_evalsha:").unwrap();
            // The first of them all may find that the server does not know the script.
            assert!(round == 0 || figure(line, "calls=", ",") == BATCH, "one command each");
            *micros = figure(line, "usec_per_call=", ",");
        }
        micros
    }
}

const SCRIPTS: [&str; 8] = ["admit", "rotate", "touch", "get", "advance", "counts", "once", "end"];

async fn carry_out(
    registry: &ValkeyRegistry,
    script: &str,
    number: u64,
    guest: u64,
) -> Result<(), RegistryError> {
    let session = sid(number);
    match script {
        "admit" => registry.admit(login(guest)).await.map(drop),
        "rotate" => {
            let (parent, issued) = (RotationId::NIL, Timestamp::from_secs(1));
            let id = RotationId::follow(parent, number as u32);
            registry
                .rotate(Rotate { session, id, parent, issued, activity: Activity::Active })
                .await
                .map(drop)
        }
        "touch" => registry.touch(vec![Touch { session, age: Duration::ZERO }]).await.map(drop),
        "get" => registry.get(vec![session]).await.map(drop),
        "advance" => {
            let advance = Advance { session, base: Base::Reset, known: 0, memo: None };
            registry.advance_version(advance).await.map(drop)
        }
        "counts" => registry.counts(CountOf::Site).await.map(drop),
        "once" => {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&guest.to_be_bytes());
            let once = Once { id: OnceId(id), until: Timestamp::MAX, of: None, claim: Claim::UseUp };
            registry.once(once).await.map(drop)
        }
        _ => {
            let target = Target::Sessions(vec![sid(guest)]);
            registry.end(End { id: op(guest), target, reason: EndReason::Logout }).await.map(drop)
        }
    }
}

/// The site beside a small one, in turn: what each script takes of either at its quickest, since a busy machine makes
/// the other batches wait, and the median of the rounds' ratios, since its speed drifts.
async fn beside(small: &mut Site, large: &mut Site, rounds: u64) -> String {
    let mut all = Vec::new();
    for round in 0..rounds {
        all.push((small.round(round).await, large.round(round).await));
    }
    let rounds = all;
    let lines = SCRIPTS.iter().enumerate().map(|(at, script)| {
        let ratio = median(rounds[1..].iter().map(|(small, large)| ratio(large[at], small[at])));
        let small = rounds.iter().map(|(small, _)| small[at]).min().unwrap();
        let large = rounds.iter().map(|(_, large)| large[at]).min().unwrap();
        format!("\n  {script:8} {large:4} µs, was {small:4} µs: x {ratio:.2}")
    });
    // A session of an hour: it begins, is refreshed each five minutes, and ends.
    let life = |of: [u64; SCRIPTS.len()]| of[0] + 12 * of[1] + of[7];
    let ratio = median(rounds[1..].iter().map(|&(small, large)| ratio(life(large), life(small))));
    lines.collect::<String>() + &format!("\n  a session of an hour: x {ratio:.2}")
}

fn ratio(a: u64, b: u64) -> f64 {
    let micros = |micros| f64::from(u32::try_from(micros).unwrap());
    micros(a) / micros(b)
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

async fn costs(engine: Engine, steps: &[u64], rounds: u64) {
    let (mut small, mut large) = (Site::start(engine).await, Site::start(engine).await);
    small.grow(SMALL).await;
    let at_first = small.bytes().await;
    for &step in steps {
        large.grow(step).await;
        let bytes = large.bytes().await;
        assert!(bytes <= BYTES, "{engine:?}: a session takes {bytes} bytes of {BYTES}");
        assert!(
            bytes * 10 <= at_first * 12,
            "{engine:?}: a session takes {bytes} bytes, and took {at_first}"
        );
        let scripts = beside(&mut small, &mut large, rounds).await;
        println!("{engine:?}, {step} sessions: {bytes} bytes each{scripts}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_sessions_fit_in_800_megabytes() {
    let long = std::env::var_os("COUNTERSIGN_LONG").is_some();
    let (steps, rounds): (&[u64], _) =
        if long { (&[100_000, 1_000_000, 5_000_000], ROUNDS) } else { (&[SMALL], 3) };
    for engine in ENGINES {
        costs(engine, steps, rounds).await;
    }
}
