//! Ends by somebody who administers the site, told under their name.

use countersign_registry::{EndReason, OpId, Owner, Target};
use countersign_token::{KeyId, SessionId};

use crate::event::Actor;
use crate::flow;
use crate::refusal::Refusal;
use crate::sessions::Sessions;
use crate::subject::{self, Erasure};

/// The sessions of a site in the hands of an administrator: what [`Sessions`] ends in the host's name, this ends in
/// theirs, as [`SessionEvent`](crate::SessionEvent)s tell. Made by [`Sessions::as_administrator`]; who may be one is
/// the host's to decide, before it calls.
#[derive(Clone, Debug)]
pub struct Administrator {
    sessions: Sessions,
    by: Actor,
}

impl Administrator {
    pub(crate) fn new(sessions: Sessions, by: Actor) -> Self {
        Self { sessions, by }
    }

    /// Ends these sessions, whoever they belong to, and returns how many were live.
    ///
    /// # Errors
    ///
    /// [`Refusal::RegistryUnavailable`]: some may have ended; repeat it.
    pub async fn end_sessions(&self, sessions: &[SessionId]) -> Result<u64, Refusal> {
        let mut ended = 0;
        for some in sessions.chunks(AT_ONCE) {
            ended += self.end(Target::Sessions(some.to_vec())).await?;
        }
        Ok(ended)
    }

    /// As [`Sessions::end_all`].
    ///
    /// # Errors
    ///
    /// As [`Sessions::end_all`].
    pub async fn end_all(&self, owner: Owner) -> Result<u64, Refusal> {
        self.end(Target::Owner(owner, None)).await
    }

    /// As [`Sessions::end_tenant`].
    ///
    /// # Errors
    ///
    /// As [`Sessions::end_all`].
    pub async fn end_tenant(&self, tenant: &str) -> Result<u64, Refusal> {
        self.end(Target::Tenant(tenant.into())).await
    }

    /// As [`Sessions::end_everyone`].
    ///
    /// # Errors
    ///
    /// As [`Sessions::end_all`].
    pub async fn end_everyone(&self) -> Result<u64, Refusal> {
        self.end(Target::Everyone).await
    }

    /// As [`Sessions::erase_subject`].
    ///
    /// # Errors
    ///
    /// As [`Sessions::erase_subject`].
    pub async fn erase_subject(&self, owner: Owner) -> Result<Erasure, Refusal> {
        subject::erase(self.sessions.inner(), owner, self.by.clone()).await
    }

    /// As [`Sessions::remove_key`].
    ///
    /// # Errors
    ///
    /// As [`Sessions::remove_key`].
    pub async fn remove_key(&self, kid: &KeyId) -> Result<(), Refusal> {
        self.end_for(Target::Key(kid.as_str().into()), EndReason::KeyRemoved).await.map(drop)
    }

    async fn end(&self, target: Target) -> Result<u64, Refusal> {
        self.end_for(target, EndReason::EndedByAdmin).await
    }

    async fn end_for(&self, target: Target, reason: EndReason) -> Result<u64, Refusal> {
        let inner = self.sessions.inner();
        let (id, by) = (OpId(inner.random.bytes()), self.by.clone());
        Ok(flow::end(inner, id, target, reason, by).await?.sessions)
    }
}

/// One operation ends so many sessions, at most.
const AT_ONCE: usize = 256;
