//! Follows the registry's feed, so that this node's view of revocations is complete and of a known age.

use std::sync::Weak;
use std::time::Duration;

use countersign_registry::{Entry, Loaded, News, Reading};
use countersign_token::FeedPosition;

use crate::call;
use crate::metrics;
use crate::sessions::Inner;

/// How often the feed is read when nothing new comes: each reading proves the view again.
pub(super) const PACE: Duration = Duration::from_millis(500);

/// How long to wait after a reading that brought nothing, or was told of in vain.
const BREATH: Duration = Duration::from_millis(50);

/// How long the reading of a tail may take, and that of the whole feed.
const DEADLINE: Duration = Duration::from_secs(2);
const WHOLE_DEADLINE: Duration = Duration::from_secs(30);

pub(super) async fn run(inner: Weak<Inner>) {
    let mut after = None;
    let mut told = Told::Nothing;
    loop {
        let Some(inner) = inner.upgrade() else { return };
        let before = after;
        after = read(&inner, before).await;
        let registry = inner.registry.clone();
        drop(inner);
        // A registry that fails, or cannot tell when there is news, says so without end.
        if after.is_none() || (told == Told::News && after == before) {
            tokio::time::sleep(BREATH).await;
        }
        told = wait(&*registry, after).await;
    }
}

/// Reads once, and says from where to go on: nowhere, if the whole view must be read again.
async fn read(inner: &Inner, after: Option<FeedPosition>) -> Option<FeedPosition> {
    let asked = reading(inner);
    let deadline = if after.is_some() { DEADLINE } else { WHOLE_DEADLINE };
    let Ok(batch) = call::call(inner, "feed", deadline, inner.registry.feed(after)).await else {
        return after;
    };
    inner.node.saw_registry_instant(batch.at);
    inner.node.learn(inner, &batch.entries);
    let known = inner.view.position();
    let next = match inner.view.load(&batch, asked, batch.at) {
        Loaded::Complete => Some(batch.complete_to),
        Loaded::Gap | Loaded::Older => None,
    };
    // Here alone, where each entry comes by once: a flow learns its own entries before the feed brings them again.
    if let (Some(known), Some(_)) = (known, next) {
        inner.node.watched.tell_givers(&batch.entries, known);
        note_propagation(inner, &batch.entries, known);
    }
    inner.view.expire(batch.at);
    inner.node.loaded.send_replace(());
    next
}

/// Notes how long ends took to get here: of each entry after a position, by this node's clock and the registry's.
fn note_propagation(inner: &Inner, entries: &[Entry], after: FeedPosition) {
    let now = inner.wall();
    let news = entries.iter().filter(|entry| entry.position > after);
    for entry in news.filter(|entry| !matches!(entry.news.told(), News::Floor(..) | News::HandedOver(..))) {
        metrics::propagated(now.since(entry.at));
    }
}

/// Whether the registry says that there is something to read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    News,
    Nothing,
}

async fn wait(registry: &dyn countersign_registry::Registry, after: Option<FeedPosition>) -> Told {
    let Some(position) = after else { return Told::Nothing };
    match tokio::time::timeout(PACE, registry.news(position)).await {
        Ok(()) => Told::News,
        Err(_) => Told::Nothing,
    }
}

/// Whether the view is too old to be believed for the given bound.
pub(crate) fn is_stale(inner: &Inner) -> bool {
    let bound = inner.config.policy.max_staleness;
    bound.is_zero() || inner.view.age(reading(inner)).is_none_or(|age| age > bound)
}

/// The clocks by which a view's age is told: the one that goes on while the machine is suspended, and the wall's.
pub(super) fn reading(inner: &Inner) -> Reading {
    Reading { boot: since_boot(), wall: inner.wall() }
}

fn since_boot() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::new(time.tv_sec.try_into().unwrap_or(0), time.tv_nsec.try_into().unwrap_or(0))
}
