//! The console's table at a million sessions, in the file registry and in Valkey: the first page, a user's sessions, a page
//! far in, what dangles, and how many an end would hit.
//!
//! To count on Valkey, all are looked at, a thousand in a call: that has no goal.

use std::path::Path;
use std::time::{Duration, Instant};

use countersign_file::FileRegistry;
use countersign_registry::{Filter, Holding, List, Order, Owner, Registry, Whose};
use countersign_valkey::{Options, Unfit, ValkeyRegistry};
use futures_util::future::try_join_all;

use crate::Outcome;
use crate::measure::{Effort, Series, nanos};
use crate::registry::{People, seated};
use crate::report::{Goal, Row};
use crate::store::Store;

/// As many as the console shows at first.
const PAGE: usize = 50;
/// So many logins are asked for at a time.
const TOGETHER: usize = 1000;
/// Milliseconds.
const GOAL: f64 = 100.0;

/// `list_…`, with scratch files in `folder`.
pub(crate) fn rows(effort: Effort, folder: &Path) -> Outcome<Vec<Row>> {
    std::fs::create_dir_all(folder)?;
    let scratch = tempfile::tempdir_in(folder)?;
    let store = Store::start(folder, "no")?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sessions = effort.pick(100_000, 1_000_000);
    runtime.block_on(async {
        let file = FileRegistry::open(scratch.path().join("sessions.redb"))?;
        let mut rows = measure("list", &file, sessions, effort).await?;
        let options = Options::default().unfit(Unfit::Warn).deadline(Duration::from_mins(1));
        let valkey = ValkeyRegistry::connect_with(&store.url(), options).await?;
        rows.extend(measure("list_valkey", &valkey, sessions, effort).await?);
        Ok(rows)
    })
}

/// Logs so many people in, and names one of them.
async fn fill(registry: &impl Registry, count: usize) -> Outcome<Owner> {
    let mut people = People::new(6);
    let mut somebody = None;
    for _ in 0..count / TOGETHER {
        let logins: Vec<_> = (0..TOGETHER).map(|_| people.newcomer()).collect();
        somebody = logins.first().map(|login| login.owner.clone());
        for admitted in try_join_all(logins.into_iter().map(|login| registry.admit(login))).await? {
            seated(&admitted)?;
        }
    }
    somebody.ok_or_else(|| "nobody logged in".into())
}

async fn measure(name: &str, registry: &impl Registry, sessions: usize, effort: Effort) -> Outcome<Vec<Row>> {
    let somebody = fill(registry, sessions).await?;
    let all = List { filter: Filter::default(), order: Order::LastActivity, after: None, limit: PAGE };
    let of = |whose| List { filter: Filter { whose, ..Filter::default() }, ..all.clone() };
    let dangling = Filter { holding: Some(Holding::Nothing), ..Filter::default() };
    let far = registry.list(List { limit: 1000, order: Order::LeastRecent, ..all.clone() }).await?.next;
    let asked = [
        ("first_page", all.clone()),
        ("idlest", List { order: Order::LeastRecent, ..all.clone() }),
        ("later_page", List { order: Order::LeastRecent, after: far, ..all.clone() }),
        ("of_user", of(Whose::Owner(somebody.clone()))),
        ("of_name", of(Whose::Subject(somebody.subject))),
        ("dangling", List { filter: dangling, order: Order::LeastRecent, ..all.clone() }),
        ("newest", List { order: Order::Started, ..all }),
    ];
    let mut rows = Vec::new();
    for (what, list) in asked {
        let mut times = Series::default();
        for _ in 0..effort.pick(5, 20) {
            let (list, started) = (list.clone(), Instant::now());
            let _page = registry.list(list).await?;
            times.push(nanos(started.elapsed()) / 1e6);
        }
        rows.push(row(name, what, &times));
    }
    let mut times = Series::default();
    for _ in 0..3 {
        let started = Instant::now();
        let _tally = registry.tally(Filter::default()).await?;
        times.push(nanos(started.elapsed()) / 1e6);
    }
    rows.push(row(name, "tally", &times));
    Ok(rows)
}

/// Pages have a goal, and a count where it does not take calls by the thousand.
fn row(name: &str, what: &str, times: &Series) -> Row {
    let row = Row::new(format!("{name}_{what}"), times.median(), "ms");
    if what == "tally" && name == "list_valkey" { row } else { row.goal(Goal::Value(GOAL)) }
}
