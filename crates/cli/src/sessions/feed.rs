//! The feed of a registry, as events: what it tells its nodes, from now on.

use countersign_registry::{BatchKind, Entry, News};
use countersign_token::FeedPosition;
use serde_json::{Map, json};

use super::direct::Direct;
use super::event::Event;
use super::seen::secs;
use crate::error::Failure;

impl Direct {
    /// Follows the feed. A registry tells of ends, handoffs and removed keys; of logins and refreshes only servers tell.
    pub(crate) async fn watch(
        &self,
        kinds: &[String],
        subject: Option<&str>,
        seen: &mut dyn FnMut(&Event) -> bool,
    ) -> Result<(), Failure> {
        if !self.shared {
            return Err(Failure::NothingToWatch);
        }
        let mut position = self.registry.feed(None).await?.complete_to;
        loop {
            self.registry.news(position).await;
            let batch = self.registry.feed(Some(position)).await?;
            // A new history begins with a snapshot, which repeats what was told.
            let fresh =
                |entry: &&Entry| batch.kind == BatchKind::Tail || entry.position.epoch > position.epoch;
            for event in batch.entries.iter().filter(fresh).filter_map(event) {
                let wanted = (kinds.is_empty() || kinds.contains(&event.kind))
                    && subject.is_none_or(|subject| event.subject.as_deref() == Some(subject));
                if wanted && !seen(&event) {
                    return Ok(());
                }
            }
            position = batch.complete_to;
        }
    }
}

/// What an entry tells people.
fn event(entry: &Entry) -> Option<Event> {
    let FeedPosition { seq, .. } = entry.position;
    let event = Event { seq: Some(seq), at: Some(secs(entry.at)), ..Event::default() };
    let of = |kind: &str| Event { kind: kind.to_owned(), ..event.clone() };
    let because = |reason: &countersign_registry::EndReason| Some(reason.as_str().to_owned());
    Some(match &entry.news {
        News::Ended(id, reason) => {
            Event { session: Some(id.to_string()), reason: because(reason), ..of("end") }
        }
        News::OwnerEnded(owner, _, reason) => Event {
            subject: Some(owner.subject.to_string()),
            tenant: owner.tenant.as_deref().map(str::to_owned),
            reason: because(reason),
            ..of("ends")
        },
        News::TenantEnded(tenant, reason) => {
            Event { tenant: Some(tenant.to_string()), reason: because(reason), ..of("ends") }
        }
        News::EveryoneEnded(reason) => Event { reason: because(reason), ..of("ends") },
        News::KeyRemoved(kid) => {
            let more = Map::from_iter([("removed".to_owned(), json!(kid.to_string()))]);
            Event { more, ..of("keys") }
        }
        News::HandedOver(id, device) => {
            let more = Map::from_iter([("device".to_owned(), json!(device.as_deref()))]);
            Event { session: Some(id.to_string()), more, ..of("handoff") }
        }
        // Nothing that an administrator would follow.
        #[allow(clippy::match_wildcard_for_single_variants, reason = "nor are kinds to come")]
        _ => return None,
    })
}
