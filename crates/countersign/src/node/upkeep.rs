//! Tends the key ring: reloads the file when it has changed, rotates by schedule, takes removals from the feed.

use std::sync::{Arc, Weak};
use std::time::Duration;

use countersign_registry::{EndReason, Entry, News, OpId, Target};
use countersign_token::{KeyId, Schedule};

use crate::event::SessionEvent;
use crate::flow;
use crate::sessions::Inner;

/// How often the key file is looked at.
const PACE: Duration = Duration::from_secs(5);

/// A key is in the JWKS for a day before it signs, and signs for a month.
const PUBLISH_AHEAD: Duration = Duration::from_secs(24 * 3600);
const SIGN_FOR: Duration = Duration::from_secs(30 * 24 * 3600);

/// A key outlives its last token: clocks differ, and another node may sign with it until it has looked at the file.
const LINGER: Duration = Duration::from_secs(3600);

pub(super) async fn run(inner: Weak<Inner>) {
    loop {
        let Some(strong) = inner.upgrade() else { return };
        tell_removed(&strong, tick(strong.clone()).await).await;
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

async fn tell_removed(inner: &Arc<Inner>, removed: Vec<KeyId>) {
    for kid in removed {
        let id = OpId(inner.random.bytes());
        // Out of reach now, the registry hears of it when the key is removed again; this node has removed it.
        let _ = flow::end(inner, id, Target::Key(kid.as_str().into()), EndReason::KeyRemoved).await;
    }
}

/// A removal that the feed tells holds here too, whatever this node's file says.
pub(super) fn learn_removed_key(inner: &Inner, entry: &Entry) {
    let News::KeyRemoved(kid) = &entry.news else { return };
    match inner.keys.mark_removed(&KeyId::from(&**kid), inner.now()) {
        Ok(changed) => {
            if changed {
                inner.tell(&SessionEvent::KeysChanged);
            }
        }
        Err(error) => inner.tell(&SessionEvent::KeysFailed { detail: error.to_string() }),
    }
}
