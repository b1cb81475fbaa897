//! Tends the key ring: reloads the file when it has changed, rotates by schedule, takes removals from the feed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_registry::{EndReason, Entry, News, OpId, Target};
use countersign_token::{KeyId, Schedule};

use crate::event::{Actor, SessionEvent};
use crate::flow;
use crate::keys::{PUBLISH_AHEAD, SIGN_FOR};
use crate::sessions::Inner;

/// How often the key file is looked at.
const PACE: Duration = Duration::from_secs(5);

/// A key outlives its last token: clocks differ, and another node may sign with it until it has looked at the file.
const LINGER: Duration = Duration::from_hours(1);

pub(super) async fn run(inner: Weak<Inner>) {
    let mut untold = Vec::new();
    loop {
        let Some(strong) = inner.upgrade() else { return };
        untold.extend(tick(strong.clone()).await);
        tell_removed(&strong, &mut untold).await;
        drop(strong);
        tokio::time::sleep(PACE).await;
    }
}

/// Looks at the key file, in a thread where file locks and fsync may block.
async fn tick(inner: Arc<Inner>) -> Vec<KeyId> {
    tokio::task::spawn_blocking(move || tend(&inner)).await.unwrap_or_default()
}

/// The keys that an administrator has removed from the file: every node must hear of each.
fn tend(inner: &Inner) -> Vec<KeyId> {
    let schedule = Schedule {
        publish_ahead: PUBLISH_AHEAD,
        sign_for: SIGN_FOR,
        longest_token: inner.config.policy.lifetime.max(inner.config.policy.visit_ttl) + LINGER,
    };
    match inner.keys.tick(inner.now(), &schedule) {
        Ok(None) => Vec::new(),
        Ok(Some(change)) => {
            inner.tell(&SessionEvent::KeysChanged);
            change.removed
        }
        Err(error) => {
            inner.tell(&SessionEvent::KeysFailed { detail: error.to_string() });
            Vec::new()
        }
    }
}

/// Tells the registry, and through it every node. What it did not take is told again next time.
async fn tell_removed(inner: &Arc<Inner>, untold: &mut Vec<KeyId>) {
    while let Some(kid) = untold.last() {
        let (id, key) = (OpId(inner.random.bytes()), Target::Key(kid.as_str().into()));
        if flow::end(inner, id, key, EndReason::KeyRemoved, Actor::Rule).await.is_err() {
            return;
        }
        untold.pop();
    }
}

/// A removal that the feed tells holds here too, whatever this node's file says.
pub(super) fn learn_removed_key(inner: &Inner, entry: &Entry) {
    let News::KeyRemoved(kid) = entry.news.told() else { return };
    match inner.keys.mark_removed(&KeyId::from(&**kid), inner.now()) {
        Ok(changed) => {
            if changed {
                inner.tell(&SessionEvent::KeysChanged);
            }
        }
        Err(error) => inner.tell(&SessionEvent::KeysFailed { detail: error.to_string() }),
    }
}
