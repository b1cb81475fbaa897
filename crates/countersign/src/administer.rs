//! What an administrator asks of a site's sessions: lists, limits, keys. (Ends are [`Administrator`](crate::Administrator)'s.)

use std::sync::Arc;

use countersign_registry::{Filter, Limits, List, Page, SetLimits, Standing, Tally};
use countersign_token::{KeyRing, SessionId, Timestamp};

use crate::event::SessionEvent;
use crate::flow;
use crate::refusal::Refusal;
use crate::sessions::Sessions;

impl Sessions {
    /// A page of live sessions, whoever they belong to. What this node knows of their activity is brought to the
    /// registry first.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`].
    pub async fn list(&self, list: List) -> Result<Page, Refusal> {
        let inner = self.inner();
        inner.node.flush_activity(inner).await;
        flow::ask(inner, "list", inner.registry.list(list)).await
    }

    /// Counts the live sessions that pass a filter, and whose they are.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`].
    pub async fn tally(&self, filter: Filter) -> Result<Tally, Refusal> {
        let inner = self.inner();
        flow::ask(inner, "list", inner.registry.tally(filter)).await
    }

    /// Looks sessions up, the answers in the order of the ids.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`].
    pub async fn standings(&self, sessions: Vec<SessionId>) -> Result<Vec<Standing>, Refusal> {
        let inner = self.inner();
        flow::ask(inner, "get", inner.registry.get(sessions)).await
    }

    /// The limits: those of the [`Builder`](crate::Builder), or what [`Sessions::set_limits`] made of them on this node.
    pub fn limits(&self) -> Limits {
        **self.inner().config.limits.load()
    }

    /// Changes the limits, for all nodes of a registry, until one of them starts again with its builder's. Lowering one
    /// ends nobody.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`]: it may have happened.
    pub async fn set_limits(&self, limits: Limits) -> Result<(), Refusal> {
        let inner = self.inner();
        flow::ask(inner, "set_limits", inner.registry.set_limits(SetLimits { limits })).await?;
        inner.config.limits.store(Arc::new(limits));
        Ok(())
    }

    /// The keys that sign and verify now.
    pub fn keys(&self) -> Arc<KeyRing> {
        self.inner().ring()
    }

    /// Lets another key sign from now on, the published one if there is one. The one that signed until now verifies until
    /// its last token has expired. Where a fresh one signs, other nodes and services refuse its tokens until they have
    /// looked at the keys again.
    ///
    /// # Errors
    ///
    /// [`Refusal::Internal`]: the key file could not be written, as [`SessionEvent::KeysFailed`] tells; the old key
    /// goes on.
    pub async fn rotate_keys(&self) -> Result<(), Refusal> {
        let inner = self.inner().clone();
        let rotated = tokio::task::spawn_blocking(move || match inner.keys.rotate(inner.now()) {
            Ok(_) => {
                inner.tell(&SessionEvent::KeysChanged);
                Ok(())
            }
            Err(error) => {
                inner.tell(&SessionEvent::KeysFailed { detail: error.to_string() });
                Err(Refusal::Internal)
            }
        });
        rotated.await.unwrap_or(Err(Refusal::Internal))
    }

    /// The instant by this node's clock and the registry's: what lifetimes are counted by.
    pub fn now(&self) -> Timestamp {
        self.inner().now()
    }
}
