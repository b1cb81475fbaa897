//! What a session costs the server: memory, and microseconds of each script. The long mode counts to a million.
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
/// How often each script is measured.
const TIMES: u64 = 600;
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

/// The microseconds of one script, by the server's own count: of the quickest of several batches, since a busy machine
/// makes the others wait.
async fn micros<T>(
    server: &Server,
    numbers: std::ops::Range<u64>,
    operation: impl AsyncFn(u64) -> Result<T, RegistryError>,
) -> u64 {
    // The first call loads the script.
    operation(numbers.start).await.unwrap();
    let mut quickest = u64::MAX;
    for first in (numbers.start + 1..numbers.end).step_by(BATCH as usize) {
        let batch = first..numbers.end.min(first + BATCH);
        let calls = batch.end - batch.start;
        server.ask(&["CONFIG", "RESETSTAT"]).await;
        each(batch, &operation).await;
        let info = server.info("commandstats").await;
        let (_, line) = info.split_once("cmdstat_evalsha:").unwrap();
        assert_eq!(figure(line, "calls=", ","), calls, "one command each");
        quickest = quickest.min(figure(line, "usec_per_call=", ","));
    }
    quickest
}

async fn scripts(server: &Server, registry: &Arc<ValkeyRegistry>, sessions: u64) -> String {
    let of = |first: u64| first..first + TIMES;
    // Newcomers come and go; the sessions that are counted stay.
    let guests = (1 << 40) + sessions;
    let admit = micros(server, of(guests), async |number| registry.admit(login(number)).await).await;
    let rotate = micros(server, of(0), async |number| {
        let id = RotationId::follow(RotationId::NIL, number as u32);
        let issued = Timestamp::from_secs(1);
        let rotate =
            Rotate { session: sid(number), id, parent: RotationId::NIL, issued, activity: Activity::Active };
        registry.rotate(rotate).await
    })
    .await;
    let touch = micros(server, of(0), async |number| {
        registry.touch(vec![Touch { session: sid(number), age: Duration::ZERO }]).await
    })
    .await;
    let get = micros(server, of(0), async |number| registry.get(vec![sid(number)]).await).await;
    let advance = micros(server, of(0), async |number| {
        let advance = Advance { session: sid(number), base: Base::Reset, known: 0, memo: None };
        registry.advance_version(advance).await
    })
    .await;
    let counts = micros(server, of(0), async |_| registry.counts(CountOf::Site).await).await;
    let once = micros(server, of(0), async |number| {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&number.to_be_bytes());
        registry.once(Once { id: OnceId(id), until: Timestamp::MAX, of: None, claim: Claim::UseUp }).await
    })
    .await;
    let end = micros(server, of(guests), async |number| {
        let target = Target::Sessions(vec![sid(number)]);
        registry.end(End { id: op(number), target, reason: EndReason::Logout }).await
    })
    .await;
    format!(
        "admit {admit}, rotate {rotate}, touch {touch}, get {get}, advance {advance}, counts {counts}, once {once}, \
         end {end} µs"
    )
}

async fn costs(engine: Engine, steps: &[u64]) {
    let server = Server::start_with(engine, &["--appendonly", "yes", "--appendfsync", "no"]);
    // Memory is what the data takes: the log is written as it comes.
    server.ask(&["CONFIG", "SET", "auto-aof-rewrite-percentage", "0"]).await;
    let registry = Arc::new(server.registry(Options::default().deadline(Duration::from_mins(1))).await);
    let limits = Limits::none().per_user(100, OnFull::Refuse).per_tenant(1 << 20, OnFull::Refuse);
    registry.configure(Rules { limits: limits.per_site(1 << 24, OnFull::Refuse), ..Rules::default() });
    let empty = memory(&server).await;
    let mut sessions = 0;
    for &step in steps {
        each(sessions..step, async |number| {
            let admitted = registry.admit(login(number)).await?;
            assert!(matches!(admitted, Admitted::Seated(_)));
            Ok(())
        })
        .await;
        sessions = step;
        let bytes = (memory(&server).await - empty) / sessions;
        assert!(bytes <= BYTES, "{engine:?}: a session takes {bytes} bytes of {BYTES}");
        let scripts = scripts(&server, &registry, sessions).await;
        println!("{engine:?}, {sessions} sessions: {bytes} bytes each; {scripts}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_sessions_fit_in_800_megabytes() {
    let long = std::env::var_os("COUNTERSIGN_LONG").is_some();
    let steps: &[u64] = if long { &[10_000, 100_000, 1_000_000] } else { &[10_000] };
    for engine in ENGINES {
        costs(engine, steps).await;
    }
}
