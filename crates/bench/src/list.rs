//! The console's table at a million sessions in the file registry: the first page, a user's sessions, a page far in, what
//! dangles, and how many an end would hit.

use std::path::Path;
use std::time::Instant;

use countersign_file::FileRegistry;
use countersign_registry::{Filter, Holding, List, Order, Owner, Registry as _, Whose};
use futures_util::future::try_join_all;

use crate::Outcome;
use crate::measure::{Effort, Series, nanos};
use crate::registry::{People, seated};
use crate::report::{Goal, Row};

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
    let registry = FileRegistry::open(scratch.path().join("sessions.redb"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        let somebody = fill(&registry, effort.pick(100_000, 1_000_000)).await?;
        measure(&registry, somebody, effort.pick(20, 100)).await
    })
}

/// Logs so many people in, and names one of them.
async fn fill(registry: &FileRegistry, count: usize) -> Outcome<Owner> {
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

async fn measure(registry: &FileRegistry, somebody: Owner, rounds: u32) -> Outcome<Vec<Row>> {
    let all = List { filter: Filter::default(), order: Order::LastActivity, after: None, limit: PAGE };
    let of = |whose| List { filter: Filter { whose, ..Filter::default() }, ..all.clone() };
    let dangling = Filter { holding: Some(Holding::Nothing), ..Filter::default() };
    let far = registry.list(List { limit: 1000, order: Order::Oldest, ..all.clone() }).await?.next;
    let asked = [
        ("list_first_page", all.clone()),
        ("list_idlest", List { order: Order::LeastRecent, ..all.clone() }),
        ("list_later_page", List { order: Order::Oldest, after: far, ..all.clone() }),
        ("list_of_user", of(Whose::Owner(somebody.clone()))),
        ("list_of_name", of(Whose::Subject(somebody.subject))),
        ("list_dangling", List { filter: dangling.clone(), ..all }),
    ];
    let mut times = vec![Series::default(); asked.len() + 1];
    for _ in 0..rounds {
        for ((_, list), times) in asked.iter().zip(&mut times) {
            let (list, started) = (list.clone(), Instant::now());
            let _page = registry.list(list).await?;
            times.push(nanos(started.elapsed()) / 1e6);
        }
        let started = Instant::now();
        let _tally = registry.tally(Filter::default()).await?;
        times[asked.len()].push(nanos(started.elapsed()) / 1e6);
    }
    let names = asked.iter().map(|(name, _)| *name).chain(["list_tally"]);
    Ok(names
        .zip(&times)
        .map(|(name, times)| Row::new(name, times.median(), "ms").goal(Goal::Value(GOAL)))
        .collect())
}
