//! Login, refresh and logout on a Valkey or Redis server: its own count of the time that each script takes, beside that of
//! a bare one, which tells how quick the machine is.

use std::path::Path;

use countersign_registry::{Limits, OnFull, Registry as _, Rules};
use countersign_valkey::{Options, Unfit, ValkeyRegistry};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use redis::aio::MultiplexedConnection;

use crate::Outcome;
use crate::measure::{Effort, Series};
use crate::registry::{OPERATIONS, People, Refreshable, gone, renewed, seated};
use crate::report::{Goal, Row};
use crate::store::Store;

/// The goals, in microseconds.
const GOALS: [f64; 3] = [66.0, 50.0, 70.0];
/// Twenty writes and nothing else.
const BARE: &str = "for i = 1, 20 do redis.call('HSET', KEYS[1], 'field', i) end";
/// How many operations are counted together, and how many are under way at once.
const BATCH: usize = 50;
const TOGETHER: usize = 16;

/// `registry_valkey_…`, with scratch files in `folder`.
pub(crate) fn rows(effort: Effort, folder: &Path) -> Outcome<Vec<Row>> {
    let store = Store::start(folder, "no")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let (times, bare) =
        runtime.block_on(measure(&store, effort.pick(10_000, 100_000), effort.pick(20, 60)))?;
    let row = |((operation, goal), times): ((&str, f64), &Series)| {
        // Of the quickest batch: on a busy machine the others measure who else ran.
        Row::new(format!("registry_valkey_{operation}"), times.quantile(0.0), "us")
            .against(bare.quantile(0.0), times.over(&bare).median())
            .goal(Goal::Value(goal))
    };
    Ok(OPERATIONS.into_iter().zip(GOALS).zip(&times).map(row).collect())
}

/// The microseconds of a script in each batch, by operation, among so many sessions; and of the bare one.
async fn measure(store: &Store, sessions: usize, batches: usize) -> Outcome<([Series; 3], Series)> {
    let registry = ValkeyRegistry::connect_with(&store.url(), Options::default().unfit(Unfit::Warn)).await?;
    let limits = Limits::none().per_user(100, OnFull::Refuse).per_site(1 << 24, OnFull::Refuse);
    registry.configure(Rules { limits, ..Rules::default() });
    let client = redis::Client::open(store.url())?;
    let mut server = client.get_multiplexed_async_connection().await?;
    let mut people = People::new(7);
    let crowd: Vec<_> = (0..sessions).map(|_| people.newcomer()).collect();
    each(crowd, async |admit| seated(&registry.admit(admit).await?)).await?;
    let (mut times, mut bare): ([Series; 3], _) = (Default::default(), Series::default());
    let script: String = redis::cmd("SCRIPT").arg("LOAD").arg(BARE).query_async(&mut server).await?;
    for _ in 0..=batches {
        let logins: Vec<_> = (0..BATCH).map(|_| people.newcomer()).collect();
        let mut guests: Vec<_> = logins.iter().map(|admit| Refreshable::new(admit.session)).collect();
        let ends: Vec<_> = logins.iter().map(|admit| people.logout(admit.session)).collect();
        let refreshes: Vec<_> = guests.iter_mut().map(|guest| people.refresh(guest)).collect();
        forget(&mut server).await?;
        each(vec![(); BATCH], async |()| {
            let mut server = server.clone();
            Ok(redis::cmd("EVALSHA").arg(&script).arg(1).arg("bare").query_async(&mut server).await?)
        })
        .await?;
        bare.push(micros(&mut server).await?);
        each(logins, async |admit| seated(&registry.admit(admit).await?)).await?;
        times[0].push(micros(&mut server).await?);
        each(refreshes, async |rotate| renewed(&registry.rotate(rotate).await?)).await?;
        times[1].push(micros(&mut server).await?);
        each(ends, async |end| gone(&registry.end(end).await?)).await?;
        times[2].push(micros(&mut server).await?);
    }
    Ok((times, bare))
}

async fn each<T>(all: Vec<T>, carry_out: impl AsyncFn(T) -> Outcome<()>) -> Outcome<()> {
    let calls = stream::iter(all).map(|one| carry_out(one)).buffer_unordered(TOGETHER);
    calls.try_for_each(async |()| Ok(())).await
}

/// The server's own mean since it was asked last.
async fn micros(server: &mut MultiplexedConnection) -> Outcome<f64> {
    let info: String = redis::cmd("INFO").arg("commandstats").query_async(server).await?;
    let (_, line) = info.split_once("cmdstat_evalsha:").ok_or("no script was called")?;
    let (_, figure) = line.split_once("usec_per_call=").ok_or("no time of a script")?;
    let figure = figure.split(',').next().unwrap_or_default().parse()?;
    forget(server).await?;
    Ok(figure)
}

async fn forget(server: &mut MultiplexedConnection) -> Outcome<()> {
    Ok(redis::cmd("CONFIG").arg("RESETSTAT").query_async(server).await?)
}
