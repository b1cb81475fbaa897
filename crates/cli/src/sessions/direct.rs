//! A site straight at its registry.

use std::collections::HashSet;
use std::sync::Arc;

use countersign::{Erasure, SubjectExport};
use countersign_registry::{
    CountOf, Counts, Effect, End, EndReason, Ended as Done, Holding, List, OpId, Order, Owner, Registry,
    Standing, Tally, Target as Hit,
};
use countersign_token::SessionId;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde_json::{Value, json};

use super::query::{Query, written};
use super::seen::{Ended, Erased, Page, Preview, Remainder, Session, Shown, secs};
use super::target::{AT_ONCE, Target};
use crate::error::Failure;
use crate::progress::Progress;

/// A registry, opened by this command.
pub(crate) struct Direct {
    pub(crate) registry: Arc<dyn Registry>,
    /// Whether others change it while we look.
    pub(super) shared: bool,
}

/// The longest page that a registry gives.
const PAGE: usize = 1000;
/// How often a call is repeated that may have happened: it does so once, by its id.
const ATTEMPTS: u32 = 3;

impl Direct {
    pub(crate) fn of_file(registry: impl Registry) -> Self {
        Self { registry: Arc::new(registry), shared: false }
    }

    pub(crate) fn of_server(registry: impl Registry) -> Self {
        Self { registry: Arc::new(registry), shared: true }
    }

    pub(crate) async fn page(
        &self,
        query: &Query,
        after: Option<&str>,
        wanted: usize,
    ) -> Result<Page, Failure> {
        let page = self.registry.list(query.to_registry(after, wanted.min(PAGE))?).await?;
        let sessions = page.sessions.iter().map(|(record, holding)| Session::of(record, *holding));
        let (next, at) = (page.next.as_ref().map(written), secs(page.at));
        Ok(Page { sessions: sessions.collect(), next, total: None, at })
    }

    pub(crate) async fn show(&self, id: SessionId) -> Result<Shown, Failure> {
        let standing = self.registry.get(vec![id]).await?.pop();
        Ok(match standing {
            Some(Standing::Live(record, holding)) => {
                Shown { session: Some(Session::of(&record, holding)), ended: None }
            }
            Some(Standing::Ended(reason)) => {
                Shown { session: None, ended: reason.map(|reason| reason.as_str().to_owned()) }
            }
            None => Shown { session: None, ended: None },
        })
    }

    pub(crate) async fn counts(&self) -> Result<Counts, Failure> {
        Ok(self.registry.counts(CountOf::Site).await?)
    }

    pub(crate) async fn tally(&self) -> Result<Tally, Failure> {
        Ok(self.registry.tally(countersign_registry::Filter::default()).await?)
    }

    pub(crate) async fn preview(&self, target: &Target) -> Result<Preview, Failure> {
        match target {
            Target::Sessions(ids) => self.preview_each(ids).await,
            Target::User { subject, tenant } => {
                let owner = Target::owner(subject, tenant.as_deref());
                let Counts { sessions, seats } = self.registry.counts(CountOf::Owner(owner)).await?;
                Ok(Preview { sessions, people: sessions.min(1), seats, includes_you: false })
            }
            Target::Dangling { inactive_for } => {
                let tally = self.registry.tally(Target::dangling(*inactive_for)).await?;
                let Tally { sessions, seats, people, .. } = tally;
                Ok(Preview { sessions, people: people.count(), seats, includes_you: false })
            }
        }
    }

    async fn preview_each(&self, ids: &[SessionId]) -> Result<Preview, Failure> {
        let (mut preview, mut people) = (Preview::default(), HashSet::new());
        for ids in ids.chunks(AT_ONCE) {
            for standing in self.registry.get(ids.to_vec()).await? {
                if let Standing::Live(record, holding) = standing {
                    preview.sessions += 1;
                    preview.seats += u64::from(holding == Holding::Seat);
                    people.insert(record.owner);
                }
            }
        }
        Ok(Preview { people: people.len() as u64, ..preview })
    }

