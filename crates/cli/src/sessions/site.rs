//! A site, by one of the two ways to it.

use serde_json::Value;

use super::console::Console;
use super::direct::Direct;
use super::event::Event;
use super::query::Query;
use super::seen::{Ended, Erased, Page, Preview, Shown};
use super::target::Target;
use crate::error::Failure;
use crate::progress::Progress;

/// A site's sessions: through a running server's console, or straight at its registry.
pub(crate) enum Site {
    Console(Box<Console>),
    Direct(Direct),
}

impl Site {
    /// So many sessions of a query, page after page.
    pub(crate) async fn list(&mut self, query: &Query) -> Result<Page, Failure> {
        let (mut all, limit) = (Page::default(), query.limit as usize);
        let mut after = query.after.clone();
        loop {
            let wanted = limit - all.sessions.len();
            let page = match self {
                Self::Console(console) => console.page(query, after.as_deref(), wanted).await?,
                Self::Direct(direct) => direct.page(query, after.as_deref(), wanted).await?,
            };
            let ended = page.next.is_none() || page.sessions.len() >= wanted;
            after.clone_from(&page.next);
            let (mut sessions, total) = (std::mem::take(&mut all.sessions), all.total.or(page.total));
            sessions.extend(page.sessions.iter().cloned());
            all = Page { sessions, total, ..page };
            if ended {
                return Ok(all);
            }
        }
    }

    /// One session.
    pub(crate) async fn show(&mut self, id: countersign_token::SessionId) -> Result<Shown, Failure> {
        match self {
            Self::Console(console) => console.show(id).await,
            Self::Direct(direct) => direct.show(id).await,
        }
    }

    /// How much an end would hit. It changes nothing.
    pub(crate) async fn preview(&mut self, target: &Target) -> Result<Preview, Failure> {
        match self {
            Self::Console(console) => console.preview(target).await,
            Self::Direct(direct) => direct.preview(target).await,
        }
    }

    /// Ends sessions.
    pub(crate) async fn end(
        &mut self,
        target: &Target,
        why: Option<&str>,
        progress: &Progress,
    ) -> Result<Ended, Failure> {
        match self {
            Self::Console(console) => console.end(target, why.ok_or(Failure::NoWhy)?, progress).await,
            Self::Direct(direct) => direct.end(target, progress).await,
        }
    }

    /// Everything that is stored about a person, as one document.
    pub(crate) async fn export(
        &mut self,
        subject: &str,
        tenant: Option<&str>,
        why: Option<&str>,
    ) -> Result<Value, Failure> {
        match self {
            Self::Console(console) => console.export(subject, tenant, why.ok_or(Failure::NoWhy)?).await,
            Self::Direct(direct) => direct.export(&Target::owner(subject, tenant)).await,
        }
    }

    /// Erases a person.
    pub(crate) async fn erase(
        &mut self,
        subject: &str,
        tenant: Option<&str>,
        why: Option<&str>,
    ) -> Result<Erased, Failure> {
        match self {
            Self::Console(console) => console.erase(subject, tenant, why.ok_or(Failure::NoWhy)?).await,
            Self::Direct(direct) => direct.erase(Target::owner(subject, tenant)).await,
        }
    }

    /// Follows what happens, until `seen` says that it is enough or the site has no more to tell.
    pub(crate) async fn watch(
        &mut self,
        kinds: &[String],
        subject: Option<&str>,
        seen: &mut dyn FnMut(&Event) -> bool,
    ) -> Result<(), Failure> {
        match self {
            Self::Console(console) => console.watch(kinds, subject, seen).await,
            Self::Direct(direct) => direct.watch(kinds, subject, seen).await,
        }
    }

    /// Whether the reason of an end is kept.
    pub(crate) fn keeps_why(&self) -> bool {
        matches!(self, Self::Console(_))
    }

    /// Leaves in good order: logs out what logged in, writes what is not written.
    pub(crate) async fn close(self) {
        match self {
            Self::Console(console) => console.close().await,
            Self::Direct(direct) => direct.close().await,
        }
    }
}