    pub(crate) async fn end(&self, target: &Target, progress: &Progress) -> Result<Ended, Failure> {
        let ended = match target {
            Target::Sessions(ids) => self.end_each(ids, progress).await?,
            Target::User { subject, tenant } => {
                let owner = Target::owner(subject, tenant.as_deref());
                self.carry_out(Hit::Owner(owner, None)).await?.sessions
            }
            Target::Dangling { inactive_for } => self.end_dangling(*inactive_for, progress).await?,
        };
        Ok(Ended { ended, audit: None })
    }

    async fn end_each(&self, ids: &[SessionId], progress: &Progress) -> Result<u64, Failure> {
        let mut ended = 0;
        for ids in ids.chunks(AT_ONCE) {
            let done = self.carry_out(Hit::Sessions(ids.to_vec())).await;
            ended += done.map_err(|failure| failure.after(ended))?.sessions;
            progress.add(ids.len() as u64);
        }
        Ok(ended)
    }

    /// Page by page, the longest forgotten first. Who came back since they were listed is spared.
    async fn end_dangling(
        &self,
        inactive_for: std::time::Duration,
        progress: &Progress,
    ) -> Result<u64, Failure> {
        let filter = Target::dangling(inactive_for);
        let mut list = List { filter, order: Order::LeastRecent, after: None, limit: PAGE };
        let mut ended = 0;
        loop {
            let page = self.registry.list(list.clone()).await;
            let page = page.map_err(|error| Failure::from(error).after(ended))?;
            for seen in page.sessions.chunks(AT_ONCE) {
                let still = self.still_dangling(seen).await.map_err(|failure| failure.after(ended))?;
                let done = self.carry_out(Hit::Sessions(still)).await;
                ended += done.map_err(|failure| failure.after(ended))?.sessions;
                progress.add(seen.len() as u64);
            }
            list.after = page.next;
            if list.after.is_none() {
                return Ok(ended);
            }
        }
    }

    async fn still_dangling(
        &self,
        seen: &[(countersign_registry::SessionRecord, Holding)],
    ) -> Result<Vec<SessionId>, Failure> {
        let ids = seen.iter().map(|(record, _)| record.id).collect();
        let now = self.registry.get(ids).await?;
        let same = seen.iter().zip(now).filter(|((before, _), now)| {
            matches!(now, Standing::Live(record, Holding::Nothing) if record.last_activity == before.last_activity)
        });
        Ok(same.map(|((record, _), _)| record.id).collect())
    }

    /// The framework's own export: it means the same here as on a node.
    pub(crate) async fn export(&self, owner: &Owner) -> Result<Value, Failure> {
        let mut export = json!(SubjectExport::read(&*self.registry, owner).await?);
        export["audit"] = Value::Null;
        Ok(export)
    }

    /// The framework's own erasure. For how long the site's sessions live, nobody knows here.
    pub(crate) async fn erase(&self, owner: Owner) -> Result<Erased, Failure> {
        let done = self.carry_out(Hit::Owner(owner, None)).await?;
        let Erasure { sessions, remains, .. } = Erasure::of(&done, None);
        let remains = remains.into_iter().map(|left| Remainder {
            what: left.what.to_owned(),
            until: left.until.map(secs),
            why: left.why.to_owned(),
        });
        Ok(Erased { sessions, remains: remains.collect(), audit: None })
    }

    /// One end, repeated where nobody can tell whether it happened.
    async fn carry_out(&self, target: Hit) -> Result<Done, Failure> {
        let mut id = [0; 16];
        SystemRandom::new().fill(&mut id).map_err(|_| Failure::NoRandom)?;
        let end = End { id: OpId(id), target, reason: EndReason::EndedByAdmin };
        for _ in 1..ATTEMPTS {
            match self.registry.end(end.clone()).await {
                Err(error) if error.effect == Effect::Unknown => {}
                other => return Ok(other?),
            }
        }
        Ok(self.registry.end(end).await?)
    }

    /// What was acknowledged is durable; this waits for what need not be.
    pub(crate) async fn close(self) {
        let _ = self.registry.flush().await;
    }
}
